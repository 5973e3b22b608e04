//! What the agent's play looks like, as one animated GIF a recorded episode.

use std::path::{Path, PathBuf};

use super::{Sink, SinkError};
use crate::animation::{Animation, FRAMES_PER_SECOND};
use crate::{event::Event, snapshot};

/// Writes `recordings/step-{step}_task-{task}.gif`; the folder is made for the first one.
pub struct RecordingSink {
    folder: PathBuf,
}

impl RecordingSink {
    /// Writes below the run directory `run`.
    pub fn new(run: &Path) -> Self {
        Self { folder: run.join("recordings") }
    }
}

impl Sink for RecordingSink {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        let Event::Recorded { step, task, frames } = event else { return Ok(()) };
        let Some(first) = frames.first() else { return Ok(()) };
        let path = self.folder.join(format!("step-{step}_task-{task}.gif"));
        let write = || {
            let mut animation = Animation::new(first.width, first.height, FRAMES_PER_SECOND)?;
            for (index, frame) in frames.iter().enumerate() {
                animation.push(frame, index + 1 == frames.len())?;
            }
            snapshot::folder(&self.folder)?;
            snapshot::replace(&path, &animation.finish()?)
        };
        write().map_err(|cause: std::io::Error| SinkError::new(&path, cause))
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}
