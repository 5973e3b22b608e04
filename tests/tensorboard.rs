//! `TensorBoard`'s own reader finds in the event file what the CSV files hold.
//!
//! Needs a Python with the package `tensorboard`, named by the variable `ENGRAM_TEST_PYTHON`.

use std::path::Path;
use std::process::{Command, Output};

const PYTHON: &str = "ENGRAM_TEST_PYTHON";

#[test]
fn tensorboard_reads_back_what_the_csv_files_hold() {
    let Some(python) = std::env::var_os(PYTHON) else {
        panic!("set {PYTHON} to a Python that has the package tensorboard");
    };
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");

    let train = Command::new(env!("CARGO_BIN_EXE_engram"))
        .args(["train", "addition", "--steps-per-task", "400", "--seed", "1", "--quiet", "--run-dir"])
        .arg(&run)
        .output()
        .unwrap();
    succeeded("engram train", &train);

    assert_reads_back(&python, &run);
}

/// A run that is killed and resumed has no double points and no gap, for readers that know nothing of it; a fork of it
/// has its own settings and what it ends with itself.
#[test]
fn tensorboard_reads_a_resumed_run_as_one_that_was_never_interrupted() {
    let Some(python) = std::env::var_os(PYTHON) else {
        panic!("set {PYTHON} to a Python that has the package tensorboard");
    };
    let folder = tempfile::tempdir().unwrap();
    let [whole, killed, fork] = ["whole", "killed", "fork"].map(|name| folder.path().join(name));
    let train = |run: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
        command.args(["train", "catch-3", "--steps-per-task=3000", "--quiet", "--checkpoint-period=100", "--run-dir"]);
        command.env("RAYON_NUM_THREADS", "1").arg(run);
        command
    };
    succeeded("engram train", &train(&whole).output().unwrap());
    let mut process = train(&killed).spawn().unwrap();
    for step in ["400", "2000", "5000"] {
        // As soon as there is a checkpoint beyond this step, in the middle of whatever comes then.
        let step: u64 = step.parse().unwrap();
        while latest_checkpoint(&killed) < step {
            assert!(process.try_wait().unwrap().is_none(), "it ended before it was killed");
            std::thread::yield_now();
        }
        process.kill().unwrap();
        process.wait().unwrap();
        if step >= 5000 {
            let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
            command.args(["fork", "--quiet", "--set=method.ewc.lambda=3", "--run-dir"]).arg(&fork).arg(&killed);
            succeeded("engram fork", &command.output().unwrap());
        }
        let mut resume = Command::new(env!("CARGO_BIN_EXE_engram"));
        resume.args(["resume", "--quiet", "--checkpoint-period=100"]).env("RAYON_NUM_THREADS", "1").arg(&killed);
        process = resume.spawn().unwrap();
    }
    assert!(process.wait().unwrap().success());
    let files = std::fs::read_dir(&killed)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("events.out.tfevents."));
    assert_eq!(files.count(), 4);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tensorboard_readback.py");
    let read_back = |runs: &[&Path]| Command::new(&python).arg(&script).args(runs).output().unwrap();
    succeeded("tensorboard_readback.py", &read_back(&[&killed, &whole]));
    succeeded("tensorboard_readback.py", &read_back(&[&fork]));
}

/// The step of the latest checkpoint of a run, 0 where there is none.
fn latest_checkpoint(run: &Path) -> u64 {
    let entries = std::fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten();
    let step = |entry: std::fs::DirEntry| entry.path().file_stem()?.to_str()?.parse().ok();
    entries.filter_map(step).max().unwrap_or(0)
}

/// The check itself must be able to fail: one changed score is found and named.
fn assert_reads_back(python: &std::ffi::OsStr, run: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tensorboard_readback.py");
    let read_back = || Command::new(python).arg(&script).arg(run).output().unwrap();
    succeeded("tensorboard_readback.py", &read_back());

    let path = run.join("evaluations.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let last = text.trim_end().rfind(',').unwrap();
    std::fs::write(&path, format!("{},123.5\n", &text[..last])).unwrap();
    let output = read_back();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("/normalized at step") && message.contains("123.5 expected"), "{message}");
}

fn succeeded(what: &str, output: &Output) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what} failed\n{out}\n{err}");
}
