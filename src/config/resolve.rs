//! From a config as it was written to one that says everything, and its text.

use rand::seq::SliceRandom;

use super::{Config, Order, PhaseConfig, ReferenceConfig};
use crate::{
    reference::{self, Reference},
    seeds,
};

impl Config {
    /// Spells out what is short or implied: every phase of every cycle with its steps, in the order that is played,
    /// the reference of every task, and what the optimizer's rule sets by itself. The result reproduces the run and resolves to itself.
    #[must_use]
    pub fn resolve(mut self) -> Self {
        let curriculum = &mut self.curriculum;
        if curriculum.phases.is_empty() {
            curriculum.phases = (0..curriculum.tasks.len()).map(|task| PhaseConfig::new(Some(task), None)).collect();
        }
        let mut once = std::mem::take(&mut curriculum.phases);
        for phase in &mut once {
            phase.steps = Some(curriculum.steps_of(phase));
        }
        for cycle in 0..curriculum.cycles {
            let mut phases = once.clone();
            if curriculum.order == Order::Random {
                phases.shuffle(&mut seeds::stream(self.seed, "order", u64::from(cycle), 0));
            }
            curriculum.phases.extend(phases);
        }
        (curriculum.order, curriculum.cycles) = (Order::Given, 1);
        for task in &mut curriculum.tasks {
            let known = reference::of(task);
            let known = known.map(|Reference { random, single }| ReferenceConfig { random: Some(random), single });
            task.reference = known.or(task.reference);
        }
        self.agent.optimizer = self.agent.optimizer.resolved();
        self
    }
}

/// The config as text that loads back to an equal one, with every default spelled out.
pub fn to_toml(config: &Config) -> Result<String, toml::ser::Error> {
    // Not by way of a `toml::Value`: that has no f32 and would write 0.001 as 0.0010000000474974513.
    toml::to_string(config)
}

#[cfg(test)]
mod tests {
    use super::super::{Overrides, Source, load};
    use super::*;

    fn config(set: &[&str]) -> Config {
        let set = set.iter().map(|&text| text.to_owned()).collect();
        load(&Source::from("catch-3"), &Overrides { set, ..Overrides::default() }).unwrap()
    }

    fn phases(config: &Config) -> Vec<(Option<usize>, Option<u64>)> {
        config.curriculum.phases.iter().map(|phase| (phase.task, phase.steps)).collect()
    }

    #[test]
    fn phases_are_spelled_out() {
        let resolved = config(&["curriculum.steps_per_task=500"]).resolve();
        assert_eq!(phases(&resolved), [0, 1, 2].map(|task| (Some(task), Some(500))));
        let given = config(&["curriculum.phases=[{ task = 2, steps = 300 }, { task = 0 }]", "curriculum.cycles=2"]);
        let steps = Some(given.curriculum.steps_per_task);
        assert_eq!(
            phases(&given.resolve()),
            [(Some(2), Some(300)), (Some(0), steps), (Some(2), Some(300)), (Some(0), steps)]
        );
    }

    #[test]
    fn a_random_order_is_the_seeds_and_plays_each_cycle_in_full() {
        let shuffled = |seed: u64| {
            let seed = format!("seed={seed}");
            config(&["curriculum.order=random", "curriculum.cycles=8", &seed]).resolve()
        };
        let first = shuffled(1);
        assert_eq!(first, shuffled(1));
        assert_ne!(phases(&first), phases(&shuffled(2)));
        let cycles: Vec<Vec<Option<usize>>> =
            first.curriculum.phases.chunks(3).map(|cycle| cycle.iter().map(|phase| phase.task).collect()).collect();
        assert_eq!(cycles.len(), 8);
        assert!(cycles.iter().any(|cycle| *cycle != cycles[0]), "each cycle is shuffled anew");
        for mut cycle in cycles {
            cycle.sort_unstable();
            assert_eq!(cycle, [0, 1, 2].map(Some));
        }
    }

    #[test]
    fn the_optimizers_own_epsilon_is_spelled_out() {
        let epsilon = |set: &[&str]| {
            let optimizer = config(set).resolve().agent.optimizer;
            (optimizer.epsilon, optimizer.epsilon_inside_root)
        };
        assert_eq!(epsilon(&[]), (Some(1e-8), Some(false)));
        let rmsprop = "agent.optimizer.kind=rmsprop";
        assert_eq!(epsilon(&[rmsprop]), (Some(0.01), Some(true)));
        let set = ["agent.optimizer.epsilon=1e-5", "agent.optimizer.epsilon_inside_root=false", rmsprop];
        assert_eq!(epsilon(&set), (Some(1e-5), Some(false)));
    }

    #[test]
    fn resolving_twice_changes_nothing() {
        let once = config(&["curriculum.order=random", "curriculum.cycles=3", "seed=4"]).resolve();
        assert_eq!(once.clone().resolve(), once);
        assert!(once.curriculum.tasks.iter().all(|task| task.reference.is_some()));
    }

    #[test]
    fn the_text_is_readable_and_loads_back_equal() {
        let mut resolved = config(&[
            "agent.optimizer.learning_rate=3e-4",
            "agent.observation_scale.CartPole-v1=[0.4166666667, 0.5]",
            "curriculum.tasks.1.options.probability=0.25",
            "curriculum.tasks.1.options.name=\"a \\\"quoted\\\" name\"",
        ])
        .resolve();
        let text = to_toml(&resolved).unwrap();
        for line in ["learning_rate = 0.0003\n", "beta2 = 0.999\n", "epsilon = 0.00000001\n", "[[curriculum.phases]]\n"]
        {
            assert!(text.contains(line), "no {line:?} in\n{text}");
        }
        assert_eq!(toml::from_str::<Config>(&text).unwrap(), resolved);
        for exponent in -20..=12 {
            let lambda = 0.123_456_79 * 10_f32.powi(exponent);
            resolved.method.ewc.lambda = lambda;
            assert_eq!(toml::from_str::<Config>(&to_toml(&resolved).unwrap()).unwrap(), resolved, "{lambda}");
        }
    }
}
