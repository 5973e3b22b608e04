//! What a user is told while a run goes on: each a function of what is seen, which says nothing where all is well.
//! `docs/alarms.md` lists them with their causes.

use engram_agents::{
    continual::{Consolidation, Coupling, MethodConfig, MethodName, Revisit},
    dead_units::DeadUnits,
    dqn::{DqnConfig, Update},
    params::{Layout, Owner},
    schedule::EpsilonConfig,
};

use crate::{config::Config, position::Alarm};

/// Updates at a phase's start in which a ratio says nothing yet.
const FIRST_UPDATES: u64 = 100;
/// How many times the task's loss a penalty may be. In `addition`, `catch-3` and `classic2` it stays below 12.
const OUTWEIGHED: f32 = 100.0;
/// A penalty as stiff as this leaves so little of a step that it may round to none.
const HOLDS_ALL: f32 = 1e3;

/// What is remarkable about the updates since the last report; `counts` are the phase's updates so far, and the copies of
/// the target network since the first of them.
pub fn of_update(config: &Config, phase: usize, update: &Update, counts: (u64, u64)) -> Vec<(Alarm, String)> {
    let (method, (updates, copies)) = (&config.method, counts);
    [
        (Alarm::NoPenalty, if phase > 0 && !waits(config) { no_penalty(method, update) } else { None }),
        (Alarm::Outweighed, outweighed(method.name, update, updates)),
        (Alarm::Overshoots, overshoots(method.coupling, update.stiffness)),
        (Alarm::TargetFollows, target_follows(&config.agent, updates, copies)),
    ]
    .into_iter()
    .filter_map(|(alarm, message)| Some((alarm, message?)))
    .collect()
}

/// Whether penalties are to begin to count later in the curriculum, when a task was played long enough.
fn waits(config: &Config) -> bool {
    let (method, curriculum) = (&config.method, &config.curriculum);
    let played = |task: usize| -> u64 {
        let phases = curriculum.phases.iter().filter(|phase| phase.task == Some(task));
        phases.map(|phase| curriculum.steps_of(phase)).fold(0, u64::saturating_add)
    };
    method.name.has_separate_penalties()
        && method.penalty_after_steps > 0
        && (0..curriculum.tasks.len()).any(|task| played(task) >= method.penalty_after_steps)
}

/// The penalty of earlier tasks is zero although parameters have moved. A penalty so stiff that nothing moves is zero with
/// good reason, and that of `progress-compress` holds the knowledge base only, not what is learning.
pub fn no_penalty(method: &MethodConfig, update: &Update) -> Option<String> {
    let (name, moved) = (method.name.as_str(), update.gradient_norm > 0.0 && update.learning_rate > 0.0);
    let holds = update.penalty > 0.0 || update.stiffness >= HOLDS_ALL;
    if !method.name.has_penalty() || method.name == MethodName::ProgressCompress || !moved || holds {
        return None;
    }
    let remedy = if method.name.has_separate_penalties() && method.penalty_after_steps > 0 {
        format!("no task has had method.penalty_after_steps = {} steps; lower it", method.penalty_after_steps)
    } else {
        format!(
            "no task has been consolidated under it, or its strength or all importance is 0; set method.{name}.lambda above 0, or \
             see what was told of importance"
        )
    };
    Some(format!("the penalty of {name} is zero although parameters have moved, so nothing is protected: {remedy}"))
}

/// The penalty is more than 100 times the mean loss of the task, and not just in the first updates.
pub fn outweighed(name: MethodName, update: &Update, updates: u64) -> Option<String> {
    let Update { penalty, td_loss, .. } = *update;
    let name = name.as_str();
    (updates > FIRST_UPDATES && td_loss > 0.0 && penalty > OUTWEIGHED * td_loss).then(|| {
        format!(
            "the penalty is {:.0} times the TD loss, so that hardly anything new can be learnt; lower \
             method.{name}.lambda",
            penalty / td_loss
        )
    })
}

/// An explicit step of the penalty's gradient goes past the anchor where `eta lambda F > 1`, and away from it above 2.
pub fn overshoots(coupling: Coupling, stiffness: f32) -> Option<String> {
    let what = if stiffness > 2.0 { "drives parameters away from their anchors" } else { "overshoots its anchors" };
    (coupling == Coupling::Loss && stiffness > 1.0).then(|| {
        format!(
            "the penalty {what} (step size x lambda x importance reaches {stiffness:.1}); \
             set method.coupling = \"proximal\", or a smaller lambda"
        )
    })
}

