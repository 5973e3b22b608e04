//! The cost of an update, of choosing an action, of the Fisher information and of drawing from the replay buffer.
//!
//! `cargo bench -p engram-agents`. The networks are those that the comparisons in the documentation use: 4-120-84-2 with
//! batches of 128, 4-64-64-2 with batches of 32, and MinAtar's convolution over ten planes with batches of 32.

use divan::{Bencher, black_box};
use engram_agents::{
    continual::{MethodConfig, MethodName},
    dqn::{BoundaryConfig, Dqn, DqnConfig, Phase, TaskSet},
    fisher::{self, FisherConfig},
    network::{Conditioning, ConvolutionConfig, DeviceKind, Input, NetworkConfig},
    optimizer::OptimizerConfig,
    replay::{Packing, ReplayConfig, Transition},
};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

fn main() {
    divan::main();
}

#[derive(Debug, Clone, Copy)]
enum Work {
    W1,
    W2,
    W3,
}

const ALL: [Work; 3] = [Work::W1, Work::W2, Work::W3];

/// A DQN without clipping, Double DQN or heads, one update a step, its replay buffer filled with random transitions.
fn agent(work: Work, method: MethodName) -> (Dqn, Vec<f32>) {
    let (hidden, batch_size, input, actions) = match work {
        Work::W1 => (vec![120, 84], 128, Input::Vector(4), 2),
        Work::W2 => (vec![64, 64], 32, Input::Vector(4), 2),
        Work::W3 => (vec![128], 32, Input::Planes { channels: 10, height: 10, width: 10 }, 6),
    };
    let binary = matches!(work, Work::W3);
    let packing = if binary { Packing::Bits } else { Packing::Floats };
    let convolution = ConvolutionConfig { channels: 16, kernel: 3, stride: 1 };
    let convolutions = if binary { vec![convolution] } else { vec![] };
    let config = DqnConfig {
        double: false,
        batch_size,
        train_period: 1,
        warmup_steps: 10_000,
        target_period: u64::MAX,
        network: NetworkConfig { convolutions, hidden, conditioning: Conditioning::None, ..NetworkConfig::default() },
        replay: ReplayConfig { capacity: 20_000 },
        optimizer: OptimizerConfig { learning_rate: 2.5e-4, ..OptimizerConfig::default() },
        ..DqnConfig::default()
    };
    let method = MethodConfig { name: method, ..MethodConfig::default() };
    let tasks = TaskSet { input, packing, actions: vec![actions] };
    let mut generator = Pcg64::seed_from_u64(1);
    let boundary = BoundaryConfig { reset_replay: false, ..BoundaryConfig::default() };
    let mut agent = Dqn::new(&config, boundary, &method, tasks, DeviceKind::Cpu, &mut generator).unwrap();
    let phase =
        || Phase { task: 0, steps: u64::MAX, explore: Pcg64::seed_from_u64(2), replay: Pcg64::seed_from_u64(3) };
    agent.begin(phase());
    let mut draw = || -> Vec<f32> {
        let cell = |_| if binary { f32::from(u8::from(generator.random::<f32>() < 0.1)) } else { generator.random() };
        (0..input.len()).map(cell).collect()
    };
    let observation = draw();
    for step in 0..9_999 {
        let (observation, next_observation) = (draw(), draw());
        let action = step % actions;
        let transition = Transition {
            observation: &observation,
            action,
            reward: 0.1,
            discount: 1.0,
            next_observation: &next_observation,
            ended: step % 100 == 99,
        };
        agent.learn(transition).unwrap();
    }
    (agent, observation)
}

fn step(agent: &mut Dqn, observation: &[f32]) {
    let transition =
        Transition { observation, action: 0, reward: 0.1, discount: 1.0, next_observation: observation, ended: false };
    agent.learn(transition).unwrap();
}

#[divan::bench(args = ALL)]
fn update(bencher: Bencher<'_, '_>, work: Work) {
    let (mut agent, observation) = agent(work, MethodName::FineTune);
    bencher.bench_local(|| step(&mut agent, &observation));
}

#[divan::bench(args = ALL)]
fn update_with_ewc(bencher: Bencher<'_, '_>, work: Work) {
    let (mut agent, observation) = agent(work, MethodName::Ewc);
    agent.consolidate(&mut Pcg64::seed_from_u64(5)).unwrap();
    bencher.bench_local(|| step(&mut agent, &observation));
}

#[divan::bench(args = ALL)]
fn act(bencher: Bencher<'_, '_>, work: Work) {
    let (mut agent, observation) = agent(work, MethodName::FineTune);
    bencher.bench_local(|| agent.greedy(black_box(&observation), 0).unwrap());
}

#[divan::bench(args = ALL, sample_count = 10)]
fn fisher_of_1024_states(bencher: Bencher<'_, '_>, work: Work) {
    let (agent, _) = agent(work, MethodName::FineTune);
    let mut network = agent.network().duplicate().unwrap();
    let actions = network.architecture().actions();
    let mut generator = Pcg64::seed_from_u64(7);
    let config = FisherConfig::default();
    bencher.bench_local(|| {
        fisher::estimate(&config, network.as_mut(), agent.replay(), 0, actions, &mut generator).unwrap()
    });
}
