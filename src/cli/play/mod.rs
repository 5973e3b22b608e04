//! `engram env play`: a game in the terminal, with the keyboard or by a policy.

mod game;
mod keys;
mod screen;

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use engram_envs::Registry;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::env_args::PlayArgs;
use super::saved_policy::SavedPolicy;
use super::{BadInput, Exit, env::options};
use crate::curriculum::Player;
use crate::{animation::FRAMES_PER_SECOND, evaluate, recording, seeds};
use game::{Game, Mode};
use screen::Screen;

/// How long a signal, or a new size of the window, may wait.
const PATIENCE: Duration = Duration::from_millis(100);

/// Runs the command.
pub(super) fn run(registry: &Registry, args: &PlayArgs) -> anyhow::Result<ExitCode> {
    let mut game = match &args.run {
        Some(run) => of_run(registry, args, run)?,
        None => of_environment(registry, args)?,
    };
    if !io::stdout().is_terminal() {
        return Err(BadInput("env play needs a terminal; `engram env record` writes a GIF without one".into()).into());
    }
    let waits = game.is_played() && args.fps.is_none();
    let period = Duration::from_secs(1) / u32::from(args.fps.unwrap_or(FRAMES_PER_SECOND));
    let ending = show(&mut game, (!waits).then_some(period))?;
    Ok(ending.map_or(Exit::Done, Exit::Signal).into())
}

fn of_environment(registry: &Registry, args: &PlayArgs) -> anyhow::Result<Game> {
    let player = Player::new(registry.make(&args.id, &options(&args.option)?)?);
    let seed = args.seed.unwrap_or_default();
    let mode = match args.fps {
        _ if args.random => Mode::Watch(Box::new(recording::random(seed))),
        Some(_) => Mode::RealTime,
        None => Mode::Turns,
    };
    Ok(Game::new(player, mode, Box::new(move |episode| Box::new(seeds::stream(seed, "env", 0, episode))))?)
}

fn of_run(registry: &Registry, args: &PlayArgs, run: &Path) -> anyhow::Result<Game> {
    let SavedPolicy { config, curriculum, mut agent, directory } = SavedPolicy::load(run, registry)?;
    let envs = curriculum.env_ids();
    let task = match args.task {
        Some(task) => envs.get(task).filter(|env| **env == args.id).map(|_| task),
        None => envs.iter().position(|env| *env == args.id),
    };
    let Some(task) = task else {
        let known: Vec<_> = envs.iter().enumerate().map(|(task, env)| format!("{task} {env}")).collect();
        return Err(BadInput(format!("the run has no such task `{}`; it has {}", args.id, known.join(", "))).into());
    };
    let player = curriculum.tasks[task].make()?;
    let (starts, seed) = (player.starts(), args.seed.unwrap_or(config.seed));
    directory.load_params(Some(task), &mut agent)?;
    let policy = Box::new(move |player: &Player| agent.greedy(player.observation(), task));
    Ok(Game::new(player, Mode::Watch(policy), Box::new(move |episode| evaluate::chance(starts, seed, task, episode)))?)
}

/// Gives the terminal back as it was, also where an error or a panic ends the game.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        // There is nothing else to try, and the terminal may be gone.
        let _ = ratatui::try_restore();
    }
}

/// Shows the game until it is quit; `Some` number of the signal that asked for it. A moment passes every `period`.
fn show(game: &mut Game, period: Option<Duration>) -> anyhow::Result<Option<u8>> {
    let signal = Arc::new(AtomicUsize::new(0));
    for number in [SIGINT, SIGTERM] {
        signal_hook::flag::register_usize(number, Arc::clone(&signal), number as usize)?;
    }
    let all_colors = std::env::var("COLORTERM").is_ok_and(|kind| ["truecolor", "24bit"].contains(&kind.as_str()));
    let _restore = Restore;
    let refuse = |error| BadInput(format!("the terminal cannot be used: {error}"));
    let mut terminal = ratatui::try_init().map_err(refuse)?;
    let mut next = Instant::now();
    loop {
        terminal.draw(|frame| frame.render_widget(Screen { game, all_colors }, frame.area()))?;
        let left = period.map_or(PATIENCE, |_| next.saturating_duration_since(Instant::now()));
        if event::poll(left.min(PATIENCE))?
            && let Event::Key(key) = event::read()?
            && key.kind != KeyEventKind::Release
            && !game.press(key)?
        {
            return Ok(None);
        }
        match signal.load(Ordering::Relaxed) {
            0 => {}
            number => return Ok(Some(number as u8)),
        }
        if let Some(period) = period
            && Instant::now() >= next
        {
            game.tick()?;
            next = Instant::now() + period;
        }
    }
}
