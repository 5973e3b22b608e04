//! The picture of any observation, for environments without a drawing of their own.

use super::{Color, Frame, GROUND, PALETTE, SIDE};
use crate::env::{ObservationSpace, PlaneKind};

/// Bars are this high at most, up and down.
const HALF_HEIGHT: f64 = 80.0;
/// Bars are this wide at most, the gap beside them included.
const WIDEST_BAR: usize = 40;

impl Frame {
    /// Draws an observation.
    ///
    /// Planes become a board: a cell has the colour of the last channel that is not 0 there, which is the channel's
    /// own of [`PALETTE`] for binary planes and a grey for bytes. Of a stack the newest frame is drawn. A vector becomes
    /// a bar a component, up or down from the middle by `x / (1 + |x|)` of half the height, so that every number has its place.
    pub fn of_observation(space: &ObservationSpace, observation: &[f32]) -> Self {
        match space {
            ObservationSpace::Planes { height, width, kind, .. } => planes(*height, *width, *kind, observation),
            ObservationSpace::Vector { .. } => bars(observation),
        }
    }
}

fn planes(height: usize, width: usize, kind: PlaneKind, observation: &[f32]) -> Frame {
    let side = (SIDE / height.max(width).max(1)).max(1);
    let mut frame = Frame::new(width * side, height * side, GROUND);
    let size = [side as f64; 2];
    let hidden = if kind == PlaneKind::Stack { observation.len().saturating_sub(height * width) } else { 0 };
    for (channel, plane) in observation[hidden..].chunks((height * width).max(1)).enumerate() {
        for (cell, &value) in plane.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            let corner = [(cell % width * side) as f64, (cell / width * side) as f64];
            frame.rectangle(corner, size, color(kind, channel, value));
        }
    }
    frame
}

fn color(kind: PlaneKind, channel: usize, value: f32) -> Color {
    match kind {
        PlaneKind::Binary => PALETTE[channel % PALETTE.len()],
        PlaneKind::Byte | PlaneKind::Stack => [value as u8; 3],
    }
}

fn bars(observation: &[f32]) -> Frame {
    let step = (SIDE / observation.len().max(1)).clamp(1, WIDEST_BAR);
    let gap = step / 5;
    let mut frame = Frame::new(step * observation.len() + gap, 2 * HALF_HEIGHT as usize, GROUND);
    for (index, value) in observation.iter().map(|&value| f64::from(value)).enumerate() {
        let share = if value.is_infinite() { value.signum() } else { value / (1.0 + value.abs()) };
        let length = share * HALF_HEIGHT;
        let corner = [(index * step + gap) as f64, HALF_HEIGHT - length.max(0.0)];
        let color = if value < 0.0 { PALETTE[1] } else { PALETTE[0] };
        frame.rectangle(corner, [(step - gap) as f64, length.abs()], color);
    }
    let width = frame.width as f64;
    frame.rectangle([0.0, HALF_HEIGHT], [width, 1.0], PALETTE[8]);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(kind: PlaneKind, observation: &[f32]) -> Frame {
        let space =
            ObservationSpace::Planes { channels: ["a", "b"].map(String::from).to_vec(), height: 2, width: 3, kind };
        Frame::of_observation(&space, observation)
    }

    #[test]
    fn a_cell_has_the_colour_of_its_last_channel() {
        let frame = board(PlaneKind::Binary, &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!((frame.width, frame.height), (240, 160));
        assert_eq!((frame.pixel(0, 0), frame.pixel(79, 79)), (PALETTE[0], PALETTE[0]));
        assert_eq!(frame.pixel(80, 0), GROUND);
        assert_eq!(frame.pixel(239, 0), PALETTE[1]);
        assert_eq!(frame.pixel(0, 80), PALETTE[1], "set in both channels");
    }

    #[test]
    fn bytes_are_greys() {
        let frame = board(PlaneKind::Byte, &[200.0, 0.0, 0.0, 0.0, 7.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 255.0]);
        assert_eq!(frame.pixel(0, 0), [200; 3]);
        assert_eq!(frame.pixel(80, 80), [9; 3]);
        assert_eq!(frame.pixel(239, 159), [255; 3]);
    }

    #[test]
    fn a_stack_shows_its_newest_frame() {
        let frame = board(PlaneKind::Stack, &[200.0, 9.0, 9.0, 9.0, 9.0, 9.0, 0.0, 7.0, 0.0, 0.0, 0.0, 255.0]);
        assert_eq!((frame.pixel(0, 0), frame.pixel(80, 0), frame.pixel(239, 159)), (GROUND, [7; 3], [255; 3]));
    }

    #[test]
    fn bars_go_up_and_down_by_their_share() {
        let space = ObservationSpace::Vector { components: ["a", "b", "c", "d"].map(String::from).into() };
        let frame = Frame::of_observation(&space, &[1.0, -3.0, 0.0, f32::INFINITY]);
        // Bars of 32 pixels, 8 apart; 1 is half of the half height and -3 three quarters of it.
        assert_eq!((frame.width, frame.height), (168, 160));
        assert_eq!((frame.pixel(8, 39), frame.pixel(8, 40), frame.pixel(8, 81)), (GROUND, PALETTE[0], GROUND));
        assert_eq!((frame.pixel(48, 79), frame.pixel(48, 139), frame.pixel(48, 140)), (GROUND, PALETTE[1], GROUND));
        assert_eq!((frame.pixel(88, 79), frame.pixel(88, 80), frame.pixel(88, 81)), (GROUND, PALETTE[8], GROUND));
        assert_eq!((frame.pixel(128, 0), frame.pixel(7, 40)), (PALETTE[0], GROUND));
    }

    #[test]
    fn every_board_and_vector_has_a_picture_of_moderate_size() {
        for (height, width, size) in
            [(10, 5, (120, 240)), (84, 84, (168, 168)), (210, 160, (160, 210)), (1, 1, (240, 240))]
        {
            let frame = planes(height, width, PlaneKind::Byte, &vec![1.0; height * width]);
            assert_eq!((frame.width, frame.height), size);
        }
        assert_eq!(bars(&[f32::NAN]).pixel(20, 79), GROUND);
        assert_eq!(bars(&vec![1.0; 1000]).width, 1000);
    }
}
