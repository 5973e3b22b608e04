//! Environments written for the `gym-rs` crate, through one adapter.

use gym_rs::core::{ActionReward, Env as Gym, EnvProperties};
use gym_rs::envs::classical_control::cartpole::CartPoleEnv;
use gym_rs::spaces::Discrete;
use gym_rs::utils::custom::traits::Sample;
use gym_rs::utils::renderer::RenderMode;

use crate::chance::Chance;
use crate::env::{End, Env, EnvError, ObservationSpace, Outcome, Spec};
use crate::frame::Frame;

/// The most actions an adapted environment may have: one byte of the saved state each.
const MOST_ACTIONS: usize = 256;

/// Any gym-rs environment with discrete actions as an [`Env`].
///
/// gym-rs environments hold generators that can be seeded but not saved. So a reset seeds the environment with a draw
/// from [`Chance`], and the saved state is that seed (u64), how many steps were played since (u32, both little-endian)
/// and their actions (a byte each): loading plays them again. This asks of the environment that its seed decides all
/// that happens after a reset.
///
/// gym-rs hands every observation out as a new `Vec`, so unlike this crate's own games a step allocates. Wrap it in a
/// [`TimeLimit`](crate::TimeLimit) where gym-rs promises one: its own environments never truncate.
///
/// ```
/// use engram_envs::{Entry, EnvError, Options, Registry, TimeLimit, gym_rs::GymRs};
/// use gym_rs::{envs::classical_control::cartpole::CartPoleEnv, utils::renderer::RenderMode};
///
/// fn cart_pole() -> Result<GymRs<CartPoleEnv>, EnvError> {
///     let components = ["cart position", "cart velocity", "pole angle", "pole angular velocity"];
///     GymRs::new(CartPoleEnv::new(RenderMode::None), "MyCartPole", &components, &["left", "right"])
/// }
///
/// let mut registry = Registry::standard();
/// registry.add(Entry::new("MyCartPole", "gym-rs's cart and pole", |_| Ok(Box::new(TimeLimit::new(cart_pole()?, 500)))));
/// assert_eq!(registry.make("MyCartPole", &Options::new())?.spec().step_limit, Some(500));
/// # Ok::<(), EnvError>(())
/// ```
#[derive(Debug, Clone)]
pub struct GymRs<E> {
    env: E,
    spec: Spec,
    observation: Vec<f64>,
    seed: u64,
    actions: Vec<u8>,
    draw: Option<fn(&[f64]) -> Frame>,
}

impl<E> GymRs<E>
where
    E: Gym<Action = usize> + EnvProperties<ActionSpace = Discrete> + Send,
    E::Observation: Sample + Into<Vec<f64>>,
{
    /// Adapts `env`, whose observations have these components and whose actions have these names.
    pub fn new(env: E, id: &str, components: &[&str], actions: &[&str]) -> Result<Self, EnvError> {
        let components: Vec<String> = components.iter().map(|&name| name.into()).collect();
        let spec = Spec {
            id: id.into(),
            observation: ObservationSpace::Vector { components },
            actions: actions.iter().map(|&name| name.into()).collect(),
            step_limit: None,
            starts: None,
        };
        let mut adapter = Self { env, spec, observation: Vec::new(), seed: 0, actions: Vec::new(), draw: None };
        adapter.begin(0);
        let Discrete(count) = *adapter.env.action_space();
        let refuse = |message| Err(EnvError::Option { id: id.into(), message });
        if count != actions.len() || count > MOST_ACTIONS {
            return refuse(format!("it has {count} actions and {} names, of {MOST_ACTIONS} at most", actions.len()));
        }
        if adapter.observation.len() != adapter.spec.observation.len() {
            return refuse(format!("its observation has {} numbers, not one a name", adapter.observation.len()));
        }
        Ok(adapter)
    }

    /// Draws observations with `draw`, in place of a bar a component.
    #[must_use]
    pub fn drawn(self, draw: fn(&[f64]) -> Frame) -> Self {
        Self { draw: Some(draw), ..self }
    }

    fn begin(&mut self, seed: u64) {
        self.seed = seed;
        self.actions.clear();
        self.observation = self.env.reset(Some(seed), false, None).0.into();
    }

    fn play(&mut self, action: usize) -> Outcome {
        let ActionReward { observation, reward, done, truncated, .. } = self.env.step(action);
        self.actions.push(action as u8);
        self.observation = observation.into();
        let end = if done { Some(End::Terminated) } else { truncated.then_some(End::Truncated) };
        Outcome { reward: f64::from(reward) as f32, end }
    }
}

impl<E> Env for GymRs<E>
where
    E: Gym<Action = usize> + EnvProperties<ActionSpace = Discrete> + Send,
    E::Observation: Sample + Into<Vec<f64>>,
{
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.begin(chance.integer(0, i64::MAX) as u64);
        Ok(())
    }

    fn step(&mut self, action: usize, _chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.spec.check_action(action)?;
        Ok(self.play(action))
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        crate::state::round_into(out, &self.observation);
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        let mut state = self.seed.to_le_bytes().to_vec();
        state.extend((self.actions.len() as u32).to_le_bytes());
        state.extend(&self.actions);
        Ok(state)
    }

    fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let parts = state.split_first_chunk().and_then(|(seed, rest)| Some((seed, rest.split_first_chunk()?)));
        let Some((seed, (count, actions))) = parts else {
            return Err(self.spec.bad_state("it is too short for a seed and a number of actions"));
        };
        if u32::from_le_bytes(*count) as usize != actions.len() {
            return Err(self.spec.bad_state(format!("it holds {} actions, not as many as it says", actions.len())));
        }
        if actions.iter().any(|&action| usize::from(action) >= self.spec.actions.len()) {
            return Err(self.spec.bad_state("it holds an action that the environment does not have"));
        }
        self.begin(u64::from_le_bytes(*seed));
        for &action in actions {
            self.play(action.into());
        }
        Ok(())
    }

    fn render(&mut self) -> Result<Frame, EnvError> {
        if let Some(draw) = self.draw {
            return Ok(draw(&self.observation));
        }
        let observation: Vec<f32> = self.observation.iter().map(|&number| number as f32).collect();
        Ok(Frame::of_observation(&self.spec.observation, &observation))
    }
}

/// gym-rs's own cart and pole as it is, for comparison; `CartPole-v1` is the one to learn on.
///
/// Against Gymnasium, gym-rs 0.3.0 adds the pole's mass and half length where it should multiply them (0.6 in place of
/// 0.05), starts within ±0.5 in place of ±0.05 (beyond the pole's limit in more than half of the resets, so that the
/// first step ends the episode), and never truncates.
pub fn cart_pole() -> Result<GymRs<CartPoleEnv>, EnvError> {
    let components = ["cart position", "cart velocity", "pole angle", "pole angular velocity"];
    let actions = ["push left", "push right"];
    let adapter = GymRs::new(CartPoleEnv::new(RenderMode::None), "gym-rs/CartPole", &components, &actions)?;
    Ok(adapter.drawn(|state| crate::cart_pole::draw(state[0], state[2])))
}
