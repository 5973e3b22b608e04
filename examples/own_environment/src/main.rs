//! Engram with one game more.

mod treasure;

fn main() -> std::process::ExitCode {
    let mut registry = engram::envs::Registry::standard();
    registry.add(treasure::entry());
    engram::cli::run(&registry)
}
