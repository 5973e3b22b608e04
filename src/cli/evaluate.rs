//! `engram evaluate`: the saved policy of a run, played on every task of its curriculum.

use std::process::ExitCode;

use anyhow::Context as _;
use engram_agents::dqn::Dqn;
use engram_envs::Registry;

use super::{EvaluateArgs, Exit};
use crate::{
    config::{self, Overrides, Source},
    curriculum::Curriculum,
    evaluate::Evaluator,
    reference,
    run_directory::RunDirectory,
    seeds, statistics,
};

/// Runs the command.
pub fn run(registry: &Registry, args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    let directory = RunDirectory::open(&args.run)?;
    let config = config::read(&Source::File(directory.config()), &Overrides::default(), registry)?;
    let curriculum = Curriculum::new(&config, registry)?;
    let mut init = seeds::stream(config.seed, "init", 0, 0);
    let set = curriculum.set.clone();
    let mut agent = Dqn::new(&config.agent, config.boundary, &config.method, set, config.device, &mut init)?;
    directory.load_params(&mut agent)?;
    let mut evaluator = Evaluator::new(&curriculum, config.seed, args.episodes.unwrap_or(config.evaluation.episodes))?;

    let heading = if args.silence_dead { "score, dead units silenced" } else { "" };
    super::print(&format!("{:24}  episodes  {:>26}  score  {heading}\n", "task", "mean return [95 % interval]"))?;
    for task in 0..curriculum.tasks.len() {
        let returns = evaluator.returns(&mut agent, task)?;
        let mean = statistics::mean(&returns);
        let interval = statistics::mean_interval(&returns);
        let score = |mean| reference::normalize(mean, curriculum.tasks[task].reference);
        let silenced = if args.silence_dead {
            let mean =
                statistics::mean(&with_dead_silenced(&directory, &curriculum, &mut agent, &mut evaluator, task)?);
            format!("  {:>5.2} (return {mean:.2})", score(mean))
        } else {
            String::new()
        };
        let shown = format!("{mean:.2} [{:.2}, {:.2}]", interval.low, interval.high);
        let name = &curriculum.tasks[task].env;
        super::print(&format!("{name:24}  {:>8}  {shown:>26}  {:>5.2}{silenced}\n", returns.len(), score(mean)))?;
    }
    Ok(Exit::Done.into())
}

/// The returns on a task with those units silenced that never fired on its states when it was consolidated: if they
/// restore the score, it was lost to units that woke up, and not to a drift of the living ones.
fn with_dead_silenced(
    directory: &RunDirectory,
    curriculum: &Curriculum,
    agent: &mut Dqn,
    evaluator: &mut Evaluator,
    task: usize,
) -> anyhow::Result<Vec<f64>> {
    let phase = curriculum.phases.iter().rposition(|phase| phase.task == task);
    let phase = phase.with_context(|| format!("task {task} has no phase, so its dead units are not known"))?;
    let dead: Vec<bool> = directory.fired(phase, agent)?.iter().map(|fired| !fired).collect();
    let params = agent.network().params().to_vec();
    let architecture = agent.network().architecture().clone();
    architecture.silence(&dead, agent.network_mut().params_mut());
    let returns = evaluator.returns(agent, task);
    agent.network_mut().params_mut().copy_from_slice(&params);
    Ok(returns?)
}
