//! Workers that misbehave, played by shell scripts: whatever they do ends in one clear error, and soon.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use engram_envs::{Env, EnvError, ObservationSpace, Options, Outcome, PlaneKind, Registry, Start, gymnasium};

/// Answers a game of three numbers: `request` takes one in, `reply BYTES…` writes one, in octal.
const GAME: &str = r#"#!/bin/sh
request() { dd bs=1 count="$(dd bs=1 count=4 2> /dev/null | od -An -tu4 | tr -d ' ')" > /dev/null 2>&1; }
reply() { printf "$1"; }
description='0{"actions":["left","right"],"kind":"bytes","shape":[1,1,3],"draws":false,"step_limit":9}'
made() { request; printf "\\$(printf %o ${#description})\\0\\0\\0%s" "$description"; }
reset() { request; reply '\004\0\0\0000\001\002\003'; }
made; reset
"#;

fn registry(script: &str) -> Registry {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut file = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempfile_in(folder).unwrap();
    file.write_all(script.as_bytes()).unwrap();
    let (_, path) = file.keep().unwrap();
    let mut registry = Registry::empty();
    gymnasium::add_to(&mut registry, Some(&path));
    registry
}

fn make(script: &str) -> Result<Box<dyn Env>, EnvError> {
    let (registry, options) = (registry(script), Options::from([("timeout".into(), 2.0.into())]));
    loop {
        match registry.make("gymnasium:Fake-v0", &options) {
            // Another test forked while the script was open for writing.
            Err(error) if error.to_string().contains("Text file busy") => std::thread::yield_now(),
            made => return made,
        }
    }
}

/// The game, which goes on after its first reset as `rest` says.
fn game(rest: &str) -> Box<dyn Env> {
    make(&format!("{GAME}{rest}")).unwrap_or_else(|error| panic!("{error}"))
}

/// What becomes of the game's first step.
fn step(rest: &str) -> Result<Outcome, EnvError> {
    game(rest).step(1, &mut Start(0))
}

fn lost(rest: &str) -> String {
    match step(rest) {
        Err(EnvError::Lost { id, message }) => {
            assert_eq!(id, "gymnasium:Fake-v0");
            message
        }
        other => panic!("{other:?}"),
    }
}

