//! What every environment must satisfy, checked from outside: the library behind `engram env check`.

mod picture;
mod random_play;
mod stack;

use std::error::Error;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use serde::Serialize;

use crate::chance::Start;
use crate::env::{End, Env, EnvError, ObservationSpace, Outcome, PlaneKind};
use crate::options::Options;
use crate::registry::Registry;
use crate::tape::{Draw, Recorder};
use picture::picture;
use random_play::{play, trajectory};
use stack::Stack;

/// Steps of random play on which most checks look.
const STEPS: usize = 2_000;
/// After how many steps of random play states are saved.
const SAVE_POINTS: [usize; 7] = [0, 1, 2, 5, 17, 100, 300];
/// How long speed is measured.
const SPEED_TIME: Duration = Duration::from_millis(100);

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// Whether it is as it must be.
    pub passed: bool,
    /// What was found.
    pub detail: String,
}

type Make<'a> = dyn Fn() -> Result<Box<dyn Env>, EnvError> + 'a;
type Verdict = Result<String, Box<dyn Error>>;

/// Checks the environment with this id; random play and seeds are fixed, so that only the speed varies between calls.
pub fn check(registry: &Registry, id: &str, options: &Options) -> Vec<Check> {
    let make = || registry.make(id, options);
    let made = verdict("made", made(&make, id));
    if !made.passed {
        return vec![made];
    }
    vec![
        made,
        verdict("seeds", seeds(&make)),
        verdict("observations", observations(&make)),
        verdict("actions", actions(&make)),
        verdict("save and load", save_and_load(&make)),
        verdict("endings", endings(&make)),
        verdict("starts", starts(&make)),
        verdict("picture", picture(&make)),
        verdict("speed", speed(&make)),
    ]
}

fn verdict(name: &'static str, result: Verdict) -> Check {
    match result {
        Ok(detail) => Check { name, passed: true, detail },
        Err(error) => Check { name, passed: false, detail: error.to_string() },
    }
}

fn made(make: &Make, id: &str) -> Verdict {
    let env = make()?;
    let spec = env.spec();
    if spec.id != id {
        return Err(format!("its specification says `{}`", spec.id).into());
    }
    if spec.actions.is_empty() || spec.observation.is_empty() {
        return Err("it has no actions or no observation".into());
    }
    Ok(format!("{} actions, {} numbers in an observation", spec.actions.len(), spec.observation.len()))
}

fn seeds(make: &Make) -> Verdict {
    let run = |seed: u64| -> Result<_, Box<dyn Error>> {
        let mut chance = Recorder::new(Pcg64::seed_from_u64(seed));
        let mut env = make()?;
        env.reset(&mut chance)?;
        let seen = trajectory(&mut *env, &mut chance, STEPS)?;
        Ok((seen, chance.draws().len()))
    };
    let (first, draws) = run(0)?;
    if run(0)?.0 != first {
        return Err("one seed gave two trajectories".into());
    }
    if draws == 0 {
        return Ok(format!("nothing was random in {STEPS} steps"));
    }
    for seed in 1..=10 {
        if run(seed)?.0 != first {
            return Ok(format!("equal seeds gave equal trajectories of {STEPS} steps, other seeds others"));
        }
    }
    Err("it draws numbers but all seeds give one trajectory".into())
}

fn observations(make: &Make) -> Verdict {
    let mut env = make()?;
    let mut chance = Pcg64::seed_from_u64(1);
    env.reset(&mut chance)?;
    let space = env.spec().observation.clone();
    let allowed: fn(f32) -> bool = match space {
        ObservationSpace::Vector { .. } => f32::is_finite,
        ObservationSpace::Planes { kind: PlaneKind::Binary, .. } => |x| x == 0.0 || x == 1.0,
        ObservationSpace::Planes { kind: PlaneKind::Byte | PlaneKind::Stack, .. } => {
            |x| (0.0..=255.0).contains(&x) && x.fract() == 0.0
        }
    };
    let mut stack = Stack::after_reset(&mut *env)?;
    play(&mut *env, &mut chance, STEPS, |outcome, observation| {
        stack.follow(outcome, observation)?;
        if let Some(i) = observation.iter().position(|&x| !allowed(x)) {
            return Err(format!("{} is no value for {}", observation[i], space.place(i)).into());
        }
        match outcome {
            Some(Outcome { reward, .. }) if !reward.is_finite() => Err(format!("a reward is {reward}").into()),
            _ => Ok(()),
        }
    })?;
    // An `observe` that leaves numbers unwritten would show what was there before.
    let mut written = [vec![f32::NAN; space.len()], vec![-1.0; space.len()]];
    for out in &mut written {
        env.observe(out)?;
    }
    if written[0] != written[1] {
        return Err("`observe` leaves a number unwritten".into());
    }
    Ok(format!("{STEPS} observations within the specification"))
}

