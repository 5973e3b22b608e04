//! Sweeps as a user makes them: begun, made again, cut off, grown, and with a run that breaks.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

fn compare(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
    // Set, so that the process does not start itself again and keeps its number.
    command.env("RAYON_NUM_THREADS", "1").args(["compare", "catch-3", "--json", "--workers=2", "--runs"]).arg(folder);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The exit code, what was printed as JSON, and what was said beside it.
fn ended(output: &Output) -> (Option<i32>, Value, String) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    let printed = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.code(), printed, said)
}

fn made(folder: &Path, arguments: &[&str]) -> (Option<i32>, Value, String) {
    ended(&compare(folder, arguments).output().unwrap())
}

/// The run directories of a method.
fn runs(folder: &Path, method: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("catch-3-compared")).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{method}__"));
    let mut found: Vec<_> = entries.filter(of).collect();
    found.sort();
    found
}

fn state(run: &Path) -> String {
    let status: Value = serde_json::from_slice(&fs::read(run.join("status.json")).unwrap()).unwrap();
    status["state"].as_str().unwrap().to_owned()
}

fn same(run: &Path, other: &Path) {
    for file in ["episodes.csv", "updates.csv", "evaluations.csv", "performance_matrix.csv", "params.safetensors"] {
        assert!(fs::read(run.join(file)).unwrap() == fs::read(other.join(file)).unwrap(), "{file}");
    }
}

#[test]
fn a_sweep_is_what_train_makes_and_grows() {
    let folder = tempfile::tempdir().unwrap();
    let short = ["--steps-per-task=1200", "--first-seed=3"];
    let (code, printed, said) = made(folder.path(), &[&short[..], &["--methods=fine-tune,ewc", "--seeds=1"]].concat());
    assert_eq!(code, Some(0), "{said}");
    assert_eq!((&printed["summary"]["runs"], &printed["summary"]["finished"]), (&2.into(), &2.into()));
    assert!(said.contains("2 runs to train, 2 at a time: about"), "{said}");
    let alone = folder.path().join("alone");
    let train = ["train", "catch-3", "--method=ewc", "--seed=3", "--steps-per-task=1200", "--quiet", "--run-dir"];
    assert!(Command::new(env!("CARGO_BIN_EXE_engram")).args(train).arg(&alone).status().unwrap().success());
    let ewc = runs(folder.path(), "ewc");
    same(&ewc[0], &alone);
    assert!(!ewc[0].join("log.txt").exists(), "nothing was said");

    let written = fs::metadata(ewc[0].join("params.safetensors")).unwrap().modified().unwrap();
    let (code, printed, said) = made(folder.path(), &[&short[..], &["--methods=fine-tune,ewc", "--seeds=2"]].concat());
    assert_eq!((code, &printed["summary"]["finished"]), (Some(0), &4.into()), "{said}");
    assert!(said.contains("4 runs, 2 finished, 2 not begun"), "{said}");
    assert_eq!(fs::metadata(ewc[0].join("params.safetensors")).unwrap().modified().unwrap(), written);
}

