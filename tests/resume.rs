//! Resuming as a user does it: processes that are killed, files that are damaged, folders in use.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A small run that writes checkpoints often.
const SMALL: [&str; 6] = [
    "train",
    "catch-3",
    "--set=evaluation.episodes=3",
    "--set=agent.warmup_steps=100",
    "--set=evaluation.record_period=2000",
    "--checkpoint-period=400",
];
const SHORT: &str = "--steps-per-task=1500";
const LONG: &str = "--steps-per-task=100000000";

/// A way to damage a file.
type Spoil = fn(&mut Vec<u8>);

fn engram(arguments: &[&str], run: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
    // Set, so that the process does not start itself again and keeps its number.
    command.env("RAYON_NUM_THREADS", "1").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run: &[&str] =
        if arguments[0] == "train" { &["--run-dir", run.to_str().unwrap()] } else { &[run.to_str().unwrap()] };
    command.args(run);
    command
}

fn output(arguments: &[&str], run: &Path) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = engram(arguments, run).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn resume(run: &Path) -> (Option<i32>, String) {
    let (code, _, said) = output(&["resume", "--quiet"], run);
    (code, said)
}

/// Says that a run gives the same files when it is made again.
fn verify(run: &Path) {
    let (code, said, error) = output(&["verify"], run);
    assert!(code == Some(0) && said.contains("the same to step"), "{said}{error}");
}

/// The checkpoints of a run with their steps; not one that is being written.
fn checkpoints(run: &Path) -> Vec<(u64, PathBuf)> {
    let paths = fs::read_dir(run.join("checkpoints")).unwrap().map(|entry| entry.unwrap().path());
    let step = |path: &PathBuf| path.file_stem()?.to_str()?.parse().ok();
    let mut found: Vec<_> = paths.filter_map(|path| Some((step(&path)?, path))).collect();
    found.sort();
    found
}

/// A run that was stopped by a signal after it had written two checkpoints.
fn stopped(folder: &Path) -> PathBuf {
    let run = folder.join("run");
    let mut child = engram(&[&SMALL[..], &["--steps-per-task=100000"]].concat(), &run).spawn().unwrap();
    wait_until(&mut child, || run.join("checkpoints").exists() && checkpoints(&run).len() >= 2);
    kill(&child, "-USR1");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(138), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("go on with: engram resume") && said.lines().count() == 1, "{said}");
    assert_eq!(checkpoints(&run).len(), 2);
    run
}

/// Waits for something that the process is about to do.
fn wait_until(child: &mut Child, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(child.try_wait().unwrap().is_none() && begun.elapsed() < Duration::from_mins(1));
        thread::sleep(Duration::from_millis(1));
    }
}

