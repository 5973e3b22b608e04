//! What stands above the panels of a figure: title, subtitle, and a legend.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{DrawError, FINE};
use super::panel::{BAND, MARGIN, WIDTH, font};

// Layout in points.
const TOP: i32 = 62;
const ROW: i32 = 24;
const MOST_COLUMNS: usize = 5;
/// From the left end of a swatch to its label.
const INDENT: i32 = 32;
/// No less than the mean width of a letter.
const LETTER: i32 = 7;

/// What a label of the legend explains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Swatch {
    /// A line and the band around it.
    Line(RGBColor),
    /// A plain area.
    Area(RGBColor),
}

/// The head of a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The first line, in larger letters.
    pub title: String,
    /// The second line.
    pub subtitle: String,
    /// Labels from left to right, then down.
    pub legend: Vec<(String, Swatch)>,
}

impl Header {
    /// Points that it takes from the top.
    pub fn height(&self) -> i32 {
        TOP + self.legend.len().div_ceil(self.columns()) as i32 * ROW
    }

    /// As many columns as leave room for the longest label.
    fn columns(&self) -> usize {
        let letters = self.legend.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        let widest = INDENT as usize + letters * LETTER as usize;
        (WIDTH as usize / widest).clamp(1, MOST_COLUMNS)
    }

    /// Draws it at the top of an area.
    pub fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
        area.draw_text(&self.title, &font(19), (MARGIN * FINE, 12 * FINE))?;
        area.draw_text(&self.subtitle, &font(14), (MARGIN * FINE, 37 * FINE))?;
        let style = font(15).pos(Pos::new(HPos::Left, VPos::Center));
        let columns = self.columns();
        for (index, (label, swatch)) in self.legend.iter().enumerate() {
            let (column, row) = ((index % columns) as i32, (index / columns) as i32);
            let left = MARGIN + column * WIDTH / columns as i32;
            let middle = TOP + row * ROW + ROW / 2;
            let bar = |half: i32| [(left * FINE, (middle - half) * FINE), ((left + 26) * FINE, (middle + half) * FINE)];
            match swatch {
                Swatch::Line(color) => {
                    area.draw(&Rectangle::new(bar(7), color.mix(BAND).filled()))?;
                    area.draw(&Rectangle::new(bar(1), color.filled()))?;
                }
                Swatch::Area(color) => area.draw(&Rectangle::new(bar(7), color.filled()))?,
            }
            area.draw_text(label, &style, ((left + INDENT) * FINE, middle * FINE))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_labels_do_not_overlap() {
        let header = |labels: &[&str]| Header {
            title: String::new(),
            subtitle: String::new(),
            legend: labels.iter().map(|label| ((*label).to_owned(), Swatch::Area(WHITE))).collect(),
        };
        assert_eq!(header(&["ewc", "fine-tune", "trained here"]).columns(), MOST_COLUMNS);
        let long = header(&[
            "fine-tune, agent.optimizer.learning_rate = 0.0003, agent.discount = 0.9, agent.batch_size = 64",
            "l2",
        ]);
        assert_eq!((long.columns(), long.height()), (1, TOP + 2 * ROW));
        assert_eq!(header(&[]).height(), TOP);
    }
}
