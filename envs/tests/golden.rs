//! The environments replay what the reference implementations did.

use engram_envs::chance::Chance;
use engram_envs::env::PlaneKind;
use engram_envs::golden::{GoldenError, Report, verify};
use engram_envs::{End, Env, EnvError, ObservationSpace, Options, Outcome, Registry, Spec};
use serde_json::{Value, json};

const ACROBOT: &str = include_str!("golden/acrobot.jsonl");
const CART_POLE: &str = include_str!("golden/cartpole.jsonl");
/// The games of MinAtar, under the last part of their ids, with the lines of their traces.
const MINATAR: [(&str, &str, usize); 5] = [
    ("Breakout", include_str!("golden/breakout.jsonl"), 2176),
    ("Asterix", include_str!("golden/asterix.jsonl"), 3136),
    ("Freeway", include_str!("golden/freeway.jsonl"), 3621),
    ("Seaquest", include_str!("golden/seaquest.jsonl"), 4286),
    ("SpaceInvaders", include_str!("golden/space_invaders.jsonl"), 3836),
];
const CATCH: &str = include_str!("golden/catch.jsonl");
#[cfg(feature = "gym-rs")]
const MOUNTAIN_CAR: &str = include_str!("golden/mountain_car.jsonl");

fn replay(id: &str, trace: impl AsRef<[u8]>) -> Result<Report, GoldenError> {
    let registry = Registry::standard();
    verify(|options| registry.make(id, options), trace.as_ref())
}

fn lines(id: &str, trace: &str) -> usize {
    replay(id, trace).unwrap_or_else(|error| panic!("{id}: {error}")).lines
}

#[test]
fn every_trace_is_replayed_without_a_difference() {
    assert_eq!(lines("Acrobot-v1", ACROBOT), 2153);
    assert_eq!(lines("CartPole-v1", CART_POLE), 2248);
    assert_eq!(lines("Catch", CATCH), 2253);
    #[cfg(feature = "gym-rs")]
    assert_eq!(lines("MountainCar-v0", MOUNTAIN_CAR), 2370);
}

#[test]
fn so_are_those_of_minatar() {
    for (game, trace, expected) in MINATAR {
        assert_eq!(lines(&format!("MinAtar/{game}-v0"), trace), expected);
    }
}

#[test]
fn the_identity_permutation_is_catch() {
    for id in ["PermutedCatch/a-0", "PermutedCatch/b-0", "PermutedCatch/c-0"] {
        assert_eq!(lines(id, CATCH), 2253);
    }
    assert!(replay("PermutedCatch/a-1", CATCH).is_err());
}

#[test]
fn the_report_counts_and_reads_well() {
    let report = replay("CartPole-v1", CART_POLE).unwrap();
    assert_eq!(report, Report { lines: 2248, instances: 9, resets: 26, steps: 2063 + 150 });
    assert_eq!(report.to_string(), "2248 lines, all equal");
}

#[cfg(feature = "gym-rs")]
#[test]
fn the_cart_pole_of_gym_rs_is_not_gymnasiums() {
    assert!(matches!(replay("gym-rs/CartPole", CART_POLE), Err(GoldenError::Mismatch { field: "draws", .. })));
}

/// The trace with one line (from 1) altered.
fn altered(trace: &str, line: usize, alter: impl FnOnce(&mut Value)) -> String {
    let mut lines: Vec<String> = trace.lines().map(String::from).collect();
    let mut value = serde_json::from_str(&lines[line - 1]).unwrap();
    alter(&mut value);
    lines[line - 1] = value.to_string();
    lines.join("\n")
}

/// Demands that the altered trace fails on that line, in this step and field, and gives the message.
#[track_caller]
fn fails(id: &str, trace: &str, (line, step): (usize, usize), field: &str, alter: impl FnOnce(&mut Value)) -> String {
    let error = replay(id, altered(trace, line, alter)).unwrap_err();
    match &error {
        GoldenError::Mismatch { line: l, step: s, field: f, .. } => assert_eq!((*l, *s, *f), (line, step, field)),
        other => panic!("{other}"),
    }
    error.to_string()
}

