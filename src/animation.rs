//! Pictures in a row as an animated GIF.

use std::io;

use engram_envs::Frame;
use engram_envs::frame::{Color, GROUND};
use gif::{DisposalMethod, Encoder, Repeat};

/// Pictures a second, where nobody says otherwise.
pub const FRAMES_PER_SECOND: u16 = 10;
/// Faster ones are slowed down by browsers.
pub const MOST_FRAMES_PER_SECOND: u16 = 50;
/// How much longer the last picture of an episode stays.
const HOLD: u16 = 8;
/// Colours that a GIF can show in one picture.
const MOST_COLORS: usize = 256;
/// Between 1, exact, and 30, fast: how pictures of more colours than that are reduced.
const QUANTIZER_SPEED: i32 = 10;

/// A GIF in the making, which repeats for ever. Of each picture only the part that changed is stored.
///
/// A picture of up to 256 colours shows them exactly.
pub struct Animation {
    encoder: Encoder<Vec<u8>>,
    /// Hundredths of a second that a picture stays.
    delay: u16,
    shown: Frame,
    frames: usize,
}

impl Animation {
    /// An animation of this size, with which smaller pictures are centred and larger ones cut off.
    pub fn new(width: usize, height: usize, frames_per_second: u16) -> io::Result<Self> {
        let side = |side: usize| match u16::try_from(side) {
            Ok(side) if side > 0 => Ok(side),
            _ => Err(io::Error::other(format!("a GIF cannot have a side of {side} pixels"))),
        };
        let mut encoder = Encoder::new(Vec::new(), side(width)?, side(height)?, &[]).map_err(io::Error::other)?;
        encoder.set_repeat(Repeat::Infinite).map_err(io::Error::other)?;
        let rate = frames_per_second.clamp(1, MOST_FRAMES_PER_SECOND);
        Ok(Self { encoder, delay: 100 / rate, shown: Frame::new(width, height, GROUND), frames: 0 })
    }

    /// Adds a picture; the last one of an episode stays longer.
    pub fn push(&mut self, picture: &Frame, last: bool) -> io::Result<()> {
        let next = centred(picture, self.shown.width, self.shown.height);
        let [left, top, width, height] =
            if self.frames == 0 { [0, 0, next.width, next.height] } else { changed(&self.shown, &next) };
        let rgb: Vec<u8> = (top..top + height)
            .flat_map(|row| &next.rgb[3 * (row * next.width + left)..3 * (row * next.width + left + width)])
            .copied()
            .collect();
        let (columns, rows) = (width as u16, height as u16);
        let mut frame = match indexed(&rgb) {
            Some((palette, pixels)) => gif::Frame::from_palette_pixels(columns, rows, pixels, palette, None),
            None => gif::Frame::from_rgb_speed(columns, rows, &rgb, QUANTIZER_SPEED),
        };
        (frame.left, frame.top) = (left as u16, top as u16);
        frame.dispose = DisposalMethod::Keep;
        frame.delay = if last { self.delay * HOLD } else { self.delay };
        self.encoder.write_frame(&frame).map_err(io::Error::other)?;
        (self.shown, self.frames) = (next, self.frames + 1);
        Ok(())
    }

    /// How many pictures there are.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// The file.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        self.encoder.into_inner().map_err(io::Error::other)
    }
}

/// A picture in the middle of a larger ground.
fn centred(picture: &Frame, width: usize, height: usize) -> Frame {
    if (picture.width, picture.height) == (width, height) {
        return picture.clone();
    }
    let mut frame = Frame::new(width, height, GROUND);
    let (columns, rows) = (picture.width.min(width), picture.height.min(height));
    let (left, top) = ((width - columns) / 2, (height - rows) / 2);
    for row in 0..rows {
        let (to, from) = (3 * ((top + row) * width + left), 3 * row * picture.width);
        frame.rgb[to..to + 3 * columns].copy_from_slice(&picture.rgb[from..from + 3 * columns]);
    }
    frame
}

