//! What the games of MinAtar share: sticky actions, sets of actions, options, saved states.

use engram_envs::tape::{Draw, Recorder, Script};
use engram_envs::{End, Env, EnvError, Options, Outcome, Registry, Start, Value};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

const GAMES: [&str; 5] = ["Breakout", "Asterix", "Freeway", "Seaquest", "SpaceInvaders"];

fn make(id: &str, options: &[(&str, Value)]) -> Result<Box<dyn Env>, EnvError> {
    let options: Options = options.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
    Registry::standard().make(id, &options)
}

fn made(id: &str) -> Box<dyn Env> {
    make(id, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// Plays an action with this uniform draw first.
fn step(env: &mut dyn Env, action: usize, value: f64) -> Outcome {
    let draws = [Draw::Unit { value }];
    let mut script = Script::new(&draws);
    let outcome = env.step(action, &mut script).unwrap();
    assert_eq!(script.finish(), Ok(()));
    outcome
}

/// The cannon's or paddle's column: the only cell of the first channel.
fn column(env: &mut dyn Env) -> usize {
    let mut observation = vec![0.0; env.spec().observation.len()];
    env.observe(&mut observation).unwrap();
    observation.iter().position(|&cell| cell == 1.0).unwrap() % 10
}

/// The numbers of a saved state.
fn numbers(env: &mut dyn Env) -> Vec<i32> {
    env.save().unwrap().as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect()
}

fn bytes(numbers: &[i32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

#[test]
fn versions_differ_in_their_actions() {
    let minimal = [
        ("Breakout", vec!["none", "left", "right"]),
        ("Asterix", vec!["none", "left", "up", "right", "down"]),
        ("Freeway", vec!["none", "up", "down"]),
        ("Seaquest", vec!["none", "left", "up", "right", "down", "fire"]),
        ("SpaceInvaders", vec!["none", "left", "right", "fire"]),
    ];
    for (game, actions) in minimal {
        assert_eq!(made(&format!("MinAtar/{game}-v1")).spec().actions, actions);
        let all = made(&format!("MinAtar/{game}-v0"));
        assert_eq!(all.spec().actions, ["none", "left", "up", "right", "down", "fire"]);
        assert_eq!((all.spec().step_limit, all.spec().starts), (None, None));
    }
    for id in ["MinAtar/Breakout", "MinAtar/Breakout-v2", "MinAtar/Breakout-v1-v1", "breakout"] {
        assert!(matches!(make(id, &[]), Err(EnvError::Unknown { .. })), "{id}");
    }
}

#[test]
fn the_action_taken_is_repeated_not_the_one_asked_for() {
    let mut env = made("MinAtar/SpaceInvaders-v1");
    let (none, left, right) = (0, 1, 2);
    for (action, draw, expected) in [
        (right, 0.099, 5), // none, from before the first step
        (right, 0.1, 6),
        (left, 0.05, 7),
        (none, 0.0, 8), // right again, although left was asked for
        (none, 0.5, 8),
        (left, 0.05, 8),
    ] {
        assert_eq!(step(&mut *env, action, draw), Outcome { reward: 0.0, end: None });
        assert_eq!(column(&mut *env), expected);
    }
}

#[test]
fn the_previous_action_outlives_a_reset_and_is_taken_from_all_six() {
    let mut env = made("MinAtar/Breakout-v1");
    env.reset(&mut Start(0)).unwrap();
    step(&mut *env, 2, 0.9);
    assert_eq!(numbers(&mut *env)[0], 3, "right is the fourth of all six");
    env.reset(&mut Start(0)).unwrap();
    step(&mut *env, 1, 0.01);
    assert_eq!(column(&mut *env), 5);
}

#[test]
fn after_the_end_only_the_previous_action_changes() {
    for game in GAMES {
        let mut env = made(&format!("MinAtar/{game}-v0"));
        let mut chance = Recorder::new(Pcg64::seed_from_u64(1));
        env.reset(&mut chance).unwrap();
        let mut player = Pcg64::seed_from_u64(2);
        while env.step(player.random_range(0..6), &mut chance).unwrap().end.is_none() {}
        let mut expected = numbers(&mut *env);
        for action in [5, 0, 1] {
            assert_eq!(step(&mut *env, action, 0.7), Outcome { reward: 0.0, end: Some(End::Terminated) });
            expected[0] = action as i32;
            assert_eq!(numbers(&mut *env), expected, "{game}");
        }
    }
}

#[test]
fn sticky_and_ramping_can_be_set() {
    for game in GAMES {
        let id = format!("MinAtar/{game}-v1");
        for sticky in [Value::Integer(0), Value::Integer(1), Value::Float(0.25)] {
            assert!(make(&id, &[("sticky", sticky), ("ramping", false.into())]).is_ok());
        }
        for sticky in [-0.1, 1.1, f64::NAN] {
            assert!(matches!(make(&id, &[("sticky", sticky.into())]), Err(EnvError::Option { .. })));
        }
    }
    let mut never = make("MinAtar/SpaceInvaders-v1", &[("sticky", 0.0.into())]).unwrap_or_else(|e| panic!("{e}"));
    step(&mut *never, 1, 0.0);
    assert_eq!(column(&mut *never), 4, "a draw is made all the same");
}

#[test]
fn the_ramp_index_is_reported_where_games_ramp() {
    for game in GAMES {
        let ramps = !["Breakout", "Freeway"].contains(&game);
        let expected = if ramps { vec![(engram_envs::golden::RAMP_INDEX, 0.0)] } else { Vec::new() };
        assert_eq!(made(&format!("MinAtar/{game}-v1")).diagnostics(), expected);
    }
}

/// Whatever a changed state says, it is refused or can be played, and then saves and loads again.
#[test]
fn changed_states_are_refused_or_playable() {
    for game in GAMES {
        let mut env = made(&format!("MinAtar/{game}-v0"));
        let mut chance = Pcg64::seed_from_u64(3);
        env.reset(&mut chance).unwrap();
        for step in 0..45 {
            env.step(step / 5 % 5, &mut chance).unwrap();
        }
        let saved = numbers(&mut *env);
        for i in 0..saved.len() {
            for other in [-11, -1, 0, 1, 2, 3, 5, 8, 9, 10, 64, 1023, 2501, i32::MIN, i32::MAX] {
                let mut changed = saved.clone();
                changed[i] = other;
                match env.load(&bytes(&changed)) {
                    Err(EnvError::State { .. }) => continue,
                    result => result.unwrap(),
                }
                assert_eq!(numbers(&mut *env), changed, "{game}");
                for step in 0..150 {
                    env.step(step % 6, &mut chance).unwrap();
                    column(&mut *env);
                    if step % 10 == 0 {
                        let present = env.save().unwrap();
                        env.load(&present).unwrap_or_else(|error| panic!("{game}, {i}, {other}: {error}"));
                    }
                }
            }
        }
    }
}

#[test]
fn a_refused_state_says_what_is_wrong_and_changes_nothing() {
    let mut env = made("MinAtar/Freeway-v1");
    let saved = numbers(&mut *env);
    let mut refusal = |state: &[u8]| {
        let error = env.load(state).unwrap_err().to_string();
        assert_eq!(numbers(&mut *env), saved);
        error.rsplit(": ").next().unwrap_or_default().to_owned()
    };
    let changed = |i: usize, number: i32| {
        let mut changed = saved.clone();
        changed[i] = number;
        bytes(&changed)
    };
    assert_eq!(refusal(&changed(2, 77)), "its number 3 is 77, which is not from 1 to 9");
    assert_eq!(refusal(&changed(7, 0)), "a direction in it is 0");
    assert_eq!(refusal(&bytes(&[&saved[..], &[7]].concat())), "4 of its bytes are left over");
    assert_eq!(refusal(&bytes(&saved[..20])), "it ends too early");
}

/// An agent at the surface is never hit: enemies pile up as far as they can, and memory does not grow.
#[test]
fn seaquest_at_its_hardest_stays_small() {
    let mut env = made("MinAtar/Seaquest-v1");
    let mut state = numbers(&mut *env);
    state[11] = 19;
    env.load(&bytes(&state)).unwrap();
    let mut chance = Pcg64::seed_from_u64(4);
    let mut longest = 0;
    for _ in 0..20_000 {
        assert_eq!(env.step(0, &mut chance).unwrap().end, None);
        longest = longest.max(env.save().unwrap().len());
    }
    assert!((400..1_000).contains(&longest), "{longest} bytes");
}
