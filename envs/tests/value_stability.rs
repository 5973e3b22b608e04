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
    assert_eq!(integers, [0, 23, 90, 83, 49, 59, 8, 32, 61, 56]);
    assert_eq!(chance.unit(), 0.176_268_119_164_768_37);
    assert_eq!(chance.uniform(-0.05, 0.05), 0.027_152_991_354_888_12);
}

#[test]
fn classic_games() {
    let start = vec![-0.049_949_303, -0.026_867_036, 0.040_159_1, 0.033_501_316];
    assert_eq!(first_episode("CartPole-v1"), (start, 15.0, 15));
    let start = vec![0.995_014_3, -0.099_732_526, 0.998_556_7, -0.053_708_218, 0.080_318_2, 0.067_002_63];
    assert_eq!(first_episode("Acrobot-v1"), (start, -500.0, 500));
}

#[cfg(feature = "gym-rs")]
#[test]
fn games_of_gym_rs() {
    assert_eq!(first_episode("MountainCar-v0"), (vec![-0.599_898_64, 0.0], -200.0, 200));
    let start = vec![-0.058_117_863, 0.369_856_66, 0.457_531_93, -0.037_887_97];
    assert_eq!(first_episode("gym-rs/CartPole"), (start, 1.0, 1));
}

#[test]
fn games_with_few_starts() {
    let set = |(observation, sum, length): (Vec<f32>, f32, usize)| {
        let set: Vec<_> = (0..observation.len()).filter(|&i| observation[i] == 1.0).collect();
        (set, sum, length)
    };
    assert_eq!(set(first_episode("Catch")), (vec![0, 47], -1.0, 9));
    assert_eq!(set(first_episode("PermutedCatch/a-1")), (vec![12, 27], -1.0, 9));
    assert_eq!(set(first_episode("Addition/0")), (vec![0, 10], 0.0, 1));
}

#[test]
fn games_of_minatar() {
    // The cells of the first observation by the sum of their indices.
    let set = |(observation, sum, length): (Vec<f32>, f32, usize)| {
        ((0..observation.len()).filter(|&i| observation[i] == 1.0).sum::<usize>(), sum, length)
    };
    let games = ["Breakout", "Asterix", "Freeway", "Seaquest", "SpaceInvaders"];
    let pinned = [(10189, 0.0, 6), (55, 0.0, 30), (4662, 0.0, 2501), (8056, 1.0, 73), (8231, 1.0, 27)];
    assert_eq!(games.map(|game| set(first_episode(&format!("MinAtar/{game}-v1")))), pinned);
}
