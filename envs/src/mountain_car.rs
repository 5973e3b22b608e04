//! `MountainCar-v0`: rock a car that is too weak up a hill. The dynamics are gym-rs's, which equal Gymnasium's.

use gym_rs::core::Env as _;
use gym_rs::envs::classical_control::mountain_car::{MountainCarEnv, MountainCarObservation};
use gym_rs::utils::renderer::RenderMode;

use crate::chance::Chance;
use crate::env::{End, Env, EnvError, ObservationSpace, Outcome, Spec};
use crate::frame::{Frame, GROUND, PALETTE};
use crate::state;

/// gym-rs's mountain car, without its time limit.
///
/// A reset draws the start itself, since gym-rs would seed a generator of its own, and sets it through gym-rs's public
/// `state`. Every step gives -1, the one that reaches the goal included; stepping on after that drives on by the same
/// rules. Before the first reset the car rests at -0.5.
///
/// The saved state: position, velocity (f64, little-endian).
#[derive(Debug, Clone)]
pub struct MountainCar {
    env: MountainCarEnv,
    spec: Spec,
}

impl MountainCar {
    /// A car at rest.
    pub fn new() -> Self {
        let spec = Spec {
            id: "MountainCar-v0".into(),
            observation: ObservationSpace::Vector { components: ["position", "velocity"].map(String::from).into() },
            actions: ["left", "none", "right"].map(String::from).to_vec(),
            step_limit: None,
            starts: None,
        };
        let mut car = Self { env: MountainCarEnv::new(RenderMode::None), spec };
        car.place(-0.5, 0.0);
        car
    }

    fn place(&mut self, position: f64, velocity: f64) {
        self.env.state = MountainCarObservation::new(position.into(), velocity.into());
    }

    fn state(&self) -> [f64; 2] {
        [self.env.state.position, self.env.state.velocity].map(f64::from)
    }
}

impl Default for MountainCar {
    fn default() -> Self {
        Self::new()
    }
}

impl Env for MountainCar {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.place(chance.uniform(-0.6, -0.4), 0.0);
        Ok(())
    }

    fn step(&mut self, action: usize, _chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.spec.check_action(action)?;
        let result = self.env.step(action);
        Ok(Outcome { reward: f64::from(result.reward) as f32, end: result.done.then_some(End::Terminated) })
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        state::round_into(out, &self.state());
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        Ok(state::write(&self.state()))
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), EnvError> {
        let ([position, velocity], _) = state::read(&self.spec, bytes, 0)?;
        if !(-1.2..=0.6).contains(&position) || velocity.abs() > 0.07 {
            return Err(self.spec.bad_state("the position or the velocity is out of range"));
        }
        self.place(position, velocity);
        Ok(())
    }

    fn render(&mut self) -> Result<Frame, EnvError> {
        const PIXELS: f64 = 150.0;
        const LEFT: f64 = -1.25;
        const GOAL: f64 = 0.5;
        let height = |position: f64| (3.0 * position).sin() * 0.45 + 0.55;
        let point = |position: f64| [(position - LEFT) * PIXELS, 190.0 - height(position) * PIXELS];
        let mut frame = Frame::new(280, 200, GROUND);
        for column in 0..frame.width {
            let [x, y] = [column as f64, point(LEFT + (column as f64 + 0.5) / PIXELS)[1]];
            frame.rectangle([x, y], [1.0, 200.0 - y], PALETTE[8]);
        }
        let [x, y] = point(GOAL);
        frame.rectangle([x, y - 30.0], [2.0, 30.0], PALETTE[7]);
        frame.rectangle([x + 2.0, y - 30.0], [12.0, 8.0], PALETTE[3]);
        let [position, _] = self.state();
        let slope = (3.0 * position).cos() * 3.0 * 0.45;
        let [along, up] = [1.0, -slope].map(|part| part / slope.hypot(1.0));
        let [x, y] = point(position);
        // A body above two wheels, all turned with the slope.
        let place = |forward: f64, above: f64| [x + forward * along + above * up, y + forward * up - above * along];
        frame.line(place(-9.0, 11.0), place(9.0, 11.0), 10.0, PALETTE[0]);
        for wheel in [-8.0, 8.0] {
            frame.disc(place(wheel, 5.0), 5.0, PALETTE[1]);
        }
        Ok(frame)
    }
}
