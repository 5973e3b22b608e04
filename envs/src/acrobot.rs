//! `Acrobot-v1`: swing the tip of a double pendulum above a height.

use std::f64::consts::PI;

use crate::chance::Chance;
use crate::env::{End, Env, EnvError, ObservationSpace, Outcome, Spec};
use crate::frame::{Frame, GROUND, PALETTE};
use crate::state;

const GRAVITY: f64 = 9.8;
const TIME_STEP: f64 = 0.2;
const MAX_SPIN_1: f64 = 4.0 * PI;
const MAX_SPIN_2: f64 = 9.0 * PI;

/// Gymnasium's acrobot, in float64 as there, without its time limit.
///
/// Every step gives -1, but 0 where the tip is above the goal, which ends the episode. Stepping on after that swings
/// on by the same rules. Before the first reset it hangs at rest.
///
/// The saved state: first angle, second angle (relative to the first), first and second angular velocity (f64,
/// little-endian).
#[derive(Debug, Clone)]
pub struct Acrobot {
    spec: Spec,
    state: [f64; 4],
}

impl Acrobot {
    /// An acrobot at rest.
    pub fn new() -> Self {
        let components =
            ["cos angle 1", "sin angle 1", "cos angle 2", "sin angle 2", "angular velocity 1", "angular velocity 2"];
        let spec = Spec {
            id: "Acrobot-v1".into(),
            observation: ObservationSpace::Vector { components: components.map(String::from).into() },
            actions: ["torque left", "none", "torque right"].map(String::from).to_vec(),
            step_limit: None,
            starts: None,
        };
        Self { spec, state: [0.0; 4] }
    }
}

impl Default for Acrobot {
    fn default() -> Self {
        Self::new()
    }
}

/// Time derivatives, the "book" variant.
///
/// The order of evaluation is Gymnasium's, since the dynamics amplify last bits; squares are products here where it calls
/// `pow`, which differs by one such bit now and then.
#[inline]
fn derivatives([angle_1, angle_2, spin_1, spin_2]: [f64; 4], torque: f64) -> [f64; 4] {
    let (sin, cos) = angle_2.sin_cos();
    let d1 = 0.25 + (1.25 + cos) + 1.0 + 1.0;
    let d2 = (0.25 + 0.5 * cos) + 1.0;
    let phi_2 = (0.5 * GRAVITY) * (angle_1 + angle_2 - PI / 2.0).cos();
    let phi_1 =
        -0.5 * (spin_2 * spin_2) * sin - spin_2 * spin_1 * sin + (1.5 * GRAVITY) * (angle_1 - PI / 2.0).cos() + phi_2;
    let acceleration_2 = (torque + (d2 / d1) * phi_1 - 0.5 * (spin_1 * spin_1) * sin - phi_2) / (1.25 - (d2 * d2) / d1);
    let acceleration_1 = -(d2 * acceleration_2 + phi_1) / d1;
    [spin_1, spin_2, acceleration_1, acceleration_2]
}

/// One classical Runge-Kutta step with the torque held.
#[inline]
fn integrate(state: [f64; 4], torque: f64) -> [f64; 4] {
    let ahead = |by: f64, slope: [f64; 4]| std::array::from_fn(|i| state[i] + by * slope[i]);
    let k1 = derivatives(state, torque);
    let k2 = derivatives(ahead(TIME_STEP / 2.0, k1), torque);
    let k3 = derivatives(ahead(TIME_STEP / 2.0, k2), torque);
    let k4 = derivatives(ahead(TIME_STEP, k3), torque);
    std::array::from_fn(|i| state[i] + (TIME_STEP / 6.0) * (((k1[i] + 2.0 * k2[i]) + 2.0 * k3[i]) + k4[i]))
}

/// The same angle within [-π, π].
fn wrap(mut angle: f64) -> f64 {
    while angle > PI {
        angle -= 2.0 * PI;
    }
    while angle < -PI {
        angle += 2.0 * PI;
    }
    angle
}

impl Env for Acrobot {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        // The reference keeps its start in single precision.
        self.state = std::array::from_fn(|_| f64::from(chance.uniform(-0.1, 0.1) as f32));
        Ok(())
    }

    fn step(&mut self, action: usize, _chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.spec.check_action(action)?;
        let [angle_1, angle_2, spin_1, spin_2] = integrate(self.state, action as f64 - 1.0);
        let (angle_1, angle_2) = (wrap(angle_1), wrap(angle_2));
        let (spin_1, spin_2) = (spin_1.clamp(-MAX_SPIN_1, MAX_SPIN_1), spin_2.clamp(-MAX_SPIN_2, MAX_SPIN_2));
        self.state = [angle_1, angle_2, spin_1, spin_2];
        let above = -angle_1.cos() - (angle_2 + angle_1).cos() > 1.0;
        Ok(Outcome { reward: if above { 0.0 } else { -1.0 }, end: above.then_some(End::Terminated) })
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        let [angle_1, angle_2, spin_1, spin_2] = self.state;
        let ((sin_1, cos_1), (sin_2, cos_2)) = (angle_1.sin_cos(), angle_2.sin_cos());
        state::round_into(out, &[cos_1, sin_1, cos_2, sin_2, spin_1, spin_2]);
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        Ok(state::write(&self.state))
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), EnvError> {
        let (numbers, _) = state::read(&self.spec, bytes, 0)?;
        let limits = [PI, PI, MAX_SPIN_1, MAX_SPIN_2];
        if numbers.iter().zip(limits).any(|(number, limit)| number.abs() > limit) {
            return Err(self.spec.bad_state("an angle or an angular velocity is out of range"));
        }
        self.state = numbers;
        Ok(())
    }

    fn render(&mut self) -> Result<Frame, EnvError> {
        const PIXELS: f64 = 52.0;
        const PIVOT: [f64; 2] = [120.0; 2];
        let [angle_1, angle_2, ..] = self.state;
        let below = |[x, y]: [f64; 2], angle: f64| [x + PIXELS * angle.sin(), y + PIXELS * angle.cos()];
        let elbow = below(PIVOT, angle_1);
        let tip = below(elbow, angle_1 + angle_2);
        let mut frame = Frame::new(240, 240, GROUND);
        // The height that the tip must rise above.
        frame.rectangle([0.0, PIVOT[1] - PIXELS - 1.0], [240.0, 2.0], PALETTE[8]);
        frame.line(PIVOT, elbow, 10.0, PALETTE[0]);
        frame.line(elbow, tip, 10.0, PALETTE[1]);
        for joint in [PIVOT, elbow] {
            frame.disc(joint, 4.0, PALETTE[7]);
        }
        Ok(frame)
    }
}
