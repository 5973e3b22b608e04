//! Treasure: walk to the corner of a field in which a treasure is buried. The treasure is not seen, so that only what
//! was learnt tells the corners apart.

use engram::envs::{Chance, End, Entry, Env, EnvError, ObservationSpace, Outcome, PlaneKind, Request, Spec, TimeLimit};

/// Rows and columns of the field.
const SIZE: i64 = 5;

/// Steps after which an episode is truncated.
const STEP_LIMIT: u32 = 20;

/// Where a treasure can lie.
const CORNERS: [(&str, [i64; 2]); 4] = [
    ("north-west", [0, 0]),
    ("north-east", [0, SIZE - 1]),
    ("south-west", [SIZE - 1, 0]),
    ("south-east", [SIZE - 1, SIZE - 1]),
];

/// The game.
pub struct Treasure {
    spec: Spec,
    treasure: [i64; 2],
    row: i64,
    column: i64,
}

/// Its line in the registry: one game a corner.
pub fn entry() -> Entry {
    Entry::new("Treasure/{corner}", "find the treasure in a corner of a field", |request| {
        Ok(Box::new(TimeLimit::new(Treasure::make(request)?, STEP_LIMIT)))
    })
    .example("Treasure/north-east")
}

impl Treasure {
    fn make(request: &Request<'_>) -> Result<Self, EnvError> {
        let corner = CORNERS.iter().find(|(name, _)| *name == request.parameters);
        let names = CORNERS.map(|(name, _)| name).join(", ");
        let (_, treasure) = corner.ok_or_else(|| request.refuse(format!("the corners are {names}")))?;
        let side = SIZE as usize;
        let spec = Spec {
            id: request.id.into(),
            observation: ObservationSpace::Planes {
                channels: vec!["player".into()],
                height: side,
                width: side,
                kind: PlaneKind::Binary,
            },
            actions: ["up", "right", "down", "left"].map(String::from).to_vec(),
            step_limit: None,
            starts: None,
        };
        Ok(Self { spec, treasure: *treasure, row: SIZE / 2, column: SIZE / 2 })
    }
}

impl Env for Treasure {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        // Never on the border, so that no corner is found before the first step.
        (self.row, self.column) = (chance.integer(1, SIZE - 1), chance.integer(1, SIZE - 1));
        Ok(())
    }

    fn step(&mut self, action: usize, _: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.spec.check_action(action)?;
        let [down, right] = [[-1, 0], [0, 1], [1, 0], [0, -1]][action];
        self.row = (self.row + down).clamp(0, SIZE - 1);
        self.column = (self.column + right).clamp(0, SIZE - 1);
        let found = [self.row, self.column] == self.treasure;
        Ok(Outcome { reward: if found { 1.0 } else { 0.0 }, end: found.then_some(End::Terminated) })
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        out.fill(0.0);
        out[(self.row * SIZE + self.column) as usize] = 1.0;
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        Ok(vec![self.row as u8, self.column as u8])
    }

    fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let on_the_field = |place: &&u8| i64::from(**place) < SIZE;
        match state {
            [row, column] if [row, column].iter().all(on_the_field) => {
                (self.row, self.column) = (i64::from(*row), i64::from(*column));
                Ok(())
            }
            _ => Err(self.spec.bad_state(format!("{state:?} is no cell of the field"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use engram::envs::{Options, Registry, conformance};

    use super::*;

    #[test]
    fn it_conforms() {
        let mut registry = Registry::empty();
        registry.add(entry());
        for (corner, _) in CORNERS {
            for check in conformance::check(&registry, &format!("Treasure/{corner}"), &Options::new()) {
                assert!(check.passed, "{}: {}", check.name, check.detail);
            }
        }
        assert!(registry.make("Treasure/middle", &Options::new()).is_err());
    }
}
