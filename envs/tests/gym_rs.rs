//! The adapter takes any gym-rs environment, and the stand-in for SDL draws.
#![cfg(feature = "gym-rs")]

use engram_envs::conformance::check;
use engram_envs::gym_rs::GymRs;
use engram_envs::{Entry, Env, EnvError, Options, Registry, TimeLimit};
use gym_rs::core::{ActionReward, Env as Gym, EnvProperties};
use gym_rs::envs::classical_control::mountain_car::{MountainCarEnv, MountainCarObservation};
use gym_rs::spaces::{BoxR, Discrete};
use gym_rs::utils::custom::structs::Metadata;
use gym_rs::utils::renderer::{RenderColor, RenderFrame, RenderMode, Renders};
use gym_rs::utils::seeding::rand_random;
use rand::SeedableRng;
use rand_of_gym_rs::Rng;
use rand_pcg::Pcg64;
use rand_pcg_of_gym_rs::Pcg64 as GymPcg64;
use serde::Serialize;

/// A walk against a random wind, written for gym-rs. Two numbers are all it shows, as in gym-rs's mountain car.
#[derive(Debug, Clone, Serialize)]
struct Walk {
    place: f64,
    metadata: Metadata<Self>,
    action_space: Discrete,
    #[serde(skip)]
    generator: GymPcg64,
}

impl Walk {
    fn new() -> Self {
        let metadata = Metadata::new(&[RenderMode::None], 30);
        Self { place: 0.0, metadata, action_space: Discrete(3), generator: rand_random(None).0 }
    }

    fn observation(&self) -> MountainCarObservation {
        MountainCarObservation::new(self.place.into(), 1.0.into())
    }
}

impl EnvProperties for Walk {
    type ActionSpace = Discrete;
    type ObservationSpace = ();

    fn metadata(&self) -> &Metadata<Self> {
        &self.metadata
    }
    fn rand_random(&self) -> &GymPcg64 {
        &self.generator
    }
    fn action_space(&self) -> &Discrete {
        &self.action_space
    }
    fn observation_space(&self) -> &() {
        &()
    }
}

impl Gym for Walk {
    type Action = usize;
    type Observation = MountainCarObservation;
    type Info = ();
    type ResetInfo = ();

    fn step(&mut self, action: usize) -> ActionReward<MountainCarObservation, ()> {
        self.place += action as f64 - 1.0 + self.generator.r#gen::<f64>() - 0.5;
        ActionReward {
            observation: self.observation(),
            reward: self.place.into(),
            done: self.place > 4.0,
            truncated: self.place < -4.0,
            info: None,
        }
    }
    fn reset(
        &mut self,
        seed: Option<u64>,
        _: bool,
        _: Option<BoxR<MountainCarObservation>>,
    ) -> (MountainCarObservation, Option<()>) {
        self.generator = rand_random(seed).0;
        self.place = self.generator.r#gen();
        (self.observation(), None)
    }
    fn render(&mut self, _: RenderMode) -> Renders {
        Renders::None
    }
    fn close(&mut self) {}
}

fn adapt(actions: &[&str]) -> Result<GymRs<Walk>, EnvError> {
    GymRs::new(Walk::new(), "Walk", &["place", "one"], actions)
}

#[test]
fn a_hand_written_environment_with_random_steps_conforms() {
    let mut registry = Registry::empty();
    registry.add(Entry::new("Walk", "a walk against the wind", |_| {
        Ok(Box::new(TimeLimit::new(adapt(&["left", "stay", "right"])?, 50)))
    }));
    for row in check(&registry, "Walk", &Options::new()) {
        assert!(row.passed, "{}: {}", row.name, row.detail);
    }
}

#[test]
fn names_must_fit_the_environment() {
    assert!(adapt(&["left", "right"]).is_err_and(|error| error.to_string().contains("3 actions and 2 names")));
    let unnamed = GymRs::new(Walk::new(), "Walk", &["place"], &["left", "stay", "right"]);
    assert!(unnamed.is_err_and(|error| error.to_string().contains("2 numbers")));
}

#[test]
fn a_saved_state_with_a_wrong_action_or_count_is_refused() -> Result<(), EnvError> {
    let mut env = adapt(&["left", "stay", "right"])?;
    env.reset(&mut Pcg64::seed_from_u64(0))?;
    env.step(2, &mut Pcg64::seed_from_u64(0))?;
    let saved = env.save()?;
    assert_eq!(saved.len(), 8 + 4 + 1);
    for (at, byte) in [(12, 3), (8, 2), (11, 0xff)] {
        let mut damaged = saved.clone();
        damaged[at] = byte;
        assert!(env.load(&damaged).is_err());
    }
    assert_eq!(env.save()?, saved);
    Ok(())
}

#[test]
fn gym_rs_cart_pole_keeps_its_defects() {
    let mut env = Registry::standard().make("gym-rs/CartPole", &Options::new()).unwrap_or_else(|e| panic!("{e}"));
    let mut chance = Pcg64::seed_from_u64(0);
    let mut observation = [0.0; 4];
    let mut short = 0;
    for _ in 0..1_000 {
        env.reset(&mut chance).unwrap();
        env.observe(&mut observation).unwrap();
        assert!(observation.iter().all(|number| number.abs() <= 0.5));
        short += i32::from(env.step(0, &mut chance).unwrap().end.is_some());
    }
    assert!((500..660).contains(&short), "{short} of 1,000 episodes ended in their first step");
}

#[test]
fn the_stand_in_for_sdl_draws_off_screen() {
    let mut env = MountainCarEnv::new(RenderMode::SingleRgbArray);
    env.reset(Some(1), false, None);
    let Renders::SingleRgbArray(RenderFrame(rows)) = env.render(RenderMode::SingleRgbArray) else {
        panic!("no frame");
    };
    assert_eq!((rows.len(), rows[0].len()), (400, 600));
    let white = RenderColor::RGB(255, 255, 255);
    let drawn = rows.iter().flatten().filter(|&pixel| *pixel != white).count();
    assert!((1_000..20_000).contains(&drawn), "{drawn} pixels are drawn");
    let flag = RenderColor::RGB(204, 204, 0);
    let row = rows.iter().position(|row| row.contains(&flag)).unwrap();
    assert!(row < 200, "up is up: the goal's flag is in row {row}");
}

#[test]
fn every_environment_can_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<GymRs<Walk>>();
    is_send::<MountainCarEnv>();
    is_send::<Box<dyn Env>>();
}
