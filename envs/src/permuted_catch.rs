//! `PermutedCatch/{set}-{k}`: Catch with shuffled pixels.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::catch::{COLUMNS, Catch, ROWS};
use crate::chance::Chance;
use crate::env::{Env, EnvError, Outcome, Spec};
use crate::request::Request;

const CELLS: usize = ROWS as usize * COLUMNS as usize;

/// The permutations are data, so that results on them can be compared.
const PERMUTATIONS: &str = include_str!("permutations.json");

/// What the file of permutations holds: by set and task, the board's cell that each cell of the observation shows.
#[derive(Deserialize)]
struct Permutations {
    sets: BTreeMap<String, Vec<Vec<usize>>>,
}

/// [`Catch`] whose cells are shown in another, fixed order; task 0 of each set is Catch itself.
///
/// With the option `patch` only so many rows in the middle of the board are shuffled among themselves, see [`within`].
///
/// Its picture is the default one, the shuffled board: what the agent sees, not the game behind it.
#[derive(Debug, Clone)]
pub struct PermutedCatch {
    game: Catch,
    /// Where the observation shows each cell of the board.
    place: [usize; CELLS],
}

impl PermutedCatch {
    /// Reads set and task from the id.
    pub(crate) fn make(request: &Request<'_>) -> Result<Self, EnvError> {
        let Permutations { sets } =
            serde_json::from_str(PERMUTATIONS).map_err(|error| request.refuse(error.to_string()))?;
        let names = || sets.keys().cloned().collect::<Vec<_>>().join(", ");
        let Some((set, task)) = request.parameters.split_once('-') else {
            return Err(request.refuse(format!("ids are `PermutedCatch/{{set}}-{{k}}` with a set of {}", names())));
        };
        let Some(tasks) = sets.get(set) else {
            return Err(request.refuse(format!("there is no set `{set}`, the sets are {}", names())));
        };
        let permutation = &tasks[request.index(task, tasks.len())?];
        let rows = request.integer("patch", 0..=ROWS.into())? as usize;
        Self::new(request.id, &within(rows, permutation))
            .ok_or_else(|| request.refuse("its order of cells is not a permutation"))
    }

    /// Shows cell `permutation[i]` of the board as cell `i`; `None` if that is no permutation of all cells.
    pub fn new(id: &str, permutation: &[usize]) -> Option<Self> {
        let mut place = [0; CELLS];
        if permutation.len() != CELLS {
            return None;
        }
        for (cell, place) in place.iter_mut().enumerate() {
            *place = permutation.iter().position(|&shown| shown == cell)?;
        }
        Some(Self { game: Catch::described(id, "ball and paddle, shuffled"), place })
    }
}

/// The permutation that shuffles only a patch of whole rows in the middle of the board, and leaves all other cells in place.
///
/// The patch begins `(10 - rows) / 2` rows from the top, rounded down. Its cells are shown in the order in which the whole
/// permutation has them, so that all ten rows are that permutation itself, and none leaves every cell in place.
pub fn within(rows: usize, permutation: &[usize]) -> Vec<usize> {
    let top = usize::from(ROWS).saturating_sub(rows) / 2;
    let patch = top * usize::from(COLUMNS)..((top + rows) * usize::from(COLUMNS)).min(CELLS);
    let mut shuffled = permutation.iter().copied().filter(|cell| patch.contains(cell));
    let shown = |cell| if patch.contains(&cell) { shuffled.next().unwrap_or(cell) } else { cell };
    (0..CELLS).map(shown).collect()
}

impl Env for PermutedCatch {
    fn spec(&self) -> &Spec {
        self.game.spec()
    }

    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.game.reset(chance)
    }

    fn step(&mut self, action: usize, chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.game.step(action, chance)
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        out.fill(0.0);
        for cell in self.game.cells() {
            out[self.place[cell]] = 1.0;
        }
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        self.game.save()
    }

    fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        self.game.load(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_shuffles_its_rows_among_themselves_as_the_whole_permutation_orders_them() {
        let reversed: Vec<usize> = (0..CELLS).rev().collect();
        // Rows 4 and 5 of ten: cells 20 to 29.
        let two = within(2, &reversed);
        assert_eq!(two[20..30], [29, 28, 27, 26, 25, 24, 23, 22, 21, 20]);
        assert!((0..20).chain(30..CELLS).all(|cell| two[cell] == cell));
        // An odd number lies one row higher: row 4.
        assert_eq!(within(1, &reversed)[18..27], [18, 19, 24, 23, 22, 21, 20, 25, 26]);
        assert_eq!(within(10, &reversed), reversed);
        assert_eq!(within(0, &reversed), (0..CELLS).collect::<Vec<_>>());
    }
}
