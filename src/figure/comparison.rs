//! Groups runs of one experiment by method and by what else they were configured with.

use std::path::PathBuf;

use engram_agents::continual::MethodName;

use super::settings::{self, Settings};
use super::{FigureError, Run, folders};
use crate::parallel;

/// The state of a run of a sweep that has no `status.json` yet.
const NOT_BEGUN: &str = "not begun";

/// Runs of one experiment under one or several methods.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The experiment that all runs share.
    pub preset: String,
    /// The environment id of each task.
    pub envs: Vec<String>,
    /// One group a method, or several where its runs were configured differently; baselines first.
    pub groups: Vec<Group>,
    /// The runs of sweeps that have not reached their end, in the order of the sweeps.
    pub unfinished: Vec<Unfinished>,
}

/// A run that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Where it is.
    pub path: PathBuf,
    /// Its state in `status.json`, or `not begun`.
    pub state: String,
}

/// Runs that differ in their seeds only.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The method.
    pub method: String,
    /// The method and, where its runs make several groups, the settings in which these differ.
    pub label: String,
    /// Its runs by seed; at least one.
    pub runs: Vec<Run>,
}

impl Comparison {
    /// Reads run directories and the runs of sweep folders, in any order. Plain files are skipped, since `runs/*` names
    /// `runs/README.md` too. Runs of a sweep may be unfinished, one that is named itself may not.
    pub fn read(paths: &[PathBuf]) -> Result<Self, FigureError> {
        let named = folders::named(paths)?;
        let (mut runs, mut unfinished) = (Vec::with_capacity(named.len()), Vec::new());
        for (named, read) in named.iter().zip(parallel::map(&named, |named| Run::read(&named.path))) {
            match read {
                Ok(run) => runs.push(run),
                Err(FigureError::Unfinished { path, state }) if named.of_sweep => {
                    unfinished.push(Unfinished { path, state });
                }
                Err(FigureError::NotARun { path }) if named.of_sweep => {
                    unfinished.push(Unfinished { path, state: NOT_BEGUN.into() });
                }
                Err(error) => return Err(error),
            }
        }
        if runs.is_empty() && !unfinished.is_empty() {
            return Err(FigureError::NoneFinished { runs: unfinished.len() });
        }
        Ok(Self { unfinished, ..Self::new(runs)? })
    }

    /// Groups runs that must be of one preset, one curriculum and one schedule.
    pub fn new(mut runs: Vec<Run>) -> Result<Self, FigureError> {
        let Some(first) = runs.first() else { return Err(FigureError::NoRuns) };
        for run in &runs {
            comparable(first, run)?;
        }
        let (preset, envs) = (first.preset.clone(), first.envs.clone());
        runs.sort_by_cached_key(|run| (rank(&run.method), run.method.clone(), run.seed));
        let methods = runs.chunk_by(|one, other| one.method == other.method);
        let groups = methods.map(split).collect::<Result<Vec<_>, _>>()?.concat();
        Ok(Self { preset, envs, groups, unfinished: Vec::new() })
    }

    /// What is left out, in a line and a line a run; nothing if that is nothing.
    pub fn left_out(&self) -> String {
        let finished: usize = self.groups.iter().map(|group| group.runs.len()).sum();
        let (count, all) = (self.unfinished.len(), self.unfinished.len() + finished);
        if count == 0 {
            return String::new();
        }
        let run = |Unfinished { path, state }: &Unfinished| format!("  {}: {state}\n", path.display());
        format!("{count} of {all} runs are not finished and are left out:\n")
            + &self.unfinished.iter().map(run).collect::<String>()
    }

    /// Any of the runs: they share tasks, phases and evaluation steps.
    pub fn example(&self) -> Option<&Run> {
        self.groups.first()?.runs.first()
    }
}

/// The runs of one method by what they were configured with: a mean over different settings would mean nothing.
fn split(runs: &[Run]) -> Result<Vec<Group>, FigureError> {
    let mut runs = runs.to_vec();
    let keys = Settings::differing(&runs.iter().map(|run| &run.settings).collect::<Vec<_>>());
    runs.sort_by(|one, other| one.settings.compare(&other.settings, &keys).then(one.seed.cmp(&other.seed)));
    if let Some([one, other]) = runs.array_windows().find(|[one, other]| is_twin(one, other)) {
        return Err(FigureError::Duplicate {
            one: one.path.clone(),
            other: other.path.clone(),
            method: label(one, &keys),
            seed: one.seed,
        });
    }
    let groups = runs.chunk_by(|one, other| one.settings == other.settings);
    let group =
        |runs: &[Run]| Group { method: runs[0].method.clone(), label: label(&runs[0], &keys), runs: runs.to_vec() };
    Ok(groups.map(group).collect())
}

fn is_twin(one: &Run, other: &Run) -> bool {
    one.seed == other.seed && one.settings == other.settings
}

fn label(run: &Run, keys: &[String]) -> String {
    match keys {
        [] => run.method.clone(),
        keys => format!("{}, {}", run.method, run.settings.describe(keys)),
    }
}

/// Methods stand in figures and tables in the order of the documentation; others follow by name.
fn rank(method: &str) -> usize {
    MethodName::ALL.iter().position(|known| known.as_str() == method).unwrap_or(MethodName::ALL.len())
}

