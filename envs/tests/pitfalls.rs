//! Known pitfalls of reinforcement learning where environments take part, by their number in the project's list.

use engram_envs::{End, Env, Options, Registry, Start};
use rand::SeedableRng;
use rand_pcg::Pcg64;

fn make(id: &str) -> Box<dyn Env> {
    Registry::standard().make(id, &Options::new()).unwrap_or_else(|error| panic!("{error}"))
}

fn observe(env: &mut dyn Env) -> Vec<f32> {
    let mut observation = vec![0.0; env.spec().observation.len()];
    env.observe(&mut observation).unwrap();
    observation
}

/// Truncation taken for termination: time-limited games look worth less than they are.
///
/// Fails if `TimeLimit::step` gives `End::Terminated` in place of `End::Truncated`, or if it gives `Truncated` before
/// asking for the game's own end (`Some(End::Truncated)` in place of `end.or(..)`).
#[test]
fn p14_a_time_limit_truncates_and_only_where_the_game_has_not_ended() {
    // An idle acrobot never reaches its goal.
    let mut env = make("Acrobot-v1");
    env.reset(&mut Start(0)).unwrap();
    for step in 1..=501 {
        let end = env.step(1, &mut Start(0)).unwrap().end;
        assert_eq!(end, (step >= 500).then_some(End::Truncated), "step {step}");
    }
    // A cart that leaves the track in its 500th step has failed.
    let mut env = make("CartPole-v1");
    env.reset(&mut Start(0)).unwrap();
    let mut state = env.save().unwrap();
    let last = state.len() - 4;
    state[..8].copy_from_slice(&3.0_f64.to_le_bytes());
    state[last..].copy_from_slice(&499_u32.to_le_bytes());
    env.load(&state).unwrap();
    assert_eq!(env.step(0, &mut Start(0)).unwrap().end, Some(End::Terminated));
    // The limit counts from the reset.
    env.reset(&mut Start(0)).unwrap();
    assert_eq!(env.step(0, &mut Start(0)).unwrap().end, None);
}

/// The observation after the last step must be that step's, not the next episode's first.
///
/// Fails if `Catch::step` resets itself where the ball is at the bottom (`self.ball_row = 0` before it returns).
#[test]
fn p15_the_observation_after_the_end_is_the_last_of_its_episode() {
    let mut env = make("Catch");
    env.reset(&mut Start(0)).unwrap();
    while env.step(1, &mut Start(0)).unwrap().end.is_none() {}
    let cells: Vec<_> = observe(&mut *env).iter().enumerate().filter(|(_, x)| **x == 1.0).map(|(i, _)| i).collect();
    assert_eq!(cells, [45, 47], "ball and paddle are both in the bottom row");
}

/// Training must not notice that another instance is evaluated at the same time.
///
/// Fails if instances share anything, for example if gym-rs's environments are seeded with `None`, that is by the
/// operating system, in `GymRs::begin`.
#[test]
fn p18_instances_share_nothing() {
    for entry in Registry::standard().local() {
        let alone = run(&entry.example, false);
        assert_eq!(run(&entry.example, true), alone, "{}", entry.example);
    }
}

fn run(id: &str, evaluate: bool) -> Vec<Vec<f32>> {
    let (mut training, mut evaluation) = (make(id), make(id));
    let (mut chance, mut other_chance) = (Pcg64::seed_from_u64(0), Pcg64::seed_from_u64(1));
    training.reset(&mut chance).unwrap();
    evaluation.reset(&mut other_chance).unwrap();
    let mut seen = vec![observe(&mut *training)];
    for step in 0..100 {
        if evaluate && evaluation.step(0, &mut other_chance).unwrap().end.is_some() {
            evaluation.reset(&mut other_chance).unwrap();
        }
        if training.step(step % 2, &mut chance).unwrap().end.is_some() {
            training.reset(&mut chance).unwrap();
        }
        seen.push(observe(&mut *training));
    }
    seen
}