fn unavailable(script: &str) -> String {
    match make(script).map(|_| ()) {
        Err(EnvError::Unavailable { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_worker_that_behaves_is_played() {
    // A reward of 1.0, termination, and another observation.
    let mut env = game(r"request; reply '\015\0\0\0000\0\0\0\0\0\0\360\077\001\004\005\006'; read hold");
    let space = &env.spec().observation;
    assert!(
        matches!(space, ObservationSpace::Planes { channels, height: 1, width: 3, kind: PlaneKind::Byte } if channels.len() == 1)
    );
    assert_eq!((env.spec().actions.join(" "), env.spec().step_limit), ("left right".into(), Some(9)));
    let mut seen = [0.0; 3];
    env.observe(&mut seen).unwrap();
    assert_eq!(seen, [1.0, 2.0, 3.0]);
    let outcome = env.step(1, &mut Start(0)).unwrap();
    assert_eq!(outcome, Outcome { reward: 1.0, end: Some(engram_envs::End::Terminated) });
    env.observe(&mut seen).unwrap();
    assert_eq!(seen, [4.0, 5.0, 6.0]);
    // After the end nothing moves, and nobody is asked.
    assert_eq!(env.step(0, &mut Start(0)).unwrap(), Outcome { reward: 0.0, ..outcome });
    assert!(matches!(env.step(2, &mut Start(0)), Err(EnvError::Action { action: 2, .. })));
    let saved = env.save().unwrap();
    assert_eq!(saved, [&[0; 8][..], &[1, 0, 0, 0, 1, 0, 0, 0], &[4, 5, 6]].concat());
    for length in 0..saved.len() {
        assert!(matches!(env.load(&saved[..length]), Err(EnvError::State { .. })), "{length}");
    }
}

#[test]
fn a_hang_ends_at_the_timeout_and_leaves_no_process() {
    let begin = Instant::now();
    let message = lost("echo $$ >&2; request; exec sleep 100");
    assert!(message.contains("no answer to `step` within 2 s") && message.contains("`timeout`"), "{message}");
    assert!(begin.elapsed() < Duration::from_secs(20));
    // Its last words are its process's number.
    let process = message.rsplit(' ').next().unwrap();
    assert!(process.parse::<u32>().is_ok() && !PathBuf::from(format!("/proc/{process}")).exists(), "{message}");
}

#[test]
fn a_worker_that_dies_is_named_with_its_last_words() {
    let message = lost("request; echo all is lost >&2; exit 7");
    assert!(message.contains("ended in `step` (exit status: 7)") && message.ends_with("all is lost"), "{message}");
    let message = lost("request; kill -9 $$");
    assert!(message.contains("signal: 9"), "{message}");
    // Half a reply.
    let message = lost(r"request; reply '\015\0\0\0000\0'");
    assert!(message.contains("ended in `step`"), "{message}");
}

#[test]
fn garbage_is_not_understood() {
    for (garbage, what) in [
        (r"\0\0\0\0", "a message of 0 bytes"),
        (r"\377\377\377\377", "a message of 4294967295 bytes"),
        (r"Hello, World", "a message of 1819043144 bytes"),
        (r"\001\0\0\000x", "a status of 120"),
        (r"\001\0\0\0000", "a step of 0 bytes in place of 12"),
        (r"\015\0\0\0000\0\0\0\0\0\0\360\077\003\004\005\006", "an ending of kind 3"),
        (r"\016\0\0\0000\0\0\0\0\0\0\360\077\001\004\005\006\007", "a step of 13 bytes in place of 12"),
    ] {
        let message = lost(&format!("request; reply '{garbage}'; read hold"));
        assert!(message.contains(&format!("not understood: {what}")), "{garbage}: {message}");
    }
    let message = lost(r"reply '\001\0\0\0000'; read hold; read hold");
    assert!(message.contains("what it was not asked") || message.contains("0 bytes in place of 12"), "{message}");
    // Once lost, it stays so.
    let mut env = game("request; exit 0");
    assert!(env.step(0, &mut Start(0)).is_err());
    assert!(matches!(env.reset(&mut Start(0)), Err(EnvError::Lost { .. })));
}

#[test]
fn what_a_worker_refuses_is_bad_input_and_what_it_fails_in_is_its_end() {
    let refused = step(r"request; reply '\004\0\0\0001why'; read hold").unwrap_err();
    assert!(matches!(&refused, EnvError::Option { message, .. } if message == "why"), "{refused:?}");
    assert_eq!(lost(r"request; reply '\004\0\0\0002how'; read hold"), "it failed in `step`: how");
}

#[test]
fn what_is_no_worker_is_unavailable() {
    let message = unavailable("#!/bin/sh\nexit 3\n");
    assert!(message.contains("ended in `make` (exit status: 3)") && message.contains("--python PATH"), "{message}");
    assert!(unavailable("#!/bin/sh\necho Hello, World\n").contains("not understood"));
    assert!(unavailable("#!/bin/sh\nexec sleep 100\n").contains("no answer to `make` within 2 s"));
    for description in [
        "{}",
        "[1]",
        r#"{"actions":["a"],"kind":"bytes","shape":[1,99999999999,99999999999],"draws":false,"step_limit":null}"#,
    ] {
        let script = GAME.replace("made; reset", "made").replace(
            r#"0{"actions":["left","right"],"kind":"bytes","shape":[1,1,3],"draws":false,"step_limit":9}"#,
            &format!("0{description}"),
        );
        assert!(unavailable(&format!("{script}read hold")).contains("not understood"), "{description}");
    }
    let mut registry = Registry::empty();
    gymnasium::add_to(&mut registry, Some(&PathBuf::from("/no/python")));
    let error = registry.make("gymnasium:Fake-v0", &Options::new()).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("/no/python") && error.contains("install Python 3"), "{error}");
}

#[test]
fn options_are_checked_before_a_process_is_started() {
    let registry = registry("#!/bin/sh\nexit 3\n");
    let refused = |id: &str, name: &str, value: engram_envs::Value| {
        let made = registry.make(id, &Options::from([(name.into(), value)])).map(|_| ());
        assert!(matches!(&made, Err(EnvError::Option { .. })), "{made:?}");
        made.unwrap_err().to_string()
    };
    assert!(refused("gymnasium:Fake-v0", "kwargs", "[1]".into()).contains("not [1]"));
    assert!(refused("gymnasium:ALE/Pong-v5", "kwargs", r#"{"frameskip": 4}"#.into()).contains("use `frame_skip`"));
    assert!(refused("gymnasium:Fake-v0", "kwargs", r#"{"render_mode": "human"}"#.into()).contains("`env record`"));
    assert!(refused("gymnasium:Fake-v0", "frame_skip", 0.into()).contains("between 1 and 100"));
    assert!(refused("gymnasium:ALE/Pong-v5", "size", 0.into()).contains("between 1 and 1000"));
    assert!(refused("gymnasium:Fake-v0", "timeout", 0.0.into()).contains("`timeout`"));
}