/// Left, top, width and height of the smallest rectangle outside which two pictures of one size are equal; one pixel
/// where they are equal everywhere.
fn changed(before: &Frame, after: &Frame) -> [usize; 4] {
    let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
    let rows = before.rgb.chunks_exact(3 * before.width).zip(after.rgb.chunks_exact(3 * after.width));
    for (row, (old, new)) in rows.enumerate().filter(|(_, (old, new))| old != new) {
        (top, bottom) = (top.min(row), row + 1);
        let differs = |(old, new): (&u8, &u8)| old != new;
        let first = old.iter().zip(new).position(differs).unwrap_or_default();
        let last = old.iter().zip(new).rposition(differs).unwrap_or_default();
        (left, right) = (left.min(first / 3), right.max(last / 3 + 1));
    }
    if bottom == 0 { [0, 0, 1, 1] } else { [left, top, right - left, bottom - top] }
}

/// The colours in their order of appearance, and each pixel's place among them; `None` if there are too many.
fn indexed(rgb: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut palette: Vec<Color> = Vec::new();
    let mut pixels = Vec::with_capacity(rgb.len() / 3);
    let mut index = 0;
    for pixel in rgb.as_chunks::<3>().0 {
        // Neighbours mostly have one colour.
        if palette.get(index) != Some(pixel) {
            index = palette.iter().position(|color| color == pixel).unwrap_or(palette.len());
            if index == palette.len() {
                palette.push(*pixel);
            }
            if palette.len() > MOST_COLORS {
                return None;
            }
        }
        pixels.push(index as u8);
    }
    Some((palette.concat(), pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Color = [250, 0, 0];

    /// Size of a GIF, then rectangle, delay and colours of each of its frames.
    type Read = ((u16, u16), Vec<([u16; 4], u16, Vec<u8>)>);

    fn read(bytes: &[u8]) -> Read {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            let rgb = frame.buffer.as_chunks::<4>().0.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
            frames.push(([frame.left, frame.top, frame.width, frame.height], frame.delay, rgb));
        }
        ((decoder.width(), decoder.height()), frames)
    }

    #[test]
    fn only_what_changed_is_stored_and_the_last_picture_stays() {
        let first = Frame::new(6, 4, GROUND);
        let mut second = first.clone();
        second.rectangle([1.0, 2.0], [3.0, 1.0], RED);
        let mut animation = Animation::new(6, 4, 20).unwrap();
        for (picture, last) in [(&first, false), (&second, false), (&second, true)] {
            animation.push(picture, last).unwrap();
        }
        assert_eq!(animation.frames(), 3);
        let (size, frames) = read(&animation.finish().unwrap());
        assert_eq!(size, (6, 4));
        assert_eq!(frames[0], ([0, 0, 6, 4], 5, first.rgb));
        assert_eq!(frames[1], ([1, 2, 3, 1], 5, RED.repeat(3)));
        assert_eq!(frames[2], ([0, 0, 1, 1], 40, GROUND.to_vec()));
        assert_eq!(frames.len(), 3);
    }

    #[test]
    fn pictures_of_other_sizes_are_centred_or_cut_off() {
        let mut animation = Animation::new(4, 3, 10).unwrap();
        animation.push(&Frame::new(2, 1, RED), false).unwrap();
        animation.push(&Frame::new(9, 9, RED), false).unwrap();
        let (_, frames) = read(&animation.finish().unwrap());
        let (ground, red) = (GROUND, RED);
        assert_eq!(frames[0].2, [[ground; 4], [ground, red, red, ground], [ground; 4]].as_flattened().concat());
        assert_eq!(frames[1].2, RED.repeat(12));
    }

    #[test]
    fn up_to_256_colours_are_exact_and_more_are_reduced() {
        for (colors, exact) in [(256_usize, true), (400, false)] {
            let rgb: Vec<u8> = (0..colors).flat_map(|n| [n as u8, (n / 256 * 90) as u8, 7]).collect();
            let mut animation = Animation::new(colors, 1, 10).unwrap();
            animation.push(&Frame { width: colors, height: 1, rgb: rgb.clone() }, false).unwrap();
            let (_, frames) = read(&animation.finish().unwrap());
            assert_eq!(frames[0].2 == rgb, exact, "{colors}");
        }
    }

    #[test]
    fn what_no_gif_can_be_is_an_error() {
        for side in [0, 70_000] {
            assert!(Animation::new(side, 1, 10).is_err());
        }
    }
}
