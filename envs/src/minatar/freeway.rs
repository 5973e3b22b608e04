//! `Freeway`: cross a road of eight lanes.

use super::{Action, Fields, Game, Planes, Played, SIZE};
use crate::chance::Chance;

const LANES: usize = 8;
/// The chicken's column.
const COLUMN: i32 = 4;
/// The chicken's first row.
const BOTTOM: i32 = SIZE - 1;
/// How long the chicken rests after a move.
const REST: i32 = 3;
const FRAMES: i32 = 2500;

/// A chicken that can move in every third step: 1 for each crossing; a car puts it back to the start, the clock ends
/// the game after 2501 steps.
///
/// After a crossing the cars are drawn anew where they are. A car of speed s moves in every (|s| + 1)-th step, so 1 is
/// the fastest.
///
/// The saved state: row of the chicken; steps until it can move; steps left; then by car, from the top, its column,
/// steps until it moves, and speed (below 0 to the left).
#[derive(Debug)]
pub struct Freeway {
    row: i32,
    rest: i32,
    frames: i32,
    cars: [Car; LANES],
}

#[derive(Debug, Clone, Copy)]
struct Car {
    column: i32,
    countdown: i32,
    speed: i32,
}

impl Freeway {
    /// New speeds; the columns stay.
    fn draw_cars(&mut self, chance: &mut dyn Chance) {
        for car in &mut self.cars {
            car.speed = chance.integer(1, 6) as i32;
            car.countdown = car.speed;
        }
        for car in &mut self.cars {
            if chance.unit() <= 0.5 {
                car.speed = -car.speed;
            }
        }
    }
}

impl Default for Freeway {
    fn default() -> Self {
        Self { row: BOTTOM, rest: REST, frames: FRAMES, cars: [Car { column: 0, countdown: 1, speed: 1 }; LANES] }
    }
}

impl Game for Freeway {
    const NAME: &'static str = "Freeway";
    const SUMMARY: &'static str = "bring a chicken across a road";
    const CHANNELS: &'static [&'static str] =
        &["chicken", "car", "speed 1", "speed 2", "speed 3", "speed 4", "speed 5"];
    const ACTIONS: &'static [Action] = &[Action::None, Action::Up, Action::Down];

    fn reset(&mut self, chance: &mut dyn Chance) {
        *self = Self::default();
        self.draw_cars(chance);
    }

    fn step(&mut self, action: Action, _ramping: bool, chance: &mut dyn Chance) -> Played {
        let mut played = Played::default();
        if self.rest == 0 && action.rows() != 0 {
            self.row = (self.row + action.rows()).clamp(0, BOTTOM);
            self.rest = REST;
        }
        if self.row == 0 {
            played.reward = 1;
            self.draw_cars(chance);
            self.row = BOTTOM;
        }
        for (car, lane) in self.cars.iter_mut().zip(1..) {
            // A hit is looked for before the car moves and after.
            if (lane, car.column) == (self.row, COLUMN) {
                self.row = BOTTOM;
            }
            if car.countdown > 0 {
                car.countdown -= 1;
                continue;
            }
            car.countdown = car.speed.abs();
            car.column = (car.column + car.speed.signum()).rem_euclid(SIZE);
            if (lane, car.column) == (self.row, COLUMN) {
                self.row = BOTTOM;
            }
        }
        self.rest = (self.rest - 1).max(0);
        self.frames -= 1;
        played.over = self.frames < 0;
        played
    }

    fn observe(&self, planes: &mut Planes<'_>) {
        planes.set(self.row, COLUMN, 0);
        for (car, lane) in self.cars.iter().zip(1..) {
            planes.set(lane, car.column, 1);
            let behind = (car.column - car.speed.signum()).rem_euclid(SIZE);
            planes.set(lane, behind, 1 + car.speed.unsigned_abs() as usize);
        }
    }

    fn fields(&mut self, fields: &mut Fields<'_>) {
        fields.number(&mut self.row, 1..=BOTTOM);
        fields.number(&mut self.rest, 0..=REST);
        fields.number(&mut self.frames, -1..=FRAMES);
        for car in &mut self.cars {
            fields.number(&mut car.column, 0..=SIZE - 1);
            fields.number(&mut car.countdown, 0..=5);
            fields.speed(&mut car.speed, 5);
        }
    }

    fn fits(&self, over: bool) -> bool {
        over == (self.frames < 0)
    }
}
