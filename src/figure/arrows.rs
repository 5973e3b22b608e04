//! Where a second game takes the parameters: arrows in a plane whose points are shaded by the scores of both games.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{DrawError, Drawing, FINE};
use super::colors::colors;
use super::curves::font;
use super::two_decimals;

/// The plane of one seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Landscape {
    /// The seed.
    pub seed: u64,
    /// Scores of the first and the second game where the arrows begin, at the origin.
    pub start: [f64; 2],
    /// One a method.
    pub arrows: Vec<Arrow>,
    /// The lower left corner.
    pub low: [f64; 2],
    /// The upper right corner.
    pub high: [f64; 2],
    /// Cells a side.
    pub side: usize,
    /// Scores of both games in the middle of each cell, row by row from below.
    pub scores: Vec<[f64; 2]>,
}

/// Where a method ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrow {
    /// The method.
    pub method: String,
    /// The end, projected into the plane.
    pub to: [f64; 2],
    /// How far it lies from the plane.
    pub off: f64,
    /// Scores of both games at the end itself.
    pub scores: [f64; 2],
}

/// What a cell's colour is multiplied with where a game is scored 1.
const GAMES: [(RGBColor, &str); 2] =
    [(RGBColor(0xB4, 0xBC, 0xC6), "first game played well"), (RGBColor(0xF3, 0xE3, 0xB0), "second game played well")];
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);

// Layout in points.
const MARGIN: i32 = 16;
const HEADER: i32 = 96;
const PANEL: i32 = 250;
const CAPTION: i32 = 26;
const LINE: i32 = 20;
const SWATCH: i32 = 26;

/// Landscapes side by side, ready to draw.
pub struct Landscapes<'a>(pub &'a [Landscape]);

impl Landscapes<'_> {
    fn methods(&self) -> Vec<(&str, RGBColor)> {
        let methods = || self.0.first().into_iter().flat_map(|landscape| &landscape.arrows).map(|arrow| &*arrow.method);
        methods().zip(colors(methods())).collect()
    }

    fn header<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        area.draw_text("Where the second game takes the parameters", &font(19), (MARGIN * FINE, 12 * FINE))?;
        let subtitle =
            "The plane through the end of the first game and the ends of the second, without penalty and under EWC";
        area.draw_text(subtitle, &font(14), (MARGIN * FINE, 37 * FINE))?;
        let style = font(14).pos(Pos::new(HPos::Left, VPos::Center));
        let both = [("both", shade([1.0, 1.0]), 7)];
        let games = GAMES.map(|(color, label)| (label, color, 7)).into_iter().chain(both);
        let methods = self.methods().into_iter().map(|(method, color)| (method, color, 1));
        let mut left = MARGIN;
        for (label, color, half) in games.chain(methods) {
            let middle = 74;
            let swatch = [(left * FINE, (middle - half) * FINE), ((left + SWATCH) * FINE, (middle + half) * FINE)];
            area.draw(&Rectangle::new(swatch, color.filled()))?;
            area.draw_text(label, &style, ((left + SWATCH + 6) * FINE, middle * FINE))?;
            left += SWATCH + 22 + 7 * label.chars().count() as i32;
        }
        Ok(())
    }

    fn panel<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        landscape: &Landscape,
    ) -> Result<(), DrawError<B>> {
        area.draw_text(&format!("seed {}", landscape.seed), &font(15), (0, 4 * FINE))?;
        let plane = area.clone().shrink((0, CAPTION * FINE), (PANEL * FINE, PANEL * FINE));
        for (cells, color) in landscape.stripes() {
            plane.draw(&Rectangle::new(cells, color.filled()))?;
        }
        let start = landscape.place([0.0, 0.0]);
        for (arrow, (_, color)) in landscape.arrows.iter().zip(self.methods()) {
            let end = landscape.place(arrow.to);
            plane.draw(&PathElement::new([start, end], color.stroke_width(5 * FINE as u32 / 2)))?;
            plane.draw(&Polygon::new(head(start, end), color.filled()))?;
        }
        plane.draw(&Circle::new(start, 4 * FINE, INK.filled()))?;
        let mut top = CAPTION + PANEL + 10;
        let mut line = |label: &str, scores: [f64; 2], off: f64| {
            let [first, second] = scores.map(two_decimals);
            let off = if off > 1e-3 { format!(", {off:.2} off the plane") } else { String::new() };
            let text = format!("{label}: {first} and {second}{off}");
            let drawn = area.draw_text(&text, &font(13), (0, top * FINE));
            top += LINE;
            drawn
        };
        line("after the first game", landscape.start, 0.0)?;
        landscape.arrows.iter().try_for_each(|arrow| line(&arrow.method, arrow.scores, arrow.off))
    }
}

impl Landscape {
    /// The middle of a cell.
    pub fn middle(&self, cell: usize) -> [f64; 2] {
        let index = [cell % self.side, cell / self.side];
        [0, 1].map(|axis| {
            let share = (index[axis] as f64 + 0.5) / self.side as f64;
            self.low[axis] + share * (self.high[axis] - self.low[axis])
        })
    }

