//! Every line of the registry satisfies what every environment must, and the checks find what is wrong.

use engram_envs::conformance::check;
use engram_envs::{Chance, End, Entry, Env, EnvError, Frame, ObservationSpace, Options, Outcome, Registry, Spec};

#[track_caller]
fn green(registry: &Registry, id: &str, options: &Options) {
    for row in check(registry, id, options) {
        assert!(row.passed, "{id}: {}: {}", row.name, row.detail);
    }
}

#[test]
fn every_entry_is_green() {
    let registry = Registry::standard();
    assert!(registry.entries().count() >= 5);
    for entry in registry.local() {
        green(&registry, &entry.example, &Options::new());
    }
}

#[test]
fn so_are_other_members_of_the_families() {
    let registry = Registry::standard();
    green(&registry, "PermutedCatch/c-9", &Options::new());
    green(&registry, "Addition/19", &Options::from([("tasks".into(), 20.into()), ("cue".into(), false.into())]));
}

#[test]
fn an_unknown_id_is_one_red_row() {
    let rows = check(&Registry::standard(), "Cetch", &Options::new());
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].passed && rows[0].detail.contains("did you mean `Catch`?"), "{}", rows[0].detail);
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    OwnRandomness,
    IgnoresChance,
    NotFinite,
    LeavesUnwritten,
    TakesAnyAction,
    ForgetsTheClock,
    LoadsAnything,
    MissesTheLimit,
    TwoStarts,
    DrawingWalks,
    DrawsTooLittle,
    OtherId,
}

/// A walk of five steps with a start from 0 to 3, wrong in one way.
struct Walk {
    spec: Spec,
    fault: Fault,
    place: u8,
    clock: u8,
}

impl Walk {
    fn new(fault: Fault) -> Self {
        let spec = Spec {
            id: if fault == Fault::OtherId { "Run" } else { "Walk" }.into(),
            observation: ObservationSpace::Vector { components: vec!["place".into(), "clock".into()] },
            actions: ["left", "right"].map(String::from).to_vec(),
            step_limit: Some(5),
            starts: Some(4),
        };
        let place = if fault == Fault::OwnRandomness { rand::random() } else { 0 };
        Self { spec, fault, place, clock: 0 }
    }
}

impl Env for Walk {
    fn spec(&self) -> &Spec {
        &self.spec
    }
    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.clock = 0;
        let start = chance.integer(0, 4) as u8;
        match self.fault {
            Fault::OwnRandomness => self.place ^= start,
            Fault::IgnoresChance => self.place = 0,
            _ => self.place = start,
        }
        if self.fault == Fault::TwoStarts {
            chance.unit();
        }
        Ok(())
    }
    fn step(&mut self, action: usize, _: &mut dyn Chance) -> Result<Outcome, EnvError> {
        if self.fault != Fault::TakesAnyAction {
            self.spec.check_action(action)?;
        }
        self.place = self.place.wrapping_add(action as u8);
        self.clock += 1;
        let limit = if self.fault == Fault::MissesTheLimit { 6 } else { 5 };
        Ok(Outcome { reward: 0.0, end: (self.clock >= limit).then_some(End::Truncated) })
    }
    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        out[0] = self.place.into();
        match self.fault {
            Fault::NotFinite => out[1] = f32::INFINITY,
            Fault::LeavesUnwritten => {}
            _ => out[1] = self.clock.into(),
        }
        Ok(())
    }
    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        Ok(vec![self.place, self.clock])
    }
    fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        if state.len() != 2 && self.fault != Fault::LoadsAnything {
            return Err(self.spec.bad_state("it is not two bytes"));
        }
        self.place = state[0];
        if self.fault != Fault::ForgetsTheClock {
            self.clock = *state.last().unwrap_or(&0);
        }
        Ok(())
    }
    fn render(&mut self) -> Result<Frame, EnvError> {
        if self.fault == Fault::DrawingWalks {
            self.place = self.place.wrapping_add(1);
        }
        let mut frame = Frame::new(4, 3, [0, 0, self.place]);
        if self.fault == Fault::DrawsTooLittle {
            frame.height = 4;
        }
        Ok(frame)
    }
}

#[test]
fn each_fault_is_found_by_its_check() {
    let faults = [
        (Fault::None, None),
        (Fault::OtherId, Some("made")),
        (Fault::OwnRandomness, Some("seeds")),
        (Fault::IgnoresChance, Some("seeds")),
        (Fault::NotFinite, Some("observations")),
        (Fault::LeavesUnwritten, Some("observations")),
        (Fault::TakesAnyAction, Some("actions")),
        (Fault::ForgetsTheClock, Some("save and load")),
        (Fault::LoadsAnything, Some("save and load")),
        (Fault::MissesTheLimit, Some("endings")),
        (Fault::TwoStarts, Some("starts")),
        (Fault::DrawingWalks, Some("picture")),
        (Fault::DrawsTooLittle, Some("picture")),
    ];
    for (fault, expected) in faults {
        let mut registry = Registry::empty();
        registry.add(Entry::new("Walk", "a walk", move |_| Ok(Box::new(Walk::new(fault)))));
        let rows = check(&registry, "Walk", &Options::new());
        let red: Vec<_> = rows.iter().filter(|row| !row.passed).map(|row| row.name).collect();
        match expected {
            None => assert!(red.is_empty(), "{red:?}"),
            Some(name) => assert!(red.contains(&name), "{name} did not fail, but {red:?}"),
        }
    }
}
