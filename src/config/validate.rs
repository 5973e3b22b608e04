//! Whether the values of a config make sense, alone and together, before anything is built or written.

use engram_agents::{
    dqn::DqnConfig,
    network::{Architecture, NetworkConfig},
    optimizer::OptimizerConfig,
};
use engram_envs::Registry;

use super::error::{Fault, check, refuse};
use super::spaces::{Tasks, check_tasks};
use super::{Config, ConfigError, CurriculumConfig, methods};
use crate::evaluate::MOST_EPISODES;

/// More than this many steps are a slip of the finger.
pub(super) const MOST_STEPS: u64 = 1_000_000_000_000;
/// More phases would not fit a performance matrix that anyone reads.
const MOST_PHASES: usize = 10_000;
/// More observations are a slip of the finger.
pub(super) const LARGEST_REPLAY: usize = 10_000_000;
/// More bytes of observations would not fit into the memory of a large machine.
const LARGEST_REPLAY_BYTES: usize = 1 << 36;
/// More transitions would not fit into memory with all that the network keeps of them.
const LARGEST_BATCH: usize = 65_536;
const WIDEST_LAYER: usize = 1_000_000;
const DEEPEST_NETWORK: usize = 64;
const MOST_PARAMETERS: usize = 200_000_000;
/// Part of a folder's name, together with method, seed and time.
const LONGEST_NAME: usize = 100;

pub(super) type Checked = Result<(), ConfigError>;

/// Checks every value; the first that makes no sense is the error.
pub fn validate(config: &Config, registry: &Registry) -> Checked {
    check_name(&config.name).map_err(|expected| refuse("name", format_args!("{:?}", config.name), expected))?;
    at_most("seed", config.seed, i64::MAX as u64)?;
    config.device.open().map_err(|error| Fault::Unusable(error.into()).of("device"))?;
    curriculum(&config.curriculum)?;
    let tasks = check_tasks(config, registry)?;
    agent(&config.agent)?;
    network(&config.agent.network, &tasks)?;
    replay_memory(config.agent.replay.capacity, &tasks)?;
    methods::check_settings(&config.method)?;
    methods::check_suits(config)?;
    from_one("evaluation.period", config.evaluation.period)?;
    let episodes = config.evaluation.episodes;
    check(
        "evaluation.episodes",
        episodes,
        (1..=MOST_EPISODES).contains(&episodes),
        format!("from 1 to {MOST_EPISODES}"),
    )?;
    from_one("evaluation.step_limit", config.evaluation.step_limit)?;
    at_most("evaluation.record_period", config.evaluation.record_period, MOST_STEPS)?;
    from_one("log.period", config.log.period)?;
    schedule(config)
}

/// Checks a name that becomes part of a folder's name; the error says what would be right.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let fits = (1..=LONGEST_NAME).contains(&name.len())
        && ![".", ".."].contains(&name)
        && !name.contains(|c: char| c.is_control() || ['/', '\\', ':'].contains(&c));
    let expected = || format!("1 to {LONGEST_NAME} bytes without slashes, colons and control characters");
    if fits { Ok(()) } else { Err(expected()) }
}

fn curriculum(curriculum: &CurriculumConfig) -> Checked {
    let steps = |key: &str, steps: u64| {
        check(key, steps, (1..=MOST_STEPS).contains(&steps), format!("a whole number from 1 to {MOST_STEPS}"))
    };
    let tasks = curriculum.tasks.len();
    steps("curriculum.steps_per_task", curriculum.steps_per_task)?;
    check("curriculum.tasks", "an empty list", tasks > 0, "at least one task, such as `{ env = \"Catch\" }`")?;
    for (index, phase) in curriculum.phases.iter().enumerate() {
        if let Some(task) = phase.task {
            let known = format!("the index of a task, from 0 to {}", tasks - 1);
            check(format!("curriculum.phases.{index}.task"), task, task < tasks, known)?;
        }
        if let Some(own) = phase.steps {
            steps(&format!("curriculum.phases.{index}.steps"), own)?;
        }
        if let Some(own) = phase.schedule_steps {
            steps(&format!("curriculum.phases.{index}.schedule_steps"), own)?;
        }
    }
    let phases = if curriculum.phases.is_empty() { tasks } else { curriculum.phases.len() };
    let most = MOST_PHASES / phases;
    check("curriculum.phases", format_args!("{phases} phases"), most > 0, format!("at most {MOST_PHASES} phases"))?;
    let cycles = curriculum.cycles;
    check("curriculum.cycles", cycles, (1..=most).contains(&(cycles as usize)), format!("from 1 to {most}"))
}

