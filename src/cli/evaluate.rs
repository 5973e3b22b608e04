//! `engram evaluate`: the saved policy of a run, played on every task of its curriculum.

use std::process::ExitCode;

use engram_agents::dqn::Dqn;
use engram_envs::Registry;

use super::{EvaluateArgs, Exit, saved_policy::SavedPolicy, table::table};
use crate::{
    config::EvaluationConfig, evaluate::Evaluator, reference, run_directory::RunDirectory, statistics, stop::Stop,
};

/// Runs the command.
pub fn run(registry: &Registry, args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    let SavedPolicy { directory, config, curriculum, mut agent } = SavedPolicy::load(&args.run, registry)?;
    let episodes = args.episodes.unwrap_or(config.evaluation.episodes);
    let mut evaluator = Evaluator::new(&curriculum, config.seed, EvaluationConfig { episodes, ..config.evaluation })?;

    let silenced_heading = if args.silence_dead { "score, dead units silenced" } else { "" };
    let headings = ["task", "episodes", "mean return [95 % interval]", "score", silenced_heading];
    let mut rows = vec![headings.map(str::to_owned)];
    for task in 0..curriculum.tasks.len() {
        let returns = evaluator.returns(&mut agent, task, &Stop::default())?;
        let interval = statistics::mean_interval(&returns);
        let score = |returns: &[f64]| {
            let mean = statistics::mean(returns);
            (mean, reference::normalize(mean, curriculum.tasks[task].reference))
        };
        // A run that was stopped did not come to its last phases.
        let mut ended = (0..curriculum.phases.len()).rev().filter(|phase| directory.is_consolidated(*phase));
        let silenced = match ended.find(|phase| curriculum.phases[*phase].task == task) {
            _ if !args.silence_dead => String::new(),
            Some(phase) => {
                let (mean, score) = score(&with_dead_silenced(&directory, phase, &mut agent, &mut evaluator, task)?);
                format!("{score:.2} (return {mean:.2})")
            }
            None => "n/a".into(),
        };
        let (mean, score) = score(&returns);
        rows.push([
            curriculum.tasks[task].env.clone(),
            returns.len().to_string(),
            format!("{mean:.2} [{:.2}, {:.2}]", interval.low, interval.high),
            format!("{score:.2}"),
            silenced,
        ]);
    }
    super::print(&table(&rows))?;
    Ok(Exit::Done.into())
}

/// The returns on a task with those units silenced that never fired on its states when `phase` ended: if they restore
/// the score, it was lost to units that woke up, and not to a drift of the living ones.
fn with_dead_silenced(
    directory: &RunDirectory,
    phase: usize,
    agent: &mut Dqn,
    evaluator: &mut Evaluator,
    task: usize,
) -> anyhow::Result<Vec<f64>> {
    let dead: Vec<bool> = directory.fired(phase, agent)?.iter().map(|fired| !fired).collect();
    let params = agent.network().params().to_vec();
    let architecture = agent.network().architecture().clone();
    architecture.silence(&dead, agent.network_mut().params_mut());
    let returns = evaluator.returns(agent, task, &Stop::default());
    agent.network_mut().params_mut().copy_from_slice(&params);
    Ok(returns?)
}
