//! `engram evaluate`: the saved policy of a run, played on every task of its curriculum.

use std::{path::Path, process::ExitCode};

use engram_agents::dqn::Dqn;
use engram_envs::Registry;

use super::{
    EvaluateArgs, Exit,
    evaluation::{Evaluation, Played, Silenced, Task},
    output::print_json,
    saved_policy::SavedPolicy,
};
use crate::{
    config::EvaluationConfig, evaluate::Evaluator, figure, reference, run_directory::RunDirectory, statistics,
    stop::Stop,
};

/// Runs the command.
pub fn run(registry: &Registry, args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    if let Some(out) = &args.out {
        figure::check_output(out)?;
    }
    let mut evaluation = Evaluation::default();
    for run in &args.runs {
        let played = play(registry, args, run)?;
        if !args.output.json {
            // Each as soon as it is known.
            let gap = if evaluation.runs.is_empty() { "" } else { "\n" };
            let heading = if args.runs.len() > 1 { format!("{gap}{}\n", played.run) } else { String::new() };
            super::print(&format!("{heading}{played}"))?;
        }
        evaluation.runs.push(played);
        if args.out.is_some() {
            evaluation.check_tasks()?;
        }
    }
    if let Some(out) = &args.out {
        evaluation.draw(out)?;
        let figure = out.display().to_string();
        if !args.output.json {
            super::print(&format!("{figure}\n"))?;
        }
        evaluation.figure = Some(figure);
    }
    if args.output.json {
        print_json(&evaluation)?;
    }
    Ok(Exit::Done.into())
}

/// Plays every task of the run at `run`.
fn play(registry: &Registry, args: &EvaluateArgs, run: &Path) -> anyhow::Result<Played> {
    let SavedPolicy { directory, config, curriculum, mut agent } = SavedPolicy::load(run, registry)?;
    let episodes = args.episodes.unwrap_or(config.evaluation.episodes);
    let mut evaluator = Evaluator::new(&curriculum, config.seed, EvaluationConfig { episodes, ..config.evaluation })?;
    let mut tasks = Vec::new();
    for (task, binding) in curriculum.tasks.iter().enumerate() {
        directory.load_params(Some(task), &mut agent)?;
        let returns = evaluator.returns(&mut agent, task, &Stop::default())?;
        let score = |mean_return| reference::normalize(mean_return, binding.reference);
        // A run that was stopped did not come to its last phases.
        let mut ended = (0..curriculum.phases.len()).rev().filter(|phase| directory.is_consolidated(*phase));
        let silenced = match ended.find(|phase| curriculum.phases[*phase].task == Some(task)) {
            Some(phase) if args.silence_dead => {
                let returns = with_dead_silenced(&directory, phase, &mut agent, &mut evaluator, task)?;
                let mean_return = statistics::mean(&returns);
                Some(Silenced { mean_return, score: score(mean_return) })
            }
            _ => None,
        };
        let (mean_return, interval) = (statistics::mean(&returns), statistics::mean_interval(&returns));
        tasks.push(Task {
            env: binding.env.clone(),
            episodes: returns.len(),
            mean_return,
            low: interval.low,
            high: interval.high,
            score: score(mean_return),
            silenced,
        });
    }
    Ok(Played { run: run.display().to_string(), tasks, silence_dead: args.silence_dead })
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
