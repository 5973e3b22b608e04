//! Environments of Gymnasium, real ones and strange ones, through the program.
//!
//! Needs a Python with the packages `gymnasium[box2d]`, `ale-py` and `opencv-python-headless`, named by the variable
//! `ENGRAM_TEST_PYTHON`.
#![cfg(target_os = "linux")]

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use engram_envs::{Env, EnvError, ObservationSpace, Options, PlaneKind, Registry, gymnasium};

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

fn python() -> OsString {
    std::env::var_os("ENGRAM_TEST_PYTHON").expect("set ENGRAM_TEST_PYTHON to a Python that has gymnasium")
}

/// The program, which finds the strange games beside this test.
fn engram(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
    // The first is set so that the process does not start itself again and keeps its number.
    command.env("RAYON_NUM_THREADS", "1").env("PYTHONPATH", TESTS).env("ENGRAM_PYTHON", python()).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// `train` on one environment, with little in it but steps.
fn train(env: &str, steps: &str, run: &Path, more: &[&str]) -> Command {
    let task = format!("curriculum.tasks=[{{ env = '{env}', reference = {{ random = 0.0, single = 1.0 }} }}]");
    let mut command = engram(&["train", "addition", "--set", &task, "--steps-per-task", steps, "--quiet"]);
    for setting in ["evaluation.period=100000", "evaluation.episodes=1", "evaluation.step_limit=50", "method.name=ewc"]
    {
        command.args(["--set", setting]);
    }
    command.args(more).arg("--run-dir").arg(run);
    command
}

/// What a command that must fail with this code says, which is one line.
fn complaint(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

fn make(id: &str, options: &Options) -> Result<Box<dyn Env>, EnvError> {
    let mut registry = Registry::empty();
    gymnasium::add_to(&mut registry, Some(Path::new(&python())));
    registry.make(id, options)
}

/// The workers of a process.
fn workers(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    numbers.filter(|process| status_of(*process).is_some_and(|(of, state)| of == parent && state != 'Z')).collect()
}

/// A process's parent and state.
fn status_of(process: u32) -> Option<(u32, char)> {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = status.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    Some((fields.nth(1)?.parse().ok()?, status.rsplit_once(") ")?.1.chars().next()?))
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_mins(1), "still not: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A long run that has begun its phase.
fn under_way(env: &str, run: &Path) -> Child {
    let mut child = train(env, "100000000", run, &[]).spawn().unwrap();
    wait_until("the run has begun", || {
        assert!(child.try_wait().unwrap().is_none());
        fs::metadata(run.join("episodes.csv")).is_ok_and(|file| file.len() > 200)
    });
    child
}

#[test]
fn unusual_environments_pass_every_check() {
    for id in [
        "CartPole-v1",
        "strange_games:Walk-v0",
        "strange_games:Furnished-v0",
        "strange_games:Board-v0",
        "strange_games:Sloppy-v0",
    ] {
        let output = engram(&["env", "check", &format!("gymnasium:{id}")]).output().unwrap();
        assert!(output.status.success(), "{id}: {output:?}");
    }
}

#[test]
fn observations_come_as_planes_or_flattened() {
    let shape = |id: &str, options: &[(&str, i64)]| {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        match &make(id, &options).unwrap().spec().observation {
            ObservationSpace::Vector { components } => (vec![components.len()], None),
            ObservationSpace::Planes { channels, height, width, kind } => {
                (vec![channels.len(), *height, *width], Some(*kind))
            }
        }
    };
    assert_eq!(shape("gymnasium:CartPole-v1", &[("frame_stack", 3)]), (vec![12], None));
    assert_eq!(shape("gymnasium:FrozenLake-v1", &[]), (vec![16], None));
    let pong = |options: &[(&str, i64)]| shape("gymnasium:ALE/Pong-v5", options);
    assert_eq!(pong(&[("frame_stack", 1), ("size", 40)]), (vec![1, 40, 40], Some(PlaneKind::Byte)));
    assert_eq!(pong(&[]), (vec![4, 84, 84], Some(PlaneKind::Stack)));
}

#[test]
fn what_is_printed_does_not_get_between_the_replies() {
    let folder = tempfile::tempdir().unwrap();
    let output = train("gymnasium:strange_games:Chatty-v0", "250", &folder.path().join("run"), &[]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_same_seed_gives_the_same_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let params = ["a", "b"].map(|name| {
        let run = folder.path().join(name);
        let output = train("gymnasium:LunarLander-v3", "600", &run, &[]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        fs::read(run.join("params.safetensors")).unwrap()
    });
    assert!(params[0] == params[1]);
}

#[test]
fn a_worker_that_is_lost_ends_the_run_with_code_4_and_a_checkpoint() {
    for (game, what) in [
        ("Dies", "ended in `step` (exit status: 9)"),
        ("Raises", "failed in `step`: ValueError: the walk is over"),
        ("Hangs", "no answer to `step` within 1.5 s"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let timeout = "curriculum.tasks.0.options={ timeout = 1.5, kwargs = '{\"after\": 40}' }";
        let id = format!("gymnasium:strange_games:{game}-v0");
        // Evaluation episodes are too short for it.
        let output =
            train(&id, "2000", &run, &["--set", timeout, "--set", "evaluation.step_limit=20"]).output().unwrap();
        let said = complaint(&output, 4);
        assert!(said.contains(&id) && said.contains(what), "{said}");
        assert!(fs::read_to_string(run.join("status.json")).unwrap().contains("\"failed\""));
        assert_eq!(fs::read_dir(run.join("checkpoints")).unwrap().count(), 1);
    }
}

#[test]
fn a_worker_killed_from_outside_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let child = under_way("gymnasium:CartPole-v1", &run);
    for worker in workers(child.id()) {
        Command::new("kill").args(["-9", &worker.to_string()]).status().unwrap();
    }
    let said = complaint(&child.wait_with_output().unwrap(), 4);
    assert!(
        said.contains("was lost") && said.contains("signal: 9") && said.contains("the parameters are in"),
        "{said}"
    );
}

#[test]
fn no_worker_outlives_the_program() {
    for signal in ["-9", "-INT"] {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let child = under_way("gymnasium:CartPole-v1", &run);
        let orphans = workers(child.id());
        assert!(!orphans.is_empty());
        // Ctrl-C in a terminal reaches the workers, too.
        let processes = if signal == "-9" { vec![child.id()] } else { [vec![child.id()], orphans.clone()].concat() };
        let processes: Vec<_> = processes.iter().map(ToString::to_string).collect();
        Command::new("kill").arg(signal).args(processes).status().unwrap();
        let output = child.wait_with_output().unwrap();
        if signal == "-INT" {
            assert!(complaint(&output, 130).contains("go on with: engram resume"));
        }
        wait_until("the workers are gone", || orphans.iter().all(|worker| status_of(*worker).is_none()));
    }
}

#[test]
fn a_worker_that_hangs_does_not_outlive_the_program_either() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = train(
        "gymnasium:strange_games:Hangs-v0",
        "2000",
        &folder.path().join("run"),
        &["--set", "evaluation.step_limit=20"],
    )
    .spawn()
    .unwrap();
    let mut orphans = Vec::new();
    wait_until("a worker is there", || {
        orphans = workers(child.id());
        !orphans.is_empty()
    });
    thread::sleep(Duration::from_secs(3));
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the worker is gone", || orphans.iter().all(|worker| status_of(*worker).is_none()));
}

#[test]
fn what_is_missing_is_named_with_the_command_that_installs_it() {
    let missing = |module: &str, id: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(format!("{module}.py")), "raise ImportError('not here')").unwrap();
        let run = folder.path().join("run");
        let output = train(id, "2000", &run, &[]).env("PYTHONPATH", folder.path()).output().unwrap();
        assert!(!run.exists());
        complaint(&output, 2)
    };
    for (module, package, id) in [
        ("gymnasium", "gymnasium", "gymnasium:CartPole-v1"),
        ("ale_py", "ale-py", "gymnasium:ALE/Pong-v5"),
        ("cv2", "opencv-python-headless", "gymnasium:ALE/Pong-v5"),
    ] {
        let said = missing(module, id);
        assert!(said.contains(&format!("-m pip install {package}")) && said.contains("not here"), "{said}");
    }
    assert!(missing("Box2D", "gymnasium:LunarLander-v3").contains("gymnasium[box2d]"));
    let said =
        complaint(&engram(&["--python", "/no/python", "env", "check", "gymnasium:CartPole-v1"]).output().unwrap(), 2);
    assert!(said.contains("/no/python") && said.contains("ENGRAM_PYTHON"), "{said}");
}

#[test]
fn what_no_dqn_can_play_is_bad_input() {
    for (id, what) in [
        ("gymnasium:Pendulum-v1", "needs discrete ones"),
        ("gymnasium:strange_games:Grows-v0", "a fixed length"),
        ("gymnasium:CartPol-v1", "Did you mean: `CartPole`?"),
        ("gymnasium:ALE/Breakot-v5", "Did you mean: `Breakout`?"),
        ("gymnasium:no_such_games:Walk-v0", "no_such_games"),
    ] {
        let said = complaint(&engram(&["env", "check", id]).output().unwrap(), 2);
        assert!(said.contains(what), "{said}");
    }
    let said =
        engram(&["env", "check", "gymnasium:CartPole-v1", "--option", "kwargs={\"color\": 1}"]).output().unwrap();
    assert!(complaint(&said, 2).contains("color"));
}

#[test]
fn an_episode_that_its_seed_does_not_decide_is_not_resumed_in_silence() {
    let output = engram(&["env", "check", "gymnasium:strange_games:Unseeded-v0"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let line = said.lines().find(|line| line.starts_with("save and load")).unwrap();
    assert!(line.contains("FAILED") && line.contains("led elsewhere"), "{said}");
}
