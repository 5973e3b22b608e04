//! The five games of MinAtar (Young and Tian 2019): Atari games reduced to a board of ten by ten cells.
//!
//! Written from a description of their rules and checked against recorded traces. What the five share is
//! [`MinAtar`]; a [`Game`] is the rest.

pub mod asterix;
mod board;
pub mod breakout;
mod fields;
pub mod freeway;
pub mod seaquest;
pub mod space_invaders;

use crate::chance::Chance;
use crate::env::{End, Env, EnvError, ObservationSpace, Outcome, PlaneKind, Spec};
use crate::golden::RAMP_INDEX;
use crate::registry::{Entry, Registry};

pub use asterix::Asterix;
pub use board::{Field, Planes, SIZE, on_board};
pub use breakout::Breakout;
pub use fields::Fields;
pub use freeway::Freeway;
pub use seaquest::Seaquest;
pub use space_invaders::SpaceInvaders;

/// What a player can do; an action without a meaning in a game does nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// One column to the left.
    Left,
    /// One row up.
    Up,
    /// One column to the right.
    Right,
    /// One row down.
    Down,
    /// A shot.
    Fire,
}

impl Action {
    /// All six, in the order of their indices.
    pub const ALL: [Self; 6] = [Self::None, Self::Left, Self::Up, Self::Right, Self::Down, Self::Fire];

    /// Its name, as in [`Spec::actions`].
    pub fn name(self) -> &'static str {
        ["none", "left", "up", "right", "down", "fire"][self as usize]
    }

    /// Columns to the right.
    pub fn columns(self) -> i32 {
        i32::from(self == Self::Right) - i32::from(self == Self::Left)
    }

    /// Rows down.
    pub fn rows(self) -> i32 {
        i32::from(self == Self::Down) - i32::from(self == Self::Up)
    }
}

/// What one step of a game gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Played {
    /// The reward.
    pub reward: u32,
    /// Whether the game ended in this step.
    pub over: bool,
}