fn agent(agent: &DqnConfig) -> Checked {
    share("agent.discount", agent.discount)?;
    let batch = agent.batch_size;
    check("agent.batch_size", batch, (1..=LARGEST_BATCH).contains(&batch), format!("from 1 to {LARGEST_BATCH}"))?;
    from_one("agent.train_period", agent.train_period)?;
    from_one("agent.target_period", agent.target_period)?;
    not_negative("agent.max_gradient_norm", agent.max_gradient_norm)?;
    let scale = agent.reward_scale;
    check("agent.reward_scale", scale, scale.is_finite() && scale != 0.0, "a finite number other than 0")?;
    not_negative("agent.reward_clip", agent.reward_clip)?;
    let least = agent.batch_size.saturating_add(1);
    let capacity = agent.replay.capacity;
    let expected = format!("from {least}, one more than `agent.batch_size`, to {LARGEST_REPLAY}");
    check("agent.replay.capacity", capacity, (least..=LARGEST_REPLAY).contains(&capacity), expected)?;
    share("agent.epsilon.initial", agent.epsilon.initial)?;
    share("agent.epsilon.final", agent.epsilon.last)?;
    let decay = agent.epsilon.decay_fraction;
    check("agent.epsilon.decay_fraction", decay, (0.0..=1.0).contains(&decay), "from 0 to 1")?;
    optimizer(&agent.optimizer)
}

fn optimizer(optimizer: &OptimizerConfig) -> Checked {
    let positive = |key: &str, value: f32| {
        check(key, value, value.is_finite() && value > 0.0, "a finite number greater than 0, such as 0.001")
    };
    let decay = |key: &str, value: f32| check(key, value, (0.0..1.0).contains(&value), "from 0 to below 1");
    positive("agent.optimizer.learning_rate", optimizer.learning_rate)?;
    share("agent.optimizer.learning_rate_final", optimizer.learning_rate_final)?;
    decay("agent.optimizer.beta1", optimizer.beta1)?;
    decay("agent.optimizer.beta2", optimizer.beta2)?;
    decay("agent.optimizer.decay", optimizer.decay)?;
    positive("agent.optimizer.epsilon", optimizer.epsilon())
}

/// Whether the observations fit into memory, packed as they are.
fn replay_memory(capacity: usize, tasks: &Tasks) -> Checked {
    let most = LARGEST_REPLAY_BYTES / tasks.observation_bytes.max(1);
    let expected =
        format!("at most {most}, or its observations of {} bytes do not fit into 64 GiB", tasks.observation_bytes);
    check("agent.replay.capacity", capacity, capacity <= most, expected)
}

