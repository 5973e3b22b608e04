//! How the process ends: by a signal, by a divergence, and what it leaves behind.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

fn engram(arguments: &[&str], run: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
    // Set, so that the process does not start itself again and keeps its number.
    command.env("RAYON_NUM_THREADS", "1").args(arguments).arg("--run-dir").arg(run);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A run in its first phase that would go on for long.
fn running(run: &Path) -> Child {
    let child = engram(&["train", "catch-5", "--steps-per-task", "100000000", "--quiet"], run).spawn().unwrap();
    while fs::metadata(run.join("evaluations.csv")).map_or(true, |file| file.len() < 100) {
        std::thread::yield_now();
    }
    child
}

fn interrupted(run: &Path, signal: &str) -> Output {
    let child = running(run);
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    child.wait_with_output().unwrap()
}

/// What `evaluate --silence-dead` prints of a run.
fn silenced(run: &Path) -> String {
    let mut evaluate = Command::new(env!("CARGO_BIN_EXE_engram"));
    let output = evaluate.args(["evaluate", "--silence-dead"]).arg(run).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn state(run: &Path) -> String {
    let status: serde_json::Value = serde_json::from_slice(&fs::read(run.join("status.json")).unwrap()).unwrap();
    status["state"].as_str().unwrap().to_owned()
}

#[cfg(unix)]
#[test]
fn a_signal_saves_the_run_and_has_a_code_of_its_own() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let output = interrupted(&run, signal);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert_eq!(state(&run), "stopped");
        assert!(run.join("params.safetensors").exists());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("go on with: engram resume") && said.lines().count() == 1, "{said}");

        // Where no phase ended, nothing is known of its dead units.
        assert!(silenced(&run).contains("n/a"));
    }
}

/// Saving takes some milliseconds, and the second signal comes within them unless the machine is very busy.
#[cfg(unix)]
#[test]
fn a_second_signal_ends_the_program_at_once() {
    for attempt in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let child = running(&run);
        let both = format!("kill -TERM {0}; kill -INT {0}", child.id());
        assert!(Command::new("sh").args(["-c", &both]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        // Where both wait to be delivered, the system chooses their order.
        assert!([Some(130), Some(143)].contains(&output.status.code()), "{output:?}");
        if output.stderr.is_empty() {
            // It had no time to say that it stopped.
            return;
        }
        assert!(attempt < 20, "{output:?}");
    }
}

#[test]
fn a_divergence_keeps_the_parameters_from_before() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let settings = ["train", "catch-3", "--set", "agent.reward_scale=1e30", "--quiet"];
    let output = engram(&settings, &run).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(state(&run), "failed");
    assert_eq!(fs::read_dir(run.join("checkpoints")).unwrap().count(), 1);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("step 200") && said.contains("diverged") && said.lines().count() == 1, "{said}");
}

#[test]
fn dead_units_can_be_silenced_once_a_phase_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = engram(&["train", "addition", "--steps-per-task", "300", "--quiet"], &run).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = silenced(&run);
    assert!(text.contains("dead units silenced"), "{text}");
    assert_eq!(text.matches("(return").count(), 3, "{text}");

    let picture = folder.path().join("silenced.svg");
    let evaluate = |more: &[&str]| {
        let mut evaluate = Command::new(env!("CARGO_BIN_EXE_engram"));
        evaluate.arg("evaluate").args([&run, &run]).args(more).arg("--out").arg(&picture).output().unwrap()
    };
    assert_eq!(evaluate(&[]).status.code(), Some(2), "without the intervention there is nothing to draw");
    let output = evaluate(&["--silence-dead"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read_to_string(picture).unwrap().matches("<circle").count(), 2 * 2 * 3);
}
