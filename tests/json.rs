//! `--json`: the standard output is one document, with the keys that `docs/json.md` lists.

use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

const DOCUMENTATION: &str = include_str!("../docs/json.md");

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
    command.current_dir(folder).args(args).arg("--json");
    command
}

/// What a command prints when it ends with this code, each key of which is documented.
fn document(folder: &Path, code: i32, args: &[&str]) -> Value {
    let output = command(folder, args).assert().code(code).get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    let document = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error} in {text}"));
    assert!(text.ends_with("}\n"), "{args:?}: it has no last line");
    check_keys(args, &document);
    document
}

fn check_keys(args: &[&str], value: &Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                assert!(DOCUMENTATION.contains(&format!("`{key}`")), "docs/json.md lacks `{key}` of {args:?}");
                // What options an environment has is its own business.
                if key != "options" || value.is_array() {
                    check_keys(args, value);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| check_keys(args, value)),
        _ => {}
    }
}

fn trained() -> (TempDir, Value) {
    let folder = tempfile::tempdir().unwrap();
    let outcome = document(folder.path(), 0, &["train", "addition", "--steps-per-task=200", "--run-dir=run"]);
    (folder, outcome)
}

#[test]
fn a_training_ends_with_its_matrix_and_metrics() {
    let (folder, outcome) = trained();
    assert_eq!((&outcome["run_directory"], &outcome["state"]), (&json!("run"), &json!("finished")));
    assert_eq!((&outcome["step"], &outcome["total_steps"], &outcome["seed"]), (&json!(600), &json!(600), &json!(0)));
    assert_eq!(outcome["tasks"], json!(["Addition/0", "Addition/1", "Addition/2"]));
    let matrix = outcome["matrix"].as_array().unwrap();
    assert_eq!(matrix.len(), 4);
    assert_eq!((&matrix[0]["trained"], &matrix[2]["trained"]), (&Value::Null, &json!({ "phase": 1, "task": 1 })));
    let last = matrix[3]["normalized"].as_array().unwrap();
    let mean = last.iter().map(|score| score.as_f64().unwrap()).sum::<f64>() / 3.0;
    assert!((outcome["metrics"]["average_performance"].as_f64().unwrap() - mean).abs() < 1e-12);
    let status: Value = serde_json::from_slice(&std::fs::read(folder.path().join("run/status.json")).unwrap()).unwrap();
    assert_eq!(outcome["metrics"]["forgetting"], status["forgetting"]);

    assert_eq!(document(folder.path(), 0, &["resume", "run"]), outcome, "a run that has finished says the same again");
    let quiet = ["train", "addition", "--steps-per-task=200", "--quiet", "--run-dir=run"];
    let other = tempfile::tempdir().unwrap();
    // Anchor and importance: two floats for each of the parameters.
    let params = (13 * 64 + 64) + (64 * 13 + 13);
    assert_eq!(outcome["cost"]["method_bytes"], json!(8 * params));
    let timeless = |document: &Value| {
        let mut document = document.clone();
        for seconds in ["wall_seconds", "consolidation_seconds"] {
            document["cost"][seconds] = Value::Null;
        }
        document
    };
    let again = timeless(&document(other.path(), 0, &quiet));
    assert_eq!(again, timeless(&outcome), "--quiet leaves the result");
}

