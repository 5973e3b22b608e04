//! A figure of one panel with a line a group.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::canvas::{DrawError, Drawing, FINE};
use super::header::Header;
use super::panel::{Line, MARGIN, Point, WIDTH, X_AXIS, Y_AXIS, draw_lines, extent, font, quiet};

/// Points from the top to the bottom of the panel.
const PANEL: i32 = 300;

/// Lines with bands, a head above and an axis on two sides.
pub struct LineChart {
    /// What stands above.
    pub header: Header,
    /// A line a group.
    pub lines: Vec<Line>,
    /// What stands at 0, 1, … of the horizontal axis; nothing where it has numbers.
    pub x_names: Vec<String>,
    /// What the horizontal axis counts.
    pub x_label: &'static str,
    /// What the vertical axis counts.
    pub y_label: &'static str,
    /// Its lower and upper end.
    pub y: (f64, f64),
}

impl Drawing for LineChart {
    fn size(&self) -> (u32, u32) {
        ((2 * MARGIN + WIDTH) as u32, (self.header.height() + MARGIN + PANEL + X_AXIS + MARGIN / 2) as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        area.fill(&WHITE)?;
        self.header.draw(area)?;
        let xs = || self.lines.iter().flat_map(|line| &line.points).map(|point| point.x);
        let first = xs().next().unwrap_or(0.0);
        // Names need room on both sides of where they stand.
        let room = if self.x_names.is_empty() { 0.0 } else { 0.5 };
        let (from, to) = extent((first, first), xs());
        let (from, to) = (from - room, to + room);
        let top = (self.header.height() + MARGIN) * FINE;
        let area = area.clone().shrink((MARGIN * FINE, top), (WIDTH * FINE, (PANEL + X_AXIS) * FINE));
        let mut chart = ChartBuilder::on(&area)
            .set_label_area_size(LabelAreaPosition::Left, Y_AXIS * FINE)
            .set_label_area_size(LabelAreaPosition::Bottom, X_AXIS * FINE)
            .build_cartesian_2d(from..to.max(from + 1e-3), self.y.0..self.y.1)?;
        quiet(&mut chart.configure_mesh())
            .x_labels(self.x_names.len().max(8))
            .y_labels(6)
            .x_label_formatter(&|x| if self.x_names.is_empty() { shortest(*x) } else { name(&self.x_names, *x) })
            .y_label_formatter(&|y| format!("{y:.1}"))
            .x_desc(self.x_label)
            .y_desc(self.y_label)
            .axis_desc_style(font(15))
            .draw()?;
        draw_lines(&mut chart, &self.lines)?;
        if !self.x_names.is_empty() {
            // Between names there is nothing, and one name makes no line.
            for line in &self.lines {
                let dot = |point: &Point| Circle::new((point.x, point.y), 3 * FINE, line.color.filled());
                chart.draw_series(line.points.iter().map(dot))?;
            }
        }
        Ok(())
    }
}

/// Charts on top of each other.
pub struct Stack(pub Vec<LineChart>);

impl Drawing for Stack {
    fn size(&self) -> (u32, u32) {
        let sizes = self.0.iter().map(Drawing::size);
        sizes.fold((0, 0), |(wide, high), (width, height)| (wide.max(width), high + height))
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        let mut top = 0;
        for chart in &self.0 {
            let (width, height) = chart.size();
            let size = (width as i32 * FINE, height as i32 * FINE);
            chart.draw(&area.clone().shrink((0, top), size))?;
            top += size.1;
        }
        Ok(())
    }
}

/// The name that stands at a place of an axis.
fn name(names: &[String], x: f64) -> String {
    let whole = (x - x.round()).abs() < 1e-6 && x > -0.5;
    whole.then(|| names.get(x.round() as usize).cloned()).flatten().unwrap_or_default()
}

/// A number on an axis, without the digits that rounding left behind.
fn shortest(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_on_axes_are_short() {
        let texts = [0.1 + 0.2, -1e-9, 8.0, 0.25].map(shortest);
        assert_eq!(texts, ["0.3", "0", "8", "0.25"]);
    }

    #[test]
    fn names_stand_at_whole_numbers() {
        let names = ["dense1".to_owned(), "output".to_owned()];
        assert_eq!([-1.0, 0.0, 0.5, 1.0 - 1e-9, 2.0].map(|x| name(&names, x)), ["", "dense1", "", "output", ""]);
    }
}
