//! The canvas: an RGB buffer.

use std::cell::RefCell;

use crate::pixels::{Color, PixelFormatEnum};
use crate::rect::{Point, Rect};

/// A canvas to be.
pub struct CanvasBuilder {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl CanvasBuilder {
    /// Has no effect.
    pub fn accelerated(self) -> Self {
        self
    }

    /// Makes the canvas, black.
    pub fn build(self) -> Result<WindowCanvas, String> {
        Ok(WindowCanvas { surface: RefCell::new(Surface::new(self.width, self.height)), color: Color::BLACK })
    }
}

/// Rows of pixels.
struct Surface {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Surface {
    fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { width, height, pixels: vec![[0; 3]; width * height] }
    }
}

/// Makes textures.
pub struct TextureCreator;

impl TextureCreator {
    /// A texture that can be drawn on.
    pub fn create_texture_target(&self, _: PixelFormatEnum, width: u32, height: u32) -> Result<Texture, String> {
        Ok(Texture(Surface::new(width, height)))
    }
}

/// A picture to be copied onto a canvas.
pub struct Texture(Surface);

/// Something to draw on.
pub struct WindowCanvas {
    // The drawing primitives take `&self` in SDL.
    surface: RefCell<Surface>,
    color: Color,
}

impl WindowCanvas {
    /// Makes textures.
    pub fn texture_creator(&self) -> TextureCreator {
        TextureCreator
    }

    /// Lets `draw` draw on the texture in place of the canvas.
    pub fn with_texture_canvas(&mut self, texture: &mut Texture, draw: impl FnOnce(&mut Self)) -> Result<(), String> {
        std::mem::swap(self.surface.get_mut(), &mut texture.0);
        draw(self);
        std::mem::swap(self.surface.get_mut(), &mut texture.0);
        Ok(())
    }

    /// Copies a whole texture of the canvas's own size, mirrored as asked; parts and angles are refused.
    #[allow(clippy::too_many_arguments)]
    pub fn copy_ex(
        &mut self,
        texture: &Texture,
        source: Option<Rect>,
        target: Option<Rect>,
        angle: f64,
        _center: Option<Point>,
        flip_horizontal: bool,
        flip_vertical: bool,
    ) -> Result<(), String> {
        let (from, to) = (&texture.0, self.surface.get_mut());
        if source.is_some() || target.is_some() || angle != 0.0 || (from.width, from.height) != (to.width, to.height) {
            return Err("this stand-in for SDL copies whole textures of the canvas's size only".into());
        }
        for row in 0..to.height {
            for column in 0..to.width {
                let from_row = if flip_vertical { to.height - 1 - row } else { row };
                let from_column = if flip_horizontal { to.width - 1 - column } else { column };
                to.pixels[row * to.width + column] = from.pixels[from_row * from.width + from_column];
            }
        }
        Ok(())
    }

    /// Has no effect: there is no screen.
    pub fn present(&mut self) {}

    /// Sets the colour of [`clear`](Self::clear) and [`draw_lines`](Self::draw_lines).
    pub fn set_draw_color(&mut self, color: Color) {
        self.color = color;
    }

    /// Fills everything.
    pub fn clear(&mut self) {
        self.surface.get_mut().pixels.fill(self.color.0);
    }

    /// Joins the points.
    pub fn draw_lines(&mut self, points: &[Point]) -> Result<(), String> {
        for pair in points.windows(2) {
            self.line(pair[0], pair[1], self.color);
        }
        Ok(())
    }

    /// All pixels, row by row, three bytes each.
    pub fn read_pixels(&self, _part: Option<Rect>, _: PixelFormatEnum) -> Result<Vec<u8>, String> {
        Ok(self.surface.borrow().pixels.as_flattened().to_vec())
    }

    pub(crate) fn dot(&self, x: i32, y: i32, color: Color) {
        let mut surface = self.surface.borrow_mut();
        let (width, height) = (surface.width, surface.height);
        if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y))
            && x < width
            && y < height
        {
            surface.pixels[y * width + x] = color.0;
        }
    }

    pub(crate) fn line(&self, from: Point, to: Point, color: Color) {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let length = dx.abs().max(dy.abs()).max(1);
        for i in 0..=length {
            self.dot(from.x + dx * i / length, from.y + dy * i / length, color);
        }
    }
}
