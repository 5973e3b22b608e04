//! The performance matrix as a picture and as text: what each phase of training did to every task.

use std::fmt::Write;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{self, DrawError, Drawing, FINE, Png};
use super::panel::INK;
use super::{FigureError, short_name, two_decimals};
use crate::metrics::{PerformanceMatrix, Row};
use crate::statistics::Interval;

/// Ink on a light cell, told apart from [`INK`] since a page in dark colours changes that alone.
const CELL_INK: RGBColor = RGBColor(0x21, 0x21, 0x21);
const FRAME: RGBColor = RGBColor(0xE6, 0x9F, 0x00);
const UNKNOWN: RGBColor = RGBColor(0xC0, 0xC0, 0xC0);
/// Light to dark blue, for scores 0, ½ and 1.
const SCALE: [RGBColor; 3] = [RGBColor(0xF7, 0xFB, 0xFF), RGBColor(0x5B, 0xA3, 0xD0), RGBColor(0x08, 0x30, 0x6B)];

// Layout in points.
const MARGIN: i32 = 14;
const TITLE: i32 = 34;
const NAMES: i32 = 26;
const CELL_HEIGHT: i32 = 34;
const LETTER: i32 = 7;

/// Draws the normalised scores: a row a phase, a column a task, the colour scale fixed from 0 to 1.
///
/// Framed cells are the task that the phase trained.
pub fn png(matrix: &PerformanceMatrix, envs: &[String]) -> Result<Png, FigureError> {
    let title = "normalised score (0 random, 1 single-task); framed: task just trained".into();
    canvas::png(&Picture { title, rows: matrix.rows.clone(), intervals: None, envs })
}

/// What a row of the matrix follows: `untrained`, or for instance `after 2 Breakout`.
pub fn row_label(row: &Row, envs: &[String]) -> String {
    match row.trained {
        None => "untrained".into(),
        Some(trained) => {
            let env = trained.task.map_or("all", |task| envs.get(task).map_or("", |env| short_name(env)));
            format!("after {} {env}", trained.phase + 1)
        }
    }
}

/// Renders a performance matrix as an aligned table: a row a phase, a column a task, normalised scores.
pub fn text(matrix: &PerformanceMatrix, envs: &[String]) -> String {
    let trained = matrix.rows.iter().filter_map(|row| row.trained).map(|trained| trained.task);
    let columns = Columns::new(envs, trained);
    let mut text = columns.header(envs);
    text.extend(matrix.rows.iter().map(|row| columns.row(row, envs)));
    text
}

/// Widths that fit every row, also those still to come.
pub(crate) struct Columns {
    label: usize,
    tasks: Vec<usize>,
}

impl Columns {
    /// `phases` are the tasks of all phases, in order.
    pub(crate) fn new(envs: &[String], phases: impl Iterator<Item = Option<usize>>) -> Self {
        let names: Vec<usize> = envs.iter().map(|env| short_name(env).chars().count()).collect();
        let label = |(phase, task): (usize, Option<usize>)| {
            format!("after {} ", phase + 1).len()
                + task.map_or("all".len(), |task| names.get(task).copied().unwrap_or_default())
        };
        let label = phases.enumerate().map(label).max().unwrap_or(0).max("untrained".len());
        Self { label, tasks: names.iter().map(|&name| name.max(5)).collect() }
    }

    /// The line of task names.
    pub(crate) fn header(&self, envs: &[String]) -> String {
        self.line("", envs.iter().map(|env| short_name(env).to_owned()))
    }

    /// The line of one row.
    pub(crate) fn row(&self, row: &Row, envs: &[String]) -> String {
        self.line(&row_label(row, envs), row.normalized.iter().map(|score| two_decimals(*score)))
    }

    fn line(&self, label: &str, cells: impl Iterator<Item = String>) -> String {
        let mut line = format!("{label:width$}", width = self.label);
        for (cell, width) in cells.zip(&self.tasks) {
            let _ = write!(line, "  {cell:>width$}");
        }
        line.push('\n');
        line
    }
}

/// A matrix ready to draw.
pub(super) struct Picture<'a> {
    /// What stands above.
    pub title: String,
    /// The scores that are shown.
    pub rows: Vec<Row>,
    /// The interval below each score, `[rows, tasks]`.
    pub intervals: Option<Vec<Vec<Interval>>>,
    /// The environment id of each task.
    pub envs: &'a [String],
}