#[test]
fn a_run_is_evaluated_drawn_and_verified() {
    let (folder, outcome) = trained();
    let evaluation = document(folder.path(), 0, &["evaluate", "run", "--silence-dead", "--out", "dead.svg"]);
    let tasks = &evaluation["runs"][0]["tasks"];
    assert_eq!((&evaluation["figure"], &tasks[2]["env"]), (&json!("dead.svg"), &json!("Addition/2")));
    assert_eq!(tasks[1]["score"], outcome["matrix"][3]["normalized"][1]);
    assert!(tasks[0]["silenced"]["score"].is_number());
    let taught = document(folder.path(), 0, &["distill", "run", "--into=student", "--states=50", "--updates=20"]);
    assert_eq!((&taught["loss"], &taught["tasks"][2]["env"]), (&json!("kl"), &json!("Addition/2")));
    let plain = document(folder.path(), 0, &["evaluate", "run"]);
    assert_eq!(plain["runs"][0]["tasks"][0]["silenced"], Value::Null);

    let figure = document(folder.path(), 0, &["figure", "run", "--out", "curves.svg"]);
    let group = &figure["groups"][0];
    assert_eq!((&group["method"], &group["seeds"], &group["final"]["low"]), (&json!("ewc"), &json!([0]), &Value::Null));
    assert_eq!(group["final"]["mean"], outcome["metrics"]["average_performance"]);

    let verdict = document(folder.path(), 0, &["verify", "run"]);
    assert_eq!((&verdict["same"], &verdict["step"]), (&json!(true), &json!(600)));
    let path = folder.path().join("run/episodes.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("Addition", "Subtraction", 1)).unwrap();
    let verdict = document(folder.path(), 1, &["verify", "run"]);
    assert!(verdict["difference"].as_str().unwrap().starts_with("line 2 of episodes.csv"), "{verdict}");
}

#[test]
fn importances_are_compared_and_weights_are_moved() {
    let (folder, _) = trained();
    let plain = document(folder.path(), 0, &["fisher", "run", "--top=2"]);
    assert_eq!((&plain["run"], &plain["noise"], &plain["figure"]), (&json!("run"), &Value::Null, &Value::Null));
    assert_eq!(plain["phases"][1]["env"], "Addition/1");
    let top = plain["phases"][2]["top"].as_array().unwrap();
    assert!(top.len() == 2 && top[0]["importance"].as_f64() >= top[1]["importance"].as_f64(), "{top:?}");
    let pairs = plain["overlaps"].as_array().unwrap();
    let phases: Vec<&Value> = pairs.iter().map(|pair| &pair["phases"]).collect();
    assert_eq!(phases, [&json!([0, 1]), &json!([0, 2]), &json!([1, 2])]);
    for pair in pairs {
        assert_eq!(pair["layers"].as_array().unwrap().len(), plain["layers"].as_array().unwrap().len());
        let (all, chance) = (pair["all"].as_f64().unwrap(), pair["chance_all"].as_f64().unwrap());
        assert!(chance < all && all < 1.0, "{pair}");
    }
    let tried = ["fisher", "run", "--noise", "--draws=3", "--damping=0.5", "--figure=fisher.svg"];
    let tried = document(folder.path(), 0, &tried);
    assert_eq!((&tried["figure"], &tried["overlaps"]), (&json!("fisher.svg"), &plain["overlaps"]));
    let curves = tried["noise"]["curves"].as_array().unwrap();
    let shapes: Vec<&str> = curves.iter().filter_map(|curve| curve["noise"].as_str()).collect();
    assert_eq!((shapes, &tried["noise"]["draws"]), (vec!["inverse", "uniform", "null"], &json!(3)));
    let evaluated = document(folder.path(), 0, &["evaluate", "run"]);
    let scores = evaluated["runs"][0]["tasks"].as_array().unwrap().iter().map(|task| task["score"].as_f64().unwrap());
    let mean = scores.sum::<f64>() / 3.0;
    let unmoved = curves[0]["points"][0]["score"].as_f64().unwrap();
    assert!((unmoved - mean).abs() < 1e-12, "without noise it plays as it does: {unmoved}, {mean}");
    assert!(folder.path().join("fisher.svg").exists());

    document(folder.path(), 0, &["train", "addition", "--steps-per-task=200", "--method=fine-tune", "--run-dir=plain"]);
    let refused = command(folder.path(), &["fisher", "plain"]).assert().code(2).get_output().clone();
    let line = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(line, "error: plain has kept no importance: fine-tune weighs no parameters; ewc does\n");
}

#[test]
fn what_there_is_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let listed = |args: &[&str], key: &str| document(folder.path(), 0, args)[key].as_array().unwrap().clone();
    let environments = listed(&["env", "list"], "environments");
    let cart_pole = environments.iter().find(|env| env["id"] == "CartPole-v1").unwrap();
    assert_eq!(cart_pole["observation"], json!({ "kind": "vector", "shape": [4] }));
    assert_eq!((&cart_pole["actions"], &cart_pole["step_limit"]), (&json!(2), &json!(500)));
    let external = environments.iter().find(|env| env["id"].as_str().unwrap().starts_with("gymnasium:")).unwrap();
    assert_eq!(external["observation"], Value::Null);
    assert!(listed(&["preset", "list"], "presets").iter().any(|preset| preset["tasks"] == 5));
    assert!(listed(&["reference", "list"], "references").iter().all(|reference| reference["random"].is_number()));
    let measured = listed(&["reference", "measure", "Catch", "--random-only", "--episodes=3"], "references");
    assert_eq!((&measured[0]["env"], &measured[0]["single"]), (&json!("Catch"), &Value::Null));
}

#[test]
fn environments_are_checked_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let conformance = document(folder.path(), 0, &["env", "check", "Catch"]);
    assert_eq!((&conformance["passed"], &conformance["checks"][0]["passed"]), (&json!(true), &json!(true)));
    let trace = concat!(env!("CARGO_MANIFEST_DIR"), "/envs/tests/golden/catch.jsonl");
    let replay = document(folder.path(), 0, &["env", "verify", "Catch", trace]);
    assert_eq!((&replay["same"], &replay["difference"]), (&json!(true), &Value::Null));
    let replay = document(folder.path(), 1, &["env", "verify", "CartPole-v1", trace]);
    assert_eq!((&replay["same"], &replay["replayed"]), (&json!(false), &Value::Null));
}

#[test]
fn an_error_stays_one_line_and_nothing_is_printed_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["train", "cach-5"][..], &["evaluate", "gone"], &["env", "check", "Cach"], &["verify", "gone"]] {
        let output = command(folder.path(), args).assert().code(2).get_output().clone();
        assert!(output.stdout.is_empty(), "{args:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1, "{args:?}");
    }
}

#[test]
fn sweeps_reports_and_what_is_made_of_them_say_all_in_one_document() {
    let folder = tempfile::tempdir().unwrap();
    let short = ["compare", "addition", "--methods=fine-tune,ewc", "--seeds=2", "--steps-per-task=200"];
    let planned = document(folder.path(), 0, &[&short[..], &["--dry-run"]].concat());
    assert_eq!(planned["summary"]["new"], 4);
    let swept = document(folder.path(), 0, &short);
    assert_eq!((&swept["folder"], &swept["summary"]["finished"]), (&json!("runs/addition-compared"), &json!(4)));
    let status = document(folder.path(), 0, &["sweep", "status", "runs/addition-compared"]);
    assert_eq!((&status["summary"], &status["unfinished"]), (&swept["summary"], &json!([])));
    let report = document(folder.path(), 0, &["report", "runs/addition-compared"]);
    assert_eq!(report["groups"].as_array().unwrap().len(), 2);
    let strengths = ["--strengths=0.01,0.1,1", "--seeds=1", "--fresh-seeds=1", "--steps-per-task=200"];
    let tuned = document(folder.path(), 0, &[&["tune", "addition"], &strengths[..]].concat());
    assert_eq!(tuned["key"], "method.ewc.lambda");
    let paper = document(folder.path(), 0, &["paper", "arrows", "--quick"]);
    assert_eq!(paper["folder"], "runs/paper-arrows-quick");
}
