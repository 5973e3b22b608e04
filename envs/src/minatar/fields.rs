//! Saving and loading by one account of the state, so that the two cannot disagree.

use std::ops::RangeInclusive;

/// Goes through the parts of a state, each a 32-bit integer (little-endian), and either writes them down or replaces
/// them by what was written, provided that it lies in their range.
#[derive(Debug)]
pub struct Fields<'a> {
    written: Vec<u8>,
    /// What is left to read; `None` when writing.
    unread: Option<&'a [u8]>,
    numbers: usize,
    fault: Option<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn writing() -> Self {
        Self { written: Vec::new(), unread: None, numbers: 0, fault: None }
    }

    pub(super) fn reading(bytes: &'a [u8]) -> Self {
        Self { written: Vec::new(), unread: Some(bytes), numbers: 0, fault: None }
    }

    pub(super) fn written(self) -> Vec<u8> {
        self.written
    }

    /// The first thing that did not fit, bytes left over included.
    pub(super) fn finish(self) -> Result<(), String> {
        let left_over = self.unread.map_or(0, <[u8]>::len);
        match self.fault {
            Some(fault) => Err(fault),
            None if left_over > 0 => Err(format!("{left_over} of its bytes are left over")),
            None => Ok(()),
        }
    }

    /// A number in `range`, where it stays whatever is read.
    pub fn number(&mut self, value: &mut i32, range: RangeInclusive<i32>) {
        self.numbers += 1;
        let Some(unread) = &mut self.unread else {
            self.written.extend(value.to_le_bytes());
            return;
        };
        let Some((bytes, rest)) = unread.split_first_chunk() else {
            self.demand(false, "it ends too early");
            return;
        };
        *unread = rest;
        let number = i32::from_le_bytes(*bytes);
        if range.contains(&number) {
            *value = number;
        } else if self.fault.is_none() {
            let (place, low, high) = (self.numbers, range.start(), range.end());
            self.fault = Some(format!("its number {place} is {number}, which is not from {low} to {high}"));
        }
    }

    /// A truth value, as 0 or 1.
    pub fn flag(&mut self, value: &mut bool) {
        let mut number = i32::from(*value);
        self.number(&mut number, 0..=1);
        *value = number == 1;
    }

    /// A direction: -1 or 1.
    pub fn direction(&mut self, value: &mut i32) {
        self.speed(value, 1);
    }

    /// A number other than 0 that is at most `limit`, either way.
    pub fn speed(&mut self, value: &mut i32, limit: i32) {
        let mut number = *value;
        self.number(&mut number, -limit..=limit);
        if number == 0 {
            self.demand(false, "a direction in it is 0");
        } else {
            *value = number;
        }
    }

    /// Several things of one kind, `most` at most: how many, then the parts of each.
    pub fn list<T: Default>(&mut self, list: &mut Vec<T>, most: usize, mut each: impl FnMut(&mut Self, &mut T)) {
        let mut count = list.len() as i32;
        self.number(&mut count, 0..=most as i32);
        list.resize_with(count as usize, T::default);
        for item in list {
            each(self, item);
        }
    }

    /// What must hold between parts, or else the state read is refused with this message.
    pub fn demand(&mut self, holds: bool, message: &str) {
        if !holds && self.unread.is_some() && self.fault.is_none() {
            self.fault = Some(message.into());
        }
    }
}
