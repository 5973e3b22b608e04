//! Leaving off in order: when a signal asks for it, or when a moment has come.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant,
};

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};

use crate::error::TrainError;

/// The number of the signal that asks for an end, or 0 as long as none has arrived.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicUsize>);

impl Stop {
    /// Hears SIGINT, SIGTERM and SIGUSR1 (which a cluster can be told to send before time is up): the first asks the run
    /// to end in order, a second one ends the process at once.
    pub fn on_signals() -> io::Result<Self> {
        let (arrived, stop) = (Arc::new(AtomicBool::new(false)), Self::default());
        for signal in [SIGINT, SIGTERM, SIGUSR1] {
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&arrived))?;
            signal_hook::flag::register(signal, Arc::clone(&arrived))?;
            signal_hook::flag::register_usize(signal, Arc::clone(&stop.0), signal as usize)?;
        }
        Ok(stop)
    }

    /// Asks for an end as the signal of this number would.
    pub fn ask(&self, signal: usize) {
        self.0.store(signal, Ordering::Relaxed);
    }

    /// The number of the signal that has arrived, if one has.
    pub fn signal(&self) -> Option<usize> {
        Some(self.0.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }

    /// [`TrainError::Stopped`] once a signal has arrived, so that `?` leaves whatever loop goes on.
    pub(crate) fn heed(&self) -> Result<(), TrainError> {
        self.signal().map_or(Ok(()), |signal| Err(TrainError::Stopped(signal)))
    }
}

/// The moment at which training pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Not before its end.
    Never,
    /// Once this many environment steps of a phase are made, counted over the whole curriculum.
    Step(u64),
    /// Before the evaluation that comes before the phase of this index, or after the last one.
    Boundary(usize),
    /// At this time, or within a hundred steps of it.
    Time(Instant),
}

/// Steps between two looks at the clock.
const LOOK_PERIOD: u64 = 100;

impl Due {
    /// [`TrainError::Paused`] at the boundary that is meant.
    pub(crate) fn heed_boundary(self, phase: usize) -> Result<(), TrainError> {
        if matches!(self, Self::Boundary(due) if due == phase) { Err(TrainError::Paused) } else { Ok(()) }
    }

    /// [`TrainError::Paused`] once the moment has come.
    pub(crate) fn heed(self, step: u64) -> Result<(), TrainError> {
        let come = match self {
            Self::Never | Self::Boundary(_) => false,
            Self::Step(due) => step >= due,
            Self::Time(due) => step.is_multiple_of(LOOK_PERIOD) && Instant::now() >= due,
        };
        if come { Err(TrainError::Paused) } else { Ok(()) }
    }
}
