//! The cost of an update, of choosing an action, of the Fisher information, of the penalty and of drawing from the replay
//! buffer.
//!
//! `cargo bench -p engram-agents`. The networks are those that docs/benchmarks.md compares.

use divan::{Bencher, black_box};
use engram_agents::{
    continual::{MethodName, quadratic::Quadratic},
    dqn::Dqn,
    fisher::{self, FisherConfig},
    network::Implementation,
    optimizer::{Optimizer, OptimizerConfig},
    replay::Batch,
    workload::{self, Workload},
};
use rand::SeedableRng;
use rand_pcg::Pcg64;

use Implementation::{Autograd, Fused};
use Workload::{MinAtar4, MinAtar10, Mlp64x64, Mlp120x84};

fn main() {
    divan::main();
}

const EACH: [(Workload, Implementation); 8] = [
    (Mlp120x84, Fused),
    (Mlp120x84, Autograd),
    (Mlp64x64, Fused),
    (Mlp64x64, Autograd),
    (MinAtar4, Fused),
    (MinAtar4, Autograd),
    (MinAtar10, Fused),
    (MinAtar10, Autograd),
];

fn agent((workload, implementation): (Workload, Implementation), method: MethodName) -> (Dqn, Vec<f32>) {
    workload.agent(implementation, method).unwrap()
}

#[divan::bench(args = EACH)]
fn update(bencher: Bencher<'_, '_>, which: (Workload, Implementation)) {
    let (mut agent, observation) = agent(which, MethodName::FineTune);
    bencher.bench_local(|| workload::update(&mut agent, &observation).unwrap());
}

#[divan::bench(args = EACH)]
fn update_with_ewc(bencher: Bencher<'_, '_>, which: (Workload, Implementation)) {
    let (mut agent, observation) = agent(which, MethodName::Ewc);
    agent.consolidate(&mut Pcg64::seed_from_u64(5)).unwrap();
    bencher.bench_local(|| workload::update(&mut agent, &observation).unwrap());
}

#[divan::bench(args = EACH)]
fn act(bencher: Bencher<'_, '_>, which: (Workload, Implementation)) {
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

#[divan::bench(args = Workload::ALL)]
fn draw_a_batch(bencher: Bencher<'_, '_>, workload: Workload) {
    let (agent, _) = agent((workload, Fused), MethodName::FineTune);
    let (mut slots, mut batch, mut generator) = (Vec::new(), Batch::default(), Pcg64::seed_from_u64(8));
    let replay = agent.replay(0).unwrap();
    bencher.bench_local(|| {
        replay.draw(workload.batch_size(), None, &mut generator, &mut slots);
        replay.gather(&slots, &mut batch);
    });
}

fn fisher_of(bencher: Bencher<'_, '_>, which: (Workload, Implementation), config: FisherConfig) {
    let (agent, _) = agent(which, MethodName::FineTune);
    let mut network = agent.network().duplicate().unwrap();
    let actions = network.architecture().actions();
    let mut generator = Pcg64::seed_from_u64(7);
    bencher.bench_local(|| {
        fisher::estimate(&config, network.as_mut(), agent.replay(0).unwrap(), 0, actions, &mut generator).unwrap()
    });
}

#[divan::bench(args = EACH, sample_count = 10)]
fn fisher_of_1024_states(bencher: Bencher<'_, '_>, which: (Workload, Implementation)) {
    fisher_of(bencher, which, FisherConfig { leak: 0.0, ..FisherConfig::default() });
}

/// With one score a state, that of the action taken, as others compute it.
#[divan::bench(args = EACH, sample_count = 5)]
fn fisher_of_4096_states_one_score(bencher: Bencher<'_, '_>, which: (Workload, Implementation)) {
    let config = FisherConfig {
        states: 4096,
        likelihood: fisher::Likelihood::GaussianTaken,
        leak: 0.0,
        ..FisherConfig::default()
    };
    fisher_of(bencher, which, config);
}
