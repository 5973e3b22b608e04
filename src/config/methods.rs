//! Whether the settings of methods make sense, and whether the chosen one can do with the curriculum.

use engram_agents::{
    continual::{MethodConfig, MethodName},
    fisher::FisherConfig,
};

use super::error::check;
use super::validate::{Checked, LARGEST_REPLAY, MOST_STEPS, at_most, not_negative, share};
use super::{Config, PhaseConfig};

const STRONGEST_PENALTY: f32 = 1e12;
/// More states would take longer than training does.
const MOST_FISHER_STATES: usize = 100_000;
/// An owner of weights is a byte, of which one value says that there is none.
const MOST_OWNERS: usize = 254;

/// Checks the settings of all methods, chosen or not.
pub(super) fn check_settings(method: &MethodConfig) -> Checked {
    // The strengths of methods that are not chosen count, too: the config is kept, and a later run may choose them.
    let (online, compress) = (&method.online_ewc, &method.progress_compress);
    for (key, lambda) in [
        ("method.l2.lambda", method.l2.lambda),
        ("method.ewc.lambda", method.ewc.lambda),
        ("method.online-ewc.lambda", online.lambda),
        ("method.huszar.lambda", method.huszar.lambda),
        ("method.si.lambda", method.si.lambda),
        ("method.mas.lambda", method.mas.lambda),
        ("method.l2-init.lambda", method.l2_init.lambda),
        ("method.progress-compress.lambda", compress.lambda),
        ("method.replay.weight", method.replay.weight),
        ("method.clear.weight", method.clear.weight),
        ("method.clear.policy_weight", method.clear.policy_weight),
        ("method.clear.value_weight", method.clear.value_weight),
        ("method.distill.weight", method.distill.weight),
    ] {
        check(key, lambda, (0.0..=STRONGEST_PENALTY).contains(&lambda), "a number from 0 to 1e12")?;
    }
    share("method.online-ewc.decay", online.decay)?;
    share("method.progress-compress.decay", compress.decay)?;
    share("method.shrink-perturb.shrink", method.shrink_perturb.shrink)?;
    share("method.shrink-perturb.perturb", method.shrink_perturb.perturb)?;
    for (key, value) in [
        ("method.si.damping", method.si.damping),
        ("method.clear.temperature", method.clear.temperature),
        ("method.distill.temperature", method.distill.temperature),
        ("method.progress-compress.temperature", compress.temperature),
    ] {
        check(key, value, value.is_finite() && value > 0.0, "a finite number greater than 0")?;
    }
    at_most("method.penalty_after_steps", method.penalty_after_steps, MOST_STEPS)?;
    at_most("method.packnet.retrain_updates", method.packnet.retrain_updates, MOST_STEPS)?;
    at_most("method.progress-compress.compress_updates", compress.compress_updates, MOST_STEPS)?;
    let remembered = method.memory.transitions;
    let most = format!("a whole number from 1 to {LARGEST_REPLAY}");
    check("method.memory.transitions", remembered, (1..=LARGEST_REPLAY).contains(&remembered), most)?;
    let states = method.mas.states;
    let most = format!("a whole number from 1 to {MOST_FISHER_STATES}");
    check("method.mas.states", states, (1..=MOST_FISHER_STATES).contains(&states), most)?;
    let FisherConfig { states, temperature, leak, floor, .. } = method.fisher;
    let most = format!("a whole number from 1 to {MOST_FISHER_STATES}");
    check("method.fisher.states", states, (1..=MOST_FISHER_STATES).contains(&states), most)?;
    not_negative("method.fisher.temperature", temperature)?;
    share("method.fisher.leak", leak)?;
    not_negative("method.fisher.floor", floor)
}

