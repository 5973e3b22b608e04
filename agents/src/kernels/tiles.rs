//! Products in tiles of registers, written once for every width of register: a module that calls `tiles!` has the width and
//! the few instructions, each as a function.

/// Defines `multiply` and `add_scaled` for a width. Tiles have at most `$most` rows; a stretch of rows is taken in tiles of
/// the numbers listed, each with the least number of rows left at which it is taken.
macro_rules! tiles {
    ($features:literal, $most:literal, [$($least:literal => $rows:literal),*]) => {
        /// Terms that a sum takes in before the next tile: so many rows of `b` as stay in the fastest cache.
        const LONG_BLOCK: usize = 256;
        const SHORT_BLOCK: usize = 64;

        /// A product as pointers.
        struct Product {
            a: *const f32,
            row_step: usize,
            column_step: usize,
            b: *const f32,
            c: *mut f32,
            n: usize,
            initial: Begin,
            relu: bool,
        }

        #[derive(Clone, Copy)]
        enum Begin {
            Zero,
            Row(*const f32),
            Present,
        }

        /// Terms `from..to` of the sums of a tile; whether they are the last.
        #[derive(Clone, Copy)]
        struct Block {
            from: usize,
            to: usize,
            last: bool,
        }

        /// # Safety
        ///
        /// The processor has the features; `a` lies within its slice, `b` is `[a.columns, n]`, `c` `[a.rows, n]`, and a row
        /// has `n` numbers.
        #[target_feature(enable = $features)]
        pub unsafe fn multiply(
            a: Matrix<'_>,
            b: &[f32],
            c: &mut [f32],
            n: usize,
            initial: Initial<'_>,
            relu: bool,
        ) {
            let product = Product {
                a: a.data.as_ptr(),
                row_step: a.row_step,
                column_step: a.column_step,
                b: b.as_ptr(),
                c: c.as_mut_ptr(),
                n,
                initial: match initial {
                    Initial::Zero => Begin::Zero,
                    Initial::Row(row) => Begin::Row(row.as_ptr()),
                    Initial::Present => Begin::Present,
                },
                relu,
            };
            let block = if a.columns > LONG_BLOCK { SHORT_BLOCK } else { LONG_BLOCK };
            for from in (0..a.columns).step_by(block) {
                let to = (from + block).min(a.columns);
                let block = Block { from, to, last: to == a.columns };
                let mut column = 0;
                while column < n {
                    // SAFETY: the tiles lie within `a.rows` and `n`, the last vector of one cut to what is left.
                    column += unsafe {
                        match n - column {
                            left if left >= 2 * LANES => product.column::<2, false>(column, a.rows, block, 2 * LANES),
                            left if left > LANES => product.column::<2, true>(column, a.rows, block, left),
                            LANES => product.column::<1, false>(column, a.rows, block, LANES),
                            left => product.column::<1, true>(column, a.rows, block, left),
                        }
                    };
                }
            }
        }

        impl Product {
            /// The tiles of `VECTORS` vectors in all rows, and how many columns that were.
            #[target_feature(enable = $features)]
            #[inline]
            unsafe fn column<const VECTORS: usize, const CUT: bool>(
                &self,
                column: usize,
                rows: usize,
                block: Block,
                width: usize,
            ) -> usize {
                let mut row = 0;
                while row < rows {
                    // SAFETY: as for `multiply`; the rows of the tile are below `rows`.
                    row += unsafe {
                        match rows - row {
                            $(left if left >= $least => self.tile::<$rows, VECTORS, CUT>(row, column, block, width),)*
                            _ => self.tile::<1, VECTORS, CUT>(row, column, block, width),
                        }
                    };
                }
                width
            }

            /// One tile, and how many rows that were.
            #[target_feature(enable = $features)]
            #[inline]
            unsafe fn tile<const ROWS: usize, const VECTORS: usize, const CUT: bool>(
                &self,
                row: usize,
                column: usize,
                block: Block,
                width: usize,
            ) -> usize {
                const { assert!(ROWS <= $most) };
                // SAFETY: every pointer stays within rows `row..row + ROWS` and columns `column..column + width` of `c`,
                // within terms `block` of `a` and `b`, and within the initial row; the last vector is cut where `width`
                // does not fill it.
                unsafe {
                    let part = part(width - (VECTORS - 1) * LANES);
                    let load = |at: *const f32, vector: usize| {
                        let at = at.add(vector * LANES);
                        if CUT && vector + 1 == VECTORS { load_part(at, part) } else { load(at) }
                    };
                    let c = self.c.add(row * self.n + column);
                    let mut sums = [[zero(); VECTORS]; ROWS];
                    let begin = if block.from > 0 { Begin::Present } else { self.initial };
                    for (r, sums) in sums.iter_mut().enumerate() {
                        for (vector, sum) in sums.iter_mut().enumerate() {
                            *sum = match begin {
                                Begin::Zero => zero(),
                                Begin::Row(at) => load(at.add(column), vector),
                                Begin::Present => load(c.add(r * self.n), vector),
                            };
                        }
                    }
                    let mut a = self.a.add(row * self.row_step + block.from * self.column_step);
                    let mut b = self.b.add(block.from * self.n + column);
                    for _ in block.from..block.to {
                        let mut terms = [zero(); VECTORS];
                        for (vector, term) in terms.iter_mut().enumerate() {
                            *term = load(b, vector);
                        }
                        for (r, sums) in sums.iter_mut().enumerate() {
                            let factor = everywhere(*a.add(r * self.row_step));
                            for (sum, term) in sums.iter_mut().zip(terms) {
                                *sum = multiply_add(factor, term, *sum);
                            }
                        }
                        // Wrapping: after the last term nothing is read there.
                        a = a.wrapping_add(self.column_step);
                        b = b.wrapping_add(self.n);
                    }
                    for (r, sums) in sums.into_iter().enumerate() {
                        for (vector, sum) in sums.into_iter().enumerate() {
                            let at = c.add(r * self.n + vector * LANES);
                            let sum = if block.last && self.relu { positive(sum) } else { sum };
                            if CUT && vector + 1 == VECTORS { store_part(at, part, sum) } else { store(at, sum) }
                        }
                    }
                }
                ROWS
            }
        }

        /// With rows of `VECTORS` vectors.
        ///
        /// # Safety
        ///
        /// The processor has the features; there is a place for each input, the tables have every row, and a row has
        /// `VECTORS` vectors.
        #[target_feature(enable = $features)]
        pub unsafe fn add_scaled<const SWAPPED: bool, const VECTORS: usize>(
            connections: &Connections,
            input: &[f32],
            terms: &[f32],
            sums: &mut [f32],
        ) {
            let Connections { places, shifts, .. } = connections;
            let (to_table, from_table) = (sums.as_mut_ptr(), terms.as_ptr());
            let add = |i: usize| {
                // SAFETY: `i` is an input's index, so that it has a place, and the tables have its rows.
                unsafe {
                    let x = everywhere(*input.get_unchecked(i));
                    let [first, second] = places.get_unchecked(i).map(|place| place as usize);
                    let [to, from] = if SWAPPED { [second, first] } else { [first, second] };
                    let (to, from) = (to_table.add(to), from_table.add(from));
                    for shift in shifts {
                        let [first, second] = shift.map(|shift| shift as usize);
                        let [to_shift, from_shift] = if SWAPPED { [second, first] } else { [first, second] };
                        let (to, from) = (to.add(to_shift), from.add(from_shift));
                        for vector in 0..VECTORS {
                            let (to, from) = (to.add(vector * LANES), from.add(vector * LANES));
                            store(to, multiply_add(x, load(from), load(to)));
                        }
                    }
                }
            };
            let (groups, rest) = input.as_chunks::<LANES>();
            for (group, numbers) in groups.iter().enumerate() {
                // SAFETY: as many numbers as a vector has.
                let mut bits = nonzero(unsafe { load(numbers.as_ptr()) });
                while bits != 0 {
                    add(LANES * group + bits.trailing_zeros() as usize);
                    bits &= bits - 1;
                }
            }
            for lane in (0..rest.len()).filter(|lane| rest[*lane] != 0.0) {
                add(LANES * groups.len() + lane);
            }
        }
    };
}
