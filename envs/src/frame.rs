//! Pictures of a game: pixels and the few shapes that environments draw themselves with.

mod observation;

/// The red, green and blue of a pixel.
pub type Color = [u8; 3];

/// What nothing is drawn on.
pub const GROUND: Color = [0x18, 0x1C, 0x24];

/// Colours that people with any kind of colour vision tell apart on [`GROUND`]: those of Okabe and Ito (2008) but for
/// black, then white, grey and the pink of Tol's light scheme.
pub const PALETTE: [Color; 10] = [
    [0x56, 0xB4, 0xE9],
    [0xE6, 0x9F, 0x00],
    [0x00, 0x9E, 0x73],
    [0xF0, 0xE4, 0x42],
    [0xCC, 0x79, 0xA7],
    [0xD5, 0x5E, 0x00],
    [0x00, 0x72, 0xB2],
    [0xFF, 0xFF, 0xFF],
    [0x99, 0x99, 0x99],
    [0xFF, 0xAA, 0xBB],
];

/// The longer side of a picture in pixels, about: a board's cells are as large as fit into it.
pub(crate) const SIDE: usize = 240;

/// A picture. Shapes that lie partly outside it are cut off; a point is (pixels from the left, pixels from the top),
/// and a pixel belongs to a shape if its centre does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Three bytes a pixel, row by row from the top.
    pub rgb: Vec<u8>,
}

impl Frame {
    /// A picture of one colour.
    pub fn new(width: usize, height: usize, color: Color) -> Self {
        Self { width, height, rgb: color.repeat(width * height) }
    }

    /// The colour of the pixel in this column and row.
    ///
    /// # Panics
    ///
    /// If there is no such pixel.
    pub fn pixel(&self, column: usize, row: usize) -> Color {
        assert!(column < self.width && row < self.height, "no pixel ({column}, {row})");
        let at = 3 * (row * self.width + column);
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Fills a rectangle with this upper left corner.
    pub fn rectangle(&mut self, [left, top]: [f64; 2], [width, height]: [f64; 2], color: Color) {
        let (right, bottom) = (left + width, top + height);
        self.fill([left, top, right, bottom], color, |[x, y]| left <= x && x < right && top <= y && y < bottom);
    }

    /// Fills a disc.
    pub fn disc(&mut self, centre: [f64; 2], radius: f64, color: Color) {
        let [x, y] = centre;
        let bounds = [x - radius, y - radius, x + radius, y + radius];
        self.fill(bounds, color, |point| squared_distance(point, centre) <= radius * radius);
    }

    /// Draws a line of some thickness with round ends.
    pub fn line(&mut self, from: [f64; 2], to: [f64; 2], thickness: f64, color: Color) {
        let half = thickness / 2.0;
        let along = [to[0] - from[0], to[1] - from[1]];
        let length = squared_distance(from, to);
        let bounds = [
            from[0].min(to[0]) - half,
            from[1].min(to[1]) - half,
            from[0].max(to[0]) + half,
            from[1].max(to[1]) + half,
        ];
        self.fill(bounds, color, |point| {
            let product = (point[0] - from[0]) * along[0] + (point[1] - from[1]) * along[1];
            let share = if length > 0.0 { (product / length).clamp(0.0, 1.0) } else { 0.0 };
            squared_distance(point, [from[0] + share * along[0], from[1] + share * along[1]]) <= half * half
        });
    }

    /// Colours the pixels within the bounds (left, top, right, bottom) whose centres are `inside`.
    fn fill(&mut self, [left, top, right, bottom]: [f64; 4], color: Color, inside: impl Fn([f64; 2]) -> bool) {
        // Casts from float to integer saturate, so that no bound leaves the picture, be it infinite or not a number.
        let (columns, rows) = (left as usize..(right.ceil() as usize).min(self.width), bottom.ceil() as usize);
        for row in top as usize..rows.min(self.height) {
            for column in columns.clone() {
                if inside([column as f64 + 0.5, row as f64 + 0.5]) {
                    let at = 3 * (row * self.width + column);
                    self.rgb[at..at + 3].copy_from_slice(&color);
                }
            }
        }
    }
}

fn squared_distance([x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) -> f64 {
    (x1 - x2) * (x1 - x2) + (y1 - y2) * (y1 - y2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INK: Color = [1, 2, 3];

    /// The picture as text, `#` where there is ink.
    fn text(frame: &Frame) -> Vec<String> {
        let mark = |row, column| if frame.pixel(column, row) == INK { '#' } else { '.' };
        (0..frame.height).map(|row| (0..frame.width).map(|column| mark(row, column)).collect()).collect()
    }

    fn drawn(draw: impl FnOnce(&mut Frame)) -> Vec<String> {
        let mut frame = Frame::new(6, 5, GROUND);
        draw(&mut frame);
        text(&frame)
    }

    #[test]
    fn a_rectangle_covers_the_pixels_whose_centres_it_covers() {
        let text = drawn(|frame| frame.rectangle([1.0, 1.0], [3.0, 2.0], INK));
        assert_eq!(text, ["......", ".###..", ".###..", "......", "......"]);
        let text = drawn(|frame| frame.rectangle([0.6, 0.4], [1.0, 1.0], INK));
        assert_eq!(text, [".#....", "......", "......", "......", "......"]);
    }

    #[test]
    fn a_disc_is_round() {
        let text = drawn(|frame| frame.disc([3.0, 2.5], 2.2, INK));
        assert_eq!(text, ["..##..", ".####.", ".####.", ".####.", "..##.."]);
    }

    #[test]
    fn lines_have_their_thickness_in_every_direction() {
        let text = drawn(|frame| frame.line([1.5, 2.5], [4.5, 2.5], 1.0, INK));
        assert_eq!(text, ["......", "......", ".####.", "......", "......"]);
        let text = drawn(|frame| frame.line([0.5, 0.5], [4.5, 4.5], 1.0, INK));
        assert_eq!(text, ["#.....", ".#....", "..#...", "...#..", "....#."]);
        let text = drawn(|frame| frame.line([2.5, 2.5], [2.5, 2.5], 1.0, INK));
        assert_eq!(text, ["......", "......", "..#...", "......", "......"]);
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let text = drawn(|frame| {
            frame.rectangle([-5.0, 3.0], [7.0, 9.0], INK);
            frame.disc([f64::NAN, 1.0], 1.0, INK);
            frame.disc([1.0, 1.0], f64::NEG_INFINITY, INK);
            frame.line([-3.0, -3.0], [-9.0, -9.0], 2.0, INK);
        });
        assert_eq!(text, ["......", "......", "......", "##....", "##...."]);
    }
}
