//! `SpaceInvaders`: shoot down aliens that come nearer.

use super::{Action, Field, Fields, Game, Planes, Played, SIZE};
use crate::chance::Chance;

/// The cannon's row.
const BOTTOM: i32 = SIZE - 1;
const RELOAD: i32 = 5;
const ALIENS_RELOAD: i32 = 10;
const LAST_RAMP_INDEX: i32 = 6;

/// A cannon below a block of aliens: 1 for each alien; a bullet, a touch or an invasion ends the game.
///
/// The fewer aliens are left, the faster they move. Each wave that is cleared lowers the longest time between their
/// moves, from 12 steps to 6.
///
/// The saved state: column of the cannon; direction of the aliens; steps until they move, until they shoot, and until the
/// cannon can; ramp index; then aliens, the cannon's bullets and the aliens' bullets (each by row).
#[derive(Debug)]
pub struct SpaceInvaders {
    cannon: i32,
    direction: i32,
    move_timer: i32,
    alien_shot_timer: i32,
    shot_timer: i32,
    ramp_index: i32,
    aliens: Field,
    bullets: Field,
    alien_bullets: Field,
}

fn wave() -> Field {
    Field::block(0..=3, 2..=7)
}

impl SpaceInvaders {
    /// The longest time between two moves of the aliens.
    fn longest_wait(&self) -> i32 {
        12 - self.ramp_index
    }

    fn move_aliens(&mut self, played: &mut Played) {
        self.move_timer = self.aliens.len().min(self.longest_wait());
        let edge = if self.direction < 0 { 0 } else { SIZE - 1 };
        if self.aliens.lowest(edge).is_some() {
            self.direction = -self.direction;
            played.over |= (0..SIZE).any(|column| self.aliens.has(BOTTOM, column));
            self.aliens.around_down();
        } else {
            self.aliens.sideways(self.direction);
        }
        played.over |= self.aliens.has(BOTTOM, self.cannon);
    }

    /// The lowest alien of the column nearest to the cannon shoots, of two equally near the left one.
    fn shoot(&mut self) {
        self.alien_shot_timer = ALIENS_RELOAD;
        let lowest = |column| Some((self.aliens.lowest(column)?, column));
        let shooter = (0..SIZE).filter_map(lowest).min_by_key(|(_, column)| (column - self.cannon).abs());
        if let Some((row, column)) = shooter {
            self.alien_bullets.insert(row, column);
        }
    }
}

impl Default for SpaceInvaders {
    fn default() -> Self {
        Self {
            cannon: 5,
            direction: -1,
            move_timer: 12,
            alien_shot_timer: ALIENS_RELOAD,
            shot_timer: 0,
            ramp_index: 0,
            aliens: wave(),
            bullets: Field::default(),
            alien_bullets: Field::default(),
        }
    }
}

impl Game for SpaceInvaders {
    const NAME: &'static str = "SpaceInvaders";
    const SUMMARY: &'static str = "shoot down aliens before they land";
    const CHANNELS: &'static [&'static str] =
        &["cannon", "alien", "alien moving left", "alien moving right", "friendly bullet", "enemy bullet"];
    const ACTIONS: &'static [Action] = &[Action::None, Action::Left, Action::Right, Action::Fire];

    fn reset(&mut self, _chance: &mut dyn Chance) {
        *self = Self::default();
    }

    fn step(&mut self, action: Action, ramping: bool, _chance: &mut dyn Chance) -> Played {
        let mut played = Played::default();
        if action == Action::Fire && self.shot_timer == 0 {
            self.bullets.insert(BOTTOM, self.cannon);
            self.shot_timer = RELOAD;
        }
        self.cannon = (self.cannon + action.columns()).clamp(0, SIZE - 1);
        self.bullets.up();
        self.alien_bullets.down();
        played.over |= self.alien_bullets.has(BOTTOM, self.cannon) || self.aliens.has(BOTTOM, self.cannon);
        if self.move_timer == 0 {
            self.move_aliens(&mut played);
        }
        if self.alien_shot_timer == 0 {
            self.shoot();
        }
        let hits = self.aliens.both(&self.bullets);
        self.aliens.remove_all(&hits);
        self.bullets.remove_all(&hits);
        played.reward = hits.len() as u32;
        self.shot_timer = (self.shot_timer - 1).max(0);
        self.move_timer -= 1;
        self.alien_shot_timer -= 1;
        if self.aliens.is_empty() {
            if ramping && self.ramp_index < LAST_RAMP_INDEX {
                self.ramp_index += 1;
            }
            self.aliens = wave();
        }
        played
    }

    fn observe(&self, planes: &mut Planes<'_>) {
        planes.set(BOTTOM, self.cannon, 0);
        planes.set_all(&self.aliens, 1);
        planes.set_all(&self.aliens, if self.direction < 0 { 2 } else { 3 });
        planes.set_all(&self.bullets, 4);
        planes.set_all(&self.alien_bullets, 5);
    }

    fn fields(&mut self, fields: &mut Fields<'_>) {
        fields.number(&mut self.cannon, 0..=SIZE - 1);
        fields.direction(&mut self.direction);
        fields.number(&mut self.move_timer, 0..=12);
        fields.number(&mut self.alien_shot_timer, 0..=ALIENS_RELOAD);
        fields.number(&mut self.shot_timer, 0..=RELOAD);
        fields.number(&mut self.ramp_index, 0..=LAST_RAMP_INDEX);
        for field in [&mut self.aliens, &mut self.bullets, &mut self.alien_bullets] {
            field.fields(fields);
        }
        fields.demand(!self.aliens.is_empty(), "no alien is in it");
    }

    fn ramp_index(&self) -> Option<i32> {
        Some(self.ramp_index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Start;

    /// The traces end at a ramp index of 5.
    #[test]
    fn ramping_stops_at_six_and_waves_go_on() {
        let mut game = SpaceInvaders { ramp_index: 5, direction: 1, ..SpaceInvaders::default() };
        for waves in 1..=3 {
            (game.aliens, game.bullets) = (Field::block(4..=4, 8..=8), Field::block(5..=5, 8..=8));
            game.move_timer = 3;
            assert_eq!(game.step(Action::None, true, &mut Start(0)), Played { reward: 1, over: false });
            assert_eq!((game.ramp_index, game.longest_wait()), (6, 6), "after {waves} waves");
            assert_eq!((game.aliens, game.bullets.len()), (wave(), 0));
            assert_eq!((game.direction, game.move_timer, game.alien_shot_timer), (1, 2, 10 - waves), "these go on");
        }
        game.move_timer = 0;
        game.step(Action::None, true, &mut Start(0));
        assert_eq!(game.move_timer, 5, "24 aliens wait six steps");
    }

    #[test]
    fn without_ramping_a_cleared_wave_changes_nothing_but_the_aliens() {
        let mut game = SpaceInvaders { aliens: Field::block(4..=4, 8..=8), ..SpaceInvaders::default() };
        game.bullets = Field::block(5..=5, 8..=8);
        assert_eq!(game.step(Action::None, false, &mut Start(0)).reward, 1);
        assert_eq!((game.ramp_index, game.aliens), (0, wave()));
    }
}
