//! `engram report` and sweep folders from outside, on runs that lie in the repository.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// An empty folder, into which reference runs are copied.
struct Workplace(TempDir);

impl Workplace {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Copies a reference run and changes the text of its files.
    fn copy(&self, run: &str, to: &str, change: impl Fn(&str, String) -> String) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("runs/reference").join(run);
        fs::create_dir_all(self.path(to)).unwrap();
        for file in ["config.toml", "status.json", "evaluations.csv", "performance_matrix.csv"] {
            let text = fs::read_to_string(from.join(file)).unwrap();
            fs::write(self.path(to).join(file), change(file, text)).unwrap();
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
        command.current_dir(self.0.path()).args(args);
        command
    }

    fn prints(&self, args: &[&str]) -> String {
        let output = self.command(args).assert().code(0).get_output().clone();
        assert!(output.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn refuses(&self, args: &[&str], part: &str) {
        let output = self.command(args).assert().code(2).get_output().clone();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.lines().count() == 1 && error.contains(part), "{args:?}: {error}");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

fn unchanged(_: &str, text: String) -> String {
    text
}

/// Two methods of two seeds.
fn four_runs() -> Workplace {
    let place = Workplace::new();
    for run in ["ewc-100", "ewc-101", "l2-100", "l2-101"] {
        place.copy(&format!("minatar-quick/{run}"), run, unchanged);
    }
    place
}

const FOUR: [&str; 4] = ["ewc-100", "ewc-101", "l2-100", "l2-101"];

#[test]
fn the_same_runs_give_the_same_bytes_and_a_page_that_needs_nothing_else() {
    let place = four_runs();
    let run = |out: &str, runs: [&str; 4]| place.prints(&[&["report", "--out", out], &runs[..]].concat());
    run("first", FOUR);
    run("second", FOUR);
    // What is there is replaced.
    fs::write(place.path("second/report.html"), "old").unwrap();
    let printed = run("second", FOUR);
    let mut names: Vec<_> =
        fs::read_dir(place.path("first")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names.len(), 17, "{names:?}");
    for name in names {
        let name = name.to_str().unwrap();
        let bytes = |folder: &str| fs::read(place.path(folder).join(name)).unwrap();
        assert!(bytes("first") == bytes("second"), "{name}");
        assert!(printed.contains(&format!("second/{name}")), "{name}");
    }
    let page = place.read("first/report.html").replace("http://www.w3.org/2000/svg", "");
    for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<figure").count(), 5);
    assert_eq!(page.matches("role=\"img\" aria-label=").count(), 5);
    // The README's figures are drawn by the same code.
    let _ = place.prints(&[&["figure", "--out", "curves.svg"], &FOUR[..]].concat());
    assert_eq!(place.read("curves.svg"), place.read("first/learning-curves.svg"));
}

#[test]
fn intervals_may_be_drawn_task_by_task() {
    let place = four_runs();
    let json = |args: &[&str]| -> Value {
        let text = place.prints(&[&["report", "--json"], args, &FOUR[..]].concat());
        serde_json::from_str(&text).unwrap()
    };
    let (whole, stratified) = (json(&[]), json(&["--intervals", "stratified"]));
    assert_eq!((&whole["intervals"], &stratified["intervals"]), (&"whole-run".into(), &"stratified".into()));
    let scores = |document: &Value, key: &str| document["groups"][0]["scores"]["mean"][key].as_f64().unwrap();
    assert_eq!(scores(&whole, "value"), scores(&stratified, "value"));
    // Two runs: whole ones give two means and their middle, tasks apart a wider and a narrower pair.
    assert_ne!(scores(&whole, "low"), scores(&stratified, "low"));
    assert_eq!(whole["groups"][1]["runs"][1]["seed"], 101);
    assert_eq!(whole["pairs"].as_array().unwrap().len(), 2);
    place.refuses(&["report", "ewc-100", "--intervals", "pairwise"], "whole-run, stratified");
}

#[test]
fn unfinished_runs_of_a_sweep_are_left_out_and_listed() {
    let place = four_runs();
    place.copy("minatar-quick/ewc-102", "sweep/b", |_, text| text.replace("\"finished\"", "\"running\""));
    place.copy("minatar-quick/ewc-100", "sweep/c", unchanged);
    fs::create_dir(place.path("sweep/a")).unwrap();
    fs::copy(place.path("ewc-100/config.toml"), place.path("sweep/a/config.toml")).unwrap();
    fs::write(place.path("sweep/runs.csv"), "run,seed\na,1\nb,2\nc,100\n").unwrap();
    for command in [&["report", "sweep", "l2-100"][..], &["figure", "sweep", "l2-100", "--out", "a.svg"]] {
        let printed = place.prints(command);
        let expected = "2 of 4 runs are not finished and are left out:\n  sweep/a: not begun\n  sweep/b: running\n";
        assert!(printed.contains(expected) && printed.contains("l2"), "{printed}");
    }
    let json: Value = serde_json::from_str(&place.prints(&["report", "sweep", "--json", "--out", "out"])).unwrap();
    assert_eq!(json["unfinished"][1]["state"], "running");
    assert!(place.read("out/report.html").contains("2 of 3 runs are not finished"));
    assert!(place.read("out/report.md").contains("sweep/b: running"));
    // A run that is named itself must have finished, and some run must have.
    place.refuses(&["report", "sweep/b"], "not finished");
    place.refuses(&["report", "sweep", "sweep/c"], "give one of them");
    fs::write(place.path("sweep/runs.csv"), "run\na\nb\n").unwrap();
    place.refuses(&["report", "sweep"], "none of the sweep's 2 runs has finished");
    place.refuses(&["report", "l2-100", "--out", "a.svg"], "a.svg is a file");
    place.refuses(&["report", "nowhere"], "nowhere is not a run directory");
}

#[test]
fn nothing_in_a_run_becomes_part_of_the_page() {
    let place = Workplace::new();
    let hostile = "<img src=x onerror=alert(1)>";
    for seed in [100, 101] {
        place.copy(&format!("minatar-quick/ewc-{seed}"), &format!("{hostile}-{seed}").replace('/', ""), |_, text| {
            text.replace("\"minatar-quick\"", &format!("\"{hostile}\""))
                .replace("MinAtar/Breakout-v1", "</script><b>|x")
        });
    }
    let runs = [100, 101].map(|seed| format!("{hostile}-{seed}"));
    place.prints(&["report", "--out", "out", &runs[0], &runs[1]]);
    let page = place.read("out/report.html");
    assert!(!page.contains("<img") && !page.contains("<b>") && page.contains("&lt;img src=x"));
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(!place.read("out/report.md").contains(" <img") && place.read("out/report.md").contains("\\<img"));
}

#[test]
fn scores_that_are_no_numbers_are_shown_as_such() {
    let place = Workplace::new();
    for (seed, score) in [(100, "NaN"), (101, "inf"), (102, "1e300"), (103, "-inf")] {
        place.copy(&format!("minatar-quick/ewc-{seed}"), &seed.to_string(), |file, text| match file {
            "evaluations.csv" | "performance_matrix.csv" => {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                let last = lines.pop().unwrap();
                lines.push(format!("{},{score}\n", last.rsplit_once(',').unwrap().0));
                lines.join("\n")
            }
            _ => text,
        });
        let seed = seed.to_string();
        place.prints(&["report", &seed, "--out", &format!("out-{seed}")]);
    }
    let printed = place.prints(&["report", "100", "101", "102", "103", "--out", "out"]);
    assert!(printed.contains("NaN [NaN, NaN]"), "{printed}");
    let json: Value = serde_json::from_str(&place.prints(&["report", "100", "--json"])).unwrap();
    assert!(json["groups"][0]["scores"]["mean"]["value"].is_null());
}

#[test]
fn many_groups_are_all_in_the_tables() {
    let place = Workplace::new();
    let runs: Vec<String> = (0..30).map(|run| format!("run-{run}")).collect();
    for (index, run) in runs.iter().enumerate() {
        place.copy("minatar-quick/ewc-100", run, |file, text| match file {
            "config.toml" => text.replace("discount = 0.99", &format!("discount = 0.9{index:02}")),
            _ => text,
        });
    }
    let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
    place.prints(&[&["report", "--out", "out"], &runs[..]].concat());
    let page = place.read("out/report.html");
    assert!(page.contains("Shown are the first 12 of 30 groups."));
    assert!(page.contains("agent.discount = 0.929"));
    assert_eq!(place.read("out/pairs.csv").lines().count(), 1, "hundreds of pairs are not worked out");
    place.prints(&[&["report", "--out", "out"], &runs[..8]].concat());
    assert_eq!(place.read("out/pairs.csv").lines().count(), 1 + 8 * 7);
    assert!(place.read("out/report.html").contains("<th scope=\"col\">over</th>"), "as a list");
}
