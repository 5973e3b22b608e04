//! `engram completions` and `engram manual`: what a shell and `man` know of the commands, from their one definition.

use std::{fs, io, process::ExitCode};

use clap::CommandFactory as _;

use super::{
    BadInput, Exit,
    args::{Cli, CompletionsArgs, ManualArgs},
};

/// Prints the completions of a shell.
pub(super) fn completions(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "engram", &mut script);
    super::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done.into())
}

/// Writes a manual page for the program and for each command.
pub(super) fn pages(args: &ManualArgs) -> anyhow::Result<ExitCode> {
    let folder = args.folder.display();
    let failed = |cause: io::Error| BadInput(format!("cannot write to {folder}: {cause}"));
    fs::create_dir_all(&args.folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), &args.folder).map_err(failed)?;
    super::print(&format!("{folder}: read one with `man {folder}/engram-train.1`\n"))?;
    Ok(Exit::Done.into())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use clap_complete::Shell;

    use super::*;

    #[test]
    fn every_shell_knows_every_command() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "engram", &mut script);
            let script = String::from_utf8(script).unwrap();
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell} does not know {}", command.get_name());
            }
        }
    }

    #[test]
    fn every_command_has_a_page_with_its_examples() {
        let folder = tempfile::tempdir().unwrap();
        pages(&ManualArgs { folder: folder.path().join("man") }).unwrap();
        let page = |name: &str| fs::read_to_string(folder.path().join("man").join(name)).unwrap();
        assert!(page("engram.1").contains("engram\\-resume(1)"));
        for command in Cli::command().get_subcommands() {
            assert!(page(&format!("engram-{}.1", command.get_name())).contains(".SH NAME"));
        }
        assert!(page("engram-train.1").contains("engram train classic2"));
        assert!(page("engram-env-check.1").contains("env check"));
    }
}
