//! `engram distill` and `engram train --weights`, as a user calls them.

use std::{fs, path::Path};

use assert_cmd::Command;
use serde_json::Value;

fn engram(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
    command.current_dir(folder).args(args);
    command
}

fn done(folder: &Path, args: &[&str]) {
    engram(folder, args).assert().success();
}

fn printed(folder: &Path, args: &[&str]) -> Value {
    let output = engram(folder, args).arg("--json").assert().success().get_output().clone();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The one line on the standard error of a command that is refused.
fn refused(folder: &Path, args: &[&str]) -> String {
    let output = engram(folder, args).assert().code(2).get_output().clone();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!((line.lines().count(), output.stdout.len()), (1, 0), "{args:?}: {line}");
    line
}

/// Three agents that each play one game of `catch-3` and know nothing of the others.
fn teachers(folder: &Path) {
    for task in 0..3 {
        let phase = format!("curriculum.phases=[{{ task = {task}, steps = 4000 }}]");
        let run = format!("--run-dir=teacher-{task}");
        done(folder, &["train", "catch-3", "--quiet", "--method=fine-tune", "--set", &phase, &run]);
    }
}

const RUNS: [&str; 3] = ["teacher-0", "teacher-1", "teacher-2"];

#[test]
fn one_student_plays_the_games_of_three_teachers() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    teachers(folder);
    for loss in ["kl", "nll", "mse", "actor-mimic"] {
        let short = ["--loss", loss, "--into", loss, "--states=1000", "--updates=1500"];
        let outcome = printed(folder, &[&["distill"], &RUNS[..], &short[..]].concat());
        let tasks = outcome["tasks"].as_array().unwrap();
        assert_eq!(tasks.len(), 3, "each run teaches the task that it was trained on");
        for task in tasks {
            let number = |key: &str| task[key].as_f64().unwrap();
            assert!(number("teacher") > 0.5, "the teacher has not learnt: {task}");
            let expected = (number("student") + 0.6) / (number("teacher") + 0.6);
            assert!((number("share") - expected).abs() < 1e-9, "{task}");
        }
        assert!(outcome["geometric_mean"].as_f64().unwrap() > 0.8, "{outcome}");

        // As any other run.
        let run = format!("runs/{loss}");
        let played = printed(folder, &["evaluate", &run]);
        for (task, own) in played["runs"][0]["tasks"].as_array().unwrap().iter().zip(tasks) {
            assert_eq!(task["mean_return"], own["student"]);
        }
    }
    done(folder, &["env", "record", "runs/kl", "--out", "kl.gif"]);
    done(folder, &["figure", "runs/kl", "--out", "kl.svg"]);
    assert!(refused(folder, &["verify", "runs/kl"]).contains("is a student"));

    let again = ["--into=again", "--states=1000", "--updates=1500"];
    done(folder, &[&["distill"], &RUNS[..], &again[..]].concat());
    for file in ["params.safetensors", "performance_matrix.csv", "evaluations.csv", "distill.json"] {
        let read = |run: &str| fs::read(folder.join("runs").join(run).join(file)).unwrap();
        assert!(read("again") == read("kl"), "{file} differs");
    }
    let small = printed(folder, &["distill", "teacher-1", "--into=small", "--hidden=8", "--updates=10"]);
    assert_eq!(small["tasks"][0]["env"], "PermutedCatch/a-1");
    let config = fs::read_to_string(folder.join("runs/small/config.toml")).unwrap();
    assert!(config.contains("hidden = [8]"), "{config}");
}

