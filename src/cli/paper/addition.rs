//! `engram paper addition`: sums learnt one addend after the other, after `McCloskey` and Cohen 1989.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use engram_agents::continual::MethodName;

use super::plan_of;
use crate::{
    figure::{self, Recall, Remembered, Run},
    snapshot,
    statistics::{Bootstrap, CONFIDENCE, Estimate, Interval, mean},
    sweep::{Plan, Sweep},
};

/// Facts of an addend: a pass goes through as many, and an episode is one of them.
const FACTS: u64 = 10;
/// Passes that the figure shows by themselves.
const FIRST_PASSES: f64 = 60.0;
/// Resamples at each point of a curve: a band is looked at, not read off.
const RESAMPLES: usize = 2_000;
/// What was published: how much is left of the first sums after none, one and two passes through the second.
const PUBLISHED: [(f64, f64); 3] = [(0.0, 1.0), (1.0, 0.57), (2.0, 0.30)];

/// Where in [`plans`] a curve's runs are, and what it is called.
const ARMS: [(usize, MethodName, &str); 4] = [
    (0, MethodName::FineTune, "fine-tune"),
    (0, MethodName::Ewc, "ewc"),
    (1, MethodName::FineTune, "all at once"),
    (2, MethodName::Ewc, "ewc without the cue"),
];

/// The sweeps, with the names of their folders: addend after addend, all of them at once, and addend after addend without
/// anything that tells one from the other.
pub(super) fn plans(quick: bool) -> anyhow::Result<[(&'static str, Plan); 3]> {
    let plan = |methods: &[MethodName], set: &str| {
        let (seeds, steps_per_task) = if quick { (2, Some(2000)) } else { (10, None) };
        let set = toml::from_str(&format!("evaluation.period = {FACTS}\n{set}"))?;
        Ok::<_, anyhow::Error>(Plan { methods: methods.to_vec(), set, steps_per_task, ..plan_of("addition", seeds) })
    };
    let blind = |addend: u32| format!("{{ env = \"Addition/{addend}\", options = {{ cue = false }} }}");
    let blind = format!("curriculum.tasks = [{}]", [0, 1, 2].map(blind).join(", "));
    Ok([
        ("in-sequence", plan(&[MethodName::FineTune, MethodName::Ewc], "")?),
        ("all-at-once", plan(&[MethodName::FineTune], "curriculum.phases = [{}]\nagent.replay.per_task = true")?),
        ("without-cue", plan(&[MethodName::Ewc], &blind)?),
    ])
}

/// Draws the figure and writes the points of its curves.
pub(super) fn write(sweeps: &[Sweep], out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut runs = Vec::new();
    for (part, method, label) in ARMS {
        let sweep = sweeps.get(part).with_context(|| format!("the runs of `{label}` are missing"))?;
        let own = sweep.runs.iter().filter(|entry| entry.method == method.as_str());
        let own: Vec<Run> =
            own.map(|entry| Run::read(&sweep.folder.join(&entry.run))).collect::<Result<_, figure::FigureError>>()?;
        runs.push((label, own));
    }
    // Addend after addend, phases end where the second and the third addend begin, and at the end.
    let first = runs.first().and_then(|(_, own)| own.first()).context("no runs")?;
    let ends: Vec<u64> = first.matrix.rows.iter().skip(1).map(|row| row.step).collect();
    let switch = *ends.first().context("no phase has ended")?;
    let mut arms: Vec<Remembered> = runs.iter().map(|(label, own)| remembered(label, own, switch)).collect();
    let published =
        PUBLISHED.map(|(pass, value)| (pass, Estimate { value, interval: Interval { low: value, high: value } }));
    arms.push(Remembered { label: "McCloskey and Cohen 1989".into(), runs: 1, points: published.into() });
    let switches = ends.iter().map(|end| passes(*end, switch)).collect();
    let mut files =
        figure::recall(&Recall { arms: arms.clone(), first_passes: FIRST_PASSES, switches })?.write(out, "addition")?;
    files.push(write_points(&arms, out)?);
    Ok(files)
}

/// The accuracy on the first addend from `switch` on: the mean over runs of how many of its ten facts are answered right.
fn remembered(label: &str, runs: &[Run], switch: u64) -> Remembered {
    let mut by_step: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for evaluation in runs.iter().flat_map(|run| &run.evaluations).filter(|evaluation| evaluation.step >= switch) {
        by_step.entry(evaluation.step).or_default().extend(evaluation.returns.first());
    }
    let bootstrap = Bootstrap::new(runs.len(), RESAMPLES, 0);
    let point = |(step, values): (u64, Vec<f64>)| {
        let interval = bootstrap.mean_interval(&values, CONFIDENCE);
        (passes(step, switch), Estimate { value: mean(&values), interval })
    };
    let whole = by_step.into_iter().filter(|(_, values)| values.len() == runs.len());
    Remembered { label: label.into(), runs: runs.len(), points: whole.map(point).collect() }
}

/// Passes through the facts after `switch`.
fn passes(step: u64, switch: u64) -> f64 {
    (step - switch) as f64 / FACTS as f64
}

fn write_points(arms: &[Remembered], out: &Path) -> anyhow::Result<PathBuf> {
    let path = out.join("addition.csv");
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record(["curve", "runs", "pass", "accuracy", "low", "high"])?;
    for arm in arms {
        for (pass, Estimate { value, interval }) in &arm.points {
            let band = (arm.runs > 1).then_some((interval.low, interval.high));
            rows.serialize((&arm.label, arm.runs, pass, value, band.map(|band| band.0), band.map(|band| band.1)))?;
        }
    }
    snapshot::replace(&path, &rows.into_inner()?)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::made_up_run;

    #[test]
    fn accuracy_is_counted_in_passes_from_the_switch_on() {
        // Evaluations at steps 0, 1000 and 2000; the first task is the first column.
        let runs =
            [(1, 0.4), (2, 0.6)].map(|(seed, last)| made_up_run("ewc", seed, [[0.0, 0.1], [1.0, 0.2], [last, 0.9]]));
        let Remembered { points, runs, .. } = remembered("ewc", &runs, 1000);
        assert_eq!((runs, points.len()), (2, 2));
        assert_eq!((points[0].0, points[0].1.value), (0.0, 1.0));
        assert_eq!((points[1].0, points[1].1.value), (100.0, 0.5));
        assert_eq!(points[1].1.interval, Interval { low: 0.4, high: 0.6 });
    }

    #[test]
    fn every_arm_is_planned() {
        let plans = plans(false).unwrap();
        for (part, method, label) in ARMS {
            let plan = &plans[part].1;
            assert!(plan.methods.contains(&method), "{label}");
            assert_eq!((plan.seeds, plan.first_seed), (10, 100));
        }
        let runs = |part: usize| plans[part].1.runs(&engram_envs::Registry::standard()).unwrap();
        assert_eq!([0, 1, 2].map(|part| runs(part).len()), [20, 10, 10]);
        assert!(runs(2)[0].config.matches("cue = false").count() == 3 && !runs(0)[0].config.contains("cue"));
        assert!(runs(1)[0].config.contains("per_task = true"));
    }
}
