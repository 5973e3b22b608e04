//! A game on a terminal's screen: its standing, its picture in half blocks, its keys.

use std::ops::Range;

use engram_envs::End;
use engram_envs::frame::{Color as Rgb, Frame};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::game::Game;

/// A game to be drawn.
pub struct Screen<'a> {
    /// The game.
    pub game: &'a Game,
    /// Whether the terminal shows all colours, not only 256.
    pub all_colors: bool,
}

impl Widget for Screen<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let keys = wrapped(self.labels(), area.width.into());
        let [above, below] = [2, keys.len() as u16 + 1];
        let lines = [self.standing(), self.message()].into_iter().map(Line::from);
        write(lines, Rect { height: above.min(area.height), ..area }, buffer);
        let middle = area.height.saturating_sub(above + below);
        let picture = Rect { y: area.y + above.min(area.height), height: middle, ..area };
        self.picture(&self.game.frame, picture, buffer);
        let rest = Rect { y: picture.bottom(), height: area.bottom().saturating_sub(picture.bottom()), ..area };
        write(std::iter::once(Line::from("")).chain(keys.into_iter().map(Line::from)), rest, buffer);
    }
}

impl Screen<'_> {
    fn standing(&self) -> String {
        let standing = &self.game.standing;
        let (id, episode, step) = (self.game.id(), standing.episode + 1, standing.step);
        format!("{id}  episode {episode}  step {step}  return {}  reward {}", standing.episode_return, standing.reward)
    }

    fn message(&self) -> String {
        match self.game.standing.end {
            Some(End::Terminated) => "the episode is over: any key starts the next".into(),
            Some(End::Truncated) => "the time limit is reached: any key starts the next".into(),
            None => String::new(),
        }
    }

    fn labels(&self) -> Vec<String> {
        let actions = self.game.keys.labels().filter(|_| self.game.is_played());
        actions.chain(["[q/Esc] quit".to_owned()]).collect()
    }

    /// Draws a picture as large as fits, at most a character a pixel, two pixels a character from top to bottom.
    fn picture(&self, frame: &Frame, area: Rect, buffer: &mut Buffer) {
        let (width, height) = (frame.width as f64, frame.height as f64);
        let scale = (f64::from(area.width) / width).min(2.0 * f64::from(area.height) / height).min(1.0);
        let [columns, rows] = [width, height].map(|side| (side * scale).floor() as u16);
        for y in 0..rows.div_ceil(2) {
            for x in 0..columns {
                let color = |row| self.color(mean(frame, part(frame.width, columns, x), part(frame.height, rows, row)));
                let lower = if 2 * y + 1 < rows { color(2 * y + 1) } else { Color::Reset };
                let style = Style::new().fg(color(2 * y)).bg(lower);
                buffer[(area.x + x, area.y + y)].set_char('▀').set_style(style);
            }
        }
    }

    fn color(&self, [red, green, blue]: Rgb) -> Color {
        if self.all_colors {
            return Color::Rgb(red, green, blue);
        }
        // A terminal's 256 colours hold a cube of six a side from 16 on, at 0, 95, 135, 175, 215 and 255.
        let step = |part: u8| if part < 48 { 0 } else { (part.max(75) - 35) / 40 };
        let [red, green, blue] = [red, green, blue].map(step);
        Color::Indexed(16 + 36 * red + 6 * green + blue)
    }
}

/// Which of `pixels` belong to one of `parts` of them.
fn part(pixels: usize, parts: u16, index: u16) -> Range<usize> {
    let edge = |index: u16| usize::from(index) * pixels / usize::from(parts);
    edge(index)..edge(index + 1)
}

/// The mean colour of a part of a picture, so that no thin line gets lost between the pixels of a small screen.
fn mean(frame: &Frame, columns: Range<usize>, rows: Range<usize>) -> Rgb {
    let count = (columns.len() * rows.len()).max(1);
    let mut sums = [count / 2; 3];
    for row in rows {
        for column in columns.clone() {
            for (sum, part) in sums.iter_mut().zip(frame.pixel(column, row)) {
                *sum += usize::from(part);
            }
        }
    }
    sums.map(|sum| (sum / count) as u8)
}

fn write<'a>(lines: impl Iterator<Item = Line<'a>>, area: Rect, buffer: &mut Buffer) {
    for (line, y) in lines.zip(area.y..area.bottom()) {
        buffer.set_line(area.x, y, &line, area.width);
    }
}

