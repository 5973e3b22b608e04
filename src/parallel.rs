//! Work shared among the processor's cores.

use std::{num::NonZero, thread};

/// What `work` makes of each item, in the order of the items.
///
/// A panic in `work` goes on in the caller.
pub fn map<Item: Sync, Made: Send>(items: &[Item], work: impl Fn(&Item) -> Made + Sync) -> Vec<Made> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    if cores == 1 || items.len() < 2 {
        return items.iter().map(work).collect();
    }
    // Small shares, dealt in turn, since some items take longer than others.
    let share = items.len().div_ceil(8 * cores).max(1);
    let shares: Vec<&[Item]> = items.chunks(share).collect();
    let mut made: Vec<Option<Vec<Made>>> = shares.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let (work, shares) = (&work, &shares);
        let of_worker = |worker: usize| (worker..shares.len()).step_by(cores);
        let start = |worker: usize| {
            scope.spawn(move || -> Vec<(usize, Vec<Made>)> {
                of_worker(worker).map(|index| (index, shares[index].iter().map(work).collect())).collect()
            })
        };
        let workers: Vec<_> = (0..cores).map(start).collect();
        for worker in workers {
            let results = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            for (index, results) in results {
                made[index] = Some(results);
            }
        }
    });
    made.into_iter().flatten().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        for count in [0, 1, 2, 100, 1_001] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(map(&items, |item| item * 3), items.iter().map(|item| item * 3).collect::<Vec<_>>());
        }
    }

    #[test]
    #[should_panic(expected = "seven")]
    fn a_panic_goes_on() {
        map(&[1, 7, 9], |item| assert!(*item != 7, "seven"));
    }
}
