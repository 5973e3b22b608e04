//! The rules of each game, worked by hand.

use std::f64::consts::PI;

use engram_envs::{Chance, End, Env, EnvError, Options, Outcome, Registry, Start};
use rand::SeedableRng;
use rand_pcg::Pcg64;

fn make(id: &str) -> Box<dyn Env> {
    Registry::standard().make(id, &Options::new()).unwrap_or_else(|error| panic!("{error}"))
}

fn observe(env: &mut dyn Env) -> Vec<f32> {
    let mut observation = vec![f32::NAN; env.spec().observation.len()];
    env.observe(&mut observation).unwrap();
    observation
}

fn step(env: &mut dyn Env, action: usize) -> Outcome {
    env.step(action, &mut Start(0)).unwrap()
}

/// Puts float64 numbers at the start of the saved state.
fn place(env: &mut dyn Env, numbers: &[f64]) {
    let mut state = env.save().unwrap();
    for (bytes, number) in state.chunks_exact_mut(8).zip(numbers) {
        bytes.copy_from_slice(&number.to_le_bytes());
    }
    env.load(&state).unwrap();
}

const GOES_ON: Outcome = Outcome { reward: 0.0, end: None };
const OVER: Outcome = Outcome { reward: 0.0, end: Some(End::Terminated) };

#[test]
fn catch_lasts_nine_steps_and_pays_at_the_bottom() {
    for ball in 0..5 {
        let mut env = make("Catch");
        env.reset(&mut Start(ball)).unwrap();
        for _ in 0..8 {
            assert_eq!(step(&mut *env, 1), GOES_ON);
        }
        let reward = if ball == 2 { 1.0 } else { -1.0 };
        assert_eq!(step(&mut *env, 1), Outcome { reward, end: Some(End::Terminated) });
        let last = observe(&mut *env);
        assert_eq!(step(&mut *env, 0), OVER);
        assert_eq!(observe(&mut *env), last, "a step after the end moves nothing");
    }
}

#[test]
fn catch_keeps_the_paddle_on_the_board() {
    let mut env = make("Catch");
    env.reset(&mut Start(0)).unwrap();
    for (action, column) in [(0, 1), (0, 0), (0, 0), (2, 1), (2, 2), (2, 3), (2, 4), (2, 4)] {
        step(&mut *env, action);
        let paddle = observe(&mut *env).iter().rposition(|&cell| cell == 1.0).unwrap();
        assert_eq!((paddle / 5, paddle % 5), (9, column));
    }
}

#[test]
fn permuted_catch_shows_cell_permutation_i_as_cell_i() {
    let permutations: serde_json::Value = serde_json::from_str(include_str!("../src/permutations.json")).unwrap();
    let (mut plain, mut permuted) = (make("Catch"), make("PermutedCatch/b-7"));
    for env in [&mut plain, &mut permuted] {
        env.reset(&mut Start(4)).unwrap();
        step(&mut **env, 0);
    }
    let (board, shown) = (observe(&mut *plain), observe(&mut *permuted));
    for (i, cell) in permutations["sets"]["b"][7].as_array().unwrap().iter().enumerate() {
        assert_eq!(shown[i], board[cell.as_u64().unwrap() as usize]);
    }
}

#[test]
fn a_patch_leaves_the_other_rows_where_they_are() {
    let make = |patch: i64| {
        let options = [("patch".to_owned(), patch.into())].into();
        let mut env = Registry::standard().make("PermutedCatch/a-1", &options).unwrap();
        env.reset(&mut Start(0)).unwrap();
        env
    };
    let (mut plain, mut patched) = (make(0), make(4));
    let mut differed = Vec::new();
    for row in 0..9 {
        if observe(&mut *plain) != observe(&mut *patched) {
            differed.push(row);
        }
        step(&mut *plain, 1);
        step(&mut *patched, 1);
    }
    assert!(!differed.is_empty() && differed.iter().all(|row| (3..7).contains(row)), "{differed:?}");
}

#[test]
fn every_permutation_in_the_file_makes_a_game() {
    for set in ["a", "b", "c"] {
        for k in 0..10 {
            make(&format!("PermutedCatch/{set}-{k}"));
        }
    }
}

#[test]
fn addition_pays_for_digit_plus_task_plus_one() {
    for task in 0..3 {
        let mut env = make(&format!("Addition/{task}"));
        assert_eq!(env.spec().actions.len(), 13);
        for digit in 0..10 {
            for action in 0..13 {
                env.reset(&mut Start(digit)).unwrap();
                let mut expected = [0.0; 13];
                expected[digit as usize] = 1.0;
                expected[10 + task] = 1.0;
                assert_eq!(observe(&mut *env), expected);
                let right = action == digit as usize + 1 + task;
                let reward = if right { 1.0 } else { 0.0 };
                assert_eq!(step(&mut *env, action), Outcome { reward, end: Some(End::Terminated) });
                assert_eq!(step(&mut *env, action), OVER);
            }
        }
    }
}

#[test]
fn addition_without_a_cue_shows_the_digit_alone() {
    let options = Options::from([("cue".into(), false.into()), ("tasks".into(), 5.into())]);
    let mut env = Registry::standard().make("Addition/4", &options).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(observe(&mut *env).len(), 10);
    assert_eq!(env.spec().actions.last().map(String::as_str), Some("14"));
}

