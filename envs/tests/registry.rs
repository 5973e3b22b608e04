//! Ids, options and what is said when they are wrong.

use engram_envs::{Chance, Entry, Env, EnvError, ObservationSpace, Options, Outcome, Registry, Spec, Value};

fn options(entries: &[(&str, Value)]) -> Options {
    entries.iter().map(|(name, value)| ((*name).into(), value.clone())).collect()
}

#[track_caller]
fn refusal(id: &str, given: &[(&str, Value)]) -> String {
    match Registry::standard().make(id, &options(given)) {
        Ok(_) => panic!("{id} was made"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_example_can_be_made_and_knows_its_id() {
    for entry in Registry::standard().local() {
        let env = Registry::standard().make(&entry.example, &Options::new()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(env.spec().id, entry.example);
        assert!(!entry.summary.is_empty());
    }
}

#[test]
fn a_misspelt_id_gets_the_nearest_known_one() {
    let error = |id: &str| match Registry::standard().make(id, &Options::new()) {
        Err(EnvError::Unknown { suggestion, .. }) => suggestion,
        _ => panic!("{id}"),
    };
    assert_eq!(error("cartpole").as_deref(), Some("CartPole-v1"));
    assert_eq!(error("CartPole-v0").as_deref(), Some("CartPole-v1"));
    assert_eq!(error("Acrobat-v1").as_deref(), Some("Acrobot-v1"));
    assert_eq!(error("PermutedCatch").as_deref(), Some("PermutedCatch/a-1"));
    assert_eq!(error("Pong"), None);
    assert_eq!(error(""), None);
    assert_eq!(refusal("Cach", &[]), "unknown environment `Cach`: did you mean `Catch`? `engram env list` names all");
}

#[test]
fn a_family_says_which_members_it_has() {
    assert!(refusal("PermutedCatch/d-0", &[]).ends_with("there is no set `d`, the sets are a, b, c"));
    assert!(refusal("PermutedCatch/a-10", &[]).ends_with("`10` is not a number from 0 to 9"));
    assert!(refusal("PermutedCatch/a-+1", &[]).contains("`+1` is not a number"));
    assert!(refusal("PermutedCatch/a", &[]).contains("ids are `PermutedCatch/{set}-{k}`"));
    assert!(refusal("PermutedCatch/a-1", &[("patch", 11.into())]).ends_with("`patch` lies between 0 and 10, not 11"));
    assert!(refusal("Addition/3", &[]).ends_with("`3` is not a number from 0 to 2 (option `tasks` is 3)"));
    assert!(refusal("Addition/x", &[]).contains("`x` is not a number"));
    assert!(refusal("Addition/99999999999999999999999", &[]).contains("is not a number"));
}

#[test]
fn options_are_checked_by_name_kind_and_range() {
    assert_eq!(
        refusal("Addition/0", &[("task", 3.into())]),
        "environment `Addition/0`: there is no option `task`, it has `tasks`, `cue`"
    );
    assert!(refusal("Catch", &[("speed", 1.into())]).ends_with("there is no option `speed`, it has none"));
    assert!(refusal("Addition/0", &[("tasks", "3".into())]).ends_with("option `tasks` is a whole number, not \"3\""));
    assert!(refusal("Addition/0", &[("cue", 1.into())]).ends_with("option `cue` is true or false, not 1"));
    assert!(refusal("Addition/0", &[("tasks", 0.into())]).ends_with("option `tasks` lies between 1 and 20, not 0"));
    assert!(refusal("Addition/0", &[("tasks", i64::MAX.into())]).contains("lies between 1 and 20"));
}

#[test]
fn options_read_and_write_as_plain_values() {
    let text = r#"{"cue":false,"name":"a","sticky":0.1,"tasks":5}"#;
    let read: Options = serde_json::from_str(text).unwrap();
    assert_eq!(read["sticky"], Value::Float(0.1));
    assert_eq!(read["tasks"], Value::Integer(5));
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
}

#[test]
fn a_line_can_be_added_and_replaced() {
    let mut registry = Registry::standard();
    let known = registry.entries().count();
    let entry = Entry::new("Maze/{size}", "a maze", |request| {
        let size = request.index(request.parameters, 5)?;
        let slip = request.float("slip", 0.0..=1.0)?;
        Err(request.refuse(format!("size {size}, slip {slip}")))
    });
    registry.add(entry.example("Maze/3").option("slip", 0.5, "chance of slipping"));
    assert_eq!(registry.entries().count(), known + 1);
    let made = |given: &[(&str, Value)]| registry.make("Maze/4", &options(given)).err().map(|error| error.to_string());
    assert_eq!(made(&[]).as_deref(), Some("environment `Maze/4`: size 4, slip 0.5"));
    assert_eq!(made(&[("slip", 1.into())]).as_deref(), Some("environment `Maze/4`: size 4, slip 1"));
    assert!(made(&[("slip", 1.5.into())]).is_some_and(|error| error.ends_with("lies between 0 and 1, not 1.5")));
    assert!(made(&[("slip", f64::NAN.into())]).is_some_and(|error| error.ends_with("not NaN")));
    registry.add(Entry::new("Maze/{size}", "another maze", |request| Err(request.refuse("closed"))));
    assert_eq!(registry.entries().count(), known + 1);
}

/// Nothing but a specification.
struct Described(Spec);

impl Env for Described {
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

#[test]
fn what_nobody_could_play_is_refused() {
    let refusal = |change: fn(&mut Spec)| {
        let mut registry = Registry::empty();
        registry.add(Entry::new("Described", "", move |_| {
            let observation = ObservationSpace::Vector { components: vec!["one".into()] };
            let mut spec = Spec {
                id: "Described".into(),
                observation,
                actions: ["wait"].map(String::from).to_vec(),
                step_limit: None,
                starts: None,
            };
            change(&mut spec);
            Ok(Box::new(Described(spec)))
        }));
        registry.make("Described", &Options::new()).err().map_or_else(|| "fine".into(), |error| error.to_string())
    };
    assert_eq!(refusal(|_| ()), "fine");
    assert!(refusal(|spec| spec.actions.clear()).contains("has no actions"));
    assert!(
        refusal(|spec| spec.observation = ObservationSpace::Vector { components: Vec::new() }).contains("length 0")
    );
    assert!(refusal(|spec| spec.starts = Some(0)).contains("0 starts"));
    assert!(refusal(|spec| spec.step_limit = Some(0)).contains("step limit of 0"));
}
