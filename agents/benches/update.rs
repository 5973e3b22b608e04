//! The cost of an update, of choosing an action, of the Fisher information, of the penalty and of drawing from the replay
//! buffer.
//!
//! `cargo bench -p engram-agents`. The networks are those that docs/benchmarks.md compares: 4-120-84-2 with batches of
//! 128, 4-64-64-2 with batches of 32, and MinAtar's over four and over ten planes, a tenth of whose cells are set, with
//! batches of 32; without clipping, Double DQN or heads.

use divan::{Bencher, black_box};
use engram_agents::{
    continual::{MethodConfig, MethodName, quadratic::Quadratic},
    dqn::{BoundaryConfig, Dqn, DqnConfig, Phase, TaskSet},
    fisher::{self, FisherConfig},
    network::{Conditioning, ConvolutionConfig, DeviceKind, Implementation, Input, NetworkConfig},
    optimizer::{Optimizer, OptimizerConfig},
    replay::{Batch, Packing, ReplayConfig, Transition},
};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

fn main() {
    divan::main();
}

#[derive(Debug, Clone, Copy)]
enum Net {
    Mlp120x84,
    Mlp64x64,
    MinAtar4,
    MinAtar10,
}

use Implementation::{Autograd, Fused};
use Net::{MinAtar4, MinAtar10, Mlp64x64, Mlp120x84};

const ALL: [Net; 4] = [Mlp120x84, Mlp64x64, MinAtar4, MinAtar10];

const EACH: [(Net, Implementation); 8] = [
    (Mlp120x84, Fused),
    (Mlp120x84, Autograd),
    (Mlp64x64, Fused),
    (Mlp64x64, Autograd),
    (MinAtar4, Fused),
    (MinAtar4, Autograd),
    (MinAtar10, Fused),
    (MinAtar10, Autograd),
];

