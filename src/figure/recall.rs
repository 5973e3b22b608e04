//! How much of the first facts is left while others are learnt: the first passes by themselves, then all of them.

use plotters::{coord::Shift, prelude::*};

use super::{
    canvas::{DrawError, Drawing, FINE},
    colors::colors,
    header::{Header, Swatch},
    panel::{Line, MARGIN, Point, SHADE, WIDTH, X_AXIS, Y_AXIS, draw_lines, font, quiet, score_axis},
};
use crate::statistics::Estimate;

// Layout in points.
const PANEL: i32 = 200;
const CAPTION: i32 = 30;

/// Curves of accuracy by passes through the facts since others took the place of the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Recall {
    /// The curves.
    pub arms: Vec<Remembered>,
    /// Passes that are shown by themselves.
    pub first_passes: f64,
    /// The pass with which each further set of facts begins.
    pub switches: Vec<f64>,
}

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    /// What it is of.
    pub label: String,
    /// Over how many runs its means are; 1 has no band.
    pub runs: usize,
    /// Passes, and the accuracy after them.
    pub points: Vec<(f64, Estimate)>,
}

impl Recall {
    fn lines(&self) -> Vec<Line> {
        let line = |(arm, color): (&Remembered, RGBColor)| {
            let band = |estimate: &Estimate| (arm.runs > 1).then_some(estimate.interval);
            let point = |(x, estimate): &(f64, Estimate)| Point { x: *x, y: estimate.value, band: band(estimate) };
            Line { color, points: arm.points.iter().map(point).collect() }
        };
        self.arms.iter().zip(self.colors()).map(line).collect()
    }

    fn colors(&self) -> Vec<RGBColor> {
        colors(self.arms.iter().map(|arm| arm.label.as_str()))
    }

    fn header(&self) -> Header {
        let legend = self.arms.iter().zip(self.colors());
        let runs = self.arms.iter().map(|arm| arm.runs).max().unwrap_or(0);
        Header {
            title: "What is left of the first sums while the next are learnt".into(),
            subtitle: format!("Mean over {runs} seeds with 95 % bootstrap interval. A pass is ten sums."),
            legend: legend.map(|(arm, color)| (arm.label.clone(), Swatch::Line(color))).collect(),
        }
    }

    fn last_pass(&self) -> f64 {
        let passes = self.arms.iter().flat_map(|arm| &arm.points).map(|(pass, _)| *pass);
        passes.fold(self.first_passes, f64::max)
    }

    fn panel<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        caption: &str,
        passes: f64,
    ) -> Result<(), DrawError<B>> {
        let mut lines = self.lines();
        let y = score_axis(lines.iter());
        for line in &mut lines {
            line.points.retain(|point| point.x <= passes);
        }
        area.draw_text(caption, &font(16), (Y_AXIS * FINE, 9 * FINE))?;
        let mut chart = ChartBuilder::on(area)
            .margin_top(CAPTION * FINE)
            .set_label_area_size(LabelAreaPosition::Left, Y_AXIS * FINE)
            .set_label_area_size(LabelAreaPosition::Bottom, X_AXIS * FINE)
            .build_cartesian_2d(0.0..passes, y.0..y.1)?;
        let bounds = self.switches.windows(2).skip(1).step_by(2).filter(|pair| pair[0] < passes);
        chart.draw_series(bounds.map(|pair| Rectangle::new([(pair[0], y.0), (pair[1], y.1)], SHADE.filled())))?;
        quiet(&mut chart.configure_mesh())
            .x_labels(8)
            .y_labels(5)
            .x_label_formatter(&|x| format!("{x}"))
            .y_label_formatter(&|y| format!("{y:.1}"))
            .x_desc("passes since the second addend took the place of the first")
            .y_desc("accuracy")
            .draw()?;
        draw_lines(&mut chart, &lines)
    }
}

impl Drawing for Recall {
    fn size(&self) -> (u32, u32) {
        ((2 * MARGIN + WIDTH) as u32, (self.header().height() + 2 * (CAPTION + PANEL + X_AXIS) + MARGIN / 2) as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        area.fill(&WHITE)?;
        let header = self.header();
        header.draw(area)?;
        let height = CAPTION + PANEL + X_AXIS;
        let first = format!("The first {} passes", self.first_passes);
        let all = "All passes, shaded where the third addend is learnt".to_owned();
        for (row, (caption, passes)) in [(first, self.first_passes), (all, self.last_pass())].into_iter().enumerate() {
            let top = header.height() + row as i32 * height;
            let cell = area.clone().shrink((MARGIN * FINE, top * FINE), (WIDTH * FINE, height * FINE));
            self.panel(&cell, &caption, passes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas;
    use super::*;
    use crate::statistics::Interval;

    fn arm(label: &str, runs: usize, accuracy: [f64; 3]) -> Remembered {
        let estimate = |value: f64| Estimate { value, interval: Interval { low: value - 0.1, high: value } };
        let points = accuracy.into_iter().enumerate().map(|(pass, value)| (20.0 * pass as f64, estimate(value)));
        Remembered { label: label.into(), runs, points: points.collect() }
    }

    #[test]
    fn a_curve_alone_has_no_band_and_the_figure_names_what_it_shows() {
        let arms = vec![arm("ewc", 2, [1.0, 0.9, 0.8]), arm("of 1989", 1, [1.0, 0.57, 0.3])];
        let recall = Recall { arms, first_passes: 30.0, switches: vec![0.0, 20.0, 40.0] };
        let lines = recall.lines();
        assert_eq!(lines[0].points[1].band, Some(Interval { low: 0.8, high: 0.9 }));
        assert!(lines[1].points.iter().all(|point| point.band.is_none()));
        assert_eq!(recall.last_pass(), 40.0);
        let text = canvas::svg(&recall).unwrap();
        for label in ["ewc", "of 1989", "The first 30 passes", "Mean over 2 seeds", "accuracy"] {
            assert!(text.contains(label), "{label}");
        }
    }
}
