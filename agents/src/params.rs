//! The layout of a network's parameters in one flat vector: names, shapes and owners.
//!
//! With every parameter in one vector, an optimizer, a penalty, a snapshot or a mask is one loop over slices, and a
//! method never needs to know the layers.

use std::ops::Range;

/// Whose parameters these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Used by every task, so protected by penalties.
    Shared,
    /// Used by one task alone: no other task moves them and no penalty applies.
    Task(usize),
}

/// One named tensor inside the flat vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Unique name, such as `dense1.weight` or `task0.output.bias`.
    pub name: String,
    /// Its shape; weights are `[inputs, outputs]`.
    pub shape: Vec<usize>,
    /// Where it lies in the flat vector, row-major.
    pub range: Range<usize>,
    /// Whose it is.
    pub owner: Owner,
}

/// A stretch of the flat vector with one owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it lies.
    pub range: Range<usize>,
    /// Whose it is.
    pub owner: Owner,
}

/// All entries, in the order in which they lie.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    entries: Vec<Entry>,
}

impl Layout {
    /// Appends an entry and returns its index.
    pub fn push(&mut self, name: impl Into<String>, shape: &[usize], owner: Owner) -> usize {
        let start = self.len();
        let range = start..start + shape.iter().product::<usize>();
        self.entries.push(Entry { name: name.into(), shape: shape.to_vec(), range, owner });
        self.entries.len() - 1
    }

    /// The entries, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The length of the flat vector.
    pub fn len(&self) -> usize {
        self.entries.last().map_or(0, |entry| entry.range.end)
    }

    /// Whether there are no parameters at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The parameters by owner, neighbours of one owner joined, in order.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for Entry { range, owner, .. } in &self.entries {
            match parts.last_mut() {
                Some(last) if last.owner == *owner => last.range.end = range.end,
                _ => parts.push(Part { range: range.clone(), owner: *owner }),
            }
        }
        parts
    }

    /// The ranges of the shared parameters, neighbours joined.
    pub fn shared(&self) -> Vec<Range<usize>> {
        self.parts().into_iter().filter(|part| part.owner == Owner::Shared).map(|part| part.range).collect()
    }

    /// A hash of names, shapes and owners (FNV-1a), by which a saved vector is known to fit.
    pub fn hash(&self) -> u64 {
        let text = |entry: &Entry| format!("{} {:?} {:?};", entry.name, entry.shape, entry.owner).into_bytes();
        fnv1a(self.entries.iter().flat_map(text))
    }
}

/// The 64-bit hash FNV-1a: `h = (h xor byte) * 0x100000001b3` from `0xcbf29ce484222325` on, modulo 2^64.
pub fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_heads() -> Layout {
        let mut layout = Layout::default();
        layout.push("dense1.weight", &[2, 3], Owner::Shared);
        layout.push("dense1.bias", &[1, 3], Owner::Shared);
        layout.push("task0.output.weight", &[3, 2], Owner::Task(0));
        layout.push("task1.output.weight", &[3, 2], Owner::Task(1));
        layout
    }

    #[test]
    fn entries_lie_end_to_end_and_ranges_join() {
        let layout = two_heads();
        assert_eq!(layout.len(), 21);
        assert_eq!(layout.shared(), vec![0..9]);
        let part = |range, owner| Part { range, owner };
        let parts = [part(0..9, Owner::Shared), part(9..15, Owner::Task(0)), part(15..21, Owner::Task(1))];
        assert_eq!(layout.parts(), parts);
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv1a(*b"a"), 0xaf63_dc4c_8601_ec8c, "the published value");
    }

    #[test]
    fn the_hash_is_stable_and_sees_names_shapes_and_owners() {
        let layout = two_heads();
        assert_eq!(layout.hash(), two_heads().hash());
        let mut other = two_heads();
        other.push("task2.output.weight", &[3, 2], Owner::Task(2));
        assert_ne!(layout.hash(), other.hash());
        let mut owner = Layout::default();
        owner.push("dense1.weight", &[2, 3], Owner::Task(0));
        let mut shared = Layout::default();
        shared.push("dense1.weight", &[2, 3], Owner::Shared);
        assert_ne!(owner.hash(), shared.hash());
    }
}