/// A DQN with one update a step, its replay buffer filled with random transitions.
fn agent((net, implementation): (Net, Implementation), method: MethodName) -> (Dqn, Vec<f32>) {
    let planes = |channels| Input::Planes { channels, height: 10, width: 10 };
    let (hidden, batch_size, input, actions) = match net {
        Mlp120x84 => (vec![120, 84], 128, Input::Vector(4), 2),
        Mlp64x64 => (vec![64, 64], 32, Input::Vector(4), 2),
        MinAtar4 => (vec![128], 32, planes(4), 6),
        MinAtar10 => (vec![128], 32, planes(10), 6),
    };
    let binary = matches!(net, MinAtar4 | MinAtar10);
    let packing = if binary { Packing::Bits } else { Packing::Floats };
    let convolution = ConvolutionConfig { channels: 16, kernel: 3, stride: 1 };
    let convolutions = if binary { vec![convolution] } else { vec![] };
    let config = DqnConfig {
        double: false,
        batch_size,
        train_period: 1,
        warmup_steps: 10_000,
        target_period: u64::MAX,
        network: NetworkConfig { convolutions, hidden, conditioning: Conditioning::None, implementation },
        replay: ReplayConfig { capacity: 20_000 },
        optimizer: OptimizerConfig { learning_rate: 2.5e-4, ..OptimizerConfig::default() },
        ..DqnConfig::default()
    };
    let method = MethodConfig { name: method, ..MethodConfig::default() };
    let tasks = TaskSet { input, packing, actions: vec![actions] };
    let mut generator = Pcg64::seed_from_u64(1);
    let boundary = BoundaryConfig { reset_replay: false, ..BoundaryConfig::default() };
    let mut agent = Dqn::new(&config, boundary, &method, tasks, DeviceKind::Cpu, &mut generator).unwrap();
    agent.begin(Phase { task: 0, steps: u64::MAX, explore: Pcg64::seed_from_u64(2), replay: Pcg64::seed_from_u64(3) });
    let mut draw = || -> Vec<f32> {
        let cell = |_| if binary { f32::from(u8::from(generator.random::<f32>() < 0.1)) } else { generator.random() };
        (0..input.len()).map(cell).collect()
    };
    let observation = draw();
    for step in 0..9_999 {
        let (observation, next_observation) = (draw(), draw());
        let transition = Transition {
            observation: &observation,
            action: step % actions,
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

#[divan::bench(args = EACH)]
fn update(bencher: Bencher<'_, '_>, which: (Net, Implementation)) {
    let (mut agent, observation) = agent(which, MethodName::FineTune);
    bencher.bench_local(|| step(&mut agent, &observation));
}

#[divan::bench(args = EACH)]
fn update_with_ewc(bencher: Bencher<'_, '_>, which: (Net, Implementation)) {
    let (mut agent, observation) = agent(which, MethodName::Ewc);
    agent.consolidate(&mut Pcg64::seed_from_u64(5)).unwrap();
    bencher.bench_local(|| step(&mut agent, &observation));
}

#[divan::bench(args = EACH)]
fn act(bencher: Bencher<'_, '_>, which: (Net, Implementation)) {
    let (mut agent, observation) = agent(which, MethodName::FineTune);
    bencher.bench_local(|| agent.greedy(black_box(&observation), 0).unwrap());
}

/// The optimizer's step alone, with the penalty of so many past tasks; 0 is without a penalty.
#[divan::bench(args = [0, 1, 10, 100])]
fn step_under_the_penalty_of(bencher: Bencher<'_, '_>, past_tasks: usize) {
    let (agent, _) = agent((MinAtar10, Fused), MethodName::FineTune);
    let layout = agent.network().layout();
    let mut params = agent.network().params().to_vec();
    let gradient = vec![1e-3; params.len()];
    let (importance, anchor) = (vec![0.1; params.len()], params.clone());
    let mut quadratic = Quadratic::new(1.0, vec![0.0; params.len()], anchor.clone());
    (0..past_tasks).for_each(|_| quadratic.add(&importance, &anchor));
    let mut optimizer = Optimizer::new(OptimizerConfig::default(), layout);
    let penalty = (past_tasks > 0).then_some(&quadratic);
    bencher.bench_local(|| optimizer.step(&mut params, &gradient, 1e-4, penalty, &[]));
}

#[divan::bench(args = ALL)]
fn draw_a_batch(bencher: Bencher<'_, '_>, net: Net) {
    let (agent, _) = agent((net, Fused), MethodName::FineTune);
    let (mut slots, mut batch, mut generator) = (Vec::new(), Batch::default(), Pcg64::seed_from_u64(8));
    let rows = if matches!(net, Mlp120x84) { 128 } else { 32 };
    bencher.bench_local(|| {
        agent.replay().draw(rows, None, &mut generator, &mut slots);
        agent.replay().gather(&slots, &mut batch);
    });
}

fn fisher_of(bencher: Bencher<'_, '_>, which: (Net, Implementation), config: FisherConfig) {
    let (agent, _) = agent(which, MethodName::FineTune);
    let mut network = agent.network().duplicate().unwrap();
    let actions = network.architecture().actions();
    let mut generator = Pcg64::seed_from_u64(7);
    bencher.bench_local(|| {
        fisher::estimate(&config, network.as_mut(), agent.replay(), 0, actions, &mut generator).unwrap()
    });
}

#[divan::bench(args = EACH, sample_count = 10)]
fn fisher_of_1024_states(bencher: Bencher<'_, '_>, which: (Net, Implementation)) {
    fisher_of(bencher, which, FisherConfig::default());
}

/// With one score a state, that of the action taken, as others compute it.
#[divan::bench(args = EACH, sample_count = 5)]
fn fisher_of_4096_states_one_score(bencher: Bencher<'_, '_>, which: (Net, Implementation)) {
    let config =
        FisherConfig { states: 4096, likelihood: fisher::Likelihood::GaussianTaken, ..FisherConfig::default() };
    fisher_of(bencher, which, config);
}
