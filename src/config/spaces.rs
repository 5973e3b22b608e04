//! Whether the tasks of a curriculum exist and fit one network.

use engram_agents::network::Input;
use engram_envs::{ObservationSpace, Registry};

use super::error::{Fault, check};
use super::{Config, ConfigError, TaskConfig};
use crate::{
    curriculum::{packing, widest},
    reference,
};

/// What the network must know of the tasks.
pub(super) struct Tasks {
    pub input: Input,
    pub actions: usize,
    pub count: usize,
    /// What one observation takes in the replay buffer.
    pub observation_bytes: usize,
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
        let env = registry.make(&task.env, &task.options);
        let env = env.map_err(|error| Fault::Unusable(error.into()).of(&key))?;
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
    let spaces = || made.iter().map(|task| &task.observation);
    let input = widest(spaces());
    Ok(Tasks {
        input,
        observation_bytes: packing(&spaces(), config).bytes(input.len()),
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

/// A missing return of random play can be measured at once; that of a trained agent must be known.
fn check_reference(key: &str, task: &TaskConfig) -> Result<(), ConfigError> {
    let Some(single) = reference::single(task) else {
        let expected = format!(
            "given, as no return of an agent trained on `{0}` alone is on record: `reference = {{ single = RETURN }}`; \
             `engram reference measure {0}` measures it",
            task.env
        );
        return check(format!("{key}.reference"), "missing", false, expected);
    };
    let Some(random) = reference::random(task) else {
        let shown = format!("{{ single = {single} }}");
        return check(format!("{key}.reference"), shown, single.is_finite(), "a finite number");
    };
    let shown = format!("{{ random = {random}, single = {single} }}");
    let range = single - random;
    check(format!("{key}.reference"), shown, range.is_finite() && range != 0.0, "two different finite numbers")
}

fn check_scales(config: &Config, tasks: &[Made<'_>]) -> Result<(), ConfigError> {
    for (id, scale) in &config.agent.observation_scale {
        let key = format!("agent.observation_scale.{id}");
        let mut named = tasks.iter().filter(|task| task.id == id).peekable();
        if named.peek().is_none() {
            let mut ids: Vec<String> = tasks.iter().map(|task| format!("`{}`", task.id)).collect();
            ids.dedup();
            let expected = format!("for an environment of the curriculum: {}", ids.join(", "));
            return check(key, "for no task", false, expected);
        }
        // Tasks of one environment may differ in their options, and with these in what they see.
        for task in named {
            let numbers = task.observation.len();
            let shown = format!("{} numbers", scale.len());
            check(&key, shown, scale.len() == numbers, format!("{numbers} numbers, one for each of the observation"))?;
        }
        if let Some(odd) = scale.iter().find(|factor| !factor.is_finite()) {
            check(&key, format!("{odd} in one place"), false, "finite numbers")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use engram_envs::{Chance, Env, EnvError, Outcome, PlaneKind, Spec, registry::Entry};

    use super::super::{Overrides, Source, load};
    use super::*;

    fn config(tasks: &str, set: &[&str]) -> Config {
        let mut set: Vec<String> = set.iter().map(|&text| text.to_owned()).collect();
        set.push(format!("curriculum.tasks=[{tasks}]"));
        load(&Source::from("catch-3"), &Overrides { set, ..Overrides::default() }).unwrap()
    }

    fn refused(tasks: &str, set: &[&str]) -> String {
        check_tasks(&config(tasks, set), &registry()).map_or_else(|error| error.to_string(), |_| "valid".into())
    }

    /// An environment of planes that can be looked at, and no more.
    struct Still(Spec);

    impl Env for Still {
        fn spec(&self) -> &Spec {
            &self.0
        }
        fn reset(&mut self, _: &mut dyn Chance) -> Result<(), EnvError> {
            Ok(())
        }
        fn step(&mut self, _: usize, _: &mut dyn Chance) -> Result<Outcome, EnvError> {
            Ok(Outcome { reward: 0.0, end: None })
        }
        fn observe(&mut self, _: &mut [f32]) -> Result<(), EnvError> {
            Ok(())
        }
        fn save(&mut self) -> Result<Vec<u8>, EnvError> {
            Ok(Vec::new())
        }
        fn load(&mut self, _: &[u8]) -> Result<(), EnvError> {
            Ok(())
        }
    }

    fn registry() -> Registry {
        let mut registry = Registry::standard();
        for (id, channels, size) in
            [("Wide", vec!["a".into()], (10, 6)), ("Deep", vec!["a".into(), "b".into()], (10, 5))]
        {
            let (height, width) = size;
            let observation = ObservationSpace::Planes { channels, height, width, kind: PlaneKind::Binary };
            let spec =
                Spec { id: id.into(), observation, actions: vec!["wait".into()], step_limit: None, starts: None };
            registry.add(Entry::new(id, "", move |_| Ok(Box::new(Still(spec.clone())))));
        }
        registry
    }

    const SCORES: &str = "reference = { random = 0, single = 1 }";

    #[test]
    fn tasks_must_fit_one_network() {
        let error = refused("{ env = 'Catch' }, { env = 'CartPole-v1' }", &[]);
        let expected = "`curriculum.tasks.1.env` is `CartPole-v1`, which sees vectors; it must be an environment that \
            sees planes of 10x5, as task 0, `Catch`";
        assert_eq!(error, expected);
        let error = refused(&format!("{{ env = 'Catch' }}, {{ env = 'Wide', {SCORES} }}"), &[]);
        assert!(error.contains("`Wide`, which sees planes of 10x6; it must be"), "{error}");
        assert_eq!(refused(&format!("{{ env = 'Catch' }}, {{ env = 'Deep', {SCORES} }}"), &[]), "valid");
        assert_eq!(refused("{ env = 'CartPole-v1' }, { env = 'Acrobot-v1' }", &[]), "valid");
    }

    #[test]
    fn the_network_sees_the_widest_task() {
        let deep = config(&format!("{{ env = 'Catch' }}, {{ env = 'Deep', {SCORES} }}"), &[]);
        let tasks = check_tasks(&deep, &registry()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(tasks.input, Input::Planes { channels: 2, height: 10, width: 5 });
        assert_eq!((tasks.actions, tasks.count), (3, 2));
    }

    #[test]
    fn environments_and_options_must_exist() {
        let error = refused("{ env = 'Catch' }, { env = 'PermutedCach/a-1' }", &[]);
        assert!(error.starts_with("`curriculum.tasks.1.env`: unknown environment `PermutedCach/a-1`"), "{error}");
        assert!(error.contains("did you mean `PermutedCatch/a-1`?"), "{error}");
        let error = refused("{ env = 'Addition/0', options = { task = 5 } }", &[]);
        assert!(
            error.starts_with("`curriculum.tasks.0.env`: environment `Addition/0`: there is no option `task`"),
            "{error}"
        );
    }

    #[test]
    fn scores_need_a_reference() {
        assert!(
            refused("{ env = 'Deep' }", &[]).starts_with("`curriculum.tasks.0.reference` is missing; it must be given")
        );
        for scores in [
            "random = 1, single = 1",
            "random = -1e308, single = 1e308",
            "random = nan, single = 1",
            "random = 0, single = inf",
        ] {
            let error = refused(&format!("{{ env = 'Catch', reference = {{ {scores} }} }}"), &[]);
            assert!(error.ends_with("it must be two different finite numbers"), "{error}");
        }
    }

    #[test]
    fn scales_must_fit_an_environment() {
        let scaled = |scale: &str| refused("{ env = 'CartPole-v1' }", &[scale]);
        assert_eq!(scaled("agent.observation_scale.CartPole-v1=[1, 1, 1, 1]"), "valid");
        for (scale, error) in [
            (
                "agent.observation_scale.Acrobot-v1=[1]",
                "is for no task; it must be for an environment of the curriculum",
            ),
            ("agent.observation_scale.CartPole-v1=[1]", "is 1 numbers; it must be 4 numbers"),
            ("agent.observation_scale.CartPole-v1=[1, 1, 1, nan]", "is NaN in one place; it must be finite numbers"),
        ] {
            assert!(scaled(scale).contains(error), "{}", scaled(scale));
        }
    }
}
