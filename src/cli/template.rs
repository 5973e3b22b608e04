//! Template: a game of your own. This one, a walk to the right end of a corridor, is there to be replaced.

use engram_envs::{Chance, End, Entry, Env, EnvError, ObservationSpace, Outcome, Spec, TimeLimit};

/// Cells of the corridor.
const CELLS: usize = 7;

/// Steps after which an episode is truncated. The game itself only terminates.
const STEP_LIMIT: u32 = 50;

/// The game: a specification, and as state only what decides the future.
#[derive(Debug)]
pub struct Template {
    spec: Spec,
    cell: usize,
}

/// Its line in the registry.
pub fn entry() -> Entry {
    Entry::new("Template", "walk to the right end of a corridor", |_| {
        Ok(Box::new(TimeLimit::new(Template::new(), STEP_LIMIT)))
    })
}

impl Template {
    /// The game at the left end.
    pub fn new() -> Self {
        let components = (0..CELLS).map(|cell| format!("in cell {cell}")).collect();
        let spec = Spec {
            id: "Template".into(),
            observation: ObservationSpace::Vector { components },
            actions: ["left", "right"].map(String::from).to_vec(),
            step_limit: None,
            starts: None,
        };
        Self { spec, cell: 0 }
    }
}

impl Default for Template {
    fn default() -> Self {
        Self::new()
    }
}

impl Env for Template {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    // All randomness comes from `chance`, so that a seed decides everything.
    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.cell = chance.integer(0, CELLS as i64 - 1) as usize;
        Ok(())
    }

    fn step(&mut self, action: usize, _: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.spec.check_action(action)?;
        self.cell = if action == 0 { self.cell.saturating_sub(1) } else { (self.cell + 1).min(CELLS - 1) };
        let arrived = self.cell == CELLS - 1;
        Ok(Outcome { reward: f32::from(u8::from(arrived)), end: arrived.then_some(End::Terminated) })
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        out.fill(0.0);
        out[self.cell] = 1.0;
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        Ok(vec![self.cell as u8])
    }

    // A state from outside may be anything.
    fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        match state {
            [cell] if usize::from(*cell) < CELLS => self.cell = usize::from(*cell),
            _ => return Err(self.spec.bad_state(format!("{state:?} is not one cell from 0 to {}", CELLS - 1))),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use engram_envs::{Options, Registry, conformance};

    use super::*;

    #[test]
    fn it_conforms() {
        let mut registry = Registry::empty();
        registry.add(entry());
        for check in conformance::check(&registry, "Template", &Options::new()) {
            assert!(check.passed, "{}: {}", check.name, check.detail);
        }
    }
}
