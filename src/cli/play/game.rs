//! A game as it is played or watched: what a key or the passing of time does. It knows no terminal.

use engram_envs::{Chance, End, Frame};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keys::Keys;
use crate::curriculum::Player;
use crate::error::TrainError;
use crate::recording::Policy;

/// Who plays, and what makes time pass.
pub enum Mode {
    /// A person; each key is a step.
    Turns,
    /// A person; time passes by itself from an episode's first key on.
    RealTime,
    /// A policy, as time passes.
    Watch(Box<Policy<'static>>),
}

/// What decides an episode of this index.
pub type Chances = dyn Fn(u64) -> Box<dyn Chance>;

/// A game in progress.
pub struct Game {
    player: Player,
    mode: Mode,
    chances: Box<Chances>,
    chance: Box<dyn Chance>,
    /// The action of the next moment in real time; none before an episode's first key.
    held: Option<usize>,
    /// Its keys.
    pub keys: Keys,
    /// What it looks like now.
    pub frame: Frame,
    /// How it stands.
    pub standing: Standing,
}

/// How an episode stands.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Standing {
    /// The index of the episode, from 0.
    pub episode: u64,
    /// Its steps so far.
    pub step: u64,
    /// The sum of its rewards so far.
    pub episode_return: f64,
    /// The reward of the last step.
    pub reward: f32,
    /// How it ended.
    pub end: Option<End>,
}

impl Game {
    /// Begins the first episode.
    pub fn new(mut player: Player, mode: Mode, chances: Box<Chances>) -> Result<Self, TrainError> {
        let keys = Keys::new(&player.spec().actions);
        let mut chance = chances(0);
        player.reset(&mut *chance)?;
        let frame = player.render()?;
        Ok(Self { player, mode, chances, chance, held: None, keys, frame, standing: Standing::default() })
    }

    /// The environment's id.
    pub fn id(&self) -> &str {
        &self.player.spec().id
    }

    /// Whether a person plays.
    pub fn is_played(&self) -> bool {
        !matches!(self.mode, Mode::Watch(_))
    }

    /// Takes a key; `false` if it ends the game.
    pub fn press(&mut self, key: KeyEvent) -> Result<bool, TrainError> {
        let interrupts = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
        if interrupts || Keys::quits(key.code) {
            return Ok(false);
        }
        if self.standing.end.is_some() {
            self.begin_next()?;
        } else if let Some(action) = self.keys.action(key.code) {
            match self.mode {
                Mode::Turns => self.step(action)?,
                Mode::RealTime => self.held = Some(action),
                Mode::Watch(_) => {}
            }
        }
        Ok(true)
    }

    /// Lets a moment pass.
    pub fn tick(&mut self) -> Result<(), TrainError> {
        if self.standing.end.is_some() {
            return Ok(());
        }
        match &mut self.mode {
            Mode::Turns => Ok(()),
            Mode::RealTime => {
                let Some(action) = self.held else { return Ok(()) };
                self.step(action)?;
                // A terminal does not tell when a key is let go, so a key counts once where there is an action for doing
                // nothing, and until the next one elsewhere.
                self.held = self.keys.idle().or(self.held);
                Ok(())
            }
            Mode::Watch(policy) => {
                let action = policy(&self.player)?;
                self.step(action)
            }
        }
    }

    fn step(&mut self, action: usize) -> Result<(), TrainError> {
        let outcome = self.player.step(action, &mut *self.chance)?;
        self.standing.step += 1;
        self.standing.episode_return += f64::from(outcome.reward);
        self.standing.reward = outcome.reward;
        self.standing.end = outcome.end;
        self.frame = self.player.render()?;
        Ok(())
    }

    fn begin_next(&mut self) -> Result<(), TrainError> {
        self.standing = Standing { episode: self.standing.episode + 1, ..Standing::default() };
        self.chance = (self.chances)(self.standing.episode);
        self.held = None;
        self.player.reset(&mut *self.chance)?;
        self.frame = self.player.render()?;
        Ok(())
    }
}

#[cfg(test)]
pub mod tests {
    use engram_envs::{Options, Registry, Start};

    use super::*;

    /// A game whose episode `n` has start `n`.
    pub fn game(id: &str, mode: Mode) -> Game {
        let player = Player::new(Registry::standard().make(id, &Options::new()).unwrap());
        Game::new(player, mode, Box::new(|episode| Box::new(Start(episode as i64)))).unwrap()
    }

    pub fn press(game: &mut Game, code: KeyCode) -> bool {
        game.press(KeyEvent::new(code, KeyModifiers::NONE)).unwrap()
    }

    #[test]
    fn in_turns_each_key_is_a_step_and_any_key_begins_the_next_episode() {
        let mut game = game("Catch", Mode::Turns);
        for key in [KeyCode::Left, KeyCode::Char('0'), KeyCode::Char('x')] {
            assert!(press(&mut game, key));
            game.tick().unwrap();
        }
        assert_eq!(game.standing, Standing { step: 2, ..Standing::default() });
        for _ in 0..7 {
            press(&mut game, KeyCode::Char('n'));
        }
        let caught = Standing { step: 9, episode_return: 1.0, reward: 1.0, end: Some(End::Terminated), episode: 0 };
        assert_eq!(game.standing, caught);
        let last = game.frame.clone();
        press(&mut game, KeyCode::Enter);
        assert_eq!(game.standing, Standing { episode: 1, ..Standing::default() });
        assert_ne!(game.frame, last);
    }

    #[test]
    fn in_real_time_a_key_counts_once_where_an_action_does_nothing() {
        let mut game = game("Catch", Mode::RealTime);
        game.tick().unwrap();
        assert_eq!(game.standing.step, 0, "time waits for the first key");
        press(&mut game, KeyCode::Right);
        for _ in 0..3 {
            game.tick().unwrap();
        }
        assert_eq!(game.standing.step, 3);
        // The paddle begins in column 2: it has moved once.
        let paddle = engram_envs::frame::PALETTE[0];
        assert_eq!((game.frame.pixel(3 * 24 + 5, 230), game.frame.pixel(4 * 24 + 5, 230) == paddle), (paddle, false));
    }

    #[test]
    fn a_policy_plays_as_time_passes() {
        let mut game = game("Catch", Mode::Watch(Box::new(|_: &Player| Ok(0))));
        press(&mut game, KeyCode::Right);
        assert_eq!(game.standing.step, 0, "keys play nothing");
        for _ in 0..12 {
            game.tick().unwrap();
        }
        assert_eq!((game.standing.step, game.standing.episode_return), (9, 1.0));
        press(&mut game, KeyCode::Right);
        assert_eq!(game.standing.episode, 1);
    }

    #[test]
    fn q_escape_and_control_c_quit_at_any_time() {
        let mut game = game("Catch", Mode::Turns);
        assert!(!press(&mut game, KeyCode::Char('q')) && !press(&mut game, KeyCode::Esc));
        assert!(!game.press(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)).unwrap());
        assert!(press(&mut game, KeyCode::Char('c')));
    }
}