fn actions(make: &Make) -> Verdict {
    let mut env = make()?;
    let mut chance = Pcg64::seed_from_u64(2);
    env.reset(&mut chance)?;
    let before = env.save()?;
    for action in [env.spec().actions.len(), usize::MAX] {
        if !matches!(env.step(action, &mut chance), Err(EnvError::Action { .. })) {
            return Err(format!("action {action} was not refused").into());
        }
    }
    if env.save()? != before {
        return Err("a refused action changed the state".into());
    }
    Ok(env.spec().actions.join(", "))
}

fn save_and_load(make: &Make) -> Verdict {
    let mut bytes = 0;
    for steps in SAVE_POINTS {
        let mut env = make()?;
        let mut chance = Pcg64::seed_from_u64(3);
        env.reset(&mut chance)?;
        trajectory(&mut *env, &mut chance, steps)?;
        let saved = env.save()?;
        bytes = bytes.max(saved.len());
        let future = trajectory(&mut *env, &mut chance.clone(), STEPS)?;
        for (mut other, whose) in [(env, "the same"), (make()?, "another")] {
            other.load(&saved)?;
            if other.save()? != saved {
                return Err(format!("after {steps} steps: {whose} instance saves other than it loaded").into());
            }
            if trajectory(&mut *other, &mut chance.clone(), STEPS)? != future {
                return Err(format!("after {steps} steps: {whose} instance goes on differently").into());
            }
        }
        let longer = [&saved[..], &[0]].concat();
        let damaged = [saved.split_last().map(|(_, shorter)| shorter), Some(&longer)];
        if damaged.into_iter().flatten().any(|damaged| make().is_ok_and(|mut env| env.load(damaged).is_ok())) {
            return Err("a saved state with a byte too few or too many is not refused".into());
        }
    }
    Ok(format!("goes on exactly at {} points, {bytes} bytes at most", SAVE_POINTS.len()))
}

fn endings(make: &Make) -> Verdict {
    let mut env = make()?;
    let mut chance = Pcg64::seed_from_u64(4);
    env.reset(&mut chance)?;
    let limit = env.spec().step_limit.map(|limit| limit as usize);
    let steps = limit.map_or(10 * STEPS, |limit| (3 * limit).min(10 * STEPS));
    let (mut length, mut longest, mut terminated, mut truncated) = (0, 0, 0, 0);
    play(&mut *env, &mut chance, steps, |outcome, _| {
        let Some(outcome) = outcome else { return Ok(()) };
        length += 1;
        match outcome.end {
            None if limit.is_some_and(|limit| length >= limit) => {
                return Err(format!("an episode goes on after {length} steps").into());
            }
            None => return Ok(()),
            Some(End::Terminated) => terminated += 1,
            Some(End::Truncated) if limit.is_none() => return Err("it truncates but names no limit".into()),
            Some(End::Truncated) => truncated += 1,
        }
        longest = longest.max(length);
        length = 0;
        Ok(())
    })?;
    if terminated + truncated == 0 {
        return Ok("no episode ended in random play, and no limit is named".into());
    }
    Ok(format!("{terminated} terminated, {truncated} truncated, {longest} steps at most"))
}

fn starts(make: &Make) -> Verdict {
    let mut env = make()?;
    let Some(starts) = env.spec().starts.map(i64::from) else { return Ok("not declared to be few".into()) };
    for start in 0..starts {
        let mut chance = Recorder::new(Start(start));
        env.reset(&mut chance)?;
        if chance.draws() != [Draw::Integer { low: 0, high: starts, value: start }] {
            return Err(format!("a reset does not make exactly one draw from 0..{starts}").into());
        }
        let mut player = Pcg64::seed_from_u64(5);
        for _ in 0..STEPS {
            let action = player.random_range(0..env.spec().actions.len());
            if env.step(action, &mut chance)?.end.is_some() {
                break;
            }
        }
        if chance.draws().len() > 1 {
            return Err("a step draws, so that a start does not decide the episode".into());
        }
    }
    Ok(format!("{starts}, each from one draw"))
}

fn speed(make: &Make) -> Verdict {
    let mut env = make()?;
    let mut chance = Pcg64::seed_from_u64(6);
    env.reset(&mut chance)?;
    let mut observation = vec![0.0; env.spec().observation.len()];
    let actions = env.spec().actions.len();
    let (mut steps, begin) = (0_u64, Instant::now());
    while begin.elapsed() < SPEED_TIME {
        for step in 0..1_000 {
            // Cheap and mixed enough: drawing each action would cost more than some games.
            if env.step(step % actions, &mut chance)?.end.is_some() {
                env.reset(&mut chance)?;
            }
            env.observe(&mut observation)?;
        }
        steps += 1_000;
    }
    let rate = steps as f64 / begin.elapsed().as_secs_f64();
    let (rate, unit) = if rate < 1e5 { (rate / 1e3, "thousand") } else { (rate / 1e6, "million") };
    Ok(format!("{rate:.2} {unit} steps/s, each observed"))
}