#[test]
fn the_plan_in_a_sweeps_folder_is_that_sweeps() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.toml"), "experiment = \"catch-3\"\nseeds = 1\nsteps_per_task = 1200\n").unwrap();
    for (plan, begun) in [("mine.toml", "1 not begun"), ("runs/mine/plan.toml", "1 finished")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
        let (code, printed, said) =
            ended(&command.current_dir(folder.path()).args(["sweep", plan, "--json"]).output().unwrap());
        assert_eq!((code, &printed["folder"]), (Some(0), &"runs/mine".into()), "{said}");
        assert!(said.contains(begun), "{said}");
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, said) = made(folder.path(), &["--methods=ewc", "--seeds=1000", "--dry-run"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1000 runs to train"), "{said}");
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[cfg(unix)]
#[test]
fn a_sweep_that_is_stopped_goes_on_and_ends_with_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--methods=ewc", "--seeds=3", "--steps-per-task=60000"];
    let child = compare(folder.path(), &arguments).spawn().unwrap();
    let begun = Instant::now();
    let writes = |run: &PathBuf| fs::metadata(run.join("evaluations.csv")).is_ok_and(|file| file.len() > 1000);
    while !folder.path().join("catch-3-compared/runs.csv").exists() || !runs(folder.path(), "ewc").iter().any(writes) {
        assert!(begun.elapsed() < Duration::from_mins(1));
        thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let (code, printed, said) = ended(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(143), "{said}");
    let summary = &printed["summary"];
    assert!(summary["stopped"].as_u64() >= Some(1) && summary["running"] == 0, "{printed}");
    let stopped: Vec<_> =
        runs(folder.path(), "ewc").into_iter().filter(|run| run.join("status.json").exists()).collect();
    assert!(stopped.iter().any(|run| state(run) == "stopped"));

    let (code, _, said) = made(folder.path(), &arguments);
    assert_eq!(code, Some(0), "{said}");
    for run in &stopped {
        let verified = Command::new(env!("CARGO_BIN_EXE_engram")).arg("verify").arg(run).output().unwrap();
        assert!(verified.status.success(), "{verified:?}");
    }
}

#[test]
fn a_run_that_breaks_stops_no_other_and_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["--methods=ewc", "--seeds=1", "--steps-per-task=1200", "--grid=agent.optimizer.learning_rate=1e6,1e-3"];
    for _ in 0..2 {
        let (code, printed, said) = made(folder.path(), &arguments);
        assert_eq!(
            (code, &printed["summary"]["finished"], &printed["summary"]["failed"]),
            (Some(3), &1.into(), &1.into())
        );
        let [run, line] = ["run", "last_line"].map(|key| printed["failed"][0][key].as_str().unwrap());
        assert!(run.starts_with("ewc_learning_rate=1000000__100__"), "{run}");
        assert!(line.contains("diverged"), "{line}");
        assert!(said.contains(run), "{said}");
    }
}

#[test]
fn a_run_that_another_process_trains_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["--methods=ewc,l2", "--seeds=1", "--steps-per-task=1200", "--set=agent.optimizer.learning_rate=1e6"];
    assert_eq!(made(folder.path(), &arguments).0, Some(3));
    let lock = fs::File::create(runs(folder.path(), "l2")[0].join(".lock")).unwrap();
    lock.lock().unwrap();
    let mut child = compare(folder.path(), &arguments).spawn().unwrap();
    thread::sleep(Duration::from_secs(4));
    assert!(child.try_wait().unwrap().is_none(), "it is not over while a run is trained elsewhere");
    drop(lock);
    let (code, printed, said) = ended(&child.wait_with_output().unwrap());
    // Both diverge, each trained once.
    assert_eq!((code, printed["failed"].as_array().unwrap().len()), (Some(3), 2), "{said}");
    assert!(said.contains("2/2 l2__100__"), "{said}");
}

#[test]
fn two_sweeps_of_one_folder_share_its_runs() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--methods=ewc,l2", "--seeds=4", "--steps-per-task=1200"];
    let children = [(); 2].map(|()| compare(folder.path(), &arguments).spawn().unwrap());
    for child in children {
        let (code, printed, said) = ended(&child.wait_with_output().unwrap());
        assert_eq!((code, &printed["summary"]["finished"]), (Some(0), &8.into()), "{said}");
    }
    assert_eq!(runs(folder.path(), "ewc").len(), 4);
}

#[test]
fn what_lies_beside_a_plan_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let plan = "# mine\nexperiment = \"catch-3\"\nseeds = 1\nsteps_per_task = 1200\n";
    for (name, text) in [("plan.toml", plan), ("runs.csv", "run,score\nmine,1\n")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
    let (code, printed, said) =
        ended(&command.current_dir(folder.path()).args(["sweep", "plan.toml", "--json"]).output().unwrap());
    assert_eq!((code, &printed["folder"]), (Some(0), &"runs/plan".into()), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("plan.toml")).unwrap(), plan);
    assert_eq!(fs::read_to_string(folder.path().join("runs.csv")).unwrap(), "run,score\nmine,1\n");
}

#[test]
fn a_plan_that_shrinks_says_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let short = "--steps-per-task=1200";
    assert_eq!(made(folder.path(), &["--methods=ewc,l2", "--seeds=1", short]).0, Some(0));
    let (code, printed, said) = made(folder.path(), &["--methods=ewc", "--seeds=1", short]);
    assert_eq!((code, &printed["summary"]["runs"]), (Some(0), &1.into()));
    assert!(said.contains("warning: 1 run of an earlier plan"), "{said}");
}

#[test]
fn the_status_names_what_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), &["--methods=ewc", "--seeds=1", "--set=agent.optimizer.learning_rate=1e6"]);
    let status = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
        let output = command.args(["sweep", "status"]).arg(folder.path().join("catch-3-compared")).args(more).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let text = status(&[]);
    assert!(text.contains("1 run, 1 failed") && text.contains("diverged"), "{text}");
    let document: Value = serde_json::from_str(&status(&["--json"])).unwrap();
    assert_eq!(document["summary"]["failed"], 1);
    assert_eq!(document["unfinished"][0]["state"], "failed");
}

#[test]
fn without_slurm_nothing_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str]| {
        let output = compare(folder.path(), arguments).env("PATH", folder.path()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len(), said.lines().count()), (Some(2), 0, 1), "{said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        said
    };
    assert!(refused(&["--on=slurm"]).starts_with("error: there is no `scontrol` on the PATH"));
    assert!(refused(&["--time=2h"]).contains("--on <CLUSTER>"));
}
