//! The paper's figures and the choice of a strength, as a user asks for them.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// What a command prints as JSON, and what it says beside it.
fn engram(arguments: &[&str], folder: &Path) -> (Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
    let output = command.args(arguments).arg("--json").arg("--runs").arg(folder).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    (serde_json::from_slice(&output.stdout).unwrap(), said)
}

#[test]
fn arrows_are_drawn_in_the_plane_of_real_runs_and_trained_once() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let arguments = ["paper", "arrows", "--quick", "--out", out.to_str().unwrap()];
    let (printed, said) = engram(&arguments, folder.path());
    assert!(said.contains("3 runs to train"), "{said}");
    let files: Vec<&str> = printed["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert!(files.iter().all(|file| Path::new(file).exists()), "{files:?}");
    let rows: Vec<Vec<String>> = fs::read_to_string(out.join("arrows.csv"))
        .unwrap()
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect();
    let methods: Vec<&str> = rows.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(methods, ["method", "start", "fine-tune", "l2", "ewc"]);
    // Without a penalty the plane's first axis is the way itself, and the first game is what was learnt first.
    assert!(rows[2][3].parse::<f64>().unwrap().abs() < 1e-6 && rows[2][2].parse::<f64>().unwrap() > 0.0, "{rows:?}");
    assert_eq!(rows[1][5], "1.0");
    assert_eq!(fs::read_to_string(out.join("arrows-plane.csv")).unwrap().lines().count(), 1 + 61 * 61);

    let picture = fs::read(out.join("arrows.svg")).unwrap();
    let (_, said) = engram(&arguments, folder.path());
    assert!(said.contains("3 runs, 3 finished") && !said.contains("to train"), "{said}");
    assert_eq!(fs::read(out.join("arrows.svg")).unwrap(), picture);
    let commands = fs::read_to_string(out.join("arrows-commands.txt")).unwrap();
    assert!(commands.starts_with("engram paper arrows --quick --runs "), "{commands}");
}

#[test]
fn the_permuted_figure_says_first_what_it_costs() {
    let folder = tempfile::tempdir().unwrap();
    let (_, said) = engram(&["paper", "permuted", "--dry-run"], folder.path());
    assert!(said.contains("30 runs to train") && said.contains("about"), "{said}");
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
}

/// The columns of a CSV file that a command has written, without its first line.
fn columns(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn games_with_few_shuffled_pixels_count_on_the_same_weights_above_all_near_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let (printed, said) = engram(&["paper", "overlap", "--quick"], folder.path());
    assert!(said.contains("4 runs to train"), "{said}");
    assert_eq!(printed["files"].as_array().unwrap().len(), 5, "{printed}");
    let out = folder.path().join("paper-overlap-quick");
    let rows = columns(&out.join("overlap.csv"));
    let layers: Vec<&str> = rows[..7].iter().map(|row| row[1].as_str()).collect();
    assert_eq!(layers, ["dense1", "dense2", "dense3", "dense4", "dense5", "dense6", "output"]);
    let means: Vec<f64> = rows.iter().map(|row| row[2].parse().unwrap()).collect();
    let (few, all) = means.split_at(7);
    assert!(few.iter().zip(all).all(|(few, all)| few > all), "{means:?}");
    assert!(all[0] < all[6] && few[0] - all[0] > few[6] - all[6], "{means:?}");
    let runs = columns(&out.join("overlap-runs.csv"));
    assert_eq!(runs.len(), 4 * 7);
    assert!(
        runs.iter().all(|row| row[6].parse::<f64>().unwrap() < row[5].parse().unwrap()),
        "less by chance: {runs:?}"
    );
    assert!(fs::read_to_string(out.join("overlap.svg")).unwrap().contains("1 row of ten shuffled"));
}

#[test]
fn noise_is_worst_where_all_weights_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_, said) = engram(&["paper", "noise", "--quick"], folder.path());
    assert!(said.contains("2 runs to train"), "{said}");
    let out = folder.path().join("paper-noise-quick");
    let rows = columns(&out.join("noise.csv"));
    let score = |noise: &str, magnitude: &str| -> f64 {
        rows.iter().find(|row| row[0] == noise && row[1] == magnitude).unwrap()[2].parse().unwrap()
    };
    for noise in ["inverse", "uniform", "null"] {
        assert_eq!(score(noise, "0.0"), 1.0, "without noise it is what was learnt");
        assert!(score(noise, "1.0") < 0.95);
    }
    assert!(score("uniform", "0.6") + 0.2 < score("inverse", "0.6").min(score("null", "0.6")), "{rows:?}");
    assert!(columns(&out.join("noise-runs.csv")).iter().all(|row| row[1] == "7619" && row[2] != "0"));
}

