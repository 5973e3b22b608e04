//! From a drawing to SVG text or PNG bytes.

use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use super::FigureError;

/// Canvas units a point. Plotters places whole units only, so that a fine canvas makes smooth curves and even letters.
pub const FINE: i32 = 4;

/// Canvas units a PNG pixel and side, which makes two pixels a point.
const UNITS_PER_PIXEL: usize = 2;

/// What plotters says when a drawing on backend `B` fails.
pub type DrawError<B> = DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>;

/// A picture that can be drawn on any backend.
pub trait Drawing {
    /// Width and height in points.
    fn size(&self) -> (u32, u32);

    /// Draws on an area of `size` times [`FINE`].
    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>>;
}

/// An encoded PNG and its size in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Png {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Png {
    /// Encodes pixels of three bytes each, row by row from the top.
    pub fn encode(width: u32, height: u32, rgb: &[u8]) -> Result<Self, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(rgb)?;
        writer.finish()?;
        Ok(Self { width, height, bytes })
    }
}

/// Renders as SVG, with real text in the reader's sans-serif font.
pub fn svg(drawing: &impl Drawing) -> Result<String, FigureError> {
    ensure_font()?;
    let (width, height) = drawing.size();
    let (fine_width, fine_height) = fine(drawing);
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, (fine_width, fine_height)).into_drawing_area();
    drawing.draw(&area).and_then(|()| area.present()).map_err(failed)?;
    drop(area);
    Ok(text.replacen(
        &format!("width=\"{fine_width}\" height=\"{fine_height}\""),
        &format!("width=\"{width}\" height=\"{height}\" stroke-linejoin=\"round\""),
        1,
    ))
}

/// Renders as PNG, at two pixels a point.
pub fn png(drawing: &impl Drawing) -> Result<Png, FigureError> {
    ensure_font()?;
    let (fine_width, fine_height) = fine(drawing);
    let mut canvas = vec![0; fine_width as usize * fine_height as usize * 3];
    let area = BitMapBackend::with_buffer(&mut canvas, (fine_width, fine_height)).into_drawing_area();
    drawing.draw(&area).and_then(|()| area.present()).map_err(failed)?;
    drop(area);
    let pixels = average_blocks(&canvas, fine_width as usize, UNITS_PER_PIXEL);
    let (width, height) = (fine_width / UNITS_PER_PIXEL as u32, fine_height / UNITS_PER_PIXEL as u32);
    Png::encode(width, height, &pixels).map_err(failed)
}

fn fine(drawing: &impl Drawing) -> (u32, u32) {
    let (width, height) = drawing.size();
    (width * FINE as u32, height * FINE as u32)
}

/// Every block of `side` times `side` RGB pixels becomes its mean.
fn average_blocks(canvas: &[u8], width: usize, side: usize) -> Vec<u8> {
    let row = width * 3;
    let area = side * side;
    let mut pixels = Vec::with_capacity(canvas.len() / area);
    for rows in canvas.chunks_exact(row * side) {
        for left in (0..row).step_by(3 * side) {
            for channel in 0..3 {
                let sum: usize = (0..area)
                    .map(|cell| usize::from(rows[(cell / side) * row + left + (cell % side) * 3 + channel]))
                    .sum();
                pixels.push(((sum + area / 2) / area) as u8);
            }
        }
    }
    pixels
}

/// The font travels inside the binary: a cluster node may have none.
fn ensure_font() -> Result<(), FigureError> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let registered = *REGISTERED
        .get_or_init(|| register_font("sans-serif", FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT).is_ok());
    if registered { Ok(()) } else { Err(FigureError::Draw("the built-in font is damaged".into())) }
}

fn failed(error: impl std::error::Error) -> FigureError {
    FigureError::Draw(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Dot;

    impl Drawing for Dot {
        fn size(&self) -> (u32, u32) {
            (10, 20)
        }

        fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), DrawError<B>> {
            area.fill(&WHITE)?;
            area.draw(&Text::new("o", (8, 8), ("sans-serif", 20)))
        }
    }

    #[test]
    fn svg_shows_points_on_a_fine_canvas() {
        let text = svg(&Dot).unwrap();
        assert!(text.starts_with("<svg width=\"10\" height=\"20\" stroke-linejoin=\"round\" viewBox=\"0 0 40 80\""));
        assert!(text.contains("font-family=\"sans-serif\""));
        assert!(text.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn png_decodes_to_its_size_and_has_ink() {
        let Png { width, height, bytes } = png(&Dot).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height, width, height), (20, 40, 20, 40));
        assert!(pixels.iter().any(|&value| value < 128));
    }

    #[test]
    fn blocks_are_averaged_per_channel() {
        let canvas = [[0, 0, 0], [4, 0, 8], [9, 9, 9], [9, 9, 9], [0, 1, 0], [4, 0, 0], [9, 9, 9], [9, 9, 9]].concat();
        assert_eq!(average_blocks(&canvas, 4, 2), [2, 0, 2, 9, 9, 9]);
    }
}
