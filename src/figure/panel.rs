//! How every panel with axes looks, and lines with bands in it.

use plotters::chart::{ChartContext, MeshStyle};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::canvas::{DrawError, FINE};
use crate::statistics::Interval;

pub const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub const GRID: RGBColor = RGBColor(0xD8, 0xD8, 0xD8);
pub const SHADE: RGBColor = RGBColor(0xF3, 0xEF, 0xE2);
/// Opacity of an interval.
pub const BAND: f64 = 0.18;

// Layout in points.
pub const MARGIN: i32 = 16;
/// A column of panels, and the head above it.
pub const WIDTH: i32 = 720;
pub const Y_AXIS: i32 = 56;
pub const X_AXIS: i32 = 44;

/// A panel's coordinates.
pub type Plane = Cartesian2d<RangedCoordf64, RangedCoordf64>;

/// The axes of a panel before they are drawn.
pub type Axes<'a, 'b, B> = MeshStyle<'a, 'b, RangedCoordf64, RangedCoordf64, B>;

/// One group of runs in a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub color: RGBColor,
    pub points: Vec<Point>,
}

/// A place on a line, with the interval around it if there is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Where it stands from left to right.
    pub x: f64,
    /// Its value.
    pub y: f64,
    /// The interval around that.
    pub band: Option<Interval>,
}

/// Draws all bands, then all lines over them. What has no number is a gap.
pub fn draw_lines<B: DrawingBackend>(
    chart: &mut ChartContext<'_, B, Plane>,
    lines: &[Line],
) -> Result<(), DrawError<B>> {
    for line in lines {
        let finite = |band: &Interval| band.low.is_finite() && band.high.is_finite();
        let band = line.points.iter().filter_map(|point| Some((point.x, point.band.filter(finite)?)));
        let low = band.clone().map(|(x, band)| (x, band.low));
        let high = band.rev().map(|(x, band)| (x, band.high));
        chart.draw_series([Polygon::new(low.chain(high).collect::<Vec<_>>(), line.color.mix(BAND))])?;
    }
    for line in lines {
        let points = line.points.iter().map(|point| (point.x, point.y));
        chart.draw_series(LineSeries::new(points, line.color.stroke_width(2 * FINE as u32)))?;
    }
    Ok(())
}

/// Horizontal lines alone, and no more of them than there are labels.
pub fn quiet<'m, 'a, 'b, B: DrawingBackend>(mesh: &'m mut Axes<'a, 'b, B>) -> &'m mut Axes<'a, 'b, B> {
    mesh.disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.stroke_width(FINE as u32 / 2))
        .axis_style(INK.stroke_width(FINE as u32 / 2))
        .label_style(font(14))
        .axis_desc_style(font(15))
        .set_all_tick_mark_size(4 * FINE)
}

/// The smallest and the largest of the values, and of `start`.
pub fn extent(start: (f64, f64), values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.filter(|value| value.is_finite()).fold(start, |(low, high), value| (low.min(value), high.max(value)))
}

/// The extent of scores, 0 and 1 among them, with a little room.
pub fn score_axis<'a>(lines: impl Iterator<Item = &'a Line> + Clone) -> (f64, f64) {
    let points = lines.flat_map(|line| &line.points);
    let bands = points.clone().filter_map(|point| point.band).flat_map(|band| [band.low, band.high]);
    let (low, high) = extent((0.0, 1.0), points.map(|point| point.y).chain(bands));
    let pad = 0.04 * (high - low);
    (low - pad, high + pad)
}

/// Steps as axes count them.
pub fn thousands(step: u64) -> f64 {
    step as f64 / 1000.0
}

/// The figures' font in a size.
pub fn font(points: i32) -> TextStyle<'static> {
    ("sans-serif", points * FINE).into_font().color(&INK)
}
