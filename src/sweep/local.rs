//! Runs of a sweep on this machine: a process a run, as many at a time as there are workers.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::{LOG, Standing, Sweep, View, standing::last_line};
use crate::{
    run_directory::{RunDirectory, RunDirectoryError},
    stop::Stop,
};

/// How often a worker looks whether its run has ended.
const POLL: Duration = Duration::from_millis(10);

/// Who trains the runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workers {
    /// How many runs are trained at a time.
    pub count: usize,
    /// The program.
    pub program: PathBuf,
    /// What it is told beside `resume RUN_DIR`.
    pub arguments: Vec<OsString>,
}

/// How a run has ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// It came to its end.
    Finished(Standing),
    /// It could not go on; the last line that it said.
    Failed(String),
    /// It was stopped and can go on.
    Stopped,
    /// Another process trains it.
    Elsewhere,
}

/// A run that is trained.
struct Running {
    index: usize,
    child: Child,
}

impl Workers {
    /// Trains the runs of these indices, and says of each how it has ended, in the order of the indices. One that fails stops
    /// no other. A signal stops all that are trained, and none is begun any more; those are missing in what is returned.
    pub fn train(&self, sweep: &Sweep, pending: &[usize], stop: &Stop, view: &mut View) -> Vec<(usize, Ending)> {
        let mut waiting = pending.iter().copied();
        let mut running: Vec<Running> = Vec::new();
        let mut endings = Vec::new();
        let mut told = false;
        loop {
            while running.len() < self.count.max(1) && stop.signal().is_none() {
                let Some(index) = waiting.next() else { break };
                match self.begin(sweep, index) {
                    Ok(child) => running.push(Running { index, child }),
                    Err(ending) => endings.push((index, ending)),
                }
            }
            if stop.signal().is_some() && !told {
                running.iter().for_each(ask_to_stop);
                told = true;
            }
            running.retain_mut(|Running { index, child }| match child.try_wait() {
                Ok(None) => true,
                ended => {
                    let code = ended.ok().flatten().and_then(|status| status.code());
                    endings.push((*index, ending(sweep, *index, code)));
                    false
                }
            });
            view.show(sweep, &running.iter().map(|running| running.index).collect::<Vec<_>>(), &endings);
            if running.is_empty() && (waiting.len() == 0 || stop.signal().is_some()) {
                break;
            }
            thread::sleep(POLL);
        }
        endings.sort_by_key(|(index, _)| *index);
        endings
    }

    fn begin(&self, sweep: &Sweep, index: usize) -> Result<Child, Ending> {
        let run = sweep.run(index);
        // The lock is let go of at once: the process that is begun takes it.
        if let Err(RunDirectoryError::InUse(_)) = RunDirectory::open_to_write(&run) {
            return Err(Ending::Elsewhere);
        }
        let start = || -> io::Result<Child> {
            let log = File::options().create(true).append(true).open(run.join(LOG))?;
            let mut command = Command::new(&self.program);
            command.arg("resume").arg(&run).arg("--quiet").args(&self.arguments);
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
            #[cfg(unix)]
            {
                use std::os::unix::process::CommandExt as _;
                // A Ctrl-C reaches the whole group of the terminal; the runs shall hear of it once, from here.
                command.process_group(0);
            }
            command.spawn()
        };
        start().map_err(|error| Ending::Failed(format!("cannot be begun: {error}")))
    }
}

/// Asks a run to save and stop.
fn ask_to_stop(running: &Running) {
    #[cfg(unix)]
    if let Some(process) = rustix::process::Pid::from_raw(running.child.id().cast_signed()) {
        // It may have ended by itself meanwhile.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
    }
}

fn ending(sweep: &Sweep, index: usize, code: Option<i32>) -> Ending {
    let run = sweep.run(index);
    let standing = Standing::of(&run);
    match code {
        Some(0) if standing.is_finished() => {
            // Of a run that has finished, nothing is left to say.
            if fs::metadata(run.join(LOG)).is_ok_and(|log| log.len() == 0) {
                let _ = fs::remove_file(run.join(LOG));
            }
            Ending::Finished(standing)
        }
        Some(130 | 138 | 143) => Ending::Stopped,
        code => {
            let how = code.map_or("it was killed".into(), |code| format!("exit code {code}"));
            Ending::Failed(last_line(&run).unwrap_or(how))
        }
    }
}