fn network(network: &NetworkConfig, tasks: &Tasks) -> Checked {
    let hidden = &network.hidden;
    let fits = hidden.len() <= DEEPEST_NETWORK && hidden.iter().all(|units| (1..=WIDEST_LAYER).contains(units));
    let expected = format!("at most {DEEPEST_NETWORK} layers of 1 to {WIDEST_LAYER} units");
    check("agent.network.hidden", format_args!("{hidden:?}"), fits, expected)?;
    let convolutions = &network.convolutions;
    let fits = convolutions.len() <= DEEPEST_NETWORK
        && convolutions.iter().all(|own| own.channels.max(own.kernel).max(own.stride) <= WIDEST_LAYER);
    let expected = format!("at most {DEEPEST_NETWORK} with numbers of at most {WIDEST_LAYER}");
    check("agent.network.convolutions", convolutions.len(), fits, expected)?;
    let architecture = Architecture::new(network, tasks.input, tasks.actions, tasks.count)
        .map_err(|error| Fault::Unusable(error.into()).of("agent.network"))?;
    let parameters = architecture.layout().len();
    let expected = format!("small enough for at most {MOST_PARAMETERS} parameters, not {parameters}");
    check("agent.network.hidden", format_args!("{hidden:?}"), parameters <= MOST_PARAMETERS, expected)
}

/// Whether the shortest phase leaves anything to learn.
fn schedule(config: &Config) -> Checked {
    let CurriculumConfig { steps_per_task, phases, .. } = &config.curriculum;
    let shortest = phases.iter().map(|phase| config.curriculum.steps_of(phase)).min().unwrap_or(*steps_per_task);
    let DqnConfig { warmup_steps: warmup, train_period: period, .. } = config.agent;
    let expected = format!("below {shortest}, the steps of the shortest phase, or nothing is learnt in it");
    check("agent.warmup_steps", warmup, warmup < shortest, &expected)?;
    check(
        "agent.train_period",
        period,
        period <= shortest,
        format!("at most {shortest}, the steps of the shortest phase"),
    )?;
    let (target, synced) = (config.agent.target_period, config.boundary.sync_target);
    let expected =
        format!("at most {shortest}, the steps of the shortest phase, where `boundary.sync_target` is false");
    check("agent.target_period", target, synced || target <= shortest, expected)?;
    let first = config.agent.first_update_step();
    let expected =
        format!("such that a multiple of `agent.train_period`, {period}, follows it within {shortest} steps");
    check("agent.warmup_steps", warmup, first <= shortest, expected)
}

pub(super) fn share(key: &str, value: f32) -> Checked {
    check(key, value, (0.0..=1.0).contains(&value), "from 0 to 1")
}

pub(super) fn not_negative(key: &str, value: f32) -> Checked {
    check(key, value, value.is_finite() && value >= 0.0, "a finite number, 0 or greater")
}

fn from_one(key: &str, value: u64) -> Checked {
    check(key, value, value > 0, "a whole number, 1 or greater")
}

