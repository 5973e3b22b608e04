//! The penalty of every importance-weighting method: one quadratic, whatever the number of past tasks.

use serde::{Deserialize, Serialize};

/// `Omega(theta) = lambda/2 [ sum_i A_i (theta_i - c_i)^2 + constant ]`.
///
/// A sum of quadratics is a quadratic. With importances `F_k` and anchors `theta*_k`,
/// `sum_k F_k (theta - theta*_k)^2 = A (theta - c)^2 + constant`, where `A = sum_k F_k` and
/// `c = sum_k F_k theta*_k / A`: time and memory are those of one task after any number of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quadratic {
    /// The strength of the penalty.
    pub lambda: f32,
    /// `A`, one number a parameter; 0 where nothing is protected.
    pub importance: Vec<f32>,
    /// `c`, one number a parameter.
    pub centre: Vec<f32>,
    /// What the sum of the separate penalties has beyond the merged one.
    pub constant: f64,
}

impl Quadratic {
    /// The penalty of one task alone.
    pub fn new(lambda: f32, importance: Vec<f32>, anchor: Vec<f32>) -> Self {
        Self { lambda, importance, centre: anchor, constant: 0.0 }
    }

    /// Adds the penalty of one more task, exactly: with `A' = A + F`,
    /// `c' = c + (F / A') (theta* - c)` and `constant' = constant + sum_i (A F / A') (theta* - c)^2`.
    pub fn add(&mut self, importance: &[f32], anchor: &[f32]) {
        for (((a, c), f), anchor) in self.importance.iter_mut().zip(&mut self.centre).zip(importance).zip(anchor) {
            let sum = *a + f;
            if sum > 0.0 {
                let distance = anchor - *c;
                self.constant += f64::from(*a) * f64::from(*f) / f64::from(sum) * f64::from(distance).powi(2);
                *c += f / sum * distance;
                *a = sum;
            }
        }
    }

    /// The online form (Schwarz et al. 2018): `A' = decay A + F`, all of it around the latest anchor.
    pub fn recentre(&mut self, decay: f32, importance: &[f32], anchor: &[f32]) {
        for (a, f) in self.importance.iter_mut().zip(importance) {
            *a = decay * *a + f;
        }
        self.centre.copy_from_slice(anchor);
    }

    /// `Omega(theta)`.
    pub fn value(&self, params: &[f32]) -> f32 {
        let terms = self.importance.iter().zip(&self.centre).zip(params);
        let sum: f64 = terms.map(|((a, c), p)| f64::from(*a) * f64::from(p - c).powi(2)).sum();
        (0.5 * f64::from(self.lambda) * (sum + self.constant)) as f32
    }

    /// Adds `d Omega / d theta = lambda A (theta - c)` to `gradient`.
    pub fn add_gradient(&self, params: &[f32], gradient: &mut [f32]) {
        for (((g, a), c), p) in gradient.iter_mut().zip(&self.importance).zip(&self.centre).zip(params) {
            *g += self.lambda * a * (p - c);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use proptest::prelude::*;

    /// P6. Fails if the half is dropped: a move of 1 with F = 1 and lambda = 2 costs exactly 1.
    #[test]
    fn p6_the_half_is_there() {
        let quadratic = Quadratic::new(2.0, vec![1.0, 0.0], vec![0.0, 0.0]);
        assert_eq!(quadratic.value(&[1.0, 5.0]), 1.0);
    }

    #[test]
    fn zero_at_the_anchor_positive_elsewhere_and_linear_in_lambda() {
        let (importance, anchor) = (vec![0.3, 0.7, 0.0], vec![0.1, -2.3, 4.0]);
        let quadratic = Quadratic::new(1.5, importance, anchor.clone());
        assert_eq!(quadratic.value(&anchor), 0.0);
        let away = [0.2, -2.0, 9.0];
        let mut gradient = [0.0; 3];
        quadratic.add_gradient(&away, &mut gradient);
        assert!(quadratic.value(&away) > 0.0 && gradient[0] > 0.0 && gradient[1] > 0.0 && gradient[2] == 0.0);
        let double = Quadratic { lambda: 3.0, ..quadratic.clone() };
        assert_eq!(double.value(&away), 2.0 * quadratic.value(&away));
    }

    fn vector(range: Range<f32>) -> impl Strategy<Value = Vec<f32>> {
        proptest::collection::vec(range, 6)
    }

    proptest! {
        #[test]
        fn merged_equals_the_explicit_sum(
            tasks in proptest::collection::vec((vector(0.0..3.0), vector(-2.0..2.0)), 1..12),
            zeroed in 0..6_usize,
            params in vector(-2.0..2.0),
        ) {
            let mut explicit = 0.0_f64;
            let mut slope = [0.0_f64; 6];
            let mut merged: Option<Quadratic> = None;
            for (mut importance, anchor) in tasks {
                importance[zeroed] = 0.0;
                for i in 0..6 {
                    let distance = f64::from(params[i]) - f64::from(anchor[i]);
                    explicit += 0.5 * 0.8 * f64::from(importance[i]) * distance.powi(2);
                    slope[i] += 0.8 * f64::from(importance[i]) * distance;
                }
                match &mut merged {
                    None => merged = Some(Quadratic::new(0.8, importance, anchor)),
                    Some(quadratic) => quadratic.add(&importance, &anchor),
                }
            }
            let merged = merged.expect("at least one task");
            prop_assert!((f64::from(merged.value(&params)) - explicit).abs() <= 1e-5 * explicit.max(1.0));
            let mut gradient = vec![0.0; 6];
            merged.add_gradient(&params, &mut gradient);
            for i in 0..6 {
                prop_assert!((f64::from(gradient[i]) - slope[i]).abs() <= 1e-4 * slope[i].abs().max(1.0));
            }
            prop_assert_eq!(gradient[zeroed], 0.0);
        }

        #[test]
        fn gradient_equals_finite_differences(
            importance in vector(0.1..3.0), centre in vector(-2.0..2.0), params in vector(-2.0..2.0),
        ) {
            let quadratic = Quadratic::new(1.7, importance, centre);
            let mut gradient = vec![0.0; 6];
            quadratic.add_gradient(&params, &mut gradient);
            for i in 0..6 {
                let moved = |by: f32| { let mut p = params.clone(); p[i] += by; f64::from(quadratic.value(&p)) };
                let difference = (moved(0.01) - moved(-0.01)) / 0.02;
                prop_assert!((difference - f64::from(gradient[i])).abs() < 0.02, "{difference} {}", gradient[i]);
            }
        }
    }

    #[test]
    fn online_form_by_hand() {
        let mut quadratic = Quadratic::new(1.0, vec![2.0, 0.0], vec![1.0, 1.0]);
        quadratic.recentre(0.5, &[3.0, 1.0], &[5.0, 6.0]);
        assert_eq!(quadratic.importance, vec![4.0, 1.0]);
        assert_eq!(quadratic.centre, vec![5.0, 6.0]);
        assert_eq!(quadratic.value(&[5.0, 6.0]), 0.0);
    }
}
