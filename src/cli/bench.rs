//! `engram bench`: what this machine can do, to be compared with another's.

use std::process::ExitCode;

use engram_envs::Registry;

use super::args::BenchArgs;
use super::{Exit, print};
use crate::bench;
use crate::sink::bars::grouped;

/// Runs the command.
pub(super) fn run(registry: &Registry, args: &BenchArgs) -> anyhow::Result<ExitCode> {
    let mut printed = Ok(());
    bench::run(registry, args.only.as_deref().unwrap_or_default(), |figure| {
        let line = if args.json {
            serde_json::to_string(&figure).map_err(anyhow::Error::from)
        } else {
            Ok(format!("{:48} {:>14} {}", figure.name, amount(figure.value), figure.unit))
        };
        if printed.is_ok() {
            printed = line.and_then(|line| Ok(print(&format!("{line}\n"))?));
        }
    })?;
    printed?;
    Ok(Exit::Done.into())
}

/// Two decimals below a hundred, whole numbers above.
fn amount(value: f64) -> String {
    if value < 100.0 { format!("{value:.2}") } else { grouped(value.round() as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_readable() {
        for (value, text) in [(0.317, "0.32"), (98.25, "98.25"), (628.4, "628"), (12_345_678.0, "12,345,678")] {
            assert_eq!(amount(value), text);
        }
    }
}