pub(super) fn at_most(key: &str, value: u64, most: u64) -> Checked {
    check(key, value, value <= most, format!("at most {most}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Overrides, Source, load};
    use super::*;

    pub fn refused(set: &str) -> String {
        let set = set.split(';').map(str::to_owned).collect();
        let config = load(&Source::from("catch-3"), &Overrides { set, ..Overrides::default() }).unwrap();
        validate(&config, &Registry::standard()).map_or_else(|error| error.to_string(), |()| "valid".into())
    }

    #[test]
    fn each_nonsense_is_named() {
        for (set, key, value) in [
            ("curriculum.steps_per_task=0", "curriculum.steps_per_task", "0"),
            ("curriculum.cycles=0", "curriculum.cycles", "0"),
            ("curriculum.cycles=100000", "curriculum.cycles", "100000"),
            ("curriculum.tasks=[]", "curriculum.tasks", "an empty list"),
            ("curriculum.phases=[{ task = 3 }]", "curriculum.phases.0.task", "3"),
            ("curriculum.phases=[{ task = 1 }, { task = 0, steps = 0 }]", "curriculum.phases.1.steps", "0"),
            ("agent.discount=1.5", "agent.discount", "1.5"),
            ("agent.discount=nan", "agent.discount", "NaN"),
            ("agent.batch_size=0", "agent.batch_size", "0"),
            ("agent.train_period=0", "agent.train_period", "0"),
            ("agent.train_period=20000", "agent.train_period", "20000"),
            ("agent.target_period=0", "agent.target_period", "0"),
            ("agent.warmup_steps=10000", "agent.warmup_steps", "10000"),
            ("agent.max_gradient_norm=-1", "agent.max_gradient_norm", "-1"),
            ("agent.max_gradient_norm=nan", "agent.max_gradient_norm", "NaN"),
            ("agent.reward_scale=0", "agent.reward_scale", "0"),
            ("agent.reward_scale=inf", "agent.reward_scale", "inf"),
            ("agent.replay.capacity=32", "agent.replay.capacity", "32"),
            ("agent.replay.capacity=10000001", "agent.replay.capacity", "10000001"),
            ("agent.batch_size=65537", "agent.batch_size", "65537"),
            ("agent.epsilon.initial=2", "agent.epsilon.initial", "2"),
            ("agent.epsilon.final=-0.1", "agent.epsilon.final", "-0.1"),
            ("agent.epsilon.decay_fraction=1.1", "agent.epsilon.decay_fraction", "1.1"),
            ("agent.optimizer.learning_rate=0", "agent.optimizer.learning_rate", "0"),
            ("agent.optimizer.learning_rate=inf", "agent.optimizer.learning_rate", "inf"),
            ("agent.optimizer.learning_rate_final=2", "agent.optimizer.learning_rate_final", "2"),
            ("agent.optimizer.beta1=1", "agent.optimizer.beta1", "1"),
            ("agent.optimizer.beta2=-0.5", "agent.optimizer.beta2", "-0.5"),
            ("agent.optimizer.decay=nan", "agent.optimizer.decay", "NaN"),
            ("agent.reward_clip=-1", "agent.reward_clip", "-1"),
            ("agent.optimizer.epsilon=0", "agent.optimizer.epsilon", "0"),
            ("agent.network.hidden=[64, 0]", "agent.network.hidden", "[64, 0]"),
            ("agent.network.hidden=[1000001]", "agent.network.hidden", "[1000001]"),
            ("agent.network.hidden=[1000000, 1000000]", "agent.network.hidden", "[1000000, 1000000]"),
            ("method.l2.lambda=-1", "method.l2.lambda", "-1"),
            ("method.ewc.lambda=nan", "method.ewc.lambda", "NaN"),
            ("method.online-ewc.lambda=inf", "method.online-ewc.lambda", "inf"),
            ("method.ewc.lambda=1e13", "method.ewc.lambda", "10000000000000"),
            ("method.online-ewc.decay=1.5", "method.online-ewc.decay", "1.5"),
            ("method.huszar.lambda=-1", "method.huszar.lambda", "-1"),
            ("method.si.lambda=nan", "method.si.lambda", "NaN"),
            ("method.si.damping=0", "method.si.damping", "0"),
            ("method.mas.lambda=-1", "method.mas.lambda", "-1"),
            ("method.mas.states=0", "method.mas.states", "0"),
            ("method.mas.states=100001", "method.mas.states", "100001"),
            ("method.l2-init.lambda=inf", "method.l2-init.lambda", "inf"),
            ("method.shrink-perturb.shrink=1.5", "method.shrink-perturb.shrink", "1.5"),
            ("method.shrink-perturb.perturb=-0.1", "method.shrink-perturb.perturb", "-0.1"),
            ("method.memory.transitions=0", "method.memory.transitions", "0"),
            ("method.memory.transitions=10000001", "method.memory.transitions", "10000001"),
            ("method.name=distill;method.memory.transitions=2", "method.memory.transitions", "2"),
            ("method.replay.weight=-1", "method.replay.weight", "-1"),
            ("method.clear.weight=nan", "method.clear.weight", "NaN"),
            ("method.clear.policy_weight=-1", "method.clear.policy_weight", "-1"),
            ("method.clear.value_weight=1e13", "method.clear.value_weight", "10000000000000"),
            ("method.clear.temperature=0", "method.clear.temperature", "0"),
            ("method.distill.weight=-1", "method.distill.weight", "-1"),
            ("method.distill.temperature=inf", "method.distill.temperature", "inf"),
            ("method.packnet.retrain_updates=1000000000001", "method.packnet.retrain_updates", "1000000000001"),
            ("method.progress-compress.lambda=-1", "method.progress-compress.lambda", "-1"),
            ("method.progress-compress.decay=2", "method.progress-compress.decay", "2"),
            ("method.progress-compress.temperature=nan", "method.progress-compress.temperature", "NaN"),
            (
                "method.progress-compress.compress_updates=1000000000001",
                "method.progress-compress.compress_updates",
                "1000000000001",
            ),
            ("method.penalty_after_steps=1000000000001", "method.penalty_after_steps", "1000000000001"),
            ("curriculum.phases=[{ steps = 0 }]", "curriculum.phases.0.steps", "0"),
            ("method.fisher.states=0", "method.fisher.states", "0"),
            ("method.fisher.states=100001", "method.fisher.states", "100001"),
            ("agent.train_period=7;agent.warmup_steps=9999", "agent.warmup_steps", "9999"),
            ("method.fisher.temperature=-1", "method.fisher.temperature", "-1"),
            ("method.fisher.leak=1.5", "method.fisher.leak", "1.5"),
            ("method.fisher.floor=nan", "method.fisher.floor", "NaN"),
            ("evaluation.period=0", "evaluation.period", "0"),
            ("evaluation.episodes=0", "evaluation.episodes", "0"),
            ("evaluation.episodes=1000001", "evaluation.episodes", "1000001"),
            ("evaluation.step_limit=0", "evaluation.step_limit", "0"),
            ("evaluation.record_period=1000000000001", "evaluation.record_period", "1000000000001"),
            ("log.period=0", "log.period", "0"),
            ("name=", "name", "\"\""),
            ("name=a/b", "name", "\"a/b\""),
            ("name=\"a\\nb\"", "name", "\"a\\nb\""),
        ] {
            let error = refused(set);
            assert!(error.starts_with(&format!("`{key}` is {value}; it must be ")), "{set}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn the_limits_themselves_are_valid() {
        for set in [
            "agent.discount=1;agent.discount=0",
            "agent.replay.capacity=33",
            "agent.warmup_steps=9999",
            "method.ewc.lambda=0;method.l2.lambda=1e12",
            "method.fisher.leak=1",
            "method.shrink-perturb.shrink=0;method.shrink-perturb.perturb=1",
            "method.packnet.retrain_updates=0;method.progress-compress.compress_updates=0",
            "method.name=clear;method.memory.transitions=3",
            "method.name=ewc;method.memory.transitions=1",
            "agent.optimizer.beta1=0",
            "agent.network.hidden=[]",
        ] {
            assert_eq!(refused(set), "valid", "{set}");
        }
    }

    #[test]
    fn the_shortest_phase_bounds_the_warm_up() {
        let error = refused("curriculum.phases=[{ task = 0 }, { task = 1, steps = 150 }]");
        assert!(error.starts_with("`agent.warmup_steps` is 200; it must be below 150"), "{error}");
    }

    /// Fails if a method that consolidates finished tasks is let into a phase that finishes none.
    #[test]
    fn a_target_network_that_is_never_refreshed_is_refused() {
        let error = refused("boundary.sync_target=false;agent.target_period=10001");
        assert!(error.starts_with("`agent.target_period` is 10001; it must be at most 10000"), "{error}");
        assert_eq!(refused("agent.target_period=10001"), "valid");
    }

    #[test]
    fn what_cannot_be_built_is_told_in_its_own_words() {
        let error = refused("agent.network.convolutions=[{ channels = 16, kernel = 6 }]");
        assert!(error.starts_with("`agent.network`: network: a convolution"), "{error}");
        assert!(error.contains("`kernel = 6`"), "{error}");
        if cfg!(not(feature = "cuda")) {
            assert!(refused("device=cuda").starts_with("`device`: device `cuda`: "));
        }
    }
}