/// Whether the method can do with the curriculum.
pub(super) fn check_suits(config: &Config) -> Checked {
    let (name, phases) = (config.method.name, &config.curriculum.phases);
    let joint = phases.iter().any(|phase| phase.task.is_none());
    let expected = "`fine-tune`, `reset`, `shrink-perturb` or `l2-init` where a phase plays all tasks in turns: it leaves \
                    no finished task to consolidate";
    let suits = !joint || name.keeps_nothing() || name == MethodName::L2Init;
    check("method.name", format_args!("`{}`", name.as_str()), suits, expected)?;
    let (remembered, tasks) = (config.method.memory.transitions, config.curriculum.tasks.len());
    let expected = format!("at least {tasks}, one for each task");
    check("method.memory.transitions", remembered, !name.has_memory() || remembered >= tasks, expected)?;
    let recurs = |(index, phase): (usize, &PhaseConfig)| phases[..index].iter().any(|other| other.task == phase.task);
    let recurring = config.curriculum.cycles > 1 || phases.iter().enumerate().any(recurs);
    let unplayed = (0..tasks).find(|task| !phases.is_empty() && phases.iter().all(|phase| phase.task != Some(*task)));
    let packnet = |fits: bool, expected: String| {
        check("method.name", "`packnet`", name != MethodName::PackNet || fits, format!("another method {expected}"))
    };
    packnet(!recurring, "where a task recurs: each task owns weights from its only phase on".into())?;
    packnet(tasks <= MOST_OWNERS, format!("where there are more than {MOST_OWNERS} tasks"))?;
    let unplayed_task = unplayed.unwrap_or_default();
    let expected =
        format!("where no phase plays task {unplayed_task}: a share of the weights would wait for it in vain");
    packnet(unplayed.is_none(), expected)?;
    let keeps = matches!(name, MethodName::PackNet | MethodName::Frozen);
    let mixes = !config.boundary.reset_replay && !config.agent.replay.per_task;
    let expected = format!(
        "true with `{}`, unless `agent.replay.per_task` is: what earlier tasks own would be trained on with weights that are \
         not theirs",
        name.as_str()
    );
    check("boundary.reset_replay", "false", !keeps || !mixes, expected)
}

#[cfg(test)]
mod tests {
    use super::super::validate::tests::refused;
    use super::*;

    #[test]
    fn a_joint_phase_suits_methods_that_consolidate_nothing() {
        for name in MethodName::ALL {
            let alone = name.keeps_nothing() || name == MethodName::L2Init;
            for phases in ["[{}]", "[{ task = 0 }, {}]"] {
                let said = refused(&format!("curriculum.phases={phases};method.name={}", name.as_str()));
                let expected = format!("`method.name` is `{}`; it must be `fine-tune`, `reset`, ", name.as_str());
                assert!(if alone { said == "valid" } else { said.starts_with(&expected) }, "{name:?}: {said}");
                assert!(!said.contains('\n'), "{said}");
            }
        }
    }

    /// Fails if a task could own weights twice: its second phase would prune what its first one keeps.
    #[test]
    fn packnet_plays_each_task_once() {
        let revisit = "curriculum.phases=[{ task = 0 }, { task = 1 }, { task = 0 }]";
        assert_eq!(refused("method.name=packnet"), "valid");
        let unplayed = "curriculum.phases=[{ task = 0 }, { task = 2 }]";
        for (set, why) in [
            (revisit, "where a task recurs"),
            ("curriculum.cycles=2", "recurs"),
            (unplayed, "where no phase plays task 1"),
        ] {
            let error = refused(&format!("method.name=packnet;{set}"));
            assert!(error.starts_with("`method.name` is `packnet`; it must be another method"), "{error}");
            assert!(error.contains(why), "{error}");
            assert_eq!(refused(&format!("method.name=ewc;{set}")), "valid");
        }
    }

    #[test]
    fn what_is_never_to_change_is_not_trained_on_a_mixed_replay_buffer() {
        for method in ["packnet", "frozen"] {
            let kept = format!("method.name={method};boundary.reset_replay=false");
            let error = refused(&kept);
            assert!(error.starts_with("`boundary.reset_replay` is false; it must be true with"), "{error}");
            assert_eq!(refused(&format!("{kept};agent.replay.per_task=true")), "valid");
            assert_eq!(refused("method.name=ewc;boundary.reset_replay=false"), "valid");
        }
    }
}
