//! Ending a run in order when a signal asks for it.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::error::TrainError;

/// The number of the signal that asks for an end, or 0 as long as none has arrived.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicUsize>);

impl Stop {
    /// Hears SIGINT and SIGTERM: the first asks the run to end in order, a second one ends the process at once.
    pub fn on_signals() -> io::Result<Self> {
        let (arrived, stop) = (Arc::new(AtomicBool::new(false)), Self::default());
        for signal in [SIGINT, SIGTERM] {
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

    /// [`TrainError::Stopped`] once a signal has arrived, so that `?` leaves whatever loop goes on.
    pub(crate) fn heed(&self) -> Result<(), TrainError> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            signal => Err(TrainError::Stopped(signal)),
        }
    }
}
