//! One thread a run: networks this small gain nothing from more, and runs side by side use the other cores.

/// Starts the process again with `RAYON_NUM_THREADS=1` where the variable is not set.
///
/// Without it candle looks up the number of cores in the system's files at every matrix product, which takes several
/// times as long as the product. A variable of one's own process cannot be set in safe code; one of the next can. Where
/// that fails, the command runs as it is, only slower: results do not depend on the number of threads.
pub fn ensure() {
    #[cfg(unix)]
    {
        use std::{env, os::unix::process::CommandExt as _, process::Command};

        const VARIABLE: &str = "RAYON_NUM_THREADS";
        if env::var_os(VARIABLE).is_none()
            && let Ok(program) = env::current_exe()
        {
            let mut arguments = env::args_os();
            let name = arguments.next().unwrap_or_else(|| program.clone().into());
            let _ = Command::new(program).arg0(name).args(arguments).env(VARIABLE, "1").exec();
        }
    }
}