/// Labels side by side, in as many lines as they need.
fn wrapped(labels: Vec<String>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for label in labels {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + label.chars().count() <= width => {
                *line = format!("{line}  {label}");
            }
            _ => lines.push(label),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use engram_envs::frame::{GROUND, PALETTE};
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::KeyCode;
    use ratatui::{Terminal, buffer::Cell};

    use super::super::game::{Mode, tests as play};
    use super::*;

    fn shown(game: &Game, width: u16, height: u16, all_colors: bool) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| frame.render_widget(Screen { game, all_colors }, frame.area())).unwrap();
        terminal.backend().buffer().clone()
    }

    fn line(buffer: &Buffer, y: u16) -> String {
        let text: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        text.trim_end().to_owned()
    }

    fn colors(cell: &Cell) -> (Color, Color) {
        (cell.fg, cell.bg)
    }

    fn rgb([red, green, blue]: Rgb) -> Color {
        Color::Rgb(red, green, blue)
    }

    #[test]
    fn the_screen_has_standing_picture_and_keys() {
        let mut game = play::game("Catch", Mode::Turns);
        play::press(&mut game, KeyCode::Left);
        let buffer = shown(&game, 60, 24, true);
        assert_eq!(line(&buffer, 0), "Catch  episode 1  step 1  return 0  reward 0");
        assert_eq!(line(&buffer, 23), "[←/a/0] left  [n/1] stay  [→/d/2] right  [q/Esc] quit");
        // Twenty rows are left, forty pixels: four a cell, so that the board is 20 wide. The ball is in row 1, the
        // paddle in column 1.
        assert!(line(&buffer, 2).starts_with(&"▀".repeat(20)) && buffer[(20, 2)].symbol() == " ");
        assert_eq!((buffer[(1, 4)].bg, buffer[(1, 5)].fg), (rgb(PALETTE[1]), rgb(PALETTE[1])));
        assert_eq!(colors(&buffer[(4, 21)]), (rgb(PALETTE[0]), rgb(PALETTE[0])));
        assert_eq!(colors(&buffer[(8, 21)]), (rgb(GROUND), rgb(GROUND)));
        assert_eq!(line(&buffer, 22), "");
    }

    #[test]
    fn a_thin_line_shows_on_a_small_screen() {
        let mut frame = Frame::new(8, 8, [0; 3]);
        frame.rectangle([0.0, 1.0], [8.0, 1.0], [200, 100, 40]);
        assert_eq!(mean(&frame, part(8, 2, 1), part(8, 2, 0)), [50, 25, 10]);
        assert_eq!(mean(&frame, part(8, 2, 1), part(8, 2, 1)), [0; 3]);
        let parts: Vec<_> = (0..3).map(|index| part(8, 3, index)).collect();
        assert_eq!(parts, [0..2, 2..5, 5..8]);
    }

    #[test]
    fn the_end_of_an_episode_is_told() {
        let mut game = play::game("Catch", Mode::Turns);
        for _ in 0..9 {
            play::press(&mut game, KeyCode::Char('1'));
        }
        let buffer = shown(&game, 60, 24, true);
        assert_eq!(line(&buffer, 0), "Catch  episode 1  step 9  return -1  reward -1");
        assert_eq!(line(&buffer, 1), "the episode is over: any key starts the next");
    }

    #[test]
    fn keys_wrap_and_a_watched_game_has_none() {
        let game = play::game("MinAtar/Seaquest-v1", Mode::Turns);
        let buffer = shown(&game, 40, 20, true);
        assert!(line(&buffer, 17).starts_with("[n/0] none  [←/a/1] left"), "{}", line(&buffer, 17));
        assert!(line(&buffer, 19).ends_with("[q/Esc] quit"));
        let game = play::game("Catch", Mode::Watch(Box::new(|_| Ok(0))));
        assert_eq!(line(&shown(&game, 40, 20, true), 19), "[q/Esc] quit");
    }

    #[test]
    fn few_colours_are_the_nearest_of_the_cube() {
        let game = play::game("Catch", Mode::Turns);
        let screen = Screen { game: &game, all_colors: false };
        assert_eq!(screen.color([0, 0, 0]), Color::Indexed(16));
        assert_eq!(screen.color([255, 255, 255]), Color::Indexed(231));
        assert_eq!(screen.color([255, 100, 0]), Color::Indexed(16 + 180 + 6));
        assert_eq!(screen.color([48, 114, 115]), Color::Indexed(16 + 36 + 6 + 2));
    }

    #[test]
    fn no_screen_is_too_small() {
        let game = play::game("Catch", Mode::Turns);
        for (width, height) in [(1, 1), (3, 2), (5, 3), (200, 4), (1, 60)] {
            shown(&game, width, height, true);
        }
    }
}