/// A target network that is as new as the network itself is none: values chase themselves. Without a discount it plays no
/// part.
pub fn target_follows(agent: &DqnConfig, updates: u64, copies: u64) -> Option<String> {
    let nearly_every = updates >= FIRST_UPDATES && copies >= updates - updates / 10;
    (agent.discount > 0.0 && nearly_every).then(|| {
        format!(
            "the target network was copied {copies} times in {updates} updates, so that values chase themselves; raise \
             agent.target_period, {}, to many times agent.train_period, {}",
            agent.target_period, agent.train_period
        )
    })
}

/// A target network that is not renewed in a phase keeps values at those of the network before it.
pub fn target_stays(agent: &DqnConfig, updates: u64, copies: u64) -> Option<String> {
    (agent.discount > 0.0 && updates > 0 && copies == 0).then(|| {
        format!(
            "the target network was not copied after any of the phase's {updates} updates, so that values rest on what \
             was known before it; lower agent.target_period, {}",
            agent.target_period
        )
    })
}

/// A task that was played before begins with an exploration rate `epsilon` in the upper half of the schedule. Its timer
/// goes on where the first visit left it, so that visit was too short for the decay.
pub fn explores_again(config: &EpsilonConfig, task: &str, epsilon: f32) -> Option<String> {
    let high = config.initial > config.last && epsilon > f32::midpoint(config.initial, config.last);
    high.then(|| {
        format!(
            "{task} is played again with an exploration rate of {epsilon:.2}, as if it were new: its first phase was \
             shorter than the decay; lower agent.epsilon.decay_fraction or that phase's schedule_steps"
        )
    })
}

/// What is remarkable about a consolidation; `revisited` says that the task had been consolidated before.
pub fn of_consolidation(
    consolidation: &Consolidation,
    method: &MethodConfig,
    layout: &Layout,
    revisited: bool,
) -> Vec<String> {
    let mut warnings = consolidation.warnings.clone();
    if let (Some(importance), None) = (&consolidation.importance, &consolidation.diagnostics) {
        warnings.extend(unimportant(method.name, importance, layout));
    }
    warnings.extend(dead_units(method, &consolidation.dead));
    if revisited && method.name.has_separate_penalties() && method.revisit == Revisit::Add {
        warnings.push(
            "this task was consolidated before and both penalties now count; \
             set method.revisit = \"replace\" to drop the old one"
                .into(),
        );
    }
    warnings
}

/// Shared layers none of whose parameters has any importance, where that is no Fisher information (which has warnings of
/// its own).
pub fn unimportant(name: MethodName, importance: &[f32], layout: &Layout) -> Option<String> {
    let shared = || layout.entries().iter().filter(|entry| entry.owner == Owner::Shared);
    let is_zero = |range: std::ops::Range<usize>| importance[range].iter().all(|own| *own == 0.0);
    let zero: Vec<&str> =
        shared().filter(|entry| is_zero(entry.range.clone())).map(|entry| entry.name.as_str()).collect();
    let where_zero =
        if zero.len() == shared().count() { "everywhere".into() } else { format!("in all of {}", zero.join(", ")) };
    let name = name.as_str();
    (!zero.is_empty()).then(|| {
        format!(
            "the importance of {name} is zero {where_zero}, so nothing is protected there: no signal comes \
             through; see to the scale of observations and rewards, and to units that never fire"
        )
    })
}

