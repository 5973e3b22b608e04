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