fn comparable(one: &Run, other: &Run) -> Result<(), FigureError> {
    if one.preset != other.preset {
        return Err(FigureError::DifferentPresets {
            one: one.path.clone(),
            first: one.preset.clone(),
            other: other.path.clone(),
            second: other.preset.clone(),
        });
    }
    let mut keys = Settings::differing(&[&one.settings, &other.settings]).into_iter();
    if let Some(key) = keys.find(|key| settings::is_of_curriculum(key)) {
        return Err(FigureError::DifferentCurricula {
            one: one.path.clone(),
            first: one.settings.value(&key).to_owned(),
            other: other.path.clone(),
            second: other.settings.value(&key).to_owned(),
            key,
        });
    }
    let moments = |run: &Run| run.evaluations.iter().map(|at| (at.step, at.phase)).collect::<Vec<_>>();
    let rows = |run: &Run| run.matrix.rows.iter().map(|row| (row.step, row.trained)).collect::<Vec<_>>();
    if one.envs == other.envs && moments(one) == moments(other) && rows(one) == rows(other) {
        Ok(())
    } else {
        Err(FigureError::DifferentSchedules { one: one.path.clone(), other: other.path.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::runs::tests::{SCORES, run};
    use super::*;

    #[test]
    fn runs_group_by_method_baselines_first() {
        let runs = [("zeta", 1), ("ewc", 3), ("ewc", 1), ("fine-tune", 2)].map(|(name, seed)| run(name, seed, SCORES));
        let comparison = Comparison::new(runs.into()).unwrap();
        let order: Vec<_> = comparison
            .groups
            .iter()
            .map(|group| (group.method.as_str(), group.runs.iter().map(|run| run.seed).collect::<Vec<_>>()))
            .collect();
        assert_eq!(order, [("fine-tune", vec![2]), ("ewc", vec![1, 3]), ("zeta", vec![1])]);
    }

    fn with(method: &str, seed: u64, settings: &[(&str, &str)]) -> Run {
        let settings = settings.iter().fold(Settings::default(), |all, (key, value)| all.with(key, value));
        Run { settings, ..run(method, seed, SCORES) }
    }

    #[test]
    fn runs_with_different_settings_are_not_averaged() {
        let lambda = |value| ("method.ewc.lambda", value);
        let shared = ("agent.discount", "0.9");
        let runs = vec![
            with("ewc", 2, &[lambda("10"), shared]),
            with("ewc", 1, &[lambda("3"), shared]),
            with("fine-tune", 1, &[("agent.discount", "0.5")]),
            with("ewc", 1, &[lambda("10"), shared]),
            with("l2", 1, &[shared]),
            with("l2", 2, &[shared, ("agent.extra", "true")]),
        ];
        let mut reversed = runs.clone();
        reversed.reverse();
        let comparison = Comparison::new(runs).unwrap();
        let seeds = |group: &Group| group.runs.iter().map(|run| run.seed).collect::<Vec<_>>();
        let order: Vec<_> = comparison.groups.iter().map(|group| (group.label.as_str(), seeds(group))).collect();
        assert_eq!(
            order,
            [
                ("fine-tune", vec![1]),
                ("l2, agent.extra = true", vec![2]),
                ("l2, agent.extra unset", vec![1]),
                ("ewc, method.ewc.lambda = 3", vec![1]),
                ("ewc, method.ewc.lambda = 10", vec![1, 2]),
            ]
        );
        assert_eq!(Comparison::new(reversed).unwrap(), comparison);
    }

    #[test]
    fn a_seed_counts_once_in_a_group() {
        let lambda = |seed, value| with("ewc", seed, &[("method.ewc.lambda", value)]);
        let mut twin = lambda(1, "3");
        twin.path = "runs/twin".into();
        let runs = vec![lambda(1, "3"), lambda(2, "3"), lambda(1, "10"), twin];
        let error = Comparison::new(runs).unwrap_err().to_string();
        assert_eq!(error, "runs/ewc-1 and runs/twin are both ewc, method.ewc.lambda = 3 with seed 1: give one of them");
    }

    #[test]
    fn a_different_curriculum_is_named() {
        let steps = |method, value| with(method, 1, &[("curriculum.phases.0.steps", value)]);
        let error = Comparison::new(vec![steps("ewc", "150"), steps("l2", "200")]).unwrap_err().to_string();
        let expected = "runs of different curricula cannot share a figure: curriculum.phases.0.steps is 150 in runs/ewc-1 \
                        and 200 in runs/l2-1";
        assert_eq!(error, expected);
    }

    #[test]
    fn runs_that_cannot_be_compared_are_refused() {
        let one = run("ewc", 1, SCORES);
        assert!(matches!(Comparison::new(Vec::new()), Err(FigureError::NoRuns)));
        let twin = vec![one.clone(), run("ewc", 1, SCORES)];
        assert!(matches!(Comparison::new(twin), Err(FigureError::Duplicate { seed: 1, .. })));
        let preset = Run { preset: "addition".into(), ..run("ewc", 2, SCORES) };
        assert!(matches!(Comparison::new(vec![one.clone(), preset]), Err(FigureError::DifferentPresets { .. })));
        let mut schedule = run("ewc", 2, SCORES);
        schedule.evaluations[1].step += 1;
        assert!(matches!(Comparison::new(vec![one, schedule]), Err(FigureError::DifferentSchedules { .. })));
    }
}