/// The rules of one game, without what [`MinAtar`] adds.
///
/// [`Default`] is the state before the first reset; it can be played.
pub trait Game: Default + Send + 'static {
    /// The game's name in ids.
    const NAME: &'static str;
    /// The game in a few words.
    const SUMMARY: &'static str;
    /// What each channel of the observation shows.
    const CHANNELS: &'static [&'static str];
    /// The actions that have a meaning.
    const ACTIONS: &'static [Action];

    /// Starts an episode.
    fn reset(&mut self, chance: &mut dyn Chance);

    /// Plays one step of a game that is not over. All stages of the step run, also when an early one ends the game.
    fn step(&mut self, action: Action, ramping: bool, chance: &mut dyn Chance) -> Played;

    /// Sets the cells to be seen; all others are 0 already.
    fn observe(&self, planes: &mut Planes<'_>);

    /// Shows every part of the state to `fields`, which writes or replaces it.
    fn fields(&mut self, fields: &mut Fields<'_>);

    /// Whether a state that was read goes with the game being over, or not.
    fn fits(&self, _over: bool) -> bool {
        true
    }

    /// How often the game has become harder, where it does.
    fn ramp_index(&self) -> Option<i32> {
        None
    }
}

/// A game as an environment: with sticky actions, a choice of actions, and nothing happening after the end.
///
/// Each step first makes one uniform draw, always. Below `sticky` the previously *taken* action is taken again, so that
/// repeats chain; a reset does not clear it. A step after the end makes this draw too, gives 0 and is
/// [`End::Terminated`] again. There is no time limit: a policy that keeps out of danger can play for ever.
///
/// The saved state is a sequence of 32-bit integers (little-endian): the previous action as an index into
/// [`Action::ALL`], whether the game is over (0 or 1), then what the game's documentation says.
#[derive(Debug)]
pub struct MinAtar<G> {
    spec: Spec,
    actions: &'static [Action],
    sticky: f64,
    ramping: bool,
    previous: i32,
    over: bool,
    game: G,
}

impl<G: Game> MinAtar<G> {
    /// The game under this id. `sticky` is the probability of repeating an action, `ramping` lets the game become
    /// harder with time.
    pub fn new(id: &str, actions: &'static [Action], sticky: f64, ramping: bool) -> Self {
        let observation = ObservationSpace::Planes {
            channels: G::CHANNELS.iter().map(|&name| name.into()).collect(),
            height: SIZE as usize,
            width: SIZE as usize,
            kind: PlaneKind::Binary,
        };
        let names = actions.iter().map(|action| action.name().into()).collect();
        let spec = Spec { id: id.into(), observation, actions: names, step_limit: None, starts: None };
        Self { spec, actions, sticky, ramping, previous: 0, over: false, game: G::default() }
    }

    /// One account of the state for saving and loading.
    fn fields(previous: &mut i32, over: &mut bool, game: &mut G, fields: &mut Fields<'_>) {
        fields.number(previous, 0..=5);
        fields.flag(over);
        game.fields(fields);
        fields.demand(game.fits(*over), "whether the game is over does not fit the rest");
    }
}

impl<G: Game> Env for MinAtar<G> {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.over = false;
        self.game.reset(chance);
        Ok(())
    }

    fn step(&mut self, action: usize, chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.spec.check_action(action)?;
        if chance.unit() >= self.sticky {
            self.previous = self.actions[action] as i32;
        }
        if self.over {
            return Ok(Outcome { reward: 0.0, end: Some(End::Terminated) });
        }
        let Played { reward, over } = self.game.step(Action::ALL[self.previous as usize], self.ramping, chance);
        self.over = over;
        Ok(Outcome { reward: reward as f32, end: over.then_some(End::Terminated) })
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        out.fill(0.0);
        self.game.observe(&mut Planes::new(out));
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        let mut fields = Fields::writing();
        Self::fields(&mut self.previous, &mut self.over, &mut self.game, &mut fields);
        Ok(fields.written())
    }

    fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        // Read apart from `self`, so that a refused state leaves the present one as it is.
        let (mut previous, mut over, mut game) = (0, false, G::default());
        let mut fields = Fields::reading(state);
        Self::fields(&mut previous, &mut over, &mut game, &mut fields);
        fields.finish().map_err(|message| self.spec.bad_state(message))?;
        (self.previous, self.over, self.game) = (previous, over, game);
        Ok(())
    }

    fn diagnostics(&self) -> Vec<(&'static str, f64)> {
        self.game.ramp_index().map(|index| (RAMP_INDEX, f64::from(index))).into_iter().collect()
    }
}

/// Adds the lines of all five games, each with the actions that have a meaning (`-v1`) and with all six (`-v0`).
pub(crate) fn add_to(registry: &mut Registry) {
    add::<Breakout>(registry);
    add::<Asterix>(registry);
    add::<Freeway>(registry);
    add::<Seaquest>(registry);
    add::<SpaceInvaders>(registry);
}

fn add<G: Game>(registry: &mut Registry) {
    let sets: [(_, _, &'static [Action]); 2] =
        [("v1", "the actions with a meaning", G::ACTIONS), ("v0", "all six actions", &Action::ALL)];
    for (version, which, actions) in sets {
        let entry = Entry::new(
            &format!("MinAtar/{}-{version}", G::NAME),
            &format!("{}, as in MinAtar; {which}", G::SUMMARY),
            move |request| {
                let (sticky, ramping) = (request.float("sticky", 0.0..=1.0)?, request.boolean("ramping")?);
                Ok(Box::new(MinAtar::<G>::new(request.id, actions, sticky, ramping)))
            },
        );
        registry.add(entry.option("sticky", 0.1, "probability that the previous action is taken again").option(
            "ramping",
            true,
            "whether the game becomes harder with time, where it can",
        ));
    }
}
