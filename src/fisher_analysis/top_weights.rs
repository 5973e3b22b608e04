//! The weights that count most.

use engram_agents::params::{Entry, Layout, Owner};
use serde::Serialize;

use super::layers::shared;

/// A weight with what it counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TopWeight {
    /// The tensor, such as `dense1.weight`.
    pub tensor: String,
    /// Its place in the tensor, an index a dimension; of weights the input, then the unit.
    pub index: Vec<usize>,
    /// `Fᵢ`.
    pub importance: f64,
    /// `Fᵢ / Σⱼ Fⱼ` over all shared parameters; NaN where that sum is 0.
    pub share: f64,
}

/// `Σᵢ Fᵢ` over all shared parameters.
pub fn trace(layout: &Layout, importance: &[f32]) -> f64 {
    shared(layout, importance).iter().map(|value| f64::from(*value)).sum()
}

/// The `count` shared weights of the greatest importance, in descending order; of equal ones the first come first.
pub fn top_weights(layout: &Layout, importance: &[f32], count: usize) -> Vec<TopWeight> {
    let trace = trace(layout, importance);
    let shared = layout.entries().iter().filter(|entry| entry.owner == Owner::Shared);
    let mut places: Vec<(&Entry, usize, f32)> = shared
        .flat_map(|entry| {
            let values = importance.get(entry.range.clone()).unwrap_or_default();
            values.iter().enumerate().map(move |(place, value)| (entry, place, *value))
        })
        .collect();
    places.sort_by(|(.., one), (.., other)| other.total_cmp(one));
    let weight = |(entry, place, value): (&Entry, usize, f32)| TopWeight {
        tensor: entry.name.clone(),
        index: unravelled(place, &entry.shape),
        importance: value.into(),
        share: f64::from(value) / trace,
    };
    places.into_iter().take(count).map(weight).collect()
}

/// The index a dimension of a place in a row-major tensor.
fn unravelled(mut place: usize, shape: &[usize]) -> Vec<usize> {
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|size| {
            let at = place % size;
            place /= size;
            at
        })
        .collect();
    index.reverse();
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_come_first_with_their_share_of_the_trace() {
        let mut layout = Layout::default();
        layout.push("dense1.weight", &[2, 3], Owner::Shared);
        layout.push("task0.output.weight", &[1, 1], Owner::Task(0));
        layout.push("dense1.bias", &[1, 2], Owner::Shared);
        let importance = [0.0, 1.0, 0.5, 0.0, 0.0, 4.0, 99.0, 1.5, 1.0];
        assert_eq!(trace(&layout, &importance), 8.0);
        let found = top_weights(&layout, &importance, 3);
        let weight = |tensor: &str, index: &[usize], importance: f64| TopWeight {
            tensor: tensor.into(),
            index: index.into(),
            importance,
            share: importance / 8.0,
        };
        let expected = [
            weight("dense1.weight", &[1, 2], 4.0),
            weight("dense1.bias", &[0, 0], 1.5),
            weight("dense1.weight", &[0, 1], 1.0),
        ];
        assert_eq!(found, expected);
        assert_eq!(top_weights(&layout, &importance, 100).len(), 8, "there are no more");
    }

    #[test]
    fn places_are_row_major() {
        assert_eq!(unravelled(0, &[2, 3, 4]), [0, 0, 0]);
        assert_eq!(unravelled(23, &[2, 3, 4]), [1, 2, 3]);
        assert_eq!(unravelled(7, &[2, 3, 4]), [0, 1, 3]);
    }
}