#[test]
fn each_game_of_the_distillation_table_has_a_teacher_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (_, said) = engram(&["paper", "distill", "--dry-run"], folder.path());
    assert!(said.contains("15 runs to train") && said.contains("about"), "{said}");
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[test]
fn a_strength_is_chosen_on_seeds_of_its_own_and_tried_on_fresh_ones() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["tune", "catch-3", "--strengths=1", "--seeds=2", "--fresh-seeds=2", "--steps-per-task=1500"];
    let (printed, said) = engram(&arguments, folder.path());
    let strengths: Vec<f64> =
        printed["strengths"].as_array().unwrap().iter().map(|tried| tried["strength"].as_f64().unwrap()).collect();
    assert!(strengths.len() >= 3, "a strength at an edge is continued by decades: {strengths:?}");
    assert!(strengths.contains(&printed["recommended"].as_f64().unwrap()));
    let fresh = &printed["fresh"][1];
    assert_eq!((&fresh["method"], fresh["average_performance"].as_array().unwrap().len()), (&"ewc".into(), 2));
    let seeds = |name: &str| {
        let text = fs::read_to_string(folder.path().join(name).join("runs.csv")).unwrap();
        text.lines().skip(1).map(|line| line.split(',').nth(2).unwrap().parse().unwrap()).collect::<Vec<u64>>()
    };
    assert!(seeds("catch-3-ewc-tuned").iter().all(|seed| *seed < 100), "{said}");
    assert!(seeds("catch-3-ewc-tuned-fresh").iter().all(|seed| *seed >= 100));

    // The same seeds, but another strength on them: that would be a choice by what is reported.
    let (_, said) = engram(
        &["tune", "catch-3", "--strengths=30,31,32", "--seeds=2", "--fresh-seeds=2", "--steps-per-task=1500"],
        folder.path(),
    );
    assert!(said.contains("another strength was tried on these fresh seeds before"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_choice_is_told_even_if_the_fresh_seeds_are_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_engram"));
    // Set, so that the process does not start itself again and keeps its number.
    command.env("RAYON_NUM_THREADS", "1").args(["tune", "catch-3", "--strengths=0.1,1,10", "--seeds=1", "--json"]);
    command.args(["--fresh-seeds=50", "--steps-per-task=3000", "--runs"]).arg(folder.path());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (begun, list) = (Instant::now(), folder.path().join("catch-3-ewc-tuned-fresh/runs.csv"));
    while !list.exists() {
        assert!(begun.elapsed() < Duration::from_mins(2));
        thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(143));
    assert!(printed["recommended"].as_f64().is_some() && printed["fresh"].is_null(), "{printed}");
}

#[test]
fn sums_are_forgotten_one_after_the_other_and_not_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let arguments = ["paper", "addition", "--quick", "--out", out.to_str().unwrap()];
    let (printed, said) = engram(&arguments, folder.path());
    assert!(said.contains("4 runs to train") && said.contains("2 runs to train"), "{said}");
    let files: Vec<&str> = printed["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert!(files.len() == 4 && files.iter().all(|file| Path::new(file).exists()), "{files:?}");
    let text = fs::read_to_string(out.join("addition.csv")).unwrap();
    let accuracy = |curve: &str, pass: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(&format!("{curve},2,{pass},")));
        line.unwrap_or_else(|| panic!("no {curve} {pass}")).split(',').nth(3).unwrap().parse().unwrap()
    };
    // The two further addends take 200 passes each.
    assert!(accuracy("fine-tune", "0.0") > 0.8 && accuracy("fine-tune", "400.0") < 0.6, "{text}");
    assert!(accuracy("ewc", "400.0") > accuracy("fine-tune", "400.0"));
    assert!(accuracy("ewc without the cue", "400.0") < 0.3);
    assert!(accuracy("all at once", "400.0") > 0.8);
    assert!(text.lines().any(|line| line.starts_with("McCloskey and Cohen 1989,1,1.0,0.57,,")), "{text}");

    let picture = fs::read(out.join("addition.svg")).unwrap();
    let (_, said) = engram(&arguments, folder.path());
    assert!(said.contains("4 runs, 4 finished") && !said.contains("to train"), "{said}");
    assert_eq!(fs::read(out.join("addition.svg")).unwrap(), picture);
    let commands = fs::read_to_string(out.join("addition-commands.txt")).unwrap();
    assert!(commands.starts_with("engram paper addition --quick --runs "), "{commands}");
    assert_eq!(commands.matches("engram train ").count(), 8);
}
