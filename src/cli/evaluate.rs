//! `engram evaluate`: the saved policy of a run, played on every task of its curriculum.

use std::{path::Path, process::ExitCode};

use engram_agents::dqn::Dqn;
use engram_envs::Registry;

use super::{BadInput, EvaluateArgs, Exit, saved_policy::SavedPolicy, table::table};
use crate::{
    config::EvaluationConfig,
    evaluate::Evaluator,
    figure::{self, Intervention, Interventions},
    reference,
    run_directory::RunDirectory,
    statistics,
    stop::Stop,
};

/// How a task was played.
struct Played {
    env: String,
    returns: Vec<f64>,
    score: f64,
    /// Mean return and score with dead units silenced, if the task has ended and this was asked for.
    silenced: Option<(f64, f64)>,
}

/// Runs the command.
pub fn run(registry: &Registry, args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    if let Some(out) = &args.out {
        figure::check_output(out)?;
    }
    let mut tasks: Vec<Intervention> = Vec::new();
    for (index, run) in args.runs.iter().enumerate() {
        let played = play(registry, args, run)?;
        if args.runs.len() > 1 {
            let gap = if index > 0 { "\n" } else { "" };
            super::print(&format!("{gap}{}\n", run.display()))?;
        }
        super::print(&report(&played, args.silence_dead))?;
        if index == 0 {
            tasks.extend(played.iter().map(|task| Intervention { env: task.env.clone(), scores: Vec::new() }));
        }
        if args.out.is_some() && !tasks.iter().map(|task| &task.env).eq(played.iter().map(|task| &task.env)) {
            let first = args.runs[0].display();
            return Err(
                BadInput(format!("{} has other tasks than {first}; one figure shows one", run.display())).into()
            );
        }
        for (task, played) in tasks.iter_mut().zip(&played) {
            task.scores.extend(played.silenced.map(|(_, score)| (played.score, score)));
        }
    }
    if let Some(out) = &args.out {
        let title = "Scores at the end, and with those units silenced that were dead on the task";
        let conditions = ["as left", "dead silenced"];
        figure::write_interventions(&Interventions { title, conditions, tasks: &tasks }, out)?;
        super::print(&format!("{}\n", out.display()))?;
    }
    Ok(Exit::Done.into())
}

/// Plays every task of the run at `run`.
fn play(registry: &Registry, args: &EvaluateArgs, run: &Path) -> anyhow::Result<Vec<Played>> {
    let SavedPolicy { directory, config, curriculum, mut agent } = SavedPolicy::load(run, registry)?;
    let episodes = args.episodes.unwrap_or(config.evaluation.episodes);
    let mut evaluator = Evaluator::new(&curriculum, config.seed, EvaluationConfig { episodes, ..config.evaluation })?;
    let mut played = Vec::new();
    for (task, binding) in curriculum.tasks.iter().enumerate() {
        let returns = evaluator.returns(&mut agent, task, &Stop::default())?;
        let score = |returns: &[f64]| {
            let mean = statistics::mean(returns);
            (mean, reference::normalize(mean, binding.reference))
        };
        // A run that was stopped did not come to its last phases.
        let mut ended = (0..curriculum.phases.len()).rev().filter(|phase| directory.is_consolidated(*phase));
        let silenced = match ended.find(|phase| curriculum.phases[*phase].task == task) {
            Some(phase) if args.silence_dead => {
                Some(score(&with_dead_silenced(&directory, phase, &mut agent, &mut evaluator, task)?))
            }
            _ => None,
        };
        played.push(Played { env: binding.env.clone(), score: score(&returns).1, returns, silenced });
    }
    Ok(played)
}

fn report(played: &[Played], silence_dead: bool) -> String {
    let silenced_heading = if silence_dead { "score, dead units silenced" } else { "" };
    let headings = ["task", "episodes", "mean return [95 % interval]", "score", silenced_heading];
    let mut rows = vec![headings.map(str::to_owned)];
    for Played { env, returns, score, silenced } in played {
        let (mean, interval) = (statistics::mean(returns), statistics::mean_interval(returns));
        let silenced = match silenced {
            Some((mean, score)) => format!("{score:.2} (return {mean:.2})"),
            None if silence_dead => "n/a".into(),
            None => String::new(),
        };
        rows.push([
            env.clone(),
            returns.len().to_string(),
            format!("{mean:.2} [{:.2}, {:.2}]", interval.low, interval.high),
            format!("{score:.2}"),
            silenced,
        ]);
    }
    table(&rows)
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
