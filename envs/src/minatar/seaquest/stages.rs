//! The stages of a step.

use super::super::{Action, Played, SIZE};
use super::thing::{Thing, push, remove_at};
use super::{
    AIR, DIVER_INTERVAL, DIVER_PERIOD, ENEMY_INTERVAL, ENEMY_PERIOD, LAST_RAMP_INDEX, MOST_DIVERS, RELOAD, SUBS_RELOAD,
    Seaquest,
};
use crate::chance::Chance;

impl Seaquest {
    pub(super) fn player(&self) -> (i32, i32) {
        (self.x, self.y)
    }

    pub(super) fn enemy_interval(&self) -> i32 {
        ENEMY_INTERVAL - self.ramp_index
    }

    /// One less than the steps between two moves of an enemy; falls with every second rise.
    pub(super) fn enemy_period(&self) -> i32 {
        ENEMY_PERIOD - (self.ramp_index / 2).min(3)
    }

    pub(super) fn spawn_enemy(&mut self, chance: &mut dyn Chance) {
        self.enemy_timer = self.enemy_interval();
        let mut enemy = Thing::entering(chance.unit(), self.enemy_period());
        let sub = chance.unit() < 1.0 / 3.0;
        enemy.y = chance.integer(1, 9) as i32;
        let against = |other: &Thing| other.y == enemy.y && other.direction != enemy.direction;
        if self.fish.iter().chain(&self.subs).any(against) {
            return;
        }
        if sub {
            push(&mut self.subs, Thing { shot_timer: SUBS_RELOAD, ..enemy });
        } else {
            push(&mut self.fish, enemy);
        }
    }

    pub(super) fn spawn_diver(&mut self, chance: &mut dyn Chance) {
        self.diver_timer = DIVER_INTERVAL;
        let diver = Thing::entering(chance.unit(), DIVER_PERIOD);
        push(&mut self.divers, Thing { y: chance.integer(1, 9) as i32, ..diver });
    }

    pub(super) fn act(&mut self, action: Action) {
        if action == Action::Fire && self.shot_timer == 0 {
            self.shot_timer = RELOAD;
            push(&mut self.bullets, Thing { x: self.x, y: self.y, direction: self.facing, ..Thing::default() });
        }
        if action.columns() != 0 {
            self.facing = action.columns();
        }
        self.x = (self.x + action.columns()).clamp(0, SIZE - 1);
        self.y = (self.y + action.rows()).clamp(0, SIZE - 2);
    }

    /// One bullet, one enemy: fish before submarines, the oldest first.
    pub(super) fn move_bullets(&mut self, played: &mut Played) {
        for i in (0..self.bullets.len()).rev() {
            let gone = !self.bullets[i].advance();
            let cell = (self.bullets[i].x, self.bullets[i].y);
            let hit = !gone && (remove_at(&mut self.fish, cell) || remove_at(&mut self.subs, cell));
            played.reward += u32::from(hit);
            if gone || hit {
                self.bullets.remove(i);
            }
        }
    }

    pub(super) fn move_divers(&mut self) {
        for i in (0..self.divers.len()).rev() {
            let (player, room) = (self.player(), self.divers_aboard < MOST_DIVERS);
            let diver = &mut self.divers[i];
            let mut taken = room && diver.at(player);
            let mut gone = false;
            if !taken && diver.move_timer > 0 {
                diver.move_timer -= 1;
            } else if !taken {
                diver.move_timer = DIVER_PERIOD;
                gone = !diver.advance();
                taken = room && diver.at(player);
            }
            self.divers_aboard += i32::from(taken);
            if taken || gone {
                self.divers.remove(i);
            }
        }
    }

    /// Whether the enemy stays.
    pub(super) fn move_enemy(&mut self, enemy: &mut Thing, played: &mut Played) -> bool {
        played.over |= enemy.at(self.player());
        if enemy.move_timer > 0 {
            enemy.move_timer -= 1;
            return true;
        }
        enemy.move_timer = self.enemy_period();
        if !enemy.advance() {
            return false;
        }
        if enemy.at(self.player()) {
            played.over = true;
            return true;
        }
        let hit = remove_at(&mut self.bullets, (enemy.x, enemy.y));
        played.reward += u32::from(hit);
        !hit
    }

    pub(super) fn move_subs(&mut self, played: &mut Played) {
        for i in (0..self.subs.len()).rev() {
            let mut sub = self.subs[i];
            let stays = self.move_enemy(&mut sub, played);
            // Even one that has just been shot or has left the board.
            if sub.shot_timer == 0 {
                sub.shot_timer = SUBS_RELOAD;
                push(&mut self.enemy_bullets, Thing { move_timer: 0, shot_timer: 0, ..sub });
            } else {
                sub.shot_timer -= 1;
            }
            if stays {
                self.subs[i] = sub;
            } else {
                self.subs.remove(i);
            }
        }
    }

    pub(super) fn move_enemy_bullets(&mut self, played: &mut Played) {
        for i in (0..self.enemy_bullets.len()).rev() {
            let player = self.player();
            let bullet = &mut self.enemy_bullets[i];
            played.over |= bullet.at(player);
            if bullet.advance() {
                played.over |= bullet.at(player);
            } else {
                self.enemy_bullets.remove(i);
            }
        }
    }

    pub(super) fn move_fish(&mut self, played: &mut Played) {
        for i in (0..self.fish.len()).rev() {
            let mut fish = self.fish[i];
            if self.move_enemy(&mut fish, played) {
                self.fish[i] = fish;
            } else {
                self.fish.remove(i);
            }
        }
    }

    pub(super) fn breathe(&mut self, ramping: bool, played: &mut Played) {
        played.over |= self.oxygen <= 0;
        if self.y > 0 {
            self.oxygen -= 1;
            self.surfaced = false;
        } else if !self.surfaced {
            if self.divers_aboard == 0 {
                played.over = true;
            } else {
                self.surface(ramping, played);
            }
        }
    }

    pub(super) fn surface(&mut self, ramping: bool, played: &mut Played) {
        self.surfaced = true;
        if self.divers_aboard == MOST_DIVERS {
            self.divers_aboard = 0;
            played.reward += self.air_left() as u32;
        }
        self.oxygen = AIR;
        // Also after the bonus, which is how the count falls below 0.
        self.divers_aboard = self.divers_aboard.saturating_sub(1);
        if ramping && self.ramp_index < LAST_RAMP_INDEX {
            self.ramp_index += 1;
        }
    }

    /// In tenths.
    pub(super) fn air_left(&self) -> i32 {
        10 * self.oxygen.max(0) / AIR
    }
}
