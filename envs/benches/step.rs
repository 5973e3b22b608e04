//! Time of one step and its observation, for every line of the registry.

use divan::Bencher;
use divan::counter::ItemsCount;
use engram_envs::{Options, Registry};
use rand::SeedableRng;
use rand_pcg::Pcg64;

const STEPS: usize = 1_000;

fn main() {
    divan::main();
}

fn ids() -> Vec<String> {
    Registry::standard().local().map(|entry| entry.example.clone()).collect()
}

#[divan::bench(args = ids())]
fn step(bencher: Bencher, id: &str) {
    let mut env = Registry::standard().make(id, &Options::new()).expect("a line of the registry");
    let mut chance = Pcg64::seed_from_u64(0);
    let mut observation = vec![0.0; env.spec().observation.len()];
    let actions = env.spec().actions.len();
    env.reset(&mut chance).expect("a reset");
    bencher.counter(ItemsCount::new(STEPS)).bench_local(|| {
        for step in 0..STEPS {
            if env.step(step % actions, &mut chance).expect("a step").end.is_some() {
                env.reset(&mut chance).expect("a reset");
            }
            env.observe(&mut observation).expect("an observation");
            divan::black_box(&mut observation);
        }
    });
}
