//! The board of ten by ten cells.

use super::fields::Fields;

/// Rows and columns of the board.
pub const SIZE: i32 = 10;

const ROW: u16 = (1 << SIZE) - 1;

/// Whether a row or a column with this number exists.
pub fn on_board(place: i32) -> bool {
    (0..SIZE).contains(&place)
}

/// An observation in the making.
#[derive(Debug)]
pub struct Planes<'a>(&'a mut [f32]);

impl<'a> Planes<'a> {
    /// Planes in the order channel, row, column.
    pub fn new(out: &'a mut [f32]) -> Self {
        Self(out)
    }

    /// Sets a cell to 1; one off the board is left out, as a trail can be.
    pub fn set(&mut self, row: i32, column: i32, channel: usize) {
        if on_board(row) && on_board(column) {
            self.0[channel * (SIZE * SIZE) as usize + (row * SIZE + column) as usize] = 1.0;
        }
    }

    /// Sets every cell that the field has.
    pub fn set_all(&mut self, field: &Field, channel: usize) {
        for (row, &columns) in (0..).zip(&field.0) {
            let mut left = columns;
            while left != 0 {
                self.set(row, left.trailing_zeros() as i32, channel);
                left &= left - 1;
            }
        }
    }
}

/// A set of cells: by row, one bit a column, the lowest for column 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Field([u16; SIZE as usize]);

impl Field {
    /// All cells in these rows and columns, which must be on the board.
    pub fn block(rows: std::ops::RangeInclusive<i32>, columns: std::ops::RangeInclusive<i32>) -> Self {
        let mut field = Self::default();
        for row in rows {
            for column in columns.clone() {
                field.insert(row, column);
            }
        }
        field
    }

    /// Whether the cell is in the set; none off the board is.
    pub fn has(&self, row: i32, column: i32) -> bool {
        on_board(row) && on_board(column) && self.0[row as usize] & 1 << column != 0
    }

    /// Adds a cell that is on the board.
    pub fn insert(&mut self, row: i32, column: i32) {
        self.0[row as usize] |= 1 << column;
    }

    /// Takes out a cell that is on the board.
    pub fn remove(&mut self, row: i32, column: i32) {
        self.0[row as usize] &= !(1 << column);
    }

    /// How many cells are in the set.
    pub fn len(&self) -> i32 {
        self.0.iter().map(|row| row.count_ones() as i32).sum()
    }

    /// Whether no cell is in the set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The lowest row with a cell in this column.
    pub fn lowest(&self, column: i32) -> Option<i32> {
        (0..SIZE).rev().find(|&row| self.has(row, column))
    }

    /// Moves everything up; what leaves the board is lost.
    pub fn up(&mut self) {
        self.0.rotate_left(1);
        self.0[SIZE as usize - 1] = 0;
    }

    /// Moves everything down; what leaves the board is lost.
    pub fn down(&mut self) {
        self.around_down();
        self.0[0] = 0;
    }

    /// Moves everything down; what leaves the board comes in at the top.
    pub fn around_down(&mut self) {
        self.0.rotate_right(1);
    }

    /// Moves everything one column, to the right if `direction` is above 0; what leaves the board is lost.
    pub fn sideways(&mut self, direction: i32) {
        for row in &mut self.0 {
            *row = if direction > 0 { *row << 1 & ROW } else { *row >> 1 };
        }
    }

    /// The cells that are in both.
    #[must_use]
    pub fn both(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|row| self.0[row] & other.0[row]))
    }

    /// Takes out all cells of another set.
    pub fn remove_all(&mut self, other: &Self) {
        for (row, other) in self.0.iter_mut().zip(other.0) {
            *row &= !other;
        }
    }

    /// One number a row, from the top: the bits of its columns.
    pub fn fields(&mut self, fields: &mut Fields<'_>) {
        for row in &mut self.0 {
            let mut bits = i32::from(*row);
            fields.number(&mut bits, 0..=ROW.into());
            *row = bits as u16;
        }
    }
}
