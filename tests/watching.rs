//! Games as they are seen: GIFs of environments, of runs and in runs, and what needs a terminal.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

fn program(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
    command.current_dir(folder.path()).args(args);
    command
}

fn prints(folder: &TempDir, args: &[&str]) -> String {
    let output = program(folder, args).assert().code(0).get_output().clone();
    String::from_utf8(output.stdout).unwrap()
}

/// Width, height and number of pictures of a GIF.
fn gif(path: &Path) -> (u16, u16, usize) {
    let mut decoder = gif::DecodeOptions::new().read_info(File::open(path).unwrap()).unwrap();
    let mut pictures = 0;
    while decoder.read_next_frame().unwrap().is_some() {
        pictures += 1;
    }
    (decoder.width(), decoder.height(), pictures)
}

/// The files below a folder whose bytes two runs share: all but the clocks'.
fn lasting(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files.extend(lasting(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else if name != "status.json" && !name.starts_with("events.out.tfevents") {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
    files
}

/// Two tasks whose episodes begin with the action that the one before ended with, nine times out of ten.
const STICKY: &str = "curriculum.tasks=[\
    { env = \"MinAtar/Asterix-v1\", options = { sticky = 0.9 }, reference = { random = 0, single = 1 } }, \
    { env = \"MinAtar/Asterix-v1\", options = { sticky = 0.9, ramping = false }, reference = { random = 0, single = 1 } }]";

#[test]
fn an_environment_is_recorded_from_its_seed() {
    let folder = tempfile::tempdir().unwrap();
    let record = |out: &str, seed: &str| {
        let args = ["env", "record", "Catch", "--episodes", "2", "--out", out, "--seed", seed];
        prints(&folder, &args);
        fs::read(folder.path().join(out)).unwrap()
    };
    let first = record("a.gif", "3");
    // Ten pictures an episode: the start and nine steps.
    assert_eq!(gif(&folder.path().join("a.gif")), (120, 240, 20));
    assert_eq!(record("b.GIF", "3"), first);
    assert_ne!(record("c.gif", "4"), first);
    let text = prints(&folder, &["env", "record", "Acrobot-v1", "--steps", "7", "--out", "a.gif"]);
    assert_eq!(text.lines().next(), Some("Acrobot-v1: return -7"));
    assert!(text.contains("a.gif: 8 pictures"), "{text}");
    assert_eq!(gif(&folder.path().join("a.gif")), (240, 240, 8));
}

#[test]
fn recording_changes_nothing_else_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    for (name, period) in [("with", "400"), ("without", "0")] {
        let train = ["train", "catch-3", "--quiet", "--steps-per-task", "300", "--run-dir", name];
        let set = ["--record-period", period, "--set", "evaluation.period=200", "--set", "evaluation.episodes=3"];
        prints(&folder, &[&train[..], &set, &["--set", STICKY]].concat());
    }
    let (mut with, mut without) = (lasting(&folder.path().join("with")), lasting(&folder.path().join("without")));
    let [with_config, without_config] =
        [&mut with, &mut without].map(|files| String::from_utf8(files.remove("config.toml").unwrap()).unwrap());
    assert_eq!(with_config.replace("record_period = 400", "record_period = 0"), without_config);
    let recordings: Vec<_> =
        with.extract_if(.., |name, _| name.starts_with("recordings/")).map(|(name, _)| name).collect();
    // The untrained agent, the one evaluation that falls on 400, and the end of both phases.
    let names = [0, 300, 400, 600].map(|step| [0, 1].map(|task| format!("recordings/step-{step}_task-{task}.gif")));
    assert_eq!(recordings, names.concat());
    assert_eq!(with, without);
    let (width, height, pictures) = gif(&folder.path().join("with").join(&names[3][1]));
    assert!((width, height) == (240, 240) && pictures > 1);
}

#[test]
fn a_runs_policy_is_recorded_as_it_is_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    prints(
        &folder,
        &["train", "catch-3", "--quiet", "--steps-per-task", "300", "--run-dir", "run", "--record-period", "1"],
    );
    prints(&folder, &["env", "record", "run", "--out", "run.gif", "--episodes", "5"]);
    assert_eq!(gif(&folder.path().join("run.gif")), (120, 240, 150));
    let text = prints(&folder, &["env", "record", "run", "--out", "task.gif", "--task", "2"]);
    assert!(text.starts_with("PermutedCatch/a-2: return "), "{text}");
    let [own, recorded] = ["task.gif", "run/recordings/step-900_task-2.gif"].map(|name| folder.path().join(name));
    assert_eq!(fs::read(own).unwrap(), fs::read(recorded).unwrap(), "the last recording is of the saved parameters");
    for (args, part) in [
        (&["record", "run", "--out", "x.gif", "--task", "3"][..], "the run has tasks 0 to 2"),
        (&["record", "run", "--out", "x.gif", "--option", "a=1"], "--option goes with an environment"),
        (&["play", "Catch", "--run", "run", "--task", "1"], "0 Catch, 1 PermutedCatch/a-1, 2 PermutedCatch/a-2"),
        (&["play", "Acrobot-v1", "--run", "run"], "no such task `Acrobot-v1`"),
        (&["play", "Catch", "--run", "run"], "needs a terminal"),
    ] {
        refused(&folder, &[&["env"], args].concat(), part);
    }
}

fn refused(folder: &TempDir, args: &[&str], part: &str) {
    let output = program(folder, args).assert().code(2).get_output().clone();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.lines().count() == 1 && error.contains(part) && output.stdout.is_empty(), "{args:?}: {error}");
}

#[test]
fn bad_input_is_one_line_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder.gif")).unwrap();
    for (args, part) in [
        (&["record", "Catch"][..], "--out"),
        (&["record", "Catch", "--out", "a.mp4"], "--out a.mp4: it must end in .gif"),
        (&["record", "Catch", "--out", "nowhere/a.gif"], "there is no folder nowhere"),
        (&["record", "Catch", "--out", "folder.gif"], "it is a folder"),
        (&["record", "Cach", "--out", "a.gif"], "did you mean `Catch`?"),
        (&["record", "folder.gif", "--out", "a.gif"], "not a run directory"),
        (&["record", "Catch", "--out", "a.gif", "--task", "0"], "--task goes with a run"),
        (&["record", "Catch", "--out", "a.gif", "--option", "x=1"], "there is no option `x`"),
        (&["record", "Catch", "--out", "a.gif", "--fps", "51"], "a whole number from 1 to 50"),
        (&["record", "Catch", "--out", "a.gif", "--steps", "0"], "a whole number, 1 or greater"),
        (&["play", "Catch"], "needs a terminal"),
        (&["play", "Cach"], "did you mean `Catch`?"),
        (&["play", "Catch", "--run", "nowhere"], "not a run directory"),
        (&["play", "Catch", "--run", "nowhere", "--random"], "cannot be used with"),
        (&["play", "Catch", "--task", "1"], "--run"),
    ] {
        refused(&folder, &[&["env"], args].concat(), part);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    refused(&folder, &["train", "--record-period", "-1"], "a whole number, 0 or greater");
}
