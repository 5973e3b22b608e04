//! Greedy evaluation of every task, on environments and random streams of its own: it never disturbs training.

use engram_agents::dqn::Dqn;
use engram_envs::{Chance, Start};

use crate::{
    curriculum::{Curriculum, Player, Task},
    error::TrainError,
    event::Score,
    reference, seeds, statistics,
};

/// The most episodes a task that can be asked for: their mean is known to a thousandth of its deviation.
pub const MOST_EPISODES: usize = 1_000_000;

/// The evaluation environments of a curriculum, one a task.
pub struct Evaluator {
    players: Vec<Player>,
    seed: u64,
    episodes: usize,
}

impl Evaluator {
    /// Makes the environments. The same `episodes` seeded starts are used at every evaluation of a run, or each start
    /// once where an environment has few.
    pub fn new(curriculum: &Curriculum, seed: u64, episodes: usize) -> Result<Self, TrainError> {
        let players = curriculum.tasks.iter().map(Task::make).collect::<Result<_, _>>()?;
        Ok(Self { players, seed, episodes })
    }

    /// Plays every task greedily and scores it.
    pub fn scores(&mut self, agent: &mut Dqn, curriculum: &Curriculum) -> Result<Vec<Score>, TrainError> {
        (0..self.players.len())
            .map(|task| {
                let returns = self.returns(agent, task)?;
                let mean = statistics::mean(&returns);
                let normalized = reference::normalize(mean, curriculum.tasks[task].reference);
                Ok(Score { task, returns, mean, normalized })
            })
            .collect()
    }

    /// The return of each evaluation episode of one task.
    pub fn returns(&mut self, agent: &mut Dqn, task: usize) -> Result<Vec<f64>, TrainError> {
        let player = &mut self.players[task];
        match player.starts() {
            Some(starts) => (0..starts).map(|start| play(player, agent, task, &mut Start(start.into()))).collect(),
            None => (0..self.episodes as u64)
                .map(|episode| {
                    play(player, agent, task, &mut seeds::stream(self.seed, "evaluate", task as u64, episode))
                })
                .collect(),
        }
    }
}

/// The return of one greedy episode.
fn play(player: &mut Player, agent: &mut Dqn, task: usize, chance: &mut dyn Chance) -> Result<f64, TrainError> {
    player.reset(chance)?;
    let mut episode_return = 0.0;
    loop {
        let action = agent.greedy(player.observation(), task)?;
        let outcome = player.step(action, chance)?;
        episode_return += f64::from(outcome.reward);
        if outcome.end.is_some() {
            return Ok(episode_return);
        }
    }
}
