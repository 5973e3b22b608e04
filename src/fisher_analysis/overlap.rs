//! Whether two tasks count on the same weights.

use engram_agents::params::Layout;

use super::layers::layers;

/// The Fisher overlap of two diagonal Fisher informations `F₁` and `F₂`, after Kirkpatrick et al. 2017:
/// `Σᵢ √(f₁ᵢ f₂ᵢ)` with `fᵢ = Fᵢ / Σⱼ Fⱼ`, both brought to trace 1.
///
/// It is `1 - d²` with the Fréchet distance `d² = ½ tr(f₁ + f₂ - 2 (f₁ f₂)^½)`: 1 if and only if they are proportional, 0 if no
/// weight counts for both. None where one of them is zero or no number, and so has no direction.
pub fn overlap(first: &[f32], second: &[f32]) -> Option<f64> {
    let trace = |values: &[f32]| values.iter().map(|value| f64::from(*value)).sum::<f64>();
    let scale = (trace(first) * trace(second)).sqrt();
    let product = |(one, other): (&f32, &f32)| (f64::from(*one) * f64::from(*other)).sqrt();
    let overlap = first.iter().zip(second).map(product).sum::<f64>() / scale;
    // The sum of roots may be above the root of sums by rounding.
    (first.len() == second.len() && overlap.is_finite()).then(|| overlap.min(1.0))
}

/// The overlap of `F₁` and `F₂` by chance: its mean if the weights of one were shuffled, `(Σᵢ √f₁ᵢ) (Σᵢ √f₂ᵢ) / N`.
///
/// Two tasks that count on a few weights each have a small one; where all weights count about alike it is near 1, and an overlap
/// says little.
pub fn chance_overlap(first: &[f32], second: &[f32]) -> Option<f64> {
    let roots = |values: &[f32]| {
        let sum = |term: fn(f64) -> f64| values.iter().map(|value| term(f64::from(*value))).sum::<f64>();
        sum(f64::sqrt) / sum(|value| value).sqrt()
    };
    let chance = roots(first) * roots(second) / first.len() as f64;
    (first.len() == second.len() && chance.is_finite()).then_some(chance)
}

/// A comparison of two importances, such as [`overlap`], inside each shared layer, from the input to the output.
pub fn by_layer(
    layout: &Layout,
    [first, second]: [&[f32]; 2],
    compare: fn(&[f32], &[f32]) -> Option<f64>,
) -> Vec<Option<f64>> {
    layers(layout).iter().map(|layer| compare(&layer.of(first), &layer.of(second))).collect()
}

#[cfg(test)]
mod tests {
    use engram_agents::params::Owner;

    use super::*;

    #[test]
    fn overlaps_by_hand() {
        // f₁ = (¼, ¾), f₂ = (¾, ¼): 2 √(3/16) = √3 / 2.
        let half_way = overlap(&[1.0, 3.0], &[6.0, 2.0]).unwrap();
        assert!((half_way - 3.0_f64.sqrt() / 2.0).abs() < 1e-12, "{half_way}");
        // f₁ = (½, ½, 0), f₂ = (½, 0, ½): √¼ + 0 + 0.
        assert!((overlap(&[2.0, 2.0, 0.0], &[5.0, 0.0, 5.0]).unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn proportional_is_one_and_disjoint_is_zero() {
        let values = [0.1, 0.7, 1e-9, 3.0];
        assert!((overlap(&values, &values.map(|value| 1e-4 * value)).unwrap() - 1.0).abs() < 1e-6);
        assert_eq!(overlap(&[1.0, 0.0], &[0.0, 1.0]), Some(0.0));
    }

    /// The definition by the distance between the square roots, on numbers without a pattern.
    #[test]
    fn it_is_one_minus_the_squared_distance() {
        let (one, other) = ([0.3, 2.0, 0.0, 0.9, 4.1], [1.3, 0.2, 0.6, 0.0, 2.2]);
        let unit = |values: [f32; 5]| values.map(|value| f64::from(value) / values.map(f64::from).iter().sum::<f64>());
        let squares = unit(one).into_iter().zip(unit(other)).map(|(one, other)| (one.sqrt() - other.sqrt()).powi(2));
        let distance = squares.sum::<f64>() / 2.0;
        assert!((overlap(&one, &other).unwrap() - (1.0 - distance)).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_direction_has_no_overlap() {
        for (one, other) in [(vec![0.0, 0.0], vec![1.0, 0.0]), (vec![f32::NAN], vec![1.0]), (vec![1.0], vec![1.0, 0.0])]
        {
            assert_eq!(overlap(&one, &other), None);
        }
    }

    #[test]
    fn chance_is_the_mean_over_all_shufflings() {
        let (one, [a, b, c]) = ([0.0, 1.0, 3.0], [2.0, 5.0, 1.0]);
        let shuffled = [[a, b, c], [a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]];
        let mean = shuffled.iter().map(|other| overlap(&one, other).unwrap()).sum::<f64>() / 6.0;
        assert!((chance_overlap(&one, &[a, b, c]).unwrap() - mean).abs() < 1e-12);
        assert!((chance_overlap(&[2.0; 5], &[7.0; 5]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(chance_overlap(&[0.0], &[1.0]), None);
    }

    #[test]
    fn every_layer_is_brought_to_trace_one_by_itself() {
        let mut layout = Layout::default();
        layout.push("dense1.weight", &[1, 2], Owner::Shared);
        layout.push("dense2.weight", &[1, 2], Owner::Shared);
        layout.push("task0.output.weight", &[1, 1], Owner::Task(0));
        let both: [&[f32]; 2] = [&[1.0, 0.0, 100.0, 300.0, 0.0], &[0.0, 1.0, 1.0, 3.0, 0.0]];
        let found = by_layer(&layout, both, overlap);
        assert_eq!(found[0], Some(0.0));
        assert!((found[1].unwrap() - 1.0).abs() < 1e-12 && found.len() == 2);
    }
}
