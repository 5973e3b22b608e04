//! `Seaquest`: a submarine that hunts, rescues divers and runs out of air.

mod stages;
mod thing;

use super::{Action, Fields, Game, Planes, Played, SIZE};
use crate::chance::Chance;
use thing::{CAPACITY, Thing};

const AIR: i32 = 200;
const MOST_DIVERS: i32 = 6;
const RELOAD: i32 = 5;
const SUBS_RELOAD: i32 = 10;
const ENEMY_INTERVAL: i32 = 20;
const DIVER_INTERVAL: i32 = 30;
const ENEMY_PERIOD: i32 = 5;
const DIVER_PERIOD: i32 = 5;
const LAST_RAMP_INDEX: i32 = 19;

/// A submarine among fish, enemy submarines and divers: 1 for each enemy shot, up to 9 for bringing six divers to the
/// surface; a touch, a bullet, no air, or coming up without a diver end the game.
///
/// Each time at the surface costs a diver and makes enemies come more often, from every 20 steps to every step; the
/// first times also make them faster. As in the original, bringing up six divers leaves a count of -1, with which
/// coming up is allowed again.
///
/// The saved state: column, row and direction of the player; air; divers; whether the player is at the surface since the
/// last breath; steps until it can shoot, until the next enemy and the next diver; ramp index; then five lists, oldest
/// first: its bullets, enemy bullets, fish, enemy submarines, divers. Each is a count and, for each thing, column, row,
/// direction, move timer and shot timer (0 for things without).
#[derive(Debug)]
pub struct Seaquest {
    x: i32,
    y: i32,
    facing: i32,
    oxygen: i32,
    divers_aboard: i32,
    surfaced: bool,
    shot_timer: i32,
    enemy_timer: i32,
    diver_timer: i32,
    ramp_index: i32,
    bullets: Vec<Thing>,
    enemy_bullets: Vec<Thing>,
    fish: Vec<Thing>,
    subs: Vec<Thing>,
    divers: Vec<Thing>,
}

impl Seaquest {
    fn begin(&mut self) {
        (self.x, self.y, self.facing) = (5, 0, -1);
        (self.oxygen, self.divers_aboard, self.surfaced) = (AIR, 0, true);
        (self.shot_timer, self.enemy_timer, self.diver_timer) = (0, ENEMY_INTERVAL, DIVER_INTERVAL);
        self.ramp_index = 0;
        // The memory of the lists is kept.
        for list in [&mut self.bullets, &mut self.enemy_bullets, &mut self.fish, &mut self.subs, &mut self.divers] {
            list.clear();
        }
    }
}

impl Default for Seaquest {
    fn default() -> Self {
        let list = || Vec::with_capacity(CAPACITY);
        let mut game = Self {
            x: 0,
            y: 0,
            facing: 0,
            oxygen: 0,
            divers_aboard: 0,
            surfaced: false,
            shot_timer: 0,
            enemy_timer: 0,
            diver_timer: 0,
            ramp_index: 0,
            bullets: list(),
            enemy_bullets: list(),
            fish: list(),
            subs: list(),
            divers: list(),
        };
        game.begin();
        game
    }
}