    /// Where a point lies in its panel, in canvas units from the upper left.
    fn place(&self, at: [f64; 2]) -> (i32, i32) {
        let share = [0, 1].map(|axis| (at[axis] - self.low[axis]) / (self.high[axis] - self.low[axis]));
        let size = f64::from(PANEL * FINE);
        ((share[0] * size) as i32, ((1.0 - share[1]) * size) as i32)
    }

    /// The cells as rectangles with their colours; neighbours of one colour in a row are one.
    fn stripes(&self) -> Vec<([(i32, i32); 2], RGBColor)> {
        let edge = |index: usize| (index as i32 * PANEL * FINE) / self.side as i32;
        let mut stripes = Vec::new();
        for (row, cells) in self.scores.chunks_exact(self.side).enumerate() {
            let (top, bottom) = (edge(self.side - 1 - row), edge(self.side - row));
            let mut from = 0;
            for run in cells.chunk_by(|one, other| shade(*one) == shade(*other)) {
                let to = from + run.len();
                stripes.push(([(edge(from), top), (edge(to), bottom)], shade(run[0])));
                from = to;
            }
        }
        stripes
    }
}

/// White where neither game is played well, each game's colour by its score, and both on top of each other.
fn shade(scores: [f64; 2]) -> RGBColor {
    let mut channels = [255.0; 3];
    for (score, (RGBColor(red, green, blue), _)) in scores.into_iter().zip(GAMES) {
        // A score of a half is not played well; the square keeps it pale.
        let share = if score.is_nan() { 0.0 } else { score.clamp(0.0, 1.0).powi(2) };
        for (channel, full) in channels.iter_mut().zip([red, green, blue]) {
            *channel *= 1.0 - share * (1.0 - f64::from(full) / 255.0);
        }
    }
    let [red, green, blue] = channels.map(|channel| channel.round() as u8);
    RGBColor(red, green, blue)
}

/// The corners of an arrow's head.
fn head(from: (i32, i32), to: (i32, i32)) -> Vec<(i32, i32)> {
    let (x, y) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
    let length = x.hypot(y).max(1.0);
    let (x, y) = (x / length, y / length);
    let (long, wide) = (f64::from(11 * FINE), f64::from(5 * FINE));
    let corner = |side: f64| {
        let at = (-x * long - y * side * wide, -y * long + x * side * wide);
        (to.0 + at.0 as i32, to.1 + at.1 as i32)
    };
    vec![to, corner(1.0), corner(-1.0)]
}

impl Drawing for Landscapes<'_> {
    fn size(&self) -> (u32, u32) {
        let panels = self.0.len().max(1) as i32;
        let lines = 1 + self.0.first().map_or(0, |landscape| landscape.arrows.len()) as i32;
        let width = MARGIN + panels * (PANEL + MARGIN);
        let height = HEADER + CAPTION + PANEL + 10 + lines * LINE + MARGIN;
        (width.max(820) as u32, height as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        area.fill(&WHITE)?;
        self.header(area)?;
        for (index, landscape) in self.0.iter().enumerate() {
            let left = MARGIN + index as i32 * (PANEL + MARGIN);
            let (_, height) = self.size();
            let size = (PANEL * FINE, (height as i32 - HEADER) * FINE);
            self.panel(&area.clone().shrink((left * FINE, HEADER * FINE), size), landscape)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas;
    use super::*;

    fn landscape() -> Landscape {
        let arrow = |method: &str, to| Arrow { method: method.into(), to, off: 0.5, scores: [0.25, 1.0] };
        Landscape {
            seed: 7,
            start: [1.0, 0.0],
            arrows: vec![arrow("fine-tune", [1.0, 0.0]), arrow("ewc", [0.5, 1.0])],
            low: [-1.0, -1.0],
            high: [1.0, 1.0],
            side: 2,
            scores: vec![[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 1.0]],
        }
    }

    #[test]
    fn cells_of_one_colour_are_one_and_rows_begin_below() {
        let (half, full) = (PANEL * FINE / 2, PANEL * FINE);
        let stripes = landscape().stripes();
        assert_eq!(stripes[0], ([(0, half), (full, full)], WHITE));
        assert_eq!(stripes[1], ([(0, 0), (half, half)], GAMES[0].0));
        assert_eq!(stripes.len(), 3);
        assert_eq!(landscape().place([1.0, -1.0]), (full, full));
        assert_eq!(landscape().middle(1), [0.5, -0.5]);
    }

    #[test]
    fn both_games_darken_and_no_number_does_not() {
        assert_eq!(shade([f64::NAN, 1.0]), GAMES[1].0);
        let RGBColor(red, ..) = shade([1.0, 1.0]);
        assert_eq!(red, (0xB4 as f64 * 0xF3 as f64 / 255.0).round() as u8);
    }

    #[test]
    fn the_figure_names_seed_methods_and_scores() {
        let text = canvas::svg(&Landscapes(&[landscape()])).unwrap();
        for label in ["seed 7", "after the first game: 1.00 and 0.00", "ewc: 0.25 and 1.00, 0.50 off the plane"] {
            assert!(text.contains(label), "{label}");
        }
    }
}
