//! The pictures of the environments, by pixels worked out by hand.

use engram_envs::frame::{GROUND, PALETTE};
use engram_envs::{Env, Frame, Options, Registry, Start};

fn made(id: &str) -> Box<dyn Env> {
    Registry::standard().make(id, &Options::new()).unwrap()
}

fn loaded(id: &str, state: &[u8]) -> Frame {
    let mut env = made(id);
    env.load(state).unwrap();
    env.render().unwrap()
}

/// A state of float64 numbers with some bytes after them.
fn numbers(numbers: &[f64], rest: &[u8]) -> Vec<u8> {
    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
    bytes.chain(rest.iter().copied()).collect()
}

#[test]
fn every_environment_has_a_picture_of_moderate_size() {
    for entry in Registry::standard().local() {
        let frame = made(&entry.example).render().unwrap();
        assert_eq!(frame.rgb.len(), 3 * frame.width * frame.height);
        let longer = frame.width.max(frame.height);
        assert!((160..=320).contains(&longer), "{}: {longer}", entry.example);
    }
}

#[test]
fn catch_shows_ball_and_paddle() {
    // Ball in row 2, column 4; paddle in column 1.
    let frame = loaded("Catch", &[2, 4, 1]);
    assert_eq!((frame.width, frame.height), (120, 240));
    assert_eq!((frame.pixel(108, 60), frame.pixel(96, 48)), (PALETTE[1], GROUND), "a disc");
    assert_eq!((frame.pixel(24, 216), frame.pixel(47, 239)), (PALETTE[0], PALETTE[0]));
    assert_eq!((frame.pixel(23, 239), frame.pixel(48, 239)), (GROUND, GROUND));
}

#[test]
fn permuted_catch_shows_what_the_agent_sees() {
    let mut env = made("PermutedCatch/a-1");
    env.reset(&mut Start(3)).unwrap();
    let mut observation = [0.0; 50];
    env.observe(&mut observation).unwrap();
    let frame = env.render().unwrap();
    for (cell, value) in observation.iter().enumerate() {
        let expected = if *value == 1.0 { PALETTE[0] } else { GROUND };
        assert_eq!(frame.pixel(cell % 5 * 24, cell / 5 * 24), expected, "cell {cell}");
    }
}

#[test]
fn cart_pole_stands_where_its_state_says() {
    // 60 pixels a unit: the cart 1 unit right of the middle, the pole level to its right.
    let pole = [1.0, 0.0, std::f64::consts::FRAC_PI_2, 0.0];
    let frame = loaded("CartPole-v1", &numbers(&pole, &[0, 0, 0, 0, 0]));
    assert_eq!((frame.pixel(201, 129), frame.pixel(239, 129), frame.pixel(199, 129)), (PALETTE[0], PALETTE[0], GROUND));
    assert_eq!((frame.pixel(270, 110), frame.pixel(270, 100), frame.pixel(220, 110)), (PALETTE[1], GROUND, PALETTE[7]));
    assert_eq!((frame.pixel(16, 130), frame.pixel(15, 130)), (PALETTE[8], GROUND), "the track ends at the limit");
}

#[test]
fn acrobot_hangs_and_stands() {
    // 52 pixels a link, from the middle: straight down, then the upper link up and the lower one folded back.
    let hanging = loaded("Acrobot-v1", &numbers(&[0.0; 4], &[0; 4]));
    assert_eq!((hanging.pixel(120, 150), hanging.pixel(120, 220)), (PALETTE[0], PALETTE[1]));
    assert_eq!((hanging.pixel(120, 90), hanging.pixel(0, 67)), (GROUND, PALETTE[8]));
    let standing = loaded("Acrobot-v1", &numbers(&[std::f64::consts::PI, 0.0, 0.0, 0.0], &[0; 4]));
    assert_eq!((standing.pixel(120, 90), standing.pixel(120, 20)), (PALETTE[0], PALETTE[1]));
}

#[cfg(feature = "gym-rs")]
#[test]
fn the_car_stands_on_the_hill() {
    // The valley's bottom is at -pi / 6: 109 pixels from the left, 0.1 * 150 above the line at 190.
    let frame = loaded("MountainCar-v0", &numbers(&[-std::f64::consts::FRAC_PI_6, 0.0], &[0; 4]));
    assert_eq!((frame.pixel(109, 176), frame.pixel(109, 164), frame.pixel(109, 150)), (PALETTE[8], PALETTE[0], GROUND));
    assert_eq!((frame.pixel(101, 170), frame.pixel(117, 170), frame.pixel(109, 172)), (PALETTE[1], PALETTE[1], GROUND));
}

#[cfg(feature = "gym-rs")]
#[test]
fn both_carts_look_alike() {
    let (mut own, mut other) = (made("CartPole-v1"), made("gym-rs/CartPole"));
    let mut state = [0.0; 4];
    other.reset(&mut Start(5)).unwrap();
    other.observe(&mut state).unwrap();
    own.load(&numbers(&state.map(f64::from), &[0, 0, 0, 0, 0])).unwrap();
    assert_eq!(own.render().unwrap(), other.render().unwrap());
}
