//! Performance profiles as a figure.

use super::Comparison;
use super::colors::colors;
use super::curves::legend;
use super::header::Header;
use super::line_chart::LineChart;
use super::panel::{Line, Point};
use crate::statistics::Estimate;

/// Draws the share of scores above each of the thresholds, a line a group.
pub fn chart(comparison: &Comparison, thresholds: &[f64], profiles: &[Vec<Estimate>]) -> LineChart {
    let colors = colors(comparison.groups.iter().map(|group| group.method.as_str()));
    let lines = comparison.groups.iter().zip(profiles).zip(colors).map(|((group, profile), color)| {
        let several = group.runs.len() > 1;
        let point = |(&x, estimate): (&f64, &Estimate)| Point {
            x,
            y: estimate.value,
            band: several.then_some(estimate.interval),
        };
        Line { color, points: thresholds.iter().zip(profile).map(point).collect() }
    });
    LineChart {
        header: Header {
            title: format!("{}: how many of the final scores lie above a threshold", comparison.preset),
            subtitle: "Share of all runs and tasks with 95 % bootstrap interval, point by point; higher is better."
                .into(),
            legend: legend(comparison),
        },
        lines: lines.collect(),
        x_names: Vec::new(),
        x_label: "threshold τ",
        y_label: "share of scores above τ",
        y: (-0.02, 1.02),
    }
}
