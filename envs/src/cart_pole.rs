//! `CartPole-v1`: balance a pole on a cart.

use std::f64::consts::PI;

use crate::chance::Chance;
use crate::env::{End, Env, EnvError, ObservationSpace, Outcome, Spec};
use crate::frame::{Frame, GROUND, PALETTE};
use crate::state;

const GRAVITY: f64 = 9.8;
const POLE_MASS: f64 = 0.1;
const TOTAL_MASS: f64 = POLE_MASS + 1.0;
const HALF_POLE_LENGTH: f64 = 0.5;
const POLE_MASS_LENGTH: f64 = POLE_MASS * HALF_POLE_LENGTH;
const FORCE: f64 = 10.0;
const TIME_STEP: f64 = 0.02;
const POSITION_LIMIT: f64 = 2.4;
const ANGLE_LIMIT: f64 = 12.0 * 2.0 * PI / 360.0;

/// Gymnasium's cart and pole, in float64 as there, without its time limit.
///
/// Every step gives 1, the one in which the pole falls or the cart leaves included. Stepping on after that integrates
/// on, gives 0 and is [`End::Terminated`] again. Before the first reset everything stands upright at 0.
///
/// The saved state: cart position, cart velocity, pole angle, pole angular velocity (f64, little-endian), then one
/// byte, 1 once the episode has ended.
#[derive(Debug, Clone)]
pub struct CartPole {
    spec: Spec,
    state: [f64; 4],
    over: bool,
}

impl CartPole {
    /// A cart at rest.
    pub fn new() -> Self {
        let components = ["cart position", "cart velocity", "pole angle", "pole angular velocity"];
        let spec = Spec {
            id: "CartPole-v1".into(),
            observation: ObservationSpace::Vector { components: components.map(String::from).into() },
            actions: ["push left", "push right"].map(String::from).to_vec(),
            step_limit: None,
            starts: None,
        };
        Self { spec, state: [0.0; 4], over: false }
    }
}

impl Default for CartPole {
    fn default() -> Self {
        Self::new()
    }
}

/// One explicit Euler step; the order of evaluation is Gymnasium's, to the last bit.
#[inline]
fn integrate([position, velocity, angle, spin]: [f64; 4], force: f64) -> [f64; 4] {
    let (sin, cos) = angle.sin_cos();
    let push = (force + (POLE_MASS_LENGTH * (spin * spin)) * sin) / TOTAL_MASS;
    let angular_acceleration =
        (GRAVITY * sin - cos * push) / (HALF_POLE_LENGTH * (4.0 / 3.0 - (POLE_MASS * (cos * cos)) / TOTAL_MASS));
    let acceleration = push - ((POLE_MASS_LENGTH * angular_acceleration) * cos) / TOTAL_MASS;
    [
        position + TIME_STEP * velocity,
        velocity + TIME_STEP * acceleration,
        angle + TIME_STEP * spin,
        spin + TIME_STEP * angular_acceleration,
    ]
}

/// The cart on its track, whose ends are the limits, and the pole. Other versions of the game draw the same.
pub(crate) fn draw(position: f64, angle: f64) -> Frame {
    const PIXELS: f64 = 60.0;
    const TRACK: f64 = 130.0;
    let mut frame = Frame::new(320, 160, GROUND);
    frame.rectangle([160.0 - POSITION_LIMIT * PIXELS, TRACK], [2.0 * POSITION_LIMIT * PIXELS, 2.0], PALETTE[8]);
    let cart = 160.0 + position * PIXELS;
    frame.rectangle([cart - 20.0, TRACK - 20.0], [40.0, 20.0], PALETTE[0]);
    let pole = 2.0 * HALF_POLE_LENGTH * PIXELS;
    let axle = [cart, TRACK - 20.0];
    frame.line(axle, [axle[0] + pole * angle.sin(), axle[1] - pole * angle.cos()], 8.0, PALETTE[1]);
    frame.disc(axle, 4.0, PALETTE[7]);
    frame
}

impl Env for CartPole {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.state = std::array::from_fn(|_| chance.uniform(-0.05, 0.05));
        self.over = false;
        Ok(())
    }

    fn step(&mut self, action: usize, _chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.spec.check_action(action)?;
        let was_over = self.over;
        self.state = integrate(self.state, if action == 1 { FORCE } else { -FORCE });
        let [position, _, angle, _] = self.state;
        self.over |= position.abs() > POSITION_LIMIT || angle.abs() > ANGLE_LIMIT;
        Ok(Outcome { reward: if was_over { 0.0 } else { 1.0 }, end: self.over.then_some(End::Terminated) })
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        state::round_into(out, &self.state);
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        let mut bytes = state::write(&self.state);
        bytes.push(self.over.into());
        Ok(bytes)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), EnvError> {
        let (numbers, rest) = state::read(&self.spec, bytes, 1)?;
        self.over = match rest {
            [0] => false,
            [1] => true,
            _ => return Err(self.spec.bad_state("its last byte is neither 0 nor 1")),
        };
        self.state = numbers;
        Ok(())
    }

    fn render(&mut self) -> Result<Frame, EnvError> {
        Ok(draw(self.state[0], self.state[2]))
    }
}
