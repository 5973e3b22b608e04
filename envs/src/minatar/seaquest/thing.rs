//! What the lists of the game hold.

use super::super::{Fields, Planes, SIZE, on_board};
use super::{ENEMY_PERIOD, SUBS_RELOAD};

/// What a list can hold. Play from a reset stays far below: an enemy crosses the board in 30 steps when one comes in
/// each. Only a made-up state can fill a list; it then takes nothing more.
pub(super) const CAPACITY: usize = 64;

/// Anything that moves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Thing {
    pub x: i32,
    pub y: i32,
    pub direction: i32,
    pub move_timer: i32,
    pub shot_timer: i32,
}

impl Default for Thing {
    fn default() -> Self {
        Self { x: 0, y: 1, direction: 1, move_timer: 0, shot_timer: 0 }
    }
}

impl Thing {
    /// Enters from the side that a uniform draw decides on, in a row still to be drawn.
    pub fn entering(side: f64, move_timer: i32) -> Self {
        let (x, direction) = if side < 0.5 { (0, 1) } else { (SIZE - 1, -1) };
        Self { x, direction, move_timer, ..Self::default() }
    }

    pub fn at(&self, (x, y): (i32, i32)) -> bool {
        (self.x, self.y) == (x, y)
    }

    /// Shows it, and a trail one column behind it.
    pub fn draw(&self, planes: &mut Planes<'_>, channel: usize, trail: Option<usize>) {
        planes.set(self.y, self.x, channel);
        if let Some(trail) = trail {
            planes.set(self.y, self.x - self.direction, trail);
        }
    }

    /// Shows all parts.
    pub fn fields(&mut self, fields: &mut Fields<'_>) {
        fields.number(&mut self.x, 0..=SIZE - 1);
        fields.number(&mut self.y, 0..=SIZE - 2);
        fields.direction(&mut self.direction);
        fields.number(&mut self.move_timer, 0..=ENEMY_PERIOD);
        fields.number(&mut self.shot_timer, 0..=SUBS_RELOAD);
    }

    /// Moves one column; whether it is still on the board.
    pub fn advance(&mut self) -> bool {
        self.x += self.direction;
        on_board(self.x)
    }
}

pub(super) fn push(list: &mut Vec<Thing>, thing: Thing) {
    if list.len() < CAPACITY {
        list.push(thing);
    }
}

/// Takes out the oldest thing on a cell, if one is there.
pub(super) fn remove_at(list: &mut Vec<Thing>, cell: (i32, i32)) -> bool {
    let found = list.iter().position(|thing| thing.at(cell));
    found.map(|i| list.remove(i)).is_some()
}