#[test]
fn what_cannot_be_taught_is_refused_in_a_line_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let short = |args: &[&str]| done(folder, &[&["train"], args, &["--quiet"]].concat());
    short(&["catch-3", "--steps-per-task=300", "--run-dir=planes"]);
    let scale = "agent.observation_scale.Addition/0=[1,1,1,1,1,1,1,1,1,1,1,1,2]";
    short(&["addition", "--steps-per-task=200", "--run-dir=vectors"]);
    short(&["addition", "--steps-per-task=200", "--run-dir=scaled", "--set", scale]);
    short(&["addition", "--steps-per-task=200", "--run-dir=linear", "--set", "agent.network.hidden=[]"]);
    short(&["addition", "--steps-per-task=200", "--run-dir=unfinished"]);
    let status = folder.join("unfinished/status.json");
    fs::write(&status, fs::read_to_string(&status).unwrap().replace("finished", "stopped")).unwrap();
    fs::create_dir_all(folder.join("runs/taken")).unwrap();
    fs::write(folder.join("runs/taken/mine.txt"), "mine").unwrap();
    for (args, expected) in [
        (&["planes", "vectors"][..], "`Addition/0`, which sees vectors; it must be an environment that sees planes"),
        (&["vectors", "scaled"], "`agent.observation_scale.Addition/0` differs between their runs"),
        (&["unfinished"], "unfinished has not finished; go on with it first: engram resume unfinished"),
        (&["gone"], "gone is not a run directory"),
        (&["linear", "--loss=actor-mimic"], "linear has no hidden layer to be mimicked"),
        (
            &["vectors", "--loss=ki"],
            "invalid value 'ki' for '--loss <LOSS>' [possible values: kl, nll, mse, actor-mimic]",
        ),
        (&["vectors", "--temperature=0"], "it must be a finite number greater than 0"),
        (&["vectors", "--states=0"], "it must be a whole number, 1 or greater"),
        (&["vectors", "--hidden=9999999"], "`agent.network.hidden` is [9999999]"),
    ] {
        let line = refused(folder, &[&["distill"], args, &["--into=student"]].concat());
        assert!(line.contains(expected), "{args:?}: {line}");
    }
    assert!(refused(folder, &["distill", "vectors", "--into=taken"]).contains("runs/taken exists already"));
    let left: Vec<_> = fs::read_dir(folder.join("runs")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["taken"]);
}

#[test]
fn a_run_begins_with_the_body_of_another_and_can_be_resumed_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let train =
        |args: &[&str]| done(folder, &[&["train", "catch-3", "--quiet", "--steps-per-task=300"], args].concat());
    train(&["--run-dir=first", "--seed=5"]);
    train(&["--run-dir=fresh"]);
    // At a rate of almost nothing the parameters stay what the run began with.
    let still = ["--set", "agent.optimizer.learning_rate=1e-30", "--run-dir=still", "--weights=first"];
    train(&still);
    let tensor = |run: &str, name: &str| {
        let bytes = fs::read(folder.join(run).join("params.safetensors")).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        tensors.tensor(name).unwrap().data().to_vec()
    };
    for name in ["dense1.weight", "dense2.weight"] {
        assert!(tensor("still", name) == tensor("first", name), "{name}");
    }
    assert!(tensor("still", "task0.output.weight") != tensor("first", "task0.output.weight"), "heads are new");
    let config = fs::read_to_string(folder.join("still/config.toml")).unwrap();
    assert!(config.contains("[weights]\nrun = \"first\"\nhash = \""), "{config}");
    done(folder, &["verify", "still"]);

    // A run that was killed before its first checkpoint begins again with the same body, and only with that.
    train(&["--run-dir=whole", "--weights=first"]);
    fs::create_dir(folder.join("killed")).unwrap();
    fs::copy(folder.join("whole/config.toml"), folder.join("killed/config.toml")).unwrap();
    done(folder, &["resume", "killed", "--quiet"]);
    let params = |run: &str| fs::read(folder.join(run).join("params.safetensors")).unwrap();
    assert!(params("killed") == params("whole") && params("whole") != params("fresh"));
    fs::copy(folder.join("fresh/params.safetensors"), folder.join("first/params.safetensors")).unwrap();
    assert!(refused(folder, &["verify", "whole"]).contains("it is not the run that this one began with"));

    let narrow = ["train", "catch-3", "--set", "agent.network.hidden=[32, 64]", "--weights=first", "--run-dir=narrow"];
    let line = refused(folder, &narrow);
    assert!(
        line.contains("`dense1.weight` has the shape [50, 32] here, and in first it has the shape [50, 64]"),
        "{line}"
    );
    assert!(refused(folder, &["train", "catch-3", "--weights=gone"]).contains("gone is not a run directory"));
    assert!(!folder.join("narrow").exists() && !folder.join("runs").exists());
}
