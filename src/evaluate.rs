//! Greedy evaluation of every task, on environments and random streams of its own: it never disturbs training.

use engram_agents::dqn::Dqn;
use engram_envs::{Chance, EnvError, Frame, Start};

use crate::{
    config::EvaluationConfig,
    curriculum::{Curriculum, Player, Task},
    error::TrainError,
    event::Score,
    recording, seeds,
    stop::Stop,
};

/// The most episodes a task that can be asked for: their mean is known to a thousandth of its deviation.
pub const MOST_EPISODES: usize = 1_000_000;

/// The evaluation environments of a curriculum, one a task.
pub struct Evaluator {
    players: Vec<Player>,
    seed: u64,
    config: EvaluationConfig,
    /// The environments as they were before an evaluation that was cut short.
    before: Option<EvaluatorState>,
}

/// The states of the evaluation environments: some games keep something from one episode to the next.
pub type EvaluatorState = Vec<Option<Vec<u8>>>;

impl Evaluator {
    /// Makes the environments. The same seeded starts, as many as the config has episodes, are used at every evaluation
    /// of a run, or each start once where an environment has few.
    pub fn new(curriculum: &Curriculum, seed: u64, config: EvaluationConfig) -> Result<Self, TrainError> {
        let players = curriculum.tasks.iter().map(Task::make).collect::<Result<_, _>>()?;
        Ok(Self { players, seed, config, before: None })
    }

    /// Everything that decides future evaluations of the same agent. An evaluation that was cut short has not begun.
    pub fn save(&mut self) -> Result<EvaluatorState, EnvError> {
        match &self.before {
            Some(before) => Ok(before.clone()),
            None => self.players.iter_mut().map(Player::save).collect(),
        }
    }

    /// Goes back to what [`Evaluator::save`] gave.
    pub fn load(&mut self, state: &[Option<Vec<u8>>]) -> Result<(), EnvError> {
        self.before = None;
        let known = self.players.iter_mut().zip(state).filter_map(|(player, state)| Some((player, state.as_ref()?)));
        known.into_iter().try_for_each(|(player, state)| player.load(state))
    }

    /// Plays every task greedily and scores it.
    pub fn scores(&mut self, agent: &mut Dqn, curriculum: &Curriculum, stop: &Stop) -> Result<Vec<Score>, TrainError> {
        if let Some(before) = self.before.take() {
            self.load(&before)?;
        }
        let before = self.save()?;
        let scores = (0..self.players.len())
            .map(|task| {
                let returns = agent.evaluated(task, |agent| self.returns(agent, task, stop))?;
                Ok(Score::new(task, returns, curriculum.tasks[task].reference))
            })
            .collect();
        if matches!(scores, Err(TrainError::Stopped(_))) {
            self.before = Some(before);
        }
        scores
    }

    /// The return of each evaluation episode of one task.
    pub fn returns(&mut self, agent: &mut Dqn, task: usize, stop: &Stop) -> Result<Vec<f64>, TrainError> {
        self.returns_of(task, &mut |observation| Ok(agent.greedy(observation, task)?), stop)
    }

    /// The return of each evaluation episode of one task under any policy.
    pub fn returns_of(
        &mut self,
        task: usize,
        policy: &mut dyn FnMut(&[f32]) -> Result<usize, TrainError>,
        stop: &Stop,
    ) -> Result<Vec<f64>, TrainError> {
        let (seed, starts) = (self.seed, self.players[task].starts());
        let episodes = starts.map_or(self.config.episodes as u64, u64::from);
        (0..episodes).map(|episode| self.play(policy, task, &mut *chance(starts, seed, task, episode), stop)).collect()
    }

    /// The return of one episode, up to the step limit: some games never end under some policies.
    fn play(
        &mut self,
        policy: &mut dyn FnMut(&[f32]) -> Result<usize, TrainError>,
        task: usize,
        chance: &mut dyn Chance,
        stop: &Stop,
    ) -> Result<f64, TrainError> {
        let player = &mut self.players[task];
        player.reset(chance)?;
        let mut episode_return = 0.0;
        for _ in 0..self.config.step_limit {
            stop.heed()?;
            let action = policy(player.observation())?;
            let outcome = player.step(action, chance)?;
            episode_return += f64::from(outcome.reward);
            if outcome.end.is_some() {
                break;
            }
        }
        Ok(episode_return)
    }

    /// The pictures of the first evaluation episode of one task, up to a limit. It is played again on an environment of
    /// its own: what some games keep from one episode to the next would otherwise reach the next evaluation.
    pub fn record(&self, agent: &mut Dqn, task: &Task, index: usize) -> Result<Vec<Frame>, TrainError> {
        let mut player = task.make()?;
        let mut chance = chance(player.starts(), self.seed, index, 0);
        let mut frames = Vec::new();
        let show = |frame, _| {
            frames.push(frame);
            Ok::<_, TrainError>(())
        };
        agent.evaluated(index, |agent| {
            let mut policy = |player: &Player| agent.greedy(player.observation(), index);
            recording::episode(&mut player, &mut *chance, recording::MOST_STEPS - 1, &mut policy, show)
        })?;
        Ok(frames)
    }
}

/// What decides an evaluation episode of a task: one of its `starts` where these are few, or else a random stream.
pub fn chance(starts: Option<u32>, seed: u64, task: usize, episode: u64) -> Box<dyn Chance> {
    match starts {
        Some(starts) => Box::new(Start((episode % u64::from(starts)) as i64)),
        None => Box::new(seeds::stream(seed, "evaluate", task as u64, episode)),
    }
}
