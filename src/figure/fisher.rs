//! What the Fisher information of tasks says: their overlap by layer, and what noise of its shape does to scores.

use plotters::style::RGBColor;

use super::{
    colors::colors,
    header::{Header, Swatch},
    line_chart::LineChart,
    panel::{Line, Point, score_axis},
};
use crate::statistics::{Bootstrap, CONFIDENCE, RESAMPLES, mean};

/// The colours of the paper's noise test, as colour-blind readers can tell them apart: inverse, uniform, null.
const NOISE_COLORS: [RGBColor; 3] =
    [RGBColor(0x00, 0x72, 0xB2), RGBColor(0x40, 0x40, 0x40), RGBColor(0xD5, 0x5E, 0x00)];

/// A line with what the legend calls it.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedLine {
    /// Its name.
    pub label: String,
    /// Its points, from left to right; those that are no number are left out.
    pub points: Vec<Point>,
}

impl NamedLine {
    /// The mean over runs at each of `xs`, with its 95 % bootstrap interval where there are several; a run has a value for
    /// each.
    pub fn over_runs(label: &str, xs: impl IntoIterator<Item = f64>, runs: &[&[f64]]) -> Self {
        let xs: Vec<f64> = xs.into_iter().collect();
        let bands = Bootstrap::new(runs.len(), RESAMPLES, 0).mean_intervals(&runs.concat(), xs.len(), CONFIDENCE);
        let point = |(index, (x, band))| {
            let column: Vec<f64> = runs.iter().map(|run| run[index]).collect();
            Point { x, y: mean(&column), band: (runs.len() > 1).then_some(band) }
        };
        Self { label: label.into(), points: xs.into_iter().zip(bands).enumerate().map(point).collect() }
    }
}

/// Fisher overlaps by layer.
pub struct Overlaps<'a> {
    /// What was compared.
    pub title: String,
    /// How many runs it is, and what the band is.
    pub subtitle: String,
    /// The layers, from the input to the output: a line's point at `x` is of layer `x`.
    pub layers: &'a [String],
    /// A line a pair of tasks.
    pub lines: &'a [NamedLine],
}

/// Scores by the magnitude of noise.
pub struct Noises<'a> {
    /// What was perturbed.
    pub title: String,
    /// How many draws or runs it is, and what the band is.
    pub subtitle: String,
    /// A line a shape, in the order of [`Noise::ALL`](crate::fisher_analysis::Noise::ALL).
    pub lines: &'a [NamedLine],
}

impl Overlaps<'_> {
    pub(super) fn chart(&self) -> LineChart {
        let colors = colors(self.lines.iter().map(|line| line.label.as_str()));
        LineChart {
            header: header(&self.title, &self.subtitle, self.lines, &colors),
            lines: lines(self.lines, &colors),
            x_names: self.layers.to_vec(),
            x_label: "layer, from the input to the output",
            y_label: "Fisher overlap",
            y: (-0.02, 1.02),
        }
    }
}

impl Noises<'_> {
    pub(super) fn chart(&self) -> LineChart {
        let lines = lines(self.lines, &NOISE_COLORS);
        LineChart {
            header: header(&self.title, &self.subtitle, self.lines, &NOISE_COLORS),
            x_names: Vec::new(),
            x_label: "length of the noise, as a share of that of the parameters",
            y_label: "score",
            y: score_axis(lines.iter()),
            lines,
        }
    }
}

fn header(title: &str, subtitle: &str, lines: &[NamedLine], colors: &[RGBColor]) -> Header {
    let legend = lines.iter().zip(colors).map(|(line, color)| (line.label.clone(), Swatch::Line(*color)));
    Header { title: title.into(), subtitle: subtitle.into(), legend: legend.collect() }
}

fn lines(lines: &[NamedLine], colors: &[RGBColor]) -> Vec<Line> {
    let finite = |line: &NamedLine| line.points.iter().copied().filter(|point| point.y.is_finite()).collect();
    lines.iter().zip(colors).map(|(line, color)| Line { color: *color, points: finite(line) }).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{canvas, line_chart::Stack},
        *,
    };
    use crate::statistics::Interval;

    fn line(label: &str, values: &[f64]) -> NamedLine {
        let band = Some(Interval { low: 0.1, high: 0.9 });
        let points = values.iter().enumerate().map(|(x, y)| Point { x: x as f64, y: *y, band }).collect();
        NamedLine { label: label.into(), points }
    }

    #[test]
    fn layers_and_lines_are_named_and_what_is_no_number_is_left_out() {
        let layers = ["dense1", "dense2", "output"].map(str::to_owned);
        let pairs = [line("0 and 1", &[0.2, f64::NAN, 0.8]), line("0 and 2", &[0.3, 0.4, 0.5])];
        let noises = ["inverse", "uniform", "null"].map(|name| line(name, &[1.0, 0.5]));
        let overlaps = Overlaps { title: "overlap".into(), subtitle: "two".into(), layers: &layers, lines: &pairs };
        let text = canvas::svg(&overlaps.chart()).unwrap();
        for label in ["dense1", "dense2", "output", "0 and 1", "0 and 2"] {
            assert!(text.contains(label), "{label}");
        }
        assert_eq!(text.matches("<circle").count(), 5);
        let noises = Noises { title: "noise".into(), subtitle: "two".into(), lines: &noises };
        let both = canvas::svg(&Stack(vec![overlaps.chart(), noises.chart()])).unwrap();
        assert!(["dense2", "uniform", "share of that of the parameters"].iter().all(|label| both.contains(label)));
        let (one, other) = (canvas::Drawing::size(&overlaps.chart()), canvas::Drawing::size(&noises.chart()));
        assert!(both.starts_with(&format!("<svg width=\"{}\" height=\"{}\"", one.0, one.1 + other.1)));
    }
}
