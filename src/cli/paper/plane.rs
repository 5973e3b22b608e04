//! The plane through three parameter vectors, and where others lie against it.

/// A plane in the space of parameters, with an orthonormal basis.
pub struct Plane {
    origin: Vec<f32>,
    axes: [Vec<f64>; 2],
}

/// A point of a plane, and how far from the plane lies what was projected there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection {
    /// `(θ - θ₀)·e₁` and `(θ - θ₀)·e₂`.
    pub at: [f64; 2],
    /// `|θ - θ₀ - x e₁ - y e₂|`.
    pub off: f64,
}

impl Plane {
    /// The plane through `θ₀`, `θ₁` and `θ₂`, with `e₁ = (θ₁ - θ₀) / |θ₁ - θ₀|` and `e₂` the direction of what `θ₂ - θ₀` has
    /// at right angles to it (Gram-Schmidt); None where the three lie on a line.
    pub fn through(origin: &[f32], first: &[f32], second: &[f32]) -> Option<Self> {
        let first = normalized(difference(first, origin))?;
        let mut second = difference(second, origin);
        let along = dot(&second, &first);
        second.iter_mut().zip(&first).for_each(|(value, axis)| *value -= along * axis);
        Some(Self { origin: origin.to_vec(), axes: [first, normalized(second)?] })
    }

    /// Where a vector lies.
    pub fn project(&self, vector: &[f32]) -> Projection {
        let mut rest = difference(vector, &self.origin);
        let at = [0, 1].map(|axis| dot(&rest, &self.axes[axis]));
        for (axis, at) in self.axes.iter().zip(at) {
            rest.iter_mut().zip(axis).for_each(|(value, axis)| *value -= at * axis);
        }
        Projection { at, off: dot(&rest, &rest).sqrt() }
    }

    /// The parameters at a point: `θ₀ + x e₁ + y e₂`.
    pub fn params(&self, [x, y]: [f64; 2], out: &mut [f32]) {
        let axes = self.axes[0].iter().zip(&self.axes[1]);
        for ((out, origin), (first, second)) in out.iter_mut().zip(&self.origin).zip(axes) {
            *out = (f64::from(*origin) + x * first + y * second) as f32;
        }
    }
}

fn difference(one: &[f32], other: &[f32]) -> Vec<f64> {
    one.iter().zip(other).map(|(one, other)| f64::from(*one) - f64::from(*other)).collect()
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn normalized(vector: Vec<f64>) -> Option<Vec<f64>> {
    let length = dot(&vector, &vector).sqrt();
    // What is left of two parallel arrows is rounding.
    (length.is_finite() && length > 1e-6).then(|| vector.into_iter().map(|value| value / length).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_projected_and_found_again() {
        let origin = [1.0, 1.0, 1.0];
        let plane = Plane::through(&origin, &[4.0, 1.0, 1.0], &[3.0, 5.0, 1.0]).unwrap();
        assert_eq!(plane.project(&[4.0, 1.0, 1.0]), Projection { at: [3.0, 0.0], off: 0.0 });
        assert_eq!(plane.project(&[3.0, 5.0, 1.0]), Projection { at: [2.0, 4.0], off: 0.0 });
        assert_eq!(plane.project(&[0.0, 2.0, 6.0]), Projection { at: [-1.0, 1.0], off: 5.0 });
        let mut params = [0.0; 3];
        plane.params([2.0, 4.0], &mut params);
        assert_eq!(params, [3.0, 5.0, 1.0]);
    }

    #[test]
    fn a_line_spans_no_plane() {
        assert!(Plane::through(&[0.0; 2], &[1.0, 1.0], &[2.0, 2.0]).is_none());
        assert!(Plane::through(&[0.0; 2], &[0.0; 2], &[1.0, 0.0]).is_none());
    }
}
