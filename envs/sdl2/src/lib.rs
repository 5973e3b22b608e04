//! An off-screen stand-in for the few items of `sdl2` 0.35 that `gym-rs` names.
//!
//! `gym-rs` needs SDL only to draw, but cannot be built without it: a C build and a system library. This crate takes
//! its place under `[patch.crates-io]` and draws into an RGB buffer in memory, so that cargo alone builds everything
//! and frames (`RenderMode::RgbArray`) work without a display.
//!
//! It is not SDL: no window ever opens (`RenderMode::Human` shows nothing), no event ever comes, nothing waits for a
//! frame rate, edges are not smoothed, and a texture is only ever copied whole. Everything in it is [`Send`].
#![forbid(unsafe_code)]

/// Starts the library; nothing to start here.
pub fn init() -> Result<Sdl, String> {
    Ok(Sdl)
}

/// The library's context.
pub struct Sdl;

impl Sdl {
    /// The part that makes windows.
    pub fn video(&self) -> Result<VideoSubsystem, String> {
        Ok(VideoSubsystem)
    }

    /// The source of events.
    pub fn event_pump(&self) -> Result<EventPump, String> {
        Ok(EventPump)
    }
}

/// Makes windows.
pub struct VideoSubsystem;

impl VideoSubsystem {
    /// Describes a window of this size.
    pub fn window(&self, _title: &str, width: u32, height: u32) -> video::WindowBuilder {
        video::WindowBuilder { width, height }
    }
}

/// A source of events that stays silent.
pub struct EventPump;

impl EventPump {
    /// No events.
    pub fn poll_iter(&mut self) -> std::iter::Empty<event::Event> {
        std::iter::empty()
    }
}

/// Events.
pub mod event {
    /// An event, which never comes.
    #[non_exhaustive]
    pub enum Event {
        /// The window was closed.
        Quit {
            /// When.
            timestamp: u32,
        },
    }
}

/// Windows.
pub mod video {
    use crate::render::CanvasBuilder;

    /// A window to be.
    pub struct WindowBuilder {
        pub(crate) width: u32,
        pub(crate) height: u32,
    }

    impl WindowBuilder {
        /// Has no effect.
        pub fn position_centered(&mut self) -> &mut Self {
            self
        }

        /// Has no effect: every window is hidden.
        pub fn hidden(&mut self) -> &mut Self {
            self
        }

        /// Makes the window.
        pub fn build(&self) -> Result<Window, String> {
            Ok(Window { width: self.width, height: self.height })
        }
    }

    /// A window's size.
    pub struct Window {
        width: u32,
        height: u32,
    }

    impl Window {
        /// Something to draw on.
        pub fn into_canvas(self) -> CanvasBuilder {
            CanvasBuilder { width: self.width, height: self.height }
        }
    }
}

/// Points and rectangles.
pub mod rect {
    /// A pixel's place.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Point {
        pub(crate) x: i32,
        pub(crate) y: i32,
    }

    impl Point {
        /// Column `x`, row `y`.
        pub fn new(x: i32, y: i32) -> Self {
            Self { x, y }
        }
    }

    /// A rectangle, which nothing here makes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Rect;
}

/// Colours.
pub mod pixels {
    /// Layouts of pixels in memory.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum PixelFormatEnum {
        /// Three bytes: red, green, blue.
        RGB24,
    }

    /// A colour.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Color(pub(crate) [u8; 3]);

    impl Color {
        /// White.
        pub const WHITE: Self = Self([255; 3]);
        /// Black.
        pub const BLACK: Self = Self([0; 3]);

        /// The colour with this much red, green and blue.
        #[allow(non_snake_case)]
        pub const fn RGB(red: u8, green: u8, blue: u8) -> Self {
            Self([red, green, blue])
        }
    }
}

pub mod gfx;
pub mod render;
