//! Every line of the registry satisfies what every environment must, and the checks find what is wrong.

use engram_envs::conformance::check;
use engram_envs::{
    Chance, End, Entry, Env, EnvError, Frame, ObservationSpace, Options, Outcome, PlaneKind, Registry, Spec,
};

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
    green(&registry, "PermutedCatch/c-9", &Options::from([("patch".into(), 3.into())]));
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

/// How a stack of three frames is kept.
#[derive(Clone, Copy, Debug)]
enum Stacking {
    AsDeclared,
    PadsWithBlack,
    KeepsTheFirstStack,
    NewestFirst,
    SkipsAFrame,
}

/// A counter whose frames show how long it has run and where it began.
struct Counter {
    spec: Spec,
    stacking: Stacking,
    /// The last three frames of one row and two columns, the oldest first.
    frames: [[u8; 2]; 3],
}

impl Counter {
    fn new(stacking: Stacking) -> Self {
        let observation = ObservationSpace::Planes {
            channels: ["two ago", "one ago", "now"].map(String::from).to_vec(),
            height: 1,
            width: 2,
            kind: PlaneKind::Stack,
        };
        let actions = vec!["wait".into()];
        let spec = Spec { id: "Counter".into(), observation, actions, step_limit: Some(4), starts: None };
        Self { spec, stacking, frames: [[0; 2]; 3] }
    }

    fn see(&mut self, frame: [u8; 2]) {
        self.frames.rotate_left(1);
        self.frames[2] = frame;
    }
}

impl Env for Counter {
    fn spec(&self) -> &Spec {
        &self.spec
    }
    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        let first = [100, chance.integer(0, 200) as u8];
        match self.stacking {
            Stacking::PadsWithBlack => self.frames = [[0; 2], [0; 2], first],
            Stacking::KeepsTheFirstStack if self.frames[2] != [0; 2] => self.see(first),
            _ => self.frames = [first; 3],
        }
        Ok(())
    }
    fn step(&mut self, action: usize, _: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.spec.check_action(action)?;
        let [clock, start] = self.frames[2];
        if matches!(self.stacking, Stacking::SkipsAFrame) && clock == 102 {
            self.see([0, start]);
        }
        self.see([clock + 1, start]);
        Ok(Outcome { reward: 0.0, end: (clock == 103).then_some(End::Truncated) })
    }
    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        let mut frames = self.frames;
        if matches!(self.stacking, Stacking::NewestFirst) {
            frames.reverse();
        }
        out.iter_mut().zip(frames.as_flattened()).for_each(|(out, byte)| *out = f32::from(*byte));
        Ok(())
    }
    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        Ok(self.frames.as_flattened().to_vec())
    }
    fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        if state.len() != 6 {
            return Err(self.spec.bad_state("it is not six bytes"));
        }
        self.frames.as_flattened_mut().copy_from_slice(state);
        Ok(())
    }
}

#[test]
fn a_stack_that_is_none_is_found() {
    for (stacking, expected) in [
        (Stacking::AsDeclared, None),
        (Stacking::PadsWithBlack, Some("after a reset the frames of its stack differ")),
        (Stacking::KeepsTheFirstStack, Some("after a reset the frames of its stack differ")),
        (Stacking::NewestFirst, Some("a step does not shift its stack by one frame")),
        (Stacking::SkipsAFrame, Some("a step does not shift its stack by one frame")),
    ] {
        let mut registry = Registry::empty();
        registry.add(Entry::new("Counter", "a counter", move |_| Ok(Box::new(Counter::new(stacking)))));
        let rows = check(&registry, "Counter", &Options::new());
        let red: Vec<_> = rows.iter().filter(|row| !row.passed).map(|row| (row.name, row.detail.as_str())).collect();
        let expected: Vec<_> = expected.into_iter().map(|detail| ("observations", detail)).collect();
        assert_eq!(red, expected, "{stacking:?}");
    }
}