#[test]
fn cart_pole_goes_on_exactly_at_its_limits() {
    let limit = 12.0 * 2.0 * PI / 360.0;
    for sign in [-1.0, 1.0] {
        for (at, beyond) in [
            ([2.4, 0.0, 0.0, 0.0], [2.400_000_1, 0.0, 0.0, 0.0]),
            ([0.0, 0.0, limit, 0.0], [0.0, 0.0, limit + 1e-7, 0.0]),
        ] {
            let mut env = make("CartPole-v1");
            place(&mut *env, &at.map(|number| sign * number));
            assert_eq!(step(&mut *env, 0), Outcome { reward: 1.0, end: None });
            let mut env = make("CartPole-v1");
            place(&mut *env, &beyond.map(|number| sign * number));
            assert_eq!(step(&mut *env, 0), Outcome { reward: 1.0, end: Some(End::Terminated) });
            assert_eq!(step(&mut *env, 0), OVER, "after the end there is no reward");
            let saved = env.save().unwrap();
            let mut other = make("CartPole-v1");
            other.load(&saved).unwrap();
            assert_eq!(step(&mut *other, 0), OVER, "nor after that is saved and loaded");
        }
    }
}

#[test]
fn cart_pole_accelerates_by_the_formula() {
    let mut env = make("CartPole-v1");
    place(&mut *env, &[0.0; 4]);
    step(&mut *env, 1);
    let push = 10.0 / 1.1;
    let angular = -push / (0.5 * (4.0 / 3.0 - 0.1 / 1.1));
    let acceleration = push - 0.05 * angular / 1.1;
    assert_eq!(observe(&mut *env), [0.0, (0.02 * acceleration) as f32, 0.0, (0.02 * angular) as f32]);
}

#[test]
fn acrobot_ends_without_a_cost_above_the_goal() {
    let mut env = make("Acrobot-v1");
    place(&mut *env, &[0.0; 4]);
    assert_eq!(step(&mut *env, 1), Outcome { reward: -1.0, end: None });
    assert!(observe(&mut *env)[1].abs() < 1e-12, "it hangs on");
    place(&mut *env, &[PI, 0.0, 0.0, 0.0]);
    assert_eq!(step(&mut *env, 1), OVER, "it stands on its head, tip at height 2");
    // Both links level: the tip is at height 0.
    place(&mut *env, &[PI / 2.0, 0.0, 0.0, 0.0]);
    assert_eq!(step(&mut *env, 1).end, None);
}

#[test]
fn acrobot_wraps_its_angles_and_bounds_its_spins() {
    let mut env = make("Acrobot-v1");
    let mut chance = Pcg64::seed_from_u64(0);
    place(&mut *env, &[3.1, -3.1, 4.0 * PI, -9.0 * PI]);
    for i in 0..400 {
        env.step(i / 7 % 3, &mut chance).unwrap();
        let numbers: Vec<f64> =
            env.save().unwrap().as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        for (number, limit) in numbers.iter().zip([PI, PI, 4.0 * PI, 9.0 * PI]) {
            assert!(number.abs() <= limit, "step {i}: {numbers:?}");
        }
    }
}

#[cfg(feature = "gym-rs")]
#[test]
fn mountain_car_stops_at_the_left_wall_and_ends_at_the_goal() {
    let mut env = make("MountainCar-v0");
    place(&mut *env, &[-1.19, -0.07]);
    assert_eq!(step(&mut *env, 0), Outcome { reward: -1.0, end: None });
    assert_eq!(observe(&mut *env), [-1.2, 0.0]);
    place(&mut *env, &[0.49, 0.05]);
    assert_eq!(step(&mut *env, 2), Outcome { reward: -1.0, end: Some(End::Terminated) });
    place(&mut *env, &[0.59, -0.05]);
    assert_eq!(step(&mut *env, 2).end, None, "beyond the goal but driving away");
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    for entry in Registry::standard().local() {
        let mut env = make(&entry.example);
        env.reset(&mut Pcg64::seed_from_u64(1)).unwrap();
        let saved = env.save().unwrap();
        for damaged in [&[][..], &[7], &[0xff; 9], &[0xff; 36], &[0xff; 37], &vec![0xff; saved.len()], &[0; 4096]] {
            assert!(matches!(env.load(damaged), Err(EnvError::State { .. })), "{}: {damaged:?}", entry.example);
        }
        assert_eq!(env.save().unwrap(), saved, "{}: a refused state changes nothing", entry.example);
    }
}

#[test]
fn an_action_that_does_not_exist_is_named() {
    let error = make("Catch").step(3, &mut Start(0)).unwrap_err();
    assert_eq!(error.to_string(), "environment `Catch`: action 3 is not below 3");
}

/// Never reached: games draw at a reset only, but for those of MinAtar.
struct Silence;

impl Chance for Silence {
    fn unit(&mut self) -> f64 {
        panic!("drew a unit")
    }
    fn uniform(&mut self, _: f64, _: f64) -> f64 {
        panic!("drew a float")
    }
    fn integer(&mut self, _: i64, _: i64) -> i64 {
        panic!("drew an integer")
    }
}

#[test]
fn steps_draw_nothing() {
    for entry in Registry::standard().local().filter(|entry| !entry.example.starts_with("MinAtar/")) {
        let mut env = make(&entry.example);
        env.reset(&mut Pcg64::seed_from_u64(2)).unwrap();
        for _ in 0..20 {
            env.step(0, &mut Silence).unwrap();
        }
    }
}
