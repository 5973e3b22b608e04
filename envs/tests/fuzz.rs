//! Foreign bytes: golden traces and saved states that no program wrote are refused or played, never a panic.
//!
//! `ENGRAM_FUZZ_CASES` sets how many are tried.

use std::io::Cursor;

use engram_envs::{Options, Registry, golden};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use rand_pcg::Pcg64;

fn runner(few: u32) -> TestRunner {
    let cases = std::env::var("ENGRAM_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(few);
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

/// Bytes to put somewhere: what means something in a trace more often than chance would have it.
fn pieces() -> impl Strategy<Value = Vec<(Index, Vec<u8>)>> {
    let telling = prop::sample::select(vec![
        "9",
        "-1",
        "0",
        "1e999",
        "null",
        "[]",
        "{",
        "}",
        ",",
        "\"",
        "\n",
        "99999999999999999999",
        "\"k\":\"t\"",
        "\"s\":[",
    ]);
    let piece =
        prop_oneof![telling.prop_map(|text| text.as_bytes().to_vec()), prop::collection::vec(any::<u8>(), 1..4)];
    prop::collection::vec((any::<Index>(), piece), 1..5)
}

fn changed(mut bytes: Vec<u8>, pieces: &[(Index, Vec<u8>)], insert: bool) -> Vec<u8> {
    for (at, piece) in pieces {
        if bytes.is_empty() {
            bytes.push(0);
        }
        let at = at.index(bytes.len());
        let end = if insert { at } else { (at + piece.len()).min(bytes.len()) };
        bytes.splice(at..end, piece.iter().copied());
    }
    bytes
}

#[test]
fn golden_traces() {
    let registry = Registry::standard();
    let traces: Vec<(&str, Vec<u8>)> = [
        ("Catch", &include_bytes!("golden/catch.jsonl")[..]),
        ("CartPole-v1", include_bytes!("golden/cartpole.jsonl")),
        ("Acrobot-v1", include_bytes!("golden/acrobot.jsonl")),
        ("MinAtar/Seaquest-v1", include_bytes!("golden/seaquest.jsonl")),
        ("MinAtar/SpaceInvaders-v1", include_bytes!("golden/space_invaders.jsonl")),
    ]
    .map(|(id, bytes)| (id, bytes[..bytes.len().min(3000)].to_vec()))
    .to_vec();
    let input = (any::<Index>(), pieces(), any::<bool>());
    let outcome = runner(400).run(&input, |(which, pieces, insert)| {
        let (id, bytes) = which.get(&traces);
        let bytes = changed(bytes.clone(), &pieces, insert);
        let _ = golden::verify(|options| registry.make(id, options), Cursor::new(bytes));
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn saved_states() {
    let registry = Registry::standard();
    let ids: Vec<String> = registry.local().map(|entry| entry.example.clone()).collect();
    let input = (any::<Index>(), pieces(), any::<bool>(), 0..40_usize);
    let outcome = runner(400).run(&input, |(which, pieces, insert, steps)| {
        let id = which.get(&ids);
        let mut env = registry.make(id, &Options::new()).unwrap();
        let mut chance = Pcg64::new(steps as u128, 1);
        env.reset(&mut chance).unwrap();
        let actions = env.spec().actions.len();
        for step in 0..steps {
            if env.step(step % actions, &mut chance).unwrap().end.is_some() {
                env.reset(&mut chance).unwrap();
            }
        }
        let state = changed(env.save().unwrap(), &pieces, insert);
        if env.load(&state).is_ok() {
            let mut seen = vec![0.0; env.spec().observation.len()];
            for step in 0..30 {
                env.observe(&mut seen).unwrap();
                if env.step(step % actions, &mut chance).unwrap().end.is_some() {
                    env.reset(&mut chance).unwrap();
                }
            }
        }
        Ok(())
    });
    outcome.unwrap();
}
