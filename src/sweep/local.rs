//! Runs of a sweep on this machine: a process a run, as many at a time as there are workers.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{LOG, Standing, Sweep, View, standing::last_line_after};
use crate::{
    run_directory::{RunDirectory, RunDirectoryError},
    stop::Stop,
};

/// How often a worker looks whether its run has ended.
const POLL: Duration = Duration::from_millis(10);

/// How often it is looked whether another process has left a run.
const AGAIN: Duration = Duration::from_secs(1);

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
}

/// A run that is trained.
struct Running {
    index: usize,
    child: Child,
    /// Bytes of its log before this process.
    logged: u64,
}

/// What comes of the attempt to train a run.
enum Attempt {
    Running(Running),
    /// Another process trains it.
    Elsewhere,
    Ended(Ending),
}

impl Workers {
    /// Trains the runs of these indices, and says of each how it has ended, in the order of the indices. One that fails stops
    /// no other; one that another process trains is waited for, and gone on with where that leaves it. A signal stops all that
    /// are trained here, and none is begun any more; those are missing in what is returned.
    pub fn train(&self, sweep: &Sweep, pending: &[usize], stop: &Stop, view: &mut View) -> Vec<(usize, Ending)> {
        let mut waiting: VecDeque<usize> = pending.iter().copied().collect();
        let mut elsewhere: VecDeque<usize> = VecDeque::new();
        let mut looked = Instant::now();
        let mut running: Vec<Running> = Vec::new();
        let mut endings = Vec::new();
        let mut told = false;
        loop {
            while running.len() < self.count.max(1) && stop.signal().is_none() {
                let Some(index) = waiting.pop_front() else { break };
                match self.begin(sweep, index) {
                    Attempt::Running(run) => running.push(run),
                    Attempt::Elsewhere => elsewhere.push_back(index),
                    Attempt::Ended(ending) => endings.push((index, ending)),
                }
            }
            if waiting.is_empty() && looked.elapsed() > AGAIN {
                waiting.append(&mut elsewhere);
                looked = Instant::now();
            }
            if stop.signal().is_some() && !told {
                running.iter().for_each(ask_to_stop);
                told = true;
            }
            running.retain_mut(|run| match run.child.try_wait() {
                Ok(None) => true,
                ended => {
                    match run.ending(sweep, ended.ok().flatten()) {
                        Some(ending) => endings.push((run.index, ending)),
                        None => elsewhere.push_back(run.index),
                    }
                    false
                }
            });
            view.show(sweep, &running.iter().map(|running| running.index).collect::<Vec<_>>(), &endings);
            let nothing_left = waiting.is_empty() && elsewhere.is_empty();
            if running.is_empty() && (nothing_left || stop.signal().is_some()) {
                break;
            }
            thread::sleep(POLL);
        }
        endings.sort_by_key(|(index, _)| *index);
        endings
    }

    fn begin(&self, sweep: &Sweep, index: usize) -> Attempt {
        let run = sweep.run(index);
        if is_in_use(&run) {
            return Attempt::Elsewhere;
        }
        let standing = Standing::of(&run);
        if standing.is_finished() {
            return Attempt::Ended(Ending::Finished(standing));
        }
        let start = || -> io::Result<Running> {
            let log = File::options().create(true).append(true).open(run.join(LOG))?;
            let logged = log.metadata()?.len();
            let mut command = Command::new(&self.program);
            command.arg("resume").arg(&run).arg("--quiet").args(&self.arguments);
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
            #[cfg(unix)]
            {
                use std::os::unix::process::CommandExt as _;
                // A Ctrl-C reaches the whole group of the terminal; the runs shall hear of it once, from here.
                command.process_group(0);
            }
            Ok(Running { index, child: command.spawn()?, logged })
        };
        start()
            .map_or_else(|error| Attempt::Ended(Ending::Failed(format!("cannot be begun: {error}"))), Attempt::Running)
    }
}

/// Whether another process trains the run. Its lock is let go of at once, for the process that is to train it.
fn is_in_use(run: &Path) -> bool {
    matches!(RunDirectory::open_to_write(run), Err(RunDirectoryError::InUse(_)))
}

impl Running {
    /// How it has ended; None if another process was quicker to take it.
    fn ending(&self, sweep: &Sweep, status: Option<ExitStatus>) -> Option<Ending> {
        let run = sweep.run(self.index);
        let standing = Standing::of(&run);
        let code = status.and_then(|status| status.code());
        if standing.is_finished() {
            // Of a run that has finished, nothing is left to say.
            if fs::metadata(run.join(LOG)).is_ok_and(|log| log.len() == 0) {
                let _ = fs::remove_file(run.join(LOG));
            }
            return Some(Ending::Finished(standing));
        }
        match code {
            Some(130 | 138 | 143) => Some(Ending::Stopped),
            Some(2) if is_in_use(&run) => None,
            Some(code) => {
                let line = last_line_after(&run, self.logged);
                Some(Ending::Failed(line.unwrap_or_else(|| format!("exit code {code}"))))
            }
            None => Some(Ending::Failed(killed(status))),
        }
    }
}

/// By which signal a process was killed, in words.
fn killed(status: Option<ExitStatus>) -> String {
    #[cfg(unix)]
    if let Some(signal) = status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status)) {
        return format!("it was killed by signal {signal}");
    }
    let _ = status;
    "it was killed".into()
}

/// Asks a run to save and stop.
fn ask_to_stop(running: &Running) {
    #[cfg(unix)]
    if let Some(process) = rustix::process::Pid::from_raw(running.child.id().cast_signed()) {
        // It may have ended by itself meanwhile.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
    }
}