fn kill(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_with_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut child = engram(&[&SMALL[..], &[SHORT, "--quiet"]].concat(), &run).spawn().unwrap();
    for kill in 0..12_u64 {
        // Moments that have nothing to do with what the program does.
        thread::sleep(Duration::from_millis(20 + kill * 37 % 50));
        child.kill().unwrap();
        child.wait().unwrap();
        if !run.join("config.toml").exists() {
            let _ = fs::remove_dir_all(&run);
            child = engram(&[&SMALL[..], &[SHORT, "--quiet"]].concat(), &run).spawn().unwrap();
            continue;
        }
        child = engram(&["resume", "--quiet", "--checkpoint-period=400"], &run).spawn().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(!run.join("checkpoints").exists(), "a run that has finished keeps no checkpoint");
    verify(&run);
    assert_eq!(output_of_finished(&run), "has finished already");
}

fn output_of_finished(run: &Path) -> String {
    let (code, said, _) = output(&["resume"], run);
    assert_eq!(code, Some(0));
    said.trim_end().rsplit_once("run ").unwrap().1.to_owned()
}

#[test]
fn a_damaged_checkpoint_is_never_loaded_and_the_one_before_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let original = stopped(folder.path());
    let latest = |run: &Path| checkpoints(run).pop().unwrap().1;
    let spoil: [(&str, Spoil); 4] = [
        ("its checksum does not fit", |bytes| bytes[1000] ^= 4),
        ("its checksum does not fit", |bytes| bytes.truncate(5000)),
        ("hardly any bytes", |bytes| bytes.clear()),
        ("does not begin as a checkpoint does", |bytes| bytes[0] = 0),
    ];
    for (index, (expected, spoil)) in spoil.into_iter().enumerate() {
        let run = folder.path().join(format!("spoilt-{index}"));
        copy(&original, &run);
        let mut bytes = fs::read(latest(&run)).unwrap();
        spoil(&mut bytes);
        fs::write(latest(&run), bytes).unwrap();
        let spoilt = checkpoints(&run).pop().unwrap().0;
        let mut child = engram(&["resume", "--checkpoint-period=1000"], &run).spawn().unwrap();
        wait_until(&mut child, || checkpoints(&run).pop().is_some_and(|(step, _)| step > spoilt));
        kill(&child, "-TERM");
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(143), "{said}");
        assert!(said.contains(expected) && said.contains("trying the checkpoint before it"), "{said}");
        assert!(
            checkpoints(&run).iter().all(|(step, _)| *step != spoilt),
            "the damaged one is not one of the two kept"
        );
    }

    let run = folder.path().join("both");
    copy(&original, &run);
    for (_, path) in checkpoints(&run) {
        fs::write(path, "no checkpoint").unwrap();
    }
    let before = fs::read(run.join("episodes.csv")).unwrap();
    let (code, said) = resume(&run);
    assert!(code == Some(2) && said.contains("no checkpoint can be used"), "{code:?} {said}");
    assert_eq!(fs::read(run.join("episodes.csv")).unwrap(), before, "nothing was cut back");

    // Outputs that lost what the checkpoint knows of.
    let run = folder.path().join("lost");
    copy(&original, &run);
    fs::write(run.join("episodes.csv"), "").unwrap();
    let (code, said) = resume(&run);
    assert!(code == Some(2) && said.contains("episodes.csv has 0 bytes, and had"), "{code:?} {said}");
}

#[test]
fn a_checkpoint_of_another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = stopped(folder.path());
    let (_, latest) = checkpoints(&run).pop().unwrap();
    let mut bytes = fs::read(&latest).unwrap();
    bytes[8] = 99;
    let content = bytes.len() - 4;
    let sum = crc32fast::hash(&bytes[..content]).to_le_bytes();
    bytes[content..].copy_from_slice(&sum);
    fs::write(&latest, bytes).unwrap();
    let (code, said) = resume(&run);
    assert!(code == Some(2) && said.contains("format 99 of another version"), "{code:?} {said}");
}

#[test]
fn only_longer_phases_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let run = stopped(folder.path());
    let (code, _, said) = output(&["resume", "--steps-per-task=99999"], &run);
    assert!(code == Some(2) && said.contains("at least 100000"), "{code:?} {said}");
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    fs::write(
        run.join("config.toml"),
        config.replace("seed = 0", "seed = 1").replace("discount = 0.9", "discount = 0.8"),
    )
    .unwrap();
    let (code, said) = resume(&run);
    assert!(code == Some(2) && said.contains("agent.discount, seed changed"), "{code:?} {said}");
}

#[test]
fn a_run_directory_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut child = engram(&["train", "catch-5", LONG, "--quiet"], &run).spawn().unwrap();
    wait_until(&mut child, || run.join("evaluations.csv").exists());
    let (code, said) = resume(&run);
    assert!(code == Some(2) && said.contains("is in use") && said.lines().count() == 1, "{code:?} {said}");
    child.kill().unwrap();
    child.wait().unwrap();

    // Killed before its first checkpoint: it begins again.
    let mut child = engram(&["resume", "--quiet", "--checkpoint-period=500"], &run).spawn().unwrap();
    wait_until(&mut child, || run.join("checkpoints").exists() && !checkpoints(&run).is_empty());
    kill(&child, "-TERM");
    let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert!(said.contains("there is no checkpoint yet: the run begins again at step 0"), "{said}");
}

