//! `engram fisher`: what the importances that a run has kept say of its tasks.

mod analysis;
pub(super) mod args;
mod noise_test;

use std::process::ExitCode;

use engram_agents::continual::MethodName;
use engram_envs::Registry;

use self::{
    analysis::{Analysis, Ended, NoiseResult, Pair},
    args::FisherArgs,
};
pub(super) use self::{
    args::DAMPING,
    noise_test::{MAGNITUDES, NoiseTest},
};
use super::{BadInput, Exit, saved_policy::SavedPolicy};
use crate::{
    figure,
    fisher_analysis::{by_layer, chance_overlap, layers, overlap, shared, top_weights, trace},
    stop::Stop,
};

/// Runs the command.
pub(super) fn run(registry: &Registry, args: &FisherArgs) -> anyhow::Result<ExitCode> {
    if let Some(out) = &args.figure {
        figure::check_output(out)?;
    }
    let mut policy = SavedPolicy::load(&args.run, registry)?;
    let kept = Kept::of_all(&policy)?;
    let mut analysis = analyse(args, &policy, &kept);
    if args.noise {
        let mut tasks: Vec<usize> = kept.iter().map(|kept| kept.task).collect();
        tasks.sort_unstable();
        tasks.dedup();
        let test = NoiseTest { damping: args.damping, draws: args.draws, tasks: &tasks };
        let found = test.run(&mut policy, &Kept::sum(&kept), &Stop::default())?;
        analysis.noise = Some(NoiseResult::new(args.damping, args.draws, &found));
    }
    if let Some(out) = &args.figure {
        analysis.draw(out)?;
        analysis.figure = Some(out.display().to_string());
    }
    args.output.show(&analysis)?;
    Ok(Exit::Done.into())
}

/// The importance that was kept of a phase.
pub(super) struct Kept {
    pub phase: usize,
    pub task: usize,
    pub importance: Vec<f32>,
}

impl Kept {
    /// That of every phase that has ended; there is one at least.
    pub fn of_all(policy: &SavedPolicy) -> anyhow::Result<Vec<Self>> {
        let SavedPolicy { directory, config, curriculum, agent } = policy;
        let mut all = Vec::new();
        let (run, method) = (directory.path().display(), config.method.name);
        if curriculum.phases.iter().all(|phase| phase.task.is_none()) {
            return Err(BadInput(format!("{run} has kept no importance: its tasks were learnt all at once")).into());
        }
        let unweighed = || {
            let method = method.as_str();
            BadInput(format!("{run} has kept no importance: {method} weighs no parameters; ewc does"))
        };
        if !method.has_penalty() || method == MethodName::L2Init {
            return Err(unweighed().into());
        }
        for (phase, task) in curriculum.phases.iter().map(|phase| phase.task).enumerate() {
            let Some(task) = task.filter(|_| directory.is_consolidated(phase)) else { continue };
            let importance = directory.importance(phase, agent)?.ok_or_else(unweighed)?;
            all.push(Self { phase, task, importance });
        }
        if all.is_empty() {
            return Err(BadInput(format!("{run} has kept no importance yet: none of its phases has ended")).into());
        }
        Ok(all)
    }

    /// `Σₖ Fₖ`, the importance of all phases together.
    pub fn sum(all: &[Self]) -> Vec<f32> {
        let mut sum = vec![0.0; all.first().map_or(0, |kept| kept.importance.len())];
        for kept in all {
            sum.iter_mut().zip(&kept.importance).for_each(|(sum, value)| *sum += value);
        }
        sum
    }
}

fn analyse(args: &FisherArgs, policy: &SavedPolicy, kept: &[Kept]) -> Analysis {
    let layout = policy.agent.network().layout();
    let phase = |kept: &Kept| Ended {
        phase: kept.phase,
        task: kept.task,
        env: policy.curriculum.tasks[kept.task].env.clone(),
        trace: trace(layout, &kept.importance),
        top: top_weights(layout, &kept.importance, usize::try_from(args.top).unwrap_or(usize::MAX)),
    };
    let pair = |one: &Kept, other: &Kept| {
        let whole = [one, other].map(|kept| shared(layout, &kept.importance));
        let importances = [one.importance.as_slice(), other.importance.as_slice()];
        Pair {
            phases: [one.phase, other.phase],
            layers: by_layer(layout, importances, overlap),
            all: overlap(&whole[0], &whole[1]),
            chance_layers: by_layer(layout, importances, chance_overlap),
            chance_all: chance_overlap(&whole[0], &whole[1]),
        }
    };
    let pairs =
        kept.iter().enumerate().flat_map(|(index, one)| kept[index + 1..].iter().map(move |other| pair(one, other)));
    Analysis {
        run: args.run.display().to_string(),
        phases: kept.iter().map(phase).collect(),
        layers: layers(layout).into_iter().map(|layer| layer.name).collect(),
        overlaps: pairs.collect(),
        noise: None,
        figure: None,
    }
}
