//! What the Fisher information of finished tasks says: which weights count, whether tasks count on the same ones, and whether
//! those of no importance may really move.
//!
//! Pure functions of importances and layouts. Nothing here knows a run, an environment or a file.

mod layers;
mod noise;
mod overlap;
mod top_weights;

pub use layers::{Layer, layers, put_shared, shared};
pub use noise::{Noise, Perturbation};
pub use overlap::{by_layer, chance_overlap, overlap};
pub use top_weights::{TopWeight, top_weights, trace};
