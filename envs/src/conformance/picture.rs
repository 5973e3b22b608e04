//! Whether an environment can be watched without being disturbed.

use rand::SeedableRng;
use rand_pcg::Pcg64;

use super::random_play::{play, trajectory};
use super::{Make, STEPS, Verdict};

/// Steps between two pictures.
const PERIOD: usize = 50;

pub(super) fn picture(make: &Make) -> Verdict {
    let (mut watched, mut alone) = (make()?, make()?);
    let (mut chance, mut chance_alone) = (Pcg64::seed_from_u64(7), Pcg64::seed_from_u64(7));
    watched.reset(&mut chance)?;
    alone.reset(&mut chance_alone)?;
    let first = watched.render()?;
    for _ in 0..STEPS / PERIOD {
        let before = watched.save()?;
        let frame = watched.render()?;
        if frame.rgb.len() != 3 * frame.width * frame.height || frame.rgb.is_empty() {
            return Err(format!("{} bytes are no picture of {}x{}", frame.rgb.len(), frame.width, frame.height).into());
        }
        if (frame.width, frame.height) != (first.width, first.height) {
            return Err("its pictures differ in size".into());
        }
        if watched.render()? != frame || watched.save()? != before {
            return Err("drawing changes the state".into());
        }
        play(&mut *watched, &mut chance, PERIOD, |_, _| Ok(()))?;
        play(&mut *alone, &mut chance_alone, PERIOD, |_, _| Ok(()))?;
    }
    if trajectory(&mut *watched, &mut chance, PERIOD)? != trajectory(&mut *alone, &mut chance_alone, PERIOD)? {
        return Err("it goes on differently when it is drawn".into());
    }
    Ok(format!("{}x{} pixels, drawing changes nothing", first.width, first.height))
}
