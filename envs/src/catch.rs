//! `Catch`: move a paddle under a falling ball.

use crate::chance::Chance;
use crate::env::{End, Env, EnvError, ObservationSpace, Outcome, PlaneKind, Spec};
use crate::frame::{Frame, GROUND, PALETTE};

/// Rows of the board.
pub(crate) const ROWS: u8 = 10;
/// Columns of the board.
pub(crate) const COLUMNS: u8 = 5;
const BOTTOM: u8 = ROWS - 1;

/// bsuite's Catch: nine steps, then 1 for a catch and -1 for a miss.
///
/// A step after the end moves nothing, gives 0 and is [`End::Terminated`] again. Before the first reset the ball
/// stands above the first column.
///
/// The saved state: row and column of the ball, column of the paddle, one byte each.
#[derive(Debug, Clone)]
pub struct Catch {
    spec: Spec,
    ball_row: u8,
    ball_column: u8,
    paddle: u8,
}

impl Catch {
    /// A board with the ball above the first column.
    pub fn new() -> Self {
        Self::described("Catch", "ball and paddle")
    }

    /// The game under another id, for wrappers that show it differently.
    pub(crate) fn described(id: &str, channel: &'static str) -> Self {
        let spec = Spec {
            id: id.into(),
            observation: ObservationSpace::Planes {
                channels: vec![channel.into()],
                height: ROWS.into(),
                width: COLUMNS.into(),
                kind: PlaneKind::Binary,
            },
            actions: ["left", "stay", "right"].map(String::from).to_vec(),
            step_limit: None,
            starts: Some(COLUMNS.into()),
        };
        Self { spec, ball_row: 0, ball_column: 0, paddle: COLUMNS / 2 }
    }

    /// The cells of the ball and the paddle, counted row by row.
    pub(crate) fn cells(&self) -> [usize; 2] {
        [(self.ball_row, self.ball_column), (BOTTOM, self.paddle)]
            .map(|(row, column)| usize::from(row * COLUMNS + column))
    }
}

impl Default for Catch {
    fn default() -> Self {
        Self::new()
    }
}

impl Env for Catch {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.ball_column = chance.integer(0, COLUMNS.into()) as u8;
        self.ball_row = 0;
        self.paddle = COLUMNS / 2;
        Ok(())
    }

    fn step(&mut self, action: usize, _chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.spec.check_action(action)?;
        if self.ball_row == BOTTOM {
            return Ok(Outcome { reward: 0.0, end: Some(End::Terminated) });
        }
        self.paddle = (self.paddle + action as u8).saturating_sub(1).min(COLUMNS - 1);
        self.ball_row += 1;
        Ok(if self.ball_row < BOTTOM {
            Outcome { reward: 0.0, end: None }
        } else {
            let caught = self.ball_column == self.paddle;
            Outcome { reward: if caught { 1.0 } else { -1.0 }, end: Some(End::Terminated) }
        })
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        out.fill(0.0);
        for cell in self.cells() {
            out[cell] = 1.0;
        }
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        Ok(vec![self.ball_row, self.ball_column, self.paddle])
    }

    fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        match *state {
            [ball_row, ball_column, paddle] if ball_row < ROWS && ball_column < COLUMNS && paddle < COLUMNS => {
                (self.ball_row, self.ball_column, self.paddle) = (ball_row, ball_column, paddle);
                Ok(())
            }
            [..] => Err(self.spec.bad_state("it is not a row and two columns of the board")),
        }
    }

    fn render(&mut self) -> Result<Frame, EnvError> {
        const CELL: f64 = 24.0;
        let mut frame = Frame::new(usize::from(COLUMNS) * CELL as usize, usize::from(ROWS) * CELL as usize, GROUND);
        let corner = |row: u8, column: u8| [f64::from(column) * CELL, f64::from(row) * CELL];
        frame.rectangle(corner(BOTTOM, self.paddle), [CELL; 2], PALETTE[0]);
        frame.disc(corner(self.ball_row, self.ball_column).map(|side| side + CELL / 2.0), CELL / 2.0, PALETTE[1]);
        Ok(frame)
    }
}
