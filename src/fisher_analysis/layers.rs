//! The shared parameters of a network, layer by layer.

use std::ops::Range;

use engram_agents::params::{Layout, Owner};

/// The shared tensors of one layer: its weights, and its biases where all tasks have them in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its name, such as `dense1`.
    pub name: String,
    /// Where its tensors lie in the flat vector.
    pub ranges: Vec<Range<usize>>,
}

impl Layer {
    /// What a flat vector holds of this layer.
    pub fn of(&self, values: &[f32]) -> Vec<f32> {
        gather(&self.ranges, values)
    }
}

/// The layers of the shared parameters, from the input to the output. What a task owns is in none: no penalty applies to it.
pub fn layers(layout: &Layout) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    for entry in layout.entries().iter().filter(|entry| entry.owner == Owner::Shared) {
        let name = entry.name.rsplit_once('.').map_or(entry.name.as_str(), |(layer, _)| layer);
        match layers.last_mut() {
            Some(last) if last.name == name => last.ranges.push(entry.range.clone()),
            _ => layers.push(Layer { name: name.into(), ranges: vec![entry.range.clone()] }),
        }
    }
    layers
}

/// What a flat vector holds of the shared parameters.
pub fn shared(layout: &Layout, values: &[f32]) -> Vec<f32> {
    gather(&layout.shared(), values)
}

/// Puts values of the shared parameters, as [`shared`] gives them, into their places in a flat vector.
pub fn put_shared(layout: &Layout, mut values: &[f32], params: &mut [f32]) {
    for range in layout.shared() {
        let (own, rest) = values.split_at(range.len());
        params[range].copy_from_slice(own);
        values = rest;
    }
}

fn gather(ranges: &[Range<usize>], values: &[f32]) -> Vec<f32> {
    ranges.iter().filter_map(|range| values.get(range.clone())).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_biases_of_a_layer_are_together_and_heads_are_left_out() {
        let mut layout = Layout::default();
        layout.push("dense1.weight", &[1, 2], Owner::Shared);
        layout.push("dense1.bias", &[1, 2], Owner::Shared);
        layout.push("dense2.weight", &[2, 1], Owner::Shared);
        layout.push("task0.output.weight", &[1, 1], Owner::Task(0));
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        let found = layers(&layout);
        let seen: Vec<_> = found.iter().map(|layer| (layer.name.as_str(), layer.of(&values))).collect();
        assert_eq!(seen, [("dense1", vec![1.0, 2.0, 3.0, 4.0]), ("dense2", vec![5.0, 6.0])]);
        assert_eq!(shared(&layout, &values), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn shared_values_go_back_to_where_they_were_and_heads_stay() {
        let mut layout = Layout::default();
        layout.push("dense1.weight", &[1, 2], Owner::Shared);
        layout.push("task0.dense1.bias", &[1, 1], Owner::Task(0));
        layout.push("output.weight", &[1, 1], Owner::Shared);
        let mut params = [1.0, 2.0, 3.0, 4.0];
        put_shared(&layout, &[5.0, 6.0, 7.0], &mut params);
        assert_eq!(params, [5.0, 6.0, 3.0, 7.0]);
        assert_eq!(shared(&layout, &params), [5.0, 6.0, 7.0]);
    }
}
