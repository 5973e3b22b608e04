//! What an intervention does to the scores of runs: a line from each score without it to the score with it.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{DrawError, Drawing, FINE};
use super::panel::{extent, font, quiet};
use super::short_name;

/// The scores of several runs on one task, without and with an intervention.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervention {
    /// The id of the task's environment.
    pub env: String,
    /// One pair a run.
    pub scores: Vec<(f64, f64)>,
}

const COLOR: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// Opacity of a run's line: where many lie on top of each other, it shows.
const LINE: f64 = 0.55;

// Layout in points.
const HEADER: i32 = 64;
const PANEL: (i32, i32) = (210, 220);
const CAPTION: i32 = 30;
const Y_AXIS: i32 = 52;
const X_AXIS: i32 = 30;
const MARGIN: i32 = 16;
const COLUMNS: usize = 5;
/// Where the two scores stand, from 0 to 1 across a panel.
const AT: [f64; 2] = [0.22, 0.78];

/// Interventions side by side, ready to draw.
pub struct Interventions<'a> {
    /// What was done.
    pub title: &'a str,
    /// The names of the two conditions.
    pub conditions: [&'a str; 2],
    /// A panel each.
    pub tasks: &'a [Intervention],
}

impl Interventions<'_> {
    fn columns(&self) -> usize {
        self.tasks.len().clamp(1, COLUMNS)
    }

    fn panel<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, task: usize) -> Result<(), DrawError<B>> {
        let Intervention { env, scores } = &self.tasks[task];
        area.draw_text(short_name(env), &font(16), (Y_AXIS * FINE, 8 * FINE))?;
        let all = self.tasks.iter().flat_map(|task| &task.scores).flat_map(|&(one, other)| [one, other]);
        let (low, high) = extent((0.0, 1.0), all);
        let pad = 0.05 * (high - low);
        let mut chart = ChartBuilder::on(area)
            .margin_top(CAPTION * FINE)
            .margin_bottom(X_AXIS * FINE)
            .set_label_area_size(LabelAreaPosition::Left, Y_AXIS * FINE)
            .build_cartesian_2d(0.0..1.0, low - pad..high + pad)?;
        quiet(&mut chart.configure_mesh())
            .disable_x_axis()
            .y_labels(5)
            .y_label_formatter(&|y| format!("{y:.1}"))
            .y_desc(if task.is_multiple_of(self.columns()) { "score" } else { "" })
            .draw()?;
        for &(one, other) in scores.iter().filter(|(one, other)| one.is_finite() && other.is_finite()) {
            let ends = [(AT[0], one), (AT[1], other)];
            chart.draw_series(LineSeries::new(ends, COLOR.mix(LINE).stroke_width(3 * FINE as u32 / 2)))?;
            chart.draw_series(ends.map(|end| Circle::new(end, 3 * FINE, COLOR.mix(LINE).filled())))?;
        }
        let style = font(14).pos(Pos::new(HPos::Center, VPos::Center));
        let bottom = CAPTION + PANEL.1 + X_AXIS / 2;
        for (condition, at) in self.conditions.into_iter().zip(AT) {
            let x = f64::from(Y_AXIS) + at * f64::from(PANEL.0);
            area.draw_text(condition, &style, (x as i32 * FINE, bottom * FINE))?;
        }
        Ok(())
    }
}

impl Drawing for Interventions<'_> {
    fn size(&self) -> (u32, u32) {
        let rows = self.tasks.len().div_ceil(self.columns()) as i32;
        let width = MARGIN + self.columns() as i32 * (Y_AXIS + PANEL.0 + MARGIN);
        let height = HEADER + rows * (CAPTION + PANEL.1 + X_AXIS) + MARGIN;
        (width as u32, height as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        area.fill(&WHITE)?;
        area.draw_text(self.title, &font(19), (MARGIN * FINE, 12 * FINE))?;
        let legend = "A line a run. Score 0: random policy, 1: agent trained on the task alone.";
        area.draw_text(legend, &font(14), (MARGIN * FINE, 37 * FINE))?;
        for task in 0..self.tasks.len() {
            let (column, row) = ((task % self.columns()) as i32, (task / self.columns()) as i32);
            let left = MARGIN + column * (Y_AXIS + PANEL.0 + MARGIN);
            let top = HEADER + row * (CAPTION + PANEL.1 + X_AXIS);
            let size = ((Y_AXIS + PANEL.0) * FINE, (CAPTION + PANEL.1 + X_AXIS) * FINE);
            self.panel(&area.clone().shrink((left * FINE, top * FINE), size), task)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas;
    use super::*;

    #[test]
    fn every_task_and_condition_is_named_and_every_run_is_a_line() {
        let task = |env: &str, scores: &[(f64, f64)]| Intervention { env: env.into(), scores: scores.into() };
        let tasks = [task("Catch", &[(0.2, 0.9), (0.1, 0.1)]), task("MinAtar/Breakout-v1", &[(1.0, f64::NAN)])];
        let drawing = Interventions { title: "silenced", conditions: ["as left", "silenced"], tasks: &tasks };
        let text = canvas::svg(&drawing).unwrap();
        for label in ["Catch", "Breakout", "as left", "silenced"] {
            assert!(text.contains(label), "{label}");
        }
        assert_eq!(text.matches("<circle").count(), 4, "the run without a number has none");
        assert_eq!(text, canvas::svg(&drawing).unwrap());
    }
}
