//! The program from outside: bad input, help texts, and the commands that need no training.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// The program in an empty folder of its own.
struct Program {
    folder: TempDir,
}

impl Program {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), bytes).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
        command.current_dir(self.path()).args(args);
        command
    }

    /// What the command prints when it ends well.
    fn prints(&self, args: &[&str]) -> String {
        let output = self.command(args).assert().code(0).get_output().clone();
        assert!(output.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The one line on stderr of a command that ends with this code and prints nothing else.
    fn fails(&self, code: i32, args: &[&str]) -> String {
        let output = self.command(args).assert().code(code).get_output().clone();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(error.lines().count(), 1, "{args:?}: {error}");
        assert!(error.starts_with("error: ") && output.stdout.is_empty(), "{args:?}: {error}");
        error
    }

    /// As `fails` with code 2, after which the folder holds what it held before.
    fn refuses(&self, args: &[&str], parts: &[&str]) {
        let before = self.files();
        let error = self.fails(2, args);
        for part in parts {
            assert!(error.contains(part), "{args:?}: no {part:?} in {error}");
        }
        assert_eq!(self.files(), before, "{args:?} left something behind");
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn golden(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("envs/tests/golden").join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn bad_experiments_are_refused_before_anything_is_written() {
    let program = Program::new();
    for (args, parts) in [
        (&["cach-5"][..], &["unknown preset `cach-5`", "did you mean `catch-5`?", "engram preset list"][..]),
        (&["--method", "ewcc"], &["--method ewcc", "did you mean `ewc`?"]),
        (
            &["--set", "agent.optimizer.learning_rat=1"],
            &["learning_rat", "did you mean `agent.optimizer.learning_rate`?"],
        ),
        (
            &["--set", "curriculum.tasks.1.env=PermutedCach/a-1"],
            &["PermutedCach/a-1", "did you mean `PermutedCatch/a-1`?"],
        ),
        (&["--set", "curriculum.tasks.1.env=CartPole-v1"], &["`CartPole-v1`, which sees vectors", "planes of 10x5"]),
        (&["--set", "method.ewc.lambda=NaN"], &["`method.ewc.lambda` is NaN", "from 0 to 1e12"]),
        (&["--set", "method.ewc.lambda=-1"], &["`method.ewc.lambda` is -1", "from 0 to 1e12"]),
        (&["--set", "curriculum.steps_per_task=0"], &["`curriculum.steps_per_task` is 0", "from 1"]),
        (&["--set", "nothing"], &["--set nothing", "KEY=VALUE"]),
        (&["--steps-per-task", "0"], &["'0'", "--steps-per-task", "a whole number, 1 or greater"]),
        (&["--steps-per-task", "-5"], &["'-5'", "--steps-per-task", "a whole number, 1 or greater"]),
        (&["--steps-per-task", "100"], &["`agent.warmup_steps` is 200", "below 100"]),
        (&["--seed", "-1"], &["'-1'", "--seed", "a whole number, 0 or greater"]),
        (&["--name", "a/b"], &["'a/b'", "--name", "without slashes"]),
        (&["--quite"], &["'--quite'", "'--quiet'"]),
    ] {
        program.refuses(&[&["train"], args].concat(), parts);
    }
}

#[test]
fn bad_config_files_are_refused_before_anything_is_written() {
    let program = Program::new();
    program.write("syntax.toml", "seed = 1\nname = = 2\n");
    program.write("bytes.toml", b"name = \"\xff\"\n");
    program.write(
        "key.toml",
        "[curriculum]\nsteps_per_task = 900\ntasks = [{ env = \"Catch\" }]\n[agent]\ndiscont = 0.9\n",
    );
    program.write("runs-is-a-file", "");
    fs::create_dir(program.path().join("folder.toml")).unwrap();
    for (config, parts) in [
        ("syntax.toml", &["syntax.toml:2:", "not valid TOML"][..]),
        ("bytes.toml", &["bytes.toml", "byte 8 is not UTF-8"]),
        ("key.toml", &["key.toml:5: ", "unknown key `agent.discont`", "did you mean `agent.discount`?"]),
        ("folder.toml", &["folder.toml", "it is a folder"]),
        ("missing.toml", &["missing.toml", "there is no such file"]),
    ] {
        program.refuses(&["train", config], parts);
    }
    program.refuses(&["train", "--runs", "runs-is-a-file"], &["runs-is-a-file"]);
    assert!(program.path().join("runs-is-a-file").is_file());
    program.refuses(&["train", "--run-dir", "runs-is-a-file"], &["runs-is-a-file"]);
}

#[test]
fn runs_that_are_none_are_refused() {
    let program = Program::new();
    program.refuses(&["evaluate", "nowhere"], &["nowhere", "not a run directory"]);
    program.refuses(&["evaluate", "nowhere", "--episodes", "0"], &["'0'", "a whole number, 1 or greater"]);
    program.refuses(&["figure", "nowhere", "--out", "a.svg"], &["nowhere"]);
    program.refuses(&["figure", "nowhere", "--out", "a.pdf"], &["a.pdf", ".svg or .png"]);
    program.refuses(&["figure", "nowhere"], &["--out"]);
}

#[test]
fn every_command_has_a_help_text() {
    let program = Program::new();
    for (args, part) in [
        (&[][..], "Exit codes:"),
        (&["train"], "engram train classic2 --method fine-tune"),
        (&["evaluate"], "engram evaluate runs/RUN"),
        (&["preset"], "show"),
        (&["preset", "list"], "engram preset list"),
        (&["preset", "show"], "engram preset show"),
        (&["env"], "verify"),
        (&["env", "list"], "engram env list"),
        (&["env", "check"], "engram env check"),
        (&["env", "verify"], "engram env verify"),
        (&["env", "play"], "engram env play"),
        (&["env", "record"], "engram env record"),
        (&["figure"], "engram figure"),
        (&["report"], "engram report"),
    ] {
        let help = program.prints(&[args, &["--help"]].concat());
        assert!(help.contains("Usage: engram") && help.contains(part), "{args:?}: {help}");
    }
    assert!(program.prints(&["--version"]).starts_with("engram 0."));
    program.command(&[]).assert().code(2);
    assert!(program.files().is_empty());
}

#[test]
fn a_preset_that_is_shown_is_a_config() {
    let program = Program::new();
    let list = program.prints(&["preset", "list"]);
    let mut names: Vec<&str> = list.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names.pop(), Some("fame-minatar/{0..29,norepeat-0..9}"));
    assert_eq!(names[..4], ["addition", "cartpole-dqn", "catch-3", "catch-5"]);
    names.push("fame-minatar/norepeat-3");
    for name in names {
        program.write("shown.toml", program.prints(&["preset", "show", name]));
        // The only thing wrong is what is added, so that everything before it was accepted.
        program.refuses(&["train", "shown.toml", "--set", "log.period=0"], &["`log.period` is 0"]);
    }
    program.refuses(&["preset", "show", "clasic2"], &["`clasic2`", "did you mean `classic2`?"]);
}

#[test]
fn environments_are_listed_and_checked() {
    let program = Program::new();
    let list = program.prints(&["env", "list"]);
    for id in ["CartPole-v1", "Acrobot-v1", "Catch", "PermutedCatch/{set}-{k}", "Addition/{k}"] {
        assert!(list.lines().any(|line| line.starts_with(id)), "{list}");
    }
    let checks = program.prints(&["env", "check", "Addition/4", "--option", "tasks=5"]);
    assert!(checks.lines().count() >= 6 && checks.lines().all(|line| line.contains("  ok")), "{checks}");
    program.refuses(&["env", "check", "Addition/4"], &["Addition/4", "0 to 2"]);
    program.refuses(&["env", "check", "Cach"], &["`Cach`", "did you mean `Catch`?"]);
    program.refuses(&["env", "check", "Catch", "--option", "tasks=5"], &["Catch", "`tasks`"]);
    program.refuses(&["env", "check", "Catch", "--option", "tasks"], &["--option tasks", "KEY=VALUE"]);
}

#[test]
fn a_trace_is_verified_and_an_altered_reward_is_found() {
    let program = Program::new();
    let trace = golden("catch.jsonl");
    assert!(program.prints(&["env", "verify", "Catch", &trace]).contains("all equal"));

    let text = fs::read_to_string(&trace).unwrap();
    let lines = text.lines().map(str::to_owned);
    let mut altered: Vec<String> = lines.collect();
    let at = altered.iter().position(|line| line.contains("\"r\":-1") || line.contains("\"r\": -1")).unwrap();
    altered[at] = altered[at].replace("\"r\":-1", "\"r\":1").replace("\"r\": -1", "\"r\": 1");
    program.write("altered.jsonl", altered.join("\n"));
    let error = program.fails(1, &["env", "verify", "Catch", "altered.jsonl"]);
    let place = format!("altered.jsonl: line {}, step ", at + 1);
    assert!(error.contains(&place) && error.contains("reward: expected 1"), "{error}");
}

#[test]
fn what_is_no_trace_is_bad_input() {
    let program = Program::new();
    program.write("text.jsonl", "hello\n");
    program.write("empty.jsonl", "");
    program.refuses(&["env", "verify", "Catch", "text.jsonl"], &["text.jsonl", "line 1", "not a trace"]);
    program.refuses(&["env", "verify", "Catch", "empty.jsonl"], &["empty.jsonl", "not a trace"]);
    program.refuses(&["env", "verify", "Catch", "missing.jsonl"], &["cannot read missing.jsonl"]);
    program.refuses(&["env", "verify", "Catch", "."], &["it is a folder"]);
    program.refuses(&["env", "verify", "Cach", "text.jsonl"], &["did you mean `Catch`?"]);
}

#[test]
fn a_run_is_reproduced_by_its_config_evaluated_and_drawn() {
    let program = Program::new();
    let short = ["--steps-per-task", "150", "--set", "evaluation.period=50", "--quiet"];
    assert_eq!(program.prints(&[&["train", "addition", "--run-dir", "first"], &short[..]].concat()), "");
    assert_eq!(program.prints(&["train", "first/config.toml", "--run-dir", "second", "--quiet"]), "");
    for file in ["config.toml", "params.safetensors", "evaluations.csv", "updates.csv", "performance_matrix.csv"] {
        let read = |run: &str| fs::read(program.path().join(run).join(file)).unwrap();
        assert_eq!(read("first"), read("second"), "{file}");
    }
    program.refuses(&["train", "addition", "--run-dir", "first"], &["first", "exists"]);

    let evaluation = program.prints(&["evaluate", "first"]);
    assert!((0..3).all(|task| evaluation.contains(&format!("Addition/{task}"))), "{evaluation}");
    let table = program.prints(&["figure", "first", "--out", "curves.svg"]);
    assert!(table.contains("| ewc | 1 |") && table.contains("curves.svg"), "{table}");
    assert!(fs::read_to_string(program.path().join("curves.svg")).unwrap().starts_with("<svg"));
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_gone_is_no_error() {
    let program = Program::new();
    for args in [&["preset", "show", "catch-5"][..], &["preset", "list"], &["env", "list"], &["train", "--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_engram"));
        let child = command.args(args).stdout(writer).stderr(std::process::Stdio::piped()).current_dir(program.path());
        let output = child.spawn().unwrap().wait_with_output().unwrap();
        assert!(output.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}
