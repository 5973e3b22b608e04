//! What a user is told while a run goes on.

use engram_agents::continual::{Consolidation, Revisit};

use crate::config::Config;

/// An explicit step of the penalty's gradient goes past the anchor where `eta lambda F > 1`, and away from it above 2.
pub fn overshoots(stiffness: f32) -> String {
    let what = if stiffness > 2.0 { "drives parameters away from their anchors" } else { "overshoots its anchors" };
    format!(
        "the penalty {what} (step size x lambda x importance reaches {stiffness:.1}); \
         set method.coupling = \"proximal\", or a smaller lambda"
    )
}

/// What is remarkable about a consolidation; `revisited` says that the task had been consolidated before.
pub fn of_consolidation(consolidation: &Consolidation, config: &Config, revisited: bool) -> Vec<String> {
    let mut warnings = consolidation.warnings.clone();
    let separate = config.method.name.has_separate_penalties();
    if revisited && separate && config.method.revisit == Revisit::Add {
        warnings.push(
            "this task was consolidated before and both penalties now count; \
             set method.revisit = \"replace\" to drop the old one"
                .into(),
        );
    }
    warnings
}
