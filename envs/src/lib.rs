//! Small environments for reinforcement learning, with explicit randomness.
//!
//! An environment ([`Env`]) is a description, two functions (reset and step) and plain data that can be saved in the
//! middle of an episode. All randomness comes in from outside, as a [`Chance`]; so a seed decides everything, and a test
//! can hand in each draw. Environments are made by id from a [`Registry`], to which a crate of your own adds lines:
//!
//! ```
//! use engram_envs::{Options, Registry};
//! use rand::SeedableRng;
//! use rand_pcg::Pcg64;
//!
//! let mut env = Registry::standard().make("Catch", &Options::new())?;
//! let mut chance = Pcg64::seed_from_u64(7);
//! let mut observation = vec![0.0; env.spec().observation.len()];
//! env.reset(&mut chance)?;
//! let outcome = loop {
//!     env.observe(&mut observation)?;
//!     let ball = observation.iter().position(|&cell| cell == 1.0).unwrap_or(0) % 5;
//!     let paddle = observation.iter().rposition(|&cell| cell == 1.0).unwrap_or(0) % 5;
//!     let action = match ball.cmp(&paddle) {
//!         std::cmp::Ordering::Less => 0,
//!         std::cmp::Ordering::Equal => 1,
//!         std::cmp::Ordering::Greater => 2,
//!     };
//!     let outcome = env.step(action, &mut chance)?;
//!     if outcome.end.is_some() {
//!         break outcome;
//!     }
//! };
//! assert_eq!(outcome.reward, 1.0);
//! # Ok::<(), engram_envs::EnvError>(())
//! ```
//!
//! [`conformance`] checks from outside what every environment must satisfy, [`golden`] replays traces of reference
//! implementations. The crate knows no tensor, no agent and no file.
//!
//! With the feature `gym-rs` (on by default) environments of the gym-rs crate come in through one adapter, and
//! `MountainCar-v0` is gym-rs's. Every environment is [`Send`]; gym-rs's are so because the off-screen stand-in for SDL
//! in this repository is.

pub mod acrobot;
pub mod addition;
pub mod cart_pole;
pub mod catch;
pub mod chance;
pub mod conformance;
pub mod env;
pub mod frame;
pub mod golden;
#[cfg(feature = "gym-rs")]
pub mod gym_rs;
pub mod gymnasium;
pub mod minatar;
#[cfg(feature = "gym-rs")]
pub mod mountain_car;
pub mod options;
pub mod permuted_catch;
pub mod registry;
pub mod request;
mod state;
pub mod tape;
pub mod time_limit;

pub use chance::{Chance, Start};
pub use env::{End, Env, EnvError, ObservationSpace, Outcome, PlaneKind, Spec};
pub use frame::Frame;
pub use options::{Options, Value};
pub use registry::{Entry, Registry};
pub use request::Request;
pub use time_limit::TimeLimit;
