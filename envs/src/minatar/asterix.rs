//! `Asterix`: collect gold, keep away from enemies.

use super::{Action, Fields, Game, Planes, Played, SIZE, on_board};
use crate::chance::Chance;

/// Rows 1 to 8, in each of which one thing can be.
const SLOTS: usize = 8;
/// Steps between two rises of the difficulty, but for two.
const RAMP_TIME: i32 = 100;
const LAST_RAMP_INDEX: i32 = 9;

/// A player among things that cross the board: 1 for each gold; touching an enemy ends the game.
///
/// Every 102 steps things come more often, from every 10 steps to every step, and every 204 steps they become faster,
/// from a move in 5 steps to one in each.
///
/// The saved state: column and row of the player; spawn timer; move timer; ramp timer; ramp index; then by row, from 1
/// to 8, what is there (0 nothing, 1 an enemy, 2 gold), its column and its direction (0 and 1 where nothing is).
#[derive(Debug)]
pub struct Asterix {
    x: i32,
    y: i32,
    spawn_timer: i32,
    move_timer: i32,
    ramp_timer: i32,
    ramp_index: i32,
    slots: [Option<Thing>; SLOTS],
}

#[derive(Debug, Clone, Copy)]
struct Thing {
    column: i32,
    direction: i32,
    gold: bool,
}

impl Asterix {
    fn spawn(&mut self, chance: &mut dyn Chance) {
        let direction = if chance.unit() < 0.5 { 1 } else { -1 };
        let gold = chance.unit() < 1.0 / 3.0;
        let empty = self.slots.iter().filter(|slot| slot.is_none()).count();
        if empty == 0 {
            return;
        }
        let chosen = chance.integer(0, empty as i64) as usize;
        let column = if direction > 0 { 0 } else { SIZE - 1 };
        if let Some(slot) = self.slots.iter_mut().filter(|slot| slot.is_none()).nth(chosen) {
            *slot = Some(Thing { column, direction, gold });
        }
    }

    /// Takes the gold where the player is; an enemy there stays and ends the game.
    fn touch(&mut self, slot: usize, played: &mut Played) {
        match self.slots[slot] {
            Some(thing) if (thing.column, slot as i32 + 1) == (self.x, self.y) => {
                if thing.gold {
                    self.slots[slot] = None;
                    played.reward += 1;
                } else {
                    played.over = true;
                }
            }
            _ => {}
        }
    }

    fn move_things(&mut self, played: &mut Played) {
        for i in 0..SLOTS {
            if let Some(thing) = &mut self.slots[i] {
                thing.column += thing.direction;
                if !on_board(thing.column) {
                    self.slots[i] = None;
                }
            }
            self.touch(i, played);
        }
    }

    fn ramp(&mut self) {
        if self.ramp_timer >= 0 {
            self.ramp_timer -= 1;
        } else {
            self.ramp_index += 1;
            self.ramp_timer = RAMP_TIME;
        }
    }

    fn spawn_interval(&self) -> i32 {
        10 - self.ramp_index
    }

    /// Falls with every second rise.
    fn move_interval(&self) -> i32 {
        5 - self.ramp_index / 2
    }
}

impl Default for Asterix {
    fn default() -> Self {
        let slots = [None; SLOTS];
        Self { x: 5, y: 5, spawn_timer: 10, move_timer: 5, ramp_timer: RAMP_TIME, ramp_index: 0, slots }
    }
}

impl Game for Asterix {
    const NAME: &'static str = "Asterix";
    const SUMMARY: &'static str = "collect gold and keep away from enemies";
    const CHANNELS: &'static [&'static str] = &["player", "enemy", "trail", "gold"];
    const ACTIONS: &'static [Action] = &[Action::None, Action::Left, Action::Up, Action::Right, Action::Down];

    fn reset(&mut self, _chance: &mut dyn Chance) {
        *self = Self::default();
    }

    fn step(&mut self, action: Action, ramping: bool, chance: &mut dyn Chance) -> Played {
        let mut played = Played::default();
        if self.spawn_timer == 0 {
            self.spawn(chance);
            self.spawn_timer = self.spawn_interval();
        }
        self.x = (self.x + action.columns()).clamp(0, SIZE - 1);
        self.y = (self.y + action.rows()).clamp(1, SIZE - 2);
        for slot in 0..SLOTS {
            self.touch(slot, &mut played);
        }
        if self.move_timer == 0 {
            self.move_timer = self.move_interval();
            self.move_things(&mut played);
        }
        self.spawn_timer -= 1;
        self.move_timer -= 1;
        if ramping && self.ramp_index < LAST_RAMP_INDEX {
            self.ramp();
        }
        played
    }

    fn observe(&self, planes: &mut Planes<'_>) {
        planes.set(self.y, self.x, 0);
        for (slot, row) in self.slots.iter().zip(1..) {
            if let Some(thing) = slot {
                planes.set(row, thing.column, if thing.gold { 3 } else { 1 });
                planes.set(row, thing.column - thing.direction, 2);
            }
        }
    }

    fn fields(&mut self, fields: &mut Fields<'_>) {
        fields.number(&mut self.x, 0..=SIZE - 1);
        fields.number(&mut self.y, 1..=SIZE - 2);
        fields.number(&mut self.spawn_timer, 0..=10);
        fields.number(&mut self.move_timer, 0..=5);
        fields.number(&mut self.ramp_timer, -1..=RAMP_TIME);
        fields.number(&mut self.ramp_index, 0..=LAST_RAMP_INDEX);
        for slot in &mut self.slots {
            let mut what = slot.map_or(0, |thing| 1 + i32::from(thing.gold));
            let mut thing = slot.unwrap_or(Thing { column: 0, direction: 1, gold: false });
            fields.number(&mut what, 0..=2);
            fields.number(&mut thing.column, 0..=SIZE - 1);
            fields.direction(&mut thing.direction);
            fields.demand(what > 0 || (thing.column, thing.direction) == (0, 1), "nothing has a place in it");
            thing.gold = what == 2;
            *slot = (what > 0).then_some(thing);
        }
    }

    fn ramp_index(&self) -> Option<i32> {
        Some(self.ramp_index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Start;

    /// A row holds one thing, so that a step cannot both pay and end the game; but what comes after the touch goes on.
    #[test]
    fn the_step_that_ends_the_game_is_played_to_its_end() {
        let thing = |column, direction, gold| Some(Thing { column, direction, gold });
        let mut game = Asterix { move_timer: 0, spawn_timer: 3, ramp_timer: -1, ..Asterix::default() };
        (game.slots[4], game.slots[6]) = (thing(5, 1, false), thing(9, 1, true));
        assert_eq!(game.step(Action::None, true, &mut Start(0)), Played { reward: 0, over: true });
        assert_eq!(game.slots[4].map(|thing| thing.column), Some(6), "the enemy moves on");
        assert!(game.slots[6].is_none(), "so does what leaves the board");
        assert_eq!((game.spawn_timer, game.move_timer, game.ramp_index), (2, 4, 1));
    }

    #[test]
    fn gold_is_taken_before_and_after_things_move() {
        for (column, move_timer) in [(5, 0), (5, 3), (4, 0)] {
            let mut game = Asterix { move_timer, ..Asterix::default() };
            game.slots[4] = Some(Thing { column, direction: 1, gold: true });
            assert_eq!(game.step(Action::Fire, true, &mut Start(0)), Played { reward: 1, over: false });
            assert!(game.slots[4].is_none());
        }
    }
}