#[test]
fn one_altered_number_is_found() {
    let message = fails("CartPole-v1", CART_POLE, (5, 3), "reward", |line| line["r"] = json!(0.5));
    assert_eq!(message, "line 5, step 3: reward: expected 0.5, got 1");
    fails("CartPole-v1", CART_POLE, (5, 3), "terminated", |line| line["t"] = json!(1));
    fails("CartPole-v1", CART_POLE, (5, 3), "truncated", |line| line["u"] = json!(1));
    fails("CartPole-v1", CART_POLE, (5, 3), "state", |line| {
        line["s"][2] = json!(line["s"][2].as_f64().unwrap() + 1e-11);
    });
    let message = fails("CartPole-v1", CART_POLE, (5, 3), "observation", |line| {
        line["o"][2] = json!(line["o"][2].as_f64().unwrap() + 1e-7);
    });
    assert!(message.contains("pole angle"), "{message}");
    fails("CartPole-v1", CART_POLE, (5, 3), "length of the observation", |line| line["o"] = json!([0.0]));
    fails("CartPole-v1", CART_POLE, (2, 0), "observation", |line| line["o"][0] = json!(0.0));
    fails("CartPole-v1", CART_POLE, (2, 0), "state", |line| line["s"][0] = json!(0.0));
    fails("CartPole-v1", CART_POLE, (2099, 1), "reward", |line| line["r"] = json!(0));
    fails("CartPole-v1", CART_POLE, (2099, 1), "state", |line| line["s"][0] = json!(0));
    fails("Acrobot-v1", ACROBOT, (4, 2), "state", |line| line["s"][3] = json!(0));
    let message = fails("Catch", CATCH, (3, 1), "observation", |line| line["o"] = json!("1094"));
    assert_eq!(message, "line 3, step 1: observation: expected 0 for ball and paddle at row 9, column 3, got 1");
    fails("Catch", CATCH, (11, 9), "reward", |line| line["r"] = json!(0));
    fails("Catch", CATCH, (11, 9), "terminated", |line| line["t"] = json!(0));
}

#[test]
fn draws_must_match_in_kind_range_and_number() {
    let message = fails("Catch", CATCH, (2, 0), "draws", |line| line["d"][0][2] = json!(6));
    assert_eq!(message, "line 2, step 0: draws: expected an integer in 0..6, got an integer in 0..5");
    fails("Catch", CATCH, (2, 0), "draws", |line| line["d"] = json!([["u", 0.0]]));
    fails("Catch", CATCH, (2, 0), "draws", |line| line["d"] = json!([]));
    let message = fails("Catch", CATCH, (3, 1), "draws", |line| line["d"] = json!([["u", 0.5]]));
    assert_eq!(message, "line 3, step 1: draws: expected a float in [0, 1), got no draw");
    fails("CartPole-v1", CART_POLE, (2, 0), "draws", |line| line["d"][3][1] = json!(-0.06));
}

