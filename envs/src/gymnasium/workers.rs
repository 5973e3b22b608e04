//! Workers at hand: those that wait for their next environment, or new ones.

use std::env;
use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::PYTHON;
use super::messages::{self, Description, Settings};
use super::worker::{Trouble, Worker};
use crate::env::EnvError;
use crate::options::Value;
use crate::request::Request;

/// What the ids of these environments begin with.
const PREFIX: &str = "gymnasium:";

/// The workers of a registry. Starting one takes a second or two, so that one which is no longer used waits for the
/// next environment with the same settings.
pub(super) struct Workers {
    python: Option<OsString>,
    idle: Mutex<Vec<Ready>>,
}

/// A worker that has made its environment.
pub(super) struct Ready {
    settings: String,
    pub worker: Worker,
    pub description: Description,
}

impl Workers {
    /// None yet. They run under `python`, or else under what the environment variable names.
    pub fn new(python: Option<OsString>) -> Self {
        Self { python, idle: Mutex::default() }
    }

    fn python(&self) -> OsString {
        let named = || env::var_os(PYTHON).filter(|python| !python.is_empty());
        self.python.clone().or_else(named).unwrap_or_else(|| "python3".into())
    }

    /// A worker that has made the environment asked for.
    pub fn get(&self, request: &Request<'_>) -> Result<Ready, EnvError> {
        let settings = settings(request)?;
        let settings = serde_json::to_string(&settings).map_err(|error| request.refuse(error.to_string()))?;
        let timeout = Duration::from_secs_f64(request.float("timeout", 0.001..=86_400.0)?);
        if let Some(mut idle) = self.idle(&settings) {
            idle.worker.wait_for(timeout);
            return Ok(idle);
        }
        let python = self.python();
        let unavailable = |why: String| EnvError::Unavailable {
            id: request.id.into(),
            message: format!(
                "{why}; the interpreter is `{}`, --python PATH or {PYTHON} names another",
                python.to_string_lossy()
            ),
        };
        let start = |error| unavailable(format!("Python cannot be started: {error}; install Python 3 and gymnasium"));
        let mut worker = Worker::start(&python, timeout).map_err(start)?;
        let description = match worker.ask(messages::Request::Make(&settings)) {
            Ok(reply) => Description::read(&reply).map_err(|error| worker.misunderstood(&error)),
            Err(trouble) => Err(trouble),
        };
        let description = description.map_err(|trouble| match trouble {
            Trouble::Refused(why) => request.refuse(why),
            Trouble::Lost(how) => unavailable(how),
        })?;
        Ok(Ready { settings, worker, description })
    }

    fn idle(&self, settings: &str) -> Option<Ready> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let place = idle.iter().position(|idle| idle.settings == settings)?;
        Some(idle.swap_remove(place))
    }

    /// Keeps a worker whose environment is no longer used.
    pub fn give_back(&self, ready: Ready) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(ready);
    }
}

/// What a worker must make for this request.
fn settings(request: &Request<'_>) -> Result<Settings, EnvError> {
    let id = request.id.strip_prefix(PREFIX).unwrap_or(request.id);
    let atari = id.starts_with("ALE/");
    let kwargs = match request.options.get("kwargs") {
        Some(Value::Text(text)) => text,
        _ => "{}",
    };
    let kwargs: serde_json::Value =
        serde_json::from_str(kwargs).ok().filter(serde_json::Value::is_object).ok_or_else(|| {
            request.refuse(format!("option `kwargs` is a JSON object such as {{\"mode\": 1}}, not {kwargs}"))
        })?;
    for (name, instead) in [("frameskip", "frame_skip"), ("render_mode", "env record")] {
        if kwargs.get(name).is_some() && (atari || name == "render_mode") {
            return Err(request.refuse(format!("option `kwargs` has `{name}`; use `{instead}` in its place")));
        }
    }
    Ok(Settings {
        id: id.into(),
        kwargs,
        frame_skip: request.integer("frame_skip", 1..=100)?,
        frame_stack: request.integer("frame_stack", 1..=16)?,
        size: request.integer("size", i64::from(atari)..=1_000)?,
        gray: request.boolean("gray")?,
    })
}