impl Picture<'_> {
    fn labels_width(&self) -> i32 {
        let longest = self.rows.iter().map(|row| row_label(row, self.envs).chars().count()).max();
        longest.unwrap_or(0) as i32 * LETTER + 10
    }

    fn cell_width(&self) -> i32 {
        let longest = self.envs.iter().map(|env| short_name(env).chars().count()).max();
        (longest.unwrap_or(0) as i32 * LETTER + 12).max(if self.intervals.is_some() { 84 } else { 64 })
    }

    fn cell<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        (row, task): (usize, usize),
        score: f64,
    ) -> Result<(), DrawError<B>> {
        let left = (MARGIN + self.labels_width() + task as i32 * self.cell_width()) * FINE;
        let top = (TITLE + NAMES + row as i32 * CELL_HEIGHT) * FINE;
        let (right, bottom) = (left + self.cell_width() * FINE, top + CELL_HEIGHT * FINE);
        let inside = |inset: i32| [(left + inset, top + inset), (right - inset, bottom - inset)];
        let trained = self.rows[row].trained.is_some_and(|trained| trained.is(task));
        if trained {
            area.draw(&Rectangle::new(inside(FINE), FRAME.filled()))?;
        }
        area.draw(&Rectangle::new(inside(if trained { 3 * FINE } else { FINE }), color(score).filled()))?;
        let center = |points| {
            let ink = if score > 0.6 { WHITE } else { CELL_INK };
            font(points, ink).pos(Pos::new(HPos::Center, VPos::Center))
        };
        let (x, y) = (i32::midpoint(left, right), i32::midpoint(top, bottom));
        let Some(Interval { low, high }) = self.intervals.as_ref().map(|intervals| intervals[row][task]) else {
            return area.draw_text(&two_decimals(score), &center(15), (x, y));
        };
        area.draw_text(&two_decimals(score), &center(15), (x, y - 4 * FINE))?;
        let interval = format!("[{}, {}]", two_decimals(low), two_decimals(high));
        area.draw_text(&interval, &center(11), (x, y + 9 * FINE))
    }
}

impl Drawing for Picture<'_> {
    fn size(&self) -> (u32, u32) {
        let width = 2 * MARGIN + self.labels_width() + self.envs.len() as i32 * self.cell_width();
        let height = TITLE + NAMES + self.rows.len() as i32 * CELL_HEIGHT + MARGIN;
        // Room for the title, however few the tasks.
        (width.max(430) as u32, height as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        area.fill(&WHITE)?;
        area.draw_text(&self.title, &font(14, INK), (MARGIN * FINE, 10 * FINE))?;
        let left = MARGIN + self.labels_width();
        for (task, env) in self.envs.iter().enumerate() {
            let center = left + task as i32 * self.cell_width() + self.cell_width() / 2;
            let style = font(15, INK).pos(Pos::new(HPos::Center, VPos::Center));
            area.draw_text(short_name(env), &style, (center * FINE, (TITLE + NAMES / 2) * FINE))?;
        }
        for (index, row) in self.rows.iter().enumerate() {
            let middle = TITLE + NAMES + index as i32 * CELL_HEIGHT + CELL_HEIGHT / 2;
            let style = font(15, INK).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw_text(&row_label(row, self.envs), &style, ((left - 8) * FINE, middle * FINE))?;
            for (task, score) in row.normalized.iter().enumerate() {
                self.cell(area, (index, task), *score)?;
            }
        }
        Ok(())
    }
}

/// The colour of a score; scores outside 0 to 1 have the colour of the nearer end.
fn color(score: f64) -> RGBColor {
    if score.is_nan() {
        return UNKNOWN;
    }
    let place = score.clamp(0.0, 1.0) * 2.0;
    let (from, to) = if place < 1.0 { (SCALE[0], SCALE[1]) } else { (SCALE[1], SCALE[2]) };
    let share = if place < 1.0 { place } else { place - 1.0 };
    let mix = |from: u8, to: u8| (f64::from(from) + share * (f64::from(to) - f64::from(from))).round() as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

fn font(points: i32, color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", points * FINE).into_font().color(&color)
}

#[cfg(test)]
mod tests {
    use super::super::runs::tests::run;
    use super::*;

    #[test]
    fn colours_are_fixed_from_zero_to_one() {
        assert_eq!([0.0, 0.5, 1.0].map(color), SCALE);
        assert_eq!((color(-3.0), color(7.0)), (SCALE[0], SCALE[2]));
        assert_eq!(color(f64::NAN), UNKNOWN);
        assert_eq!(color(0.75), RGBColor(0x32, 0x6A, 0x9E));
    }

    #[test]
    fn rows_say_which_task_they_follow() {
        let run = run("ewc", 1, [[0.0; 2]; 3]);
        let labels: Vec<_> = run.matrix.rows.iter().map(|row| row_label(row, &run.envs)).collect();
        assert_eq!(labels, ["untrained", "after 1 Catch", "after 2 Breakout"]);
    }

    #[test]
    fn the_picture_grows_with_the_rows() {
        let run = run("ewc", 1, [[0.0, 0.1], [1.0, 0.2], [f64::NAN, 0.9]]);
        let whole = png(&run.matrix, &run.envs).unwrap();
        let first = png(&PerformanceMatrix { rows: run.matrix.rows[..1].to_vec() }, &run.envs).unwrap();
        assert_eq!(whole.height - first.height, 2 * 2 * CELL_HEIGHT as u32);
        assert_eq!(whole.width, first.width);
    }

    #[test]
    fn the_text_is_an_aligned_table() {
        let run = run("ewc", 1, [[0.0, -0.125], [1.0, 0.0], [0.5, f64::NAN]]);
        let expected = "                  Catch  Breakout\n\
                        untrained          0.00     -0.12\n\
                        after 1 Catch      1.00      0.00\n\
                        after 2 Breakout   0.50       NaN\n";
        assert_eq!(text(&run.matrix, &run.envs), expected);
    }
}