#[test]
fn both_flags_of_the_reference_mean_terminated() {
    let both = CART_POLE.lines().position(|line| line.contains(r#""t":1,"u":1"#)).unwrap() + 1;
    fails("CartPole-v1", CART_POLE, (both, 500), "terminated", |line| line["t"] = json!(0));
}

#[test]
fn what_is_no_trace_is_refused_with_its_line() {
    let after_a_reset =
        |line: &str| format!("{{\"k\":\"n\"}}\n{{\"k\":\"r\",\"d\":[[\"i\",0,5,0]],\"o\":\"0092\"}}\n{line}\n");
    let deep = "[".repeat(100_000);
    for line in [
        "",
        "null",
        "{",
        r#"{"k":"s","a":1"#,
        r#"{"k":"z"}"#,
        r#"{"k":"s","o":"1092"}"#,
        r#"{"k":"s","a":-1,"o":"1092"}"#,
        r#"{"k":"s","a":1e999,"o":"1092"}"#,
        r#"{"k":"s","a":99999999999999999999999,"o":"1092"}"#,
        r#"{"k":"s","a":1,"r":1e999,"o":"1092"}"#,
        r#"{"k":"s","a":1,"t":2,"o":"1092"}"#,
        r#"{"k":"s","a":1,"t":true,"o":"1092"}"#,
        r#"{"k":"s","a":1,"o":"109"}"#,
        r#"{"k":"s","a":1,"o":"1099"}"#,
        r#"{"k":"s","a":1,"o":"10x2"}"#,
        r#"{"k":"s","a":1,"o":"1é0"}"#,
        r#"{"k":"s","a":1,"o":7}"#,
        r#"{"k":"s","a":1,"o":"1092","extra":0}"#,
        r#"{"k":"s","a":1,"d":[["i",0,5,5]],"o":"1092"}"#,
        r#"{"k":"s","a":1,"d":[["i",0,5,1e30]],"o":"1092"}"#,
        r#"{"k":"s","a":1,"d":[["u",1.0]],"o":"1092"}"#,
        r#"{"k":"s","a":1,"d":[[]],"o":"1092"}"#,
        r#"{"k":"s","a":1,"s":[1.0],"o":"1092"}"#,
        r#"{"k":"x","s0":[1.0],"a":1,"s":[1.0],"o":"1092"}"#,
        &deep,
    ] {
        let error = replay("Catch", after_a_reset(line)).unwrap_err();
        assert!(matches!(error, GoldenError::Malformed { line: 3, .. }), "{line}: {error}");
    }
    let early = [
        ("", 1),
        ("\n", 1),
        (CATCH.split_once('\n').unwrap().1, 1),
        ("{\"k\":\"n\"}\n{\"k\":\"s\",\"a\":1,\"o\":\"\"}", 2),
    ];
    for (trace, expected) in early {
        let error = replay("Catch", trace).unwrap_err();
        assert!(matches!(error, GoldenError::Malformed { line, .. } if line == expected), "{trace}: {error}");
    }
    assert!(matches!(replay("Catch", [0xff, b'\n']), Err(GoldenError::Malformed { line: 1, .. })));
    assert!(matches!(replay("Catch", vec![b' '; 3 << 20]), Err(GoldenError::Malformed { line: 1, .. })));
}

#[test]
fn what_the_environment_refuses_is_reported_with_its_line() {
    let wild = altered(ACROBOT, 3, |line| line["a"] = json!(usize::MAX));
    assert!(matches!(
        replay("Acrobot-v1", wild),
        Err(GoldenError::Environment { line: 3, error: EnvError::Action { .. } })
    ));
    let x = ACROBOT.lines().position(|line| line.contains(r#""k":"x""#)).unwrap() + 1;
    let far_out = altered(ACROBOT, x, |line| line["s0"][0] = json!(1e300));
    assert!(matches!(
        replay("Acrobot-v1", far_out),
        Err(GoldenError::Environment { error: EnvError::State { .. }, .. })
    ));
    let sticky = altered(CATCH, 1, |line| line["sticky"] = json!(0.1));
    assert!(matches!(
        replay("Catch", sticky),
        Err(GoldenError::Environment { line: 1, error: EnvError::Option { .. } })
    ));
}

#[test]
fn damaged_bytes_never_panic() {
    for (id, trace) in [("Catch", CATCH), ("CartPole-v1", CART_POLE), ("Acrobot-v1", ACROBOT)] {
        let start: Vec<u8> = trace.lines().take(4).collect::<Vec<_>>().join("\n").into_bytes();
        for i in 0..start.len() {
            let _ = replay(id, &start[..i]);
            for byte in [0, 0xff, b'9', b'"', b'\n', b'-'] {
                let mut damaged = start.clone();
                damaged[i] = byte;
                let _ = replay(id, damaged);
            }
        }
    }
}

/// Counts its steps in a hidden ramp index, shown in two planes.
struct Ramping(Spec, u32);

impl Env for Ramping {
    fn spec(&self) -> &Spec {
        &self.0
    }
    fn reset(&mut self, _: &mut dyn Chance) -> Result<(), EnvError> {
        Ok(())
    }
    fn step(&mut self, _: usize, chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        chance.unit();
        self.1 += 1;
        Ok(Outcome { reward: 0.0, end: (self.1 > 1).then_some(End::Terminated) })
    }
    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        out.fill(0.0);
        out[100 + 3 * 10 + 9] = 1.0;
        Ok(())
    }
    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        Ok(Vec::new())
    }
    fn load(&mut self, _: &[u8]) -> Result<(), EnvError> {
        Ok(())
    }
    fn diagnostics(&self) -> Vec<(&'static str, f64)> {
        vec![(engram_envs::golden::RAMP_INDEX, self.1.into())]
    }
}

#[test]
fn several_channels_options_and_the_ramp_index() {
    let observation = ObservationSpace::Planes {
        channels: ["none", "thing"].map(String::from).to_vec(),
        height: 10,
        width: 10,
        kind: PlaneKind::Binary,
    };
    let spec =
        Spec { id: "Ramping".into(), observation, actions: vec!["none".into(); 6], step_limit: None, starts: None };
    let run = |ramp_index: u32| {
        let trace = format!(
            "{}\n{}\n{}\n{}\n",
            r#"{"k":"n","env":"any","sticky":0.1,"ramp":true,"shape":[10,10,2],"policy":"random","seed":9}"#,
            r#"{"k":"r","o":"391"}"#,
            r#"{"k":"s","a":5,"d":[["u",0.25]],"m":1,"o":"391"}"#,
            json!({"k":"s","a":0,"d":[["u",0.25]],"t":1,"p":1,"m":ramp_index,"o":"391"}),
        );
        let make = |options: &Options| {
            let expected = [("ramping".into(), true.into()), ("sticky".into(), 0.1.into())];
            assert_eq!(*options, Options::from(expected));
            Ok(Box::new(Ramping(spec.clone(), 0)) as Box<dyn Env>)
        };
        verify(make, trace.as_bytes())
    };
    assert_eq!(run(2).unwrap().lines, 4);
    assert_eq!(run(3).unwrap_err().to_string(), "line 4, step 2: ramp index: expected 3, got 2");
}
