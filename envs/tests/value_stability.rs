//! Pinned values: a change here changes the results of every recorded run.

use engram_envs::{Chance, Env, Options, Registry};
use rand::SeedableRng;
use rand_pcg::Pcg64;

/// The first observation with seed 7, and the return and length of the first episode when actions take turns.
fn first_episode(id: &str) -> (Vec<f32>, f32, usize) {
    let mut env = Registry::standard().make(id, &Options::new()).unwrap_or_else(|error| panic!("{error}"));
    let mut chance = Pcg64::seed_from_u64(7);
    env.reset(&mut chance).unwrap();
    let mut observation = vec![0.0; env.spec().observation.len()];
    env.observe(&mut observation).unwrap();
    let (mut sum, mut length) = (0.0, 0);
    loop {
        let outcome = env.step(length / 3 % env.spec().actions.len(), &mut chance).unwrap();
        (sum, length) = (sum + outcome.reward, length + 1);
        if outcome.end.is_some() {
            return (observation, sum, length);
        }
    }
}

#[test]
fn draws() {
    let mut chance = Pcg64::seed_from_u64(7);
    let integers: Vec<i64> = (0..10).map(|_| chance.integer(0, 100)).collect();
    println!("{integers:?} {:?} {:?}", chance.unit(), chance.uniform(-0.05, 0.05));
}

#[test]
fn first_episodes() {
    for entry in Registry::standard().entries() {
        println!("{} {:?}", entry.example, first_episode(&entry.example));
    }
    panic!();
}
