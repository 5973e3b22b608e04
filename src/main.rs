//! The program: everything is in the library, so that a crate with environments of its own can offer the same commands.

fn main() -> std::process::ExitCode {
    engram::cli::run(&engram_envs::Registry::standard())
}
