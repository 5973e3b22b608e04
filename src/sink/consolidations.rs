//! What each consolidation kept, as one file a phase: anchor, importance and the units that fire.

use std::path::{Path, PathBuf};

use engram_agents::params::Layout;

use super::{Sink, SinkError};
use crate::{event::Event, snapshot};

/// Writes `consolidations/{phase}.safetensors` and, where there is a Fisher information, its diagnostics beside it.
pub struct ConsolidationSink {
    folder: PathBuf,
    layout: Layout,
    hidden: Vec<(String, usize)>,
}

impl ConsolidationSink {
    /// Writes below the run directory `run`. `hidden` names each hidden layer and its units.
    pub fn new(run: &Path, layout: &Layout, hidden: Vec<(String, usize)>) -> Result<Self, SinkError> {
        let folder = run.join("consolidations");
        snapshot::folder(&folder).map_err(|cause| SinkError::new(&folder, cause))?;
        Ok(Self { folder, layout: layout.clone(), hidden })
    }
}

impl Sink for ConsolidationSink {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        let Event::Consolidated { step, phase, consolidation, .. } = event else { return Ok(()) };
        let mut tensors = snapshot::by_name(&self.layout, "anchor/", &consolidation.anchor);
        if let Some(importance) = &consolidation.importance {
            tensors.extend(snapshot::by_name(&self.layout, "importance/", importance));
        }
        let mut flags = consolidation.fired.as_slice();
        for (layer, units) in &self.hidden {
            let (own, rest) = flags.split_at(*units);
            flags = rest;
            tensors.push(snapshot::NamedTensor::flags(format!("fired/{layer}"), own));
        }
        let path = self.folder.join(format!("{phase}.safetensors"));
        snapshot::write(&path, &self.layout, *step, &tensors).map_err(|cause| SinkError::new(&path, cause))?;
        let path = self.folder.join(format!("{phase}.json"));
        let report = serde_json::json!({ "dead_units": consolidation.dead, "fisher": consolidation.diagnostics });
        snapshot::replace(&path, format!("{report:#}\n").as_bytes()).map_err(|cause| SinkError::new(&path, cause))
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}