#[test]
fn a_fork_begins_where_the_other_run_stands() {
    let folder = tempfile::tempdir().unwrap();
    let original = stopped(folder.path());
    let before = fs::read(original.join("episodes.csv")).unwrap();
    let fork = |set: &[&str], name: &str| {
        let run = folder.path().join(name);
        let mut command = engram(&["fork", "--quiet", "--checkpoint-period=500"], &original);
        command.args(set).arg("--run-dir").arg(&run);
        (command, run)
    };
    let (mut command, run) = fork(&["--set=agent.optimizer.learning_rate=0.005"], "fork");
    let mut child = command.spawn().unwrap();
    wait_until(&mut child, || run.join("checkpoints").exists() && checkpoints(&run).len() == 2);
    kill(&child, "-TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
    let note: serde_json::Value = serde_json::from_slice(&fs::read(run.join("fork.json")).unwrap()).unwrap();
    assert_eq!(note["changed"]["agent.optimizer.learning_rate"][1], "0.005");
    let forked = fs::read(run.join("episodes.csv")).unwrap();
    assert!(forked.len() > before.len() && forked.starts_with(&before));
    assert_eq!(fs::read(original.join("episodes.csv")).unwrap(), before);
    let (code, _, said) = output(&["verify"], &run);
    assert!(code == Some(2) && said.contains("is a fork"), "{said}");

    for (set, expected) in [
        ("--set=curriculum.tasks.1.env=Catch", "curriculum.tasks.1.env cannot change in a fork"),
        ("--set=agent.network.hidden=[8]", "the saved state does not fit this agent"),
        // As many parameters in other places.
        ("--set=agent.network.hidden=[36, 134]", "its network has other layers"),
    ] {
        let (mut command, run) = fork(&[set], "refused");
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(expected), "{said}");
        assert!(!run.exists(), "nothing is left behind");
    }
}

#[test]
fn a_difference_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let (code, _, said) = output(&[&SMALL[..], &[SHORT, "--quiet"]].concat(), &run);
    assert_eq!(code, Some(0), "{said}");
    verify(&run);
    let text = fs::read_to_string(run.join("episodes.csv")).unwrap();
    fs::write(run.join("episodes.csv"), text.replacen("terminated", "truncated", 1)).unwrap();
    let (code, said, _) = output(&["verify"], &run);
    assert!(code == Some(1) && said.contains("line 2 of episodes.csv"), "{said}");
}

/// A process that is killed leaves half a record behind, in files that a later resume would cut back.
#[test]
fn what_came_after_the_checkpoint_is_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let run = stopped(folder.path());
    for file in fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("events.") || name == "episodes.csv" {
            let mut bytes = fs::read(&file).unwrap();
            bytes.extend([7; 5]);
            fs::write(&file, bytes).unwrap();
        }
    }
    verify(&run);
}

/// All that it has is its output: it is not taken for one that has just begun.
#[test]
fn a_finished_run_is_never_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    // Its summary has no reader.
    let status = engram(&["train", "addition", "--steps-per-task=300"], &run).stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(output_of_finished(&run), "has finished already");
    assert!(!run.join("checkpoints").exists());

    let episodes = fs::read(run.join("episodes.csv")).unwrap();
    fs::write(run.join("status.json"), "{}").unwrap();
    let (code, said) = resume(&run);
    assert!(code == Some(2) && said.contains("status.json"), "{code:?} {said}");

    // Nor is one that was stopped, and whose checkpoints somebody removed; nor half a fork.
    let stopped = stopped(&folder.path().join("other"));
    fs::remove_dir_all(stopped.join("checkpoints")).unwrap();
    let (code, said) = resume(&stopped);
    assert!(code == Some(2) && said.contains("was stopped with a checkpoint, and it is gone"), "{code:?} {said}");
    fs::remove_file(stopped.join("status.json")).unwrap();
    fs::write(stopped.join("fork.json"), "{}").unwrap();
    let (code, said) = resume(&stopped);
    assert!(code == Some(2) && said.contains("fork that was not completed"), "{code:?} {said}");
    assert_eq!(fs::read(run.join("episodes.csv")).unwrap(), episodes);
}

/// So that a script which trains where there is no config, and else resumes, never gets stuck.
#[test]
fn a_run_that_was_killed_before_it_had_a_config_can_be_begun() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    fs::write(run.join(".lock"), "").unwrap();
    fs::write(run.join(".unfinished-x"), "half").unwrap();
    let (code, _, said) = output(&["train", "addition", "--steps-per-task=300", "--quiet"], &run);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_folder_that_vanishes_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut child = engram(&["train", "catch-5", LONG, "--checkpoint-period=100", "--quiet"], &run).spawn().unwrap();
    wait_until(&mut child, || fs::metadata(run.join("evaluations.csv")).is_ok_and(|file| file.len() > 100));
    fs::rename(&run, folder.path().join("elsewhere")).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(3) && said.contains("cannot write") && said.lines().count() == 1, "{said}");
}
