//! The student: its config, and its network with the heads that play.

use std::collections::BTreeMap;

use engram_agents::{
    continual::{MethodConfig, MethodName},
    dqn::{BoundaryConfig, DqnConfig},
    network::{Conditioning, NetworkConfig, QNetwork},
    optimizer::OptimizerConfig,
    replay::ReplayConfig,
    schedule::EpsilonConfig,
};

use super::{Recipe, memory::EPSILON};
use crate::config::{Config, CurriculumConfig, EvaluationConfig, Order, PhaseConfig};

/// What a teacher teaches: one task of a run.
#[derive(Debug, Clone, Copy)]
pub struct Lesson<'a> {
    /// The run's resolved config.
    pub config: &'a Config,
    /// The task in it.
    pub task: usize,
}

/// States in an update of the student.
const BATCH_SIZE: usize = 32;

/// The config of a student of some lessons, at least one: their tasks in that order, an output layer each, the network
/// of the first one's run with other hidden layers where they are given. The error says what two runs disagree in.
///
/// The agent's other settings say how the student is taught; its phases are what the teachers play.
pub fn student(
    name: &str,
    seed: u64,
    lessons: &[Lesson<'_>],
    recipe: &Recipe,
    hidden: Option<&[usize]>,
) -> Result<Config, String> {
    let Some(first) = lessons.first().map(|lesson| lesson.config) else { return Err("there is no teacher".into()) };
    let mut observation_scale: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    let mut seen: BTreeMap<&str, Option<&Vec<f32>>> = BTreeMap::new();
    for Lesson { config, task } in lessons {
        let env = config.curriculum.tasks[*task].env.as_str();
        let scale = config.agent.observation_scale.get(env);
        if seen.insert(env, scale).is_some_and(|earlier| earlier != scale) {
            return Err(format!(
                "the teachers of `{env}` do not see it alike: `agent.observation_scale.{env}` differs between their \
                 runs, and one student needs one scale"
            ));
        }
        observation_scale.extend(scale.map(|scale| (env.to_owned(), scale.clone())));
    }
    let tasks: Vec<_> = lessons.iter().map(|Lesson { config, task }| config.curriculum.tasks[*task].clone()).collect();
    let network = NetworkConfig {
        hidden: hidden.map_or_else(|| first.agent.network.hidden.clone(), <[usize]>::to_vec),
        conditioning: Conditioning::Heads,
        ..first.agent.network.clone()
    };
    let states = recipe.states as u64;
    Ok(Config {
        name: name.into(),
        description: format!("one student of {} teachers", lessons.len()),
        seed,
        device: first.device,
        curriculum: CurriculumConfig {
            steps_per_task: states,
            cycles: 1,
            order: Order::Given,
            phases: (0..tasks.len()).map(|task| PhaseConfig::new(Some(task), Some(states))).collect(),
            tasks,
        },
        agent: DqnConfig {
            batch_size: BATCH_SIZE,
            train_period: 1,
            warmup_steps: 0,
            observation_scale,
            network,
            replay: ReplayConfig { capacity: recipe.states.max(BATCH_SIZE + 1), per_task: false },
            epsilon: EpsilonConfig { initial: EPSILON, last: EPSILON, ..first.agent.epsilon },
            optimizer: OptimizerConfig::default(),
            max_gradient_norm: 0.0,
            ..first.agent.clone()
        },
        weights: None,
        boundary: BoundaryConfig::default(),
        method: MethodConfig { name: MethodName::FineTune, ..first.method.clone() },
        evaluation: EvaluationConfig { record_period: 0, ..first.evaluation },
        ..first.clone()
    })
}

/// Copies the parameters of a network into one that has fewer outputs, the first ones, and is the same otherwise.
pub(super) fn cut_heads(from: &dyn QNetwork, into: &mut dyn QNetwork) {
    let layout = into.layout().clone();
    for (entry, wider) in layout.entries().iter().zip(from.layout().entries()) {
        let width = |shape: &[usize]| shape.last().copied().unwrap_or(1);
        let rows = from.params()[wider.range.clone()].chunks_exact(width(&wider.shape));
        let own = into.params_mut()[entry.range.clone()].chunks_exact_mut(width(&entry.shape));
        own.zip(rows).for_each(|(own, row)| own.copy_from_slice(&row[..own.len()]));
    }
}

#[cfg(test)]
mod tests {
    use engram_agents::network::{Input, build};

    use super::*;
    use crate::seeds;

    #[test]
    fn heads_that_are_cut_play_as_before() {
        let config = NetworkConfig { hidden: vec![5, 4], ..NetworkConfig::default() };
        let device = engram_agents::network::DeviceKind::Cpu.open().unwrap();
        let make = |outputs, seed| {
            build(&config, Input::Vector(3), outputs, 2, &device, &mut seeds::stream(seed, "init", 0, 0)).unwrap()
        };
        let (mut wide, mut narrow) = (make(7, 1), make(2, 2));
        cut_heads(wide.as_ref(), narrow.as_mut());
        for task in 0..2 {
            let (mut all, mut kept) = ([0.0; 7], [0.0; 2]);
            wide.infer(&[0.1, 0.2, -0.3], task, &mut all).unwrap();
            narrow.infer(&[0.1, 0.2, -0.3], task, &mut kept).unwrap();
            assert!(all.iter().zip(&kept).all(|(one, other)| (one - other).abs() < 1e-6), "{all:?} {kept:?}");
        }
    }
}
