//! `Breakout`: keep a ball in play that breaks bricks.

use super::{Action, Field, Fields, Game, Planes, Played, SIZE, on_board};
use crate::chance::Chance;

/// The row of the paddle.
const BOTTOM: i32 = SIZE - 1;

/// A paddle, a ball and three rows of bricks: 1 for each brick; missing the ball ends the game.
///
/// Bricks come back when all are gone and the ball is down at the paddle. The ball starts on a brick, which stays.
///
/// The saved state: column of the paddle; row and column of the ball; its vertical and horizontal direction; row and
/// column of its trail; whether it broke a brick or was on one in the last step; the bricks (by row).
#[derive(Debug)]
pub struct Breakout {
    paddle: i32,
    row: i32,
    column: i32,
    down: i32,
    right: i32,
    trail: (i32, i32),
    /// While the ball is among bricks after breaking one, it breaks no other.
    struck: bool,
    bricks: Field,
}

fn wall() -> Field {
    Field::block(1..=3, 0..=SIZE - 1)
}

impl Breakout {
    fn start(right: bool) -> Self {
        let (column, right) = if right { (0, 1) } else { (SIZE - 1, -1) };
        Self { paddle: 4, row: 3, column, down: 1, right, trail: (3, column), struck: false, bricks: wall() }
    }
}

impl Default for Breakout {
    fn default() -> Self {
        Self::start(true)
    }
}

impl Game for Breakout {
    const NAME: &'static str = "Breakout";
    const SUMMARY: &'static str = "break bricks with ball and paddle";
    const CHANNELS: &'static [&'static str] = &["paddle", "ball", "trail", "brick"];
    const ACTIONS: &'static [Action] = &[Action::None, Action::Left, Action::Right];

    fn reset(&mut self, chance: &mut dyn Chance) {
        *self = Self::start(chance.integer(0, 2) == 0);
    }

    fn step(&mut self, action: Action, _ramping: bool, _chance: &mut dyn Chance) -> Played {
        let mut played = Played::default();
        self.paddle = (self.paddle + action.columns()).clamp(0, SIZE - 1);
        self.trail = (self.row, self.column);
        let (mut row, mut column) = (self.row + self.down, self.column + self.right);
        if !on_board(column) {
            column = column.clamp(0, SIZE - 1);
            self.right = -self.right;
        }
        let contact = self.bricks.has(row, column);
        if row < 0 {
            row = 0;
            self.down = -self.down;
        } else if contact {
            if !self.struck {
                played.reward = 1;
                self.bricks.remove(row, column);
                row = self.row;
                self.down = -self.down;
            }
        } else if row == BOTTOM {
            if self.bricks.is_empty() {
                self.bricks = wall();
            }
            if self.column == self.paddle {
                self.down = -self.down;
                row = self.row;
            } else if column == self.paddle {
                (self.down, self.right) = (-self.down, -self.right);
                row = self.row;
            } else {
                played.over = true;
            }
        }
        self.struck = contact;
        (self.row, self.column) = (row, column);
        played
    }

    fn observe(&self, planes: &mut Planes<'_>) {
        planes.set(BOTTOM, self.paddle, 0);
        planes.set(self.row, self.column, 1);
        planes.set(self.trail.0, self.trail.1, 2);
        planes.set_all(&self.bricks, 3);
    }

    fn fields(&mut self, fields: &mut Fields<'_>) {
        fields.number(&mut self.paddle, 0..=SIZE - 1);
        for place in [&mut self.row, &mut self.column] {
            fields.number(place, 0..=SIZE - 1);
        }
        fields.direction(&mut self.down);
        fields.direction(&mut self.right);
        for place in [&mut self.trail.0, &mut self.trail.1] {
            fields.number(place, 0..=SIZE - 1);
        }
        fields.flag(&mut self.struck);
        self.bricks.fields(fields);
        fields.demand(self.bricks.both(&wall()) == self.bricks, "a brick in it is outside of rows 1 to 3");
    }

    fn fits(&self, over: bool) -> bool {
        over == (self.row == BOTTOM)
    }
}
