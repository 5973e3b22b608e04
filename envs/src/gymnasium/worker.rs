//! The process that plays an environment: started, asked, and never left behind.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::messages::{Reply, Request, receive};

const PROGRAM: &str = include_str!("worker.py");

/// How long the last words of a worker that has ended are waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Characters of a worker's last words that are repeated.
const WORDS: usize = 300;

/// Why a worker gave no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It would not do what was asked, and is as it was.
    Refused(String),
    /// It cannot go on.
    Lost(String),
}

/// A Python process that plays one environment.
pub(super) struct Worker {
    child: Child,
    requests: ChildStdin,
    replies: Receiver<io::Result<Reply>>,
    last_words: Receiver<String>,
    timeout: Duration,
}

impl Worker {
    /// Starts a process of this interpreter.
    pub fn start(python: &OsStr, timeout: Duration) -> io::Result<Self> {
        let mut child = Command::new(python)
            .args(["-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // The order of a set of texts, which an environment may show, is random otherwise.
            .env("PYTHONHASHSEED", "0")
            // Numerical libraries start a thread for each core otherwise, in each worker.
            .envs(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"].map(|name| (name, "1")))
            .spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(requests), Some(stdout), Some(stderr)) = pipes else {
            return Err(io::Error::other("the process has no pipes"));
        };
        let (reply, replies) = channel();
        thread::spawn(move || pass_on(BufReader::new(stdout), &reply));
        let (words, last_words) = channel();
        thread::spawn(move || words.send(last_line(BufReader::new(stderr))));
        Ok(Self { child, requests, replies, last_words, timeout })
    }

    /// Sets how long an answer is waited for.
    pub fn wait_for(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Asks, and waits for the answer.
    pub fn ask(&mut self, request: Request<'_>) -> Result<Vec<u8>, Trouble> {
        let answer = match self.replies.try_recv() {
            Ok(Ok(_)) => return Err(self.lost("it answers what it was not asked")),
            Ok(error) => Ok(error),
            Err(_) => {
                // A process that has ended shows when its answer is read.
                let _ = request.send(&mut self.requests);
                self.replies.recv_timeout(self.timeout)
            }
        };
        match answer {
            Ok(Ok(Reply::Done(contents))) => Ok(contents),
            Ok(Ok(Reply::Refused(why))) => Err(Trouble::Refused(why)),
            Ok(Ok(Reply::Failed(how))) => Err(Trouble::Lost(format!("it failed in `{}`: {how}", request.name()))),
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.ended(request)),
            Ok(Err(error)) => Err(self.lost(&not_understood(&error))),
            Err(RecvTimeoutError::Timeout) => Err(self.lost(&format!(
                "no answer to `{}` within {} s (the option `timeout` sets the limit)",
                request.name(),
                self.timeout.as_secs_f64()
            ))),
            Err(RecvTimeoutError::Disconnected) => Err(self.ended(request)),
        }
    }

    /// The trouble of an answer that makes no sense.
    pub fn misunderstood(&mut self, error: &io::Error) -> Trouble {
        self.lost(&not_understood(error))
    }

    fn ended(&mut self, request: Request<'_>) -> Trouble {
        // It has closed its output, and ends now if it has not yet.
        for _ in 0..LAST_WORDS.as_millis() {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Ok(Some(status)) => return self.lost(&format!("its process ended in `{}` ({status})", request.name())),
                Err(_) => break,
            }
        }
        self.lost(&format!("its process stopped answering in `{}`", request.name()))
    }

    fn lost(&mut self, what: &str) -> Trouble {
        let _ = self.child.kill();
        let words = self.last_words.recv_timeout(LAST_WORDS).unwrap_or_default();
        Trouble::Lost(if words.is_empty() { what.into() } else { format!("{what}; its last words: {words}") })
    }
}

impl Drop for Worker {
    /// Ends the process and sees that it is gone.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn not_understood(error: &io::Error) -> String {
    format!("its answer is not understood: {error}")
}

/// Reads replies until one is none.
fn pass_on(mut stdout: impl BufRead, replies: &Sender<io::Result<Reply>>) {
    loop {
        let reply = receive(&mut stdout);
        let last = reply.is_err();
        if replies.send(reply).is_err() || last {
            break;
        }
    }
}

/// Reads to the end; of what is read, the last line that says something.
fn last_line(mut stderr: impl BufRead) -> String {
    let (mut last, mut line) = (String::new(), Vec::new());
    while stderr.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            last = text.trim().chars().take(WORDS).collect();
        }
        line.clear();
    }
    last
}