impl Game for Seaquest {
    const NAME: &'static str = "Seaquest";
    const SUMMARY: &'static str = "hunt under water, rescue divers, mind the air";
    const CHANNELS: &'static [&'static str] = &[
        "submarine front",
        "submarine back",
        "friendly bullet",
        "trail",
        "enemy bullet",
        "fish",
        "enemy submarine",
        "oxygen gauge",
        "diver gauge",
        "diver",
    ];
    const ACTIONS: &'static [Action] = &Action::ALL;

    fn reset(&mut self, _chance: &mut dyn Chance) {
        self.begin();
    }

    fn step(&mut self, action: Action, ramping: bool, chance: &mut dyn Chance) -> Played {
        let mut played = Played::default();
        if self.enemy_timer == 0 {
            self.spawn_enemy(chance);
        }
        if self.diver_timer == 0 {
            self.spawn_diver(chance);
        }
        self.act(action);
        self.move_bullets(&mut played);
        self.move_divers();
        self.move_subs(&mut played);
        self.move_enemy_bullets(&mut played);
        self.move_fish(&mut played);
        for timer in [&mut self.enemy_timer, &mut self.diver_timer, &mut self.shot_timer] {
            *timer = (*timer - 1).max(0);
        }
        self.breathe(ramping, &mut played);
        played
    }

    fn observe(&self, planes: &mut Planes<'_>) {
        planes.set(self.y, self.x, 0);
        planes.set(self.y, self.x - self.facing, 1);
        for (list, channel, trail) in [
            (&self.bullets, 2, None),
            (&self.enemy_bullets, 4, None),
            (&self.fish, 5, Some(3)),
            (&self.subs, 6, Some(3)),
            (&self.divers, 9, Some(3)),
        ] {
            for thing in list {
                thing.draw(planes, channel, trail);
            }
        }
        for column in 0..self.air_left() {
            planes.set(SIZE - 1, column, 7);
        }
        for column in SIZE - 1 - self.divers_aboard.max(0)..SIZE - 1 {
            planes.set(SIZE - 1, column, 8);
        }
    }

    fn fields(&mut self, fields: &mut Fields<'_>) {
        fields.number(&mut self.x, 0..=SIZE - 1);
        fields.number(&mut self.y, 0..=SIZE - 2);
        fields.direction(&mut self.facing);
        fields.number(&mut self.oxygen, -1..=AIR);
        fields.number(&mut self.divers_aboard, i32::MIN..=MOST_DIVERS);
        fields.flag(&mut self.surfaced);
        fields.number(&mut self.shot_timer, 0..=RELOAD);
        fields.number(&mut self.enemy_timer, 0..=ENEMY_INTERVAL);
        fields.number(&mut self.diver_timer, 0..=DIVER_INTERVAL);
        fields.number(&mut self.ramp_index, 0..=LAST_RAMP_INDEX);
        for list in [&mut self.bullets, &mut self.enemy_bullets, &mut self.fish, &mut self.subs, &mut self.divers] {
            fields.list(list, CAPACITY, |fields, thing| thing.fields(fields));
        }
    }

    fn fits(&self, over: bool) -> bool {
        over || self.oxygen >= 0
    }

    fn ramp_index(&self) -> Option<i32> {
        Some(self.ramp_index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Start;

    /// A submarine in row 5, one column beyond a bullet that came past it, about to move onto it and to shoot.
    fn about_to_be_shot(shot_timer: i32) -> Seaquest {
        let mut game = Seaquest { x: 0, y: 3, facing: 1, surfaced: false, ..Seaquest::default() };
        game.subs.push(Thing { x: 5, y: 5, direction: -1, move_timer: 0, shot_timer });
        game.bullets.push(Thing { x: 3, y: 5, direction: 1, ..Thing::default() });
        game
    }

    /// No trace has this case.
    #[test]
    fn a_submarine_shot_while_it_moves_still_shoots_if_it_is_time() {
        let mut game = about_to_be_shot(0);
        assert_eq!(game.step(Action::None, true, &mut Start(0)), Played { reward: 1, over: false });
        assert!(game.subs.is_empty() && game.bullets.is_empty());
        // From the cell where the two met, and on its way in the same step.
        assert_eq!(game.enemy_bullets, [Thing { x: 3, y: 5, direction: -1, ..Thing::default() }]);
        let mut game = about_to_be_shot(1);
        assert_eq!(game.step(Action::None, true, &mut Start(0)), Played { reward: 1, over: false });
        assert!(game.subs.is_empty() && game.enemy_bullets.is_empty());
    }

    #[test]
    fn full_lists_take_nothing_more() {
        let mut game = Seaquest { y: 3, surfaced: false, enemy_timer: 0, diver_timer: 0, ..Seaquest::default() };
        let thing = Thing { x: 0, y: 1, direction: 1, move_timer: 5, shot_timer: 0 };
        for list in [&mut game.bullets, &mut game.enemy_bullets, &mut game.fish, &mut game.subs, &mut game.divers] {
            list.resize(CAPACITY, thing);
        }
        game.step(Action::Fire, true, &mut Start(1));
        for list in [&game.bullets, &game.enemy_bullets, &game.fish, &game.subs, &game.divers] {
            assert!(list.len() <= CAPACITY && list.capacity() == CAPACITY);
        }
    }
}
