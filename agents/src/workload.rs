//! Agents to measure the speed of: four networks that others are timed with, each with a replay buffer full of random
//! transitions. Without clipping, Double DQN or heads, as the others run.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use crate::{
    AgentError,
    continual::{MethodConfig, MethodName},
    dqn::{BoundaryConfig, Dqn, DqnConfig, Phase, TaskSet},
    network::{Conditioning, ConvolutionConfig, DeviceKind, Implementation, Input, NetworkConfig},
    optimizer::OptimizerConfig,
    replay::{Packing, ReplayConfig, Transition},
};

/// A network, its input and its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// 4-120-84-2 with batches of 128: `CleanRL`'s for `CartPole`.
    Mlp120x84,
    /// 4-64-64-2 with batches of 32.
    Mlp64x64,
    /// `MinAtar`'s over four planes, a tenth of whose cells are set, with batches of 32.
    MinAtar4,
    /// The same over ten planes.
    MinAtar10,
}

/// Transitions in the replay buffer before anything is measured.
const TRANSITIONS: usize = 10_000;

impl Workload {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mlp120x84, Self::Mlp64x64, Self::MinAtar4, Self::MinAtar10];

    /// What it is, in a few words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mlp120x84 => "4-120-84-2, batch 128",
            Self::Mlp64x64 => "4-64-64-2, batch 32",
            Self::MinAtar4 => "MinAtar's, 4 planes, batch 32",
            Self::MinAtar10 => "MinAtar's, 10 planes, batch 32",
        }
    }

    /// Transitions in an update.
    pub fn batch_size(self) -> usize {
        if self == Self::Mlp120x84 { 128 } else { 32 }
    }

    /// An agent that learns at every step, and an observation.
    pub fn agent(self, implementation: Implementation, method: MethodName) -> Result<(Dqn, Vec<f32>), AgentError> {
        let planes = |channels| Input::Planes { channels, height: 10, width: 10 };
        let (hidden, input, actions) = match self {
            Self::Mlp120x84 => (vec![120, 84], Input::Vector(4), 2),
            Self::Mlp64x64 => (vec![64, 64], Input::Vector(4), 2),
            Self::MinAtar4 => (vec![128], planes(4), 6),
            Self::MinAtar10 => (vec![128], planes(10), 6),
        };
        let binary = matches!(self, Self::MinAtar4 | Self::MinAtar10);
        let convolution = ConvolutionConfig { channels: 16, kernel: 3, stride: 1 };
        let convolutions = if binary { vec![convolution] } else { vec![] };
        let config = DqnConfig {
            double: false,
            batch_size: self.batch_size(),
            train_period: 1,
            warmup_steps: TRANSITIONS as u64,
            target_period: u64::MAX,
            network: NetworkConfig { convolutions, hidden, conditioning: Conditioning::None, implementation },
            replay: ReplayConfig { capacity: 2 * TRANSITIONS, per_task: false },
            optimizer: OptimizerConfig { learning_rate: 2.5e-4, ..OptimizerConfig::default() },
            ..DqnConfig::default()
        };
        let packing = if binary { Packing::Bits } else { Packing::Floats };
        let tasks = TaskSet { input, packing, actions: vec![actions] };
        let method = MethodConfig { name: method, ..MethodConfig::default() };
        let boundary = BoundaryConfig { reset_replay: false, ..BoundaryConfig::default() };
        let mut generator = Pcg64::seed_from_u64(1);
        let mut agent = Dqn::new(&config, boundary, &method, tasks, DeviceKind::Cpu, &mut generator)?;
        let stream = |name| Pcg64::seed_from_u64(if name == "explore" { 2 } else { 3 });
        agent.begin(Phase::new(0, u64::MAX, stream))?;
        let mut draw = || -> Vec<f32> {
            let cell =
                |_| if binary { f32::from(u8::from(generator.random::<f32>() < 0.1)) } else { generator.random() };
            (0..input.len()).map(cell).collect()
        };
        let observation = draw();
        for step in 1..TRANSITIONS {
            let (observation, next_observation) = (draw(), draw());
            agent.learn(Transition {
                observation: &observation,
                action: step % actions,
                reward: 0.1,
                discount: 1.0,
                next_observation: &next_observation,
                ended: step % 100 == 0,
            })?;
        }
        Ok((agent, observation))
    }
}

/// A step with an update.
pub fn update(agent: &mut Dqn, observation: &[f32]) -> Result<(), AgentError> {
    let (discount, next_observation) = (1.0, observation);
    agent.learn(Transition { observation, action: 0, reward: 0.1, discount, next_observation, ended: false })
}