/// Layers of which more than three quarters of the units never fire on the finished task's states: more than half are
/// found in sound runs (Breakout in `minatar3`). Their weights have no Fisher information and may move until they wake up.
pub fn dead_units(method: &MethodConfig, layers: &[DeadUnits]) -> Option<String> {
    let most: Vec<String> = layers
        .iter()
        .filter(|layer| 4 * layer.dead > 3 * layer.units)
        .map(|layer| format!("{} of {} units of {}", layer.dead, layer.units, layer.layer))
        .collect();
    let remedy = if method.name.has_fisher() && method.fisher.leak == 0.0 {
        "and the penalty leaves their weights free; set method.fisher.leak = 0.1"
    } else {
        "and nothing is learnt with them; lower agent.optimizer.learning_rate"
    };
    (!most.is_empty()).then(|| format!("{} never fire on this task, {remedy}", most.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(td_loss: f32, penalty: f32, stiffness: f32) -> Update {
        Update {
            td_loss,
            penalty,
            stiffness,
            gradient_norm: 1.0,
            learning_rate: 1e-3,
            updates: 50,
            ..Update::default()
        }
    }

    #[test]
    fn a_penalty_is_missed_only_where_it_could_be() {
        let missed = |method: &MethodConfig, update: Update| no_penalty(method, &update).is_some();
        let ewc = MethodConfig::default();
        assert!(missed(&ewc, update(0.1, 0.0, 0.0)));
        assert!(missed(&ewc, update(0.1, 0.0, 1.0)), "an anchor that follows the parameters");
        assert!(!missed(&ewc, update(0.1, 1e-9, 0.0)));
        assert!(!missed(&ewc, update(0.1, 0.0, HOLDS_ALL)));
        assert!(!missed(&ewc, Update { gradient_norm: 0.0, ..update(0.1, 0.0, 0.0) }));
        for name in MethodName::ALL {
            let penalised = name.has_penalty() && name != MethodName::ProgressCompress;
            assert_eq!(missed(&MethodConfig { name, ..MethodConfig::default() }, update(0.1, 0.0, 0.0)), penalised);
        }
    }

    #[test]
    fn thresholds_are_those_of_the_documentation() {
        let far =
            |penalty: f32, updates: u64| outweighed(MethodName::Ewc, &update(0.5, penalty, 0.0), updates).is_some();
        assert!(far(50.1, 101) && !far(50.0, 101) && !far(50.1, 100));
        assert!(outweighed(MethodName::Ewc, &update(0.5, 60.0, 0.0), 101).unwrap().contains("120 times"));

        let told = |coupling: Coupling, stiffness: f32| overshoots(coupling, stiffness).unwrap_or_default();
        assert!(told(Coupling::Loss, 1.0).is_empty() && told(Coupling::Proximal, 9.0).is_empty());
        assert!(told(Coupling::Loss, 2.0).contains("overshoots") && told(Coupling::Loss, 2.1).contains("drives"));

        let agent = DqnConfig::default();
        let follows = |updates: u64, copies: u64| target_follows(&agent, updates, copies).is_some();
        assert!(follows(100, 90) && !follows(100, 89) && !follows(99, 99) && follows(100, 400));
        let stays = |updates: u64, copies: u64| target_stays(&agent, updates, copies).is_some();
        assert!(stays(1, 0) && !stays(0, 0) && !stays(9, 1));
        let blind = DqnConfig { discount: 0.0, ..agent.clone() };
        assert!(target_stays(&blind, 9, 0).is_none() && target_follows(&blind, 100, 100).is_none());

        let epsilon = EpsilonConfig { initial: 0.9, last: 0.1, decay_fraction: 0.3 };
        let again = |epsilon_now: f32| explores_again(&epsilon, "Catch", epsilon_now).is_some();
        assert!(again(0.51) && !again(0.5));
        assert!(explores_again(&EpsilonConfig { last: 0.9, ..epsilon }, "Catch", 0.9).is_none(), "always the same");
    }

    #[test]
    fn layers_are_named() {
        let mut layout = Layout::default();
        layout.push("dense1.weight", &[2, 1], Owner::Shared);
        layout.push("dense1.bias", &[1, 1], Owner::Shared);
        layout.push("task0.output.weight", &[1, 1], Owner::Task(0));
        let told = |importance: [f32; 4]| unimportant(MethodName::Mas, &importance, &layout).unwrap_or_default();
        assert!(told([0.0, 1.0, 1.0, 0.0]).is_empty());
        assert!(told([0.0, 0.0, 1.0, 0.0]).contains("zero in all of dense1.weight, so"));
        assert!(told([0.0, 0.0, 0.0, 1.0]).contains("zero everywhere"), "a task's own layer is not protected anyway");

        let layers = |dead: usize| [DeadUnits { layer: "dense1".into(), dead, units: 8 }];
        assert!(dead_units(&MethodConfig::default(), &layers(6)).is_none());
        assert!(dead_units(&MethodConfig::default(), &layers(7)).unwrap().starts_with("7 of 8 units of dense1"));
    }
}
