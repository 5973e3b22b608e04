//! Drawing primitives and the frame rate, as in `SDL2_gfx`.

/// The frame rate.
pub mod framerate {
    /// Keeps no frame rate: nobody watches.
    #[derive(Default)]
    pub struct FPSManager;

    impl FPSManager {
        /// A manager.
        pub fn new() -> Self {
            Self
        }

        /// Has no effect.
        pub fn set_framerate(&mut self, _rate: u32) -> Result<(), String> {
            Ok(())
        }

        /// Does not wait.
        pub fn delay(&mut self) -> u32 {
            0
        }
    }
}

/// Drawing primitives.
pub mod primitives {
    use crate::pixels::Color;
    use crate::rect::Point;
    use crate::render::WindowCanvas;

    /// Shapes.
    pub trait DrawRenderer {
        /// A horizontal line.
        fn hline(&self, x1: i16, x2: i16, y: i16, color: Color) -> Result<(), String>;
        /// A vertical line.
        fn vline(&self, x: i16, y1: i16, y2: i16, color: Color) -> Result<(), String>;
        /// A polygon's outline.
        fn aa_polygon(&self, xs: &[i16], ys: &[i16], color: Color) -> Result<(), String>;
        /// A polygon's inside.
        fn filled_polygon(&self, xs: &[i16], ys: &[i16], color: Color) -> Result<(), String>;
        /// Has no effect: the smooth edge around a disc.
        fn aa_circle(&self, x: i16, y: i16, radius: i16, color: Color) -> Result<(), String>;
        /// A disc.
        fn filled_circle(&self, x: i16, y: i16, radius: i16, color: Color) -> Result<(), String>;
    }

    /// The polygon's edges as pairs of corners.
    fn edges<'a>(xs: &'a [i16], ys: &'a [i16]) -> impl Iterator<Item = (Point, Point)> + 'a {
        let corner = |(&x, &y): (&i16, &i16)| Point::new(x.into(), y.into());
        let corners = xs.iter().zip(ys).map(corner);
        corners.clone().zip(corners.cycle().skip(1))
    }

    impl DrawRenderer for WindowCanvas {
        fn hline(&self, x1: i16, x2: i16, y: i16, color: Color) -> Result<(), String> {
            self.line(Point::new(x1.into(), y.into()), Point::new(x2.into(), y.into()), color);
            Ok(())
        }

        fn vline(&self, x: i16, y1: i16, y2: i16, color: Color) -> Result<(), String> {
            self.line(Point::new(x.into(), y1.into()), Point::new(x.into(), y2.into()), color);
            Ok(())
        }

        fn aa_polygon(&self, xs: &[i16], ys: &[i16], color: Color) -> Result<(), String> {
            edges(xs, ys).for_each(|(from, to)| self.line(from, to, color));
            Ok(())
        }

        fn filled_polygon(&self, xs: &[i16], ys: &[i16], color: Color) -> Result<(), String> {
            let (Some(&top), Some(&bottom)) = (ys.iter().min(), ys.iter().max()) else { return Ok(()) };
            for y in i32::from(top)..=i32::from(bottom) {
                let mut crossings: Vec<i32> = edges(xs, ys)
                    .filter(|(a, b)| (a.y <= y) != (b.y <= y))
                    .map(|(a, b)| a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y))
                    .collect();
                crossings.sort_unstable();
                for inside in crossings.chunks_exact(2) {
                    self.line(Point::new(inside[0], y), Point::new(inside[1], y), color);
                }
            }
            Ok(())
        }

        fn aa_circle(&self, _x: i16, _y: i16, _radius: i16, _color: Color) -> Result<(), String> {
            Ok(())
        }

        fn filled_circle(&self, x: i16, y: i16, radius: i16, color: Color) -> Result<(), String> {
            let radius = i32::from(radius);
            for dy in -radius..=radius {
                for dx in -radius..=radius {
                    if dx * dx + dy * dy <= radius * radius {
                        self.dot(i32::from(x) + dx, i32::from(y) + dy, color);
                    }
                }
            }
            Ok(())
        }
    }
}
