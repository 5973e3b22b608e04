//! Whole experiments, embedded in the binary as the TOML that `engram preset show` prints.

pub mod fame;

use std::borrow::Cow;

/// The preset that `engram train` runs when it is given none.
pub const DEFAULT: &str = "catch-5";

/// An experiment by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// The name on the command line.
    pub name: Cow<'static, str>,
    /// The config, comments included.
    pub toml: Cow<'static, str>,
}

macro_rules! presets {
    ($($name:literal),*) => {
        [$(Preset {
            name: Cow::Borrowed($name),
            toml: Cow::Borrowed(include_str!(concat!($name, ".toml"))),
        }),*]
    };
}

static PRESETS: [Preset; 13] = presets![
    "addition",
    "cartpole-dqn",
    "catch-3",
    "catch-5",
    "catch-10",
    "catch-5-one-hot",
    "classic2",
    "minatar-dqn",
    "minatar-quick",
    "minatar2",
    "minatar3",
    "minatar5",
    "ewc2017-minatar"
];

/// All presets with a text of their own, short ones first. [`fame::PATTERN`] names forty more.
pub fn all() -> &'static [Preset] {
    &PRESETS
}

/// The preset of this name.
pub fn get(name: &str) -> Option<Preset> {
    PRESETS.iter().find(|preset| preset.name == name).cloned().or_else(|| fame::get(name))
}

#[cfg(test)]
mod tests {
    use engram_agents::{network::Conditioning, schedule::LearningRateSchedule};
    use engram_envs::Registry;

    use super::*;
    use crate::config::{Config, Overrides, Source, load, read, validate};

    fn config(name: &str) -> Config {
        load(&Source::Preset(name.into()), &Overrides::default()).unwrap()
    }

    #[test]
    fn every_preset_is_valid_as_written_and_resolved() {
        let registry = Registry::standard();
        for preset in all() {
            let config = read(&Source::Preset(preset.name.to_string()), &Overrides::default(), &registry).unwrap();
            assert_eq!(config.name, *preset.name);
            assert!(!config.description.is_empty());
            let cycles = config.curriculum.cycles;
            let resolved = config.resolve();
            validate(&resolved, &registry).unwrap();
            let visits = resolved.curriculum.tasks.len() * cycles as usize;
            assert_eq!(resolved.curriculum.phases.len(), visits);
        }
        assert!(get(DEFAULT).is_some());
    }

    #[test]
    fn every_task_is_evaluated_eight_to_twenty_times_while_it_is_learnt() {
        for preset in all() {
            let config = config(&preset.name);
            let evaluations = config.curriculum.steps_per_task / config.evaluation.period;
            assert!((8..=20).contains(&evaluations), "{}: {evaluations}", preset.name);
        }
    }

    #[test]
    fn a_replay_holds_a_whole_task() {
        for (name, slots_a_step) in [("addition", 2.0), ("catch-3", 10.0 / 9.0), ("catch-5", 10.0 / 9.0)] {
            let config = config(name);
            let needed = config.curriculum.steps_per_task as f64 * slots_a_step;
            assert!(config.agent.replay.capacity as f64 >= needed, "{name}");
        }
    }

    #[test]
    fn strengths_are_those_fixed_before_the_first_full_run() {
        for (name, ewc, l2, online) in [
            ("addition", 0.1, 0.03, 1.0),
            ("catch-3", 1.0, 0.01, 1.0),
            ("catch-5", 1.0, 0.02, 1.0),
            ("catch-10", 1.0, 0.02, 1.0),
            ("catch-5-one-hot", 1.0, 0.003, 1.0),
            ("classic2", 100.0, 0.1, 100.0),
            ("minatar2", 3.0, 0.005, 3.0),
            ("minatar3", 10.0, 0.01, 10.0),
            ("minatar5", 100.0, 0.03, 100.0),
        ] {
            let method = config(name).method;
            assert_eq!((method.ewc.lambda, method.l2.lambda), (ewc, l2), "{name}");
            assert_eq!((method.online_ewc.lambda, method.online_ewc.decay), (online, 0.9), "{name}");
            assert_eq!(method.fisher.leak, if name == "classic2" { 0.1 } else { 0.0 }, "{name}");
        }
    }

    #[test]
    fn agents_are_those_of_the_measurements() {
        let classic = config("classic2").agent;
        assert!(classic.double && classic.optimizer.learning_rate_schedule == LearningRateSchedule::Linear);
        assert_eq!(classic.observation_scale["CartPole-v1"], [1.0 / 2.4, 0.5, 5.0, 0.5]);
        for (name, conditioning) in [
            ("addition", Conditioning::None),
            ("catch-3", Conditioning::Heads),
            ("catch-5", Conditioning::Heads),
            ("catch-5-one-hot", Conditioning::OneHot),
        ] {
            let agent = config(name).agent;
            assert_eq!(agent.network.conditioning, conditioning, "{name}");
            assert!(!agent.double && agent.max_gradient_norm == 0.0, "{name}");
        }
    }
}
