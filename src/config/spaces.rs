//! Whether the tasks of a curriculum exist and fit one network.

use engram_agents::network::Input;
use engram_envs::{ObservationSpace, Registry};

use super::validate::check;
use super::{Config, ConfigError, Place, ReferenceConfig, TaskConfig};
use crate::reference;

/// What the network must know of the tasks.
pub(super) struct Tasks {
    pub input: Input,
    pub actions: usize,
    pub count: usize,
}

/// One task whose environment could be made.
struct Made<'a> {
    id: &'a str,
    observation: ObservationSpace,
    actions: usize,
}

pub(super) fn check_tasks(config: &Config, registry: &Registry) -> Result<Tasks, ConfigError> {
    let mut made: Vec<Made<'_>> = Vec::new();
    for (index, task) in config.curriculum.tasks.iter().enumerate() {
        let task_key = format!("curriculum.tasks.{index}");
        let key = format!("{task_key}.env");
        let env = registry.make(&task.env, &task.options).map_err(|error| ConfigError::Unusable {
            place: Place::Nowhere,
            key: key.clone(),
            cause: error.into(),
        })?;
        let spec = env.spec();
        if let Some(first) = made.first() {
            let expected = format!("an environment that sees {}, as task 0, `{}`", kind(&first.observation), first.id);
            let seen = kind(&spec.observation);
            check(key, format_args!("`{}`, which sees {seen}", task.env), seen == kind(&first.observation), expected)?;
        }
        check_reference(&task_key, task)?;
        made.push(Made { id: &task.env, observation: spec.observation.clone(), actions: spec.actions.len() });
    }
    check_scales(config, &made)?;
    Ok(Tasks {
        input: widest(&made),
        actions: made.iter().map(|task| task.actions).max().unwrap_or(0),
        count: made.len(),
    })
}

/// What must be the same for all tasks: vectors are padded to the longest, planes to the most channels, and no more.
fn kind(observation: &ObservationSpace) -> String {
    match observation {
        ObservationSpace::Vector { .. } => "vectors".into(),
        ObservationSpace::Planes { height, width, .. } => format!("planes of {height}x{width}"),
    }
}

fn widest(tasks: &[Made<'_>]) -> Input {
    match tasks.iter().map(|task| &task.observation).max_by_key(|observation| observation.len()) {
        Some(ObservationSpace::Planes { channels, height, width, .. }) => {
            Input::Planes { channels: channels.len(), height: *height, width: *width }
        }
        Some(vector) => Input::Vector(vector.len()),
        None => Input::Vector(0),
    }
}

fn check_reference(key: &str, task: &TaskConfig) -> Result<(), ConfigError> {
    let Some(ReferenceConfig { random, single }) = reference::of(task) else {
        let expected = format!(
            "given, as no scores of `{}` are on record: \
            `reference = {{ random = the return of random play, single = the return after training on it alone }}`",
            task.env
        );
        return check(format!("{key}.reference"), "missing", false, expected);
    };
    let shown = format!("{{ random = {random}, single = {single} }}");
    let fits = random.is_finite() && single.is_finite() && random != single;
    check(format!("{key}.reference"), shown, fits, "two different finite numbers")
}

fn check_scales(config: &Config, tasks: &[Made<'_>]) -> Result<(), ConfigError> {
    for (id, scale) in &config.agent.observation_scale {
        let key = format!("agent.observation_scale.{id}");
        let Some(task) = tasks.iter().find(|task| task.id == id) else {
            let mut ids: Vec<String> = tasks.iter().map(|task| format!("`{}`", task.id)).collect();
            ids.dedup();
            let expected = format!("for an environment of the curriculum: {}", ids.join(", "));
            return check(key, "for no task", false, expected);
        };
        let numbers = task.observation.len();
        let shown = format!("{} numbers", scale.len());
        check(&key, shown, scale.len() == numbers, format!("{numbers} numbers, one for each of the observation"))?;
        if let Some(odd) = scale.iter().find(|factor| !factor.is_finite()) {
            check(&key, format!("{odd} in one place"), false, "finite numbers")?;
        }
    }
    Ok(())
}
