//! `engram env record`: episodes of an environment, or of a run's tasks, as one animated GIF.

use std::path::Path;
use std::process::ExitCode;

use engram_envs::{Chance, Registry};

use super::env_args::RecordArgs;
use super::saved_policy::SavedPolicy;
use super::{BadInput, Exit, env::options, print};
use crate::animation::Animation;
use crate::curriculum::Player;
use crate::recording::{self, Policy};
use crate::{evaluate, seeds, snapshot};

/// Runs the command.
pub(super) fn run(registry: &Registry, args: &RecordArgs) -> anyhow::Result<ExitCode> {
    if !args.out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gif")) {
        return Err(BadInput(format!("--out {}: it must end in .gif", args.out.display())).into());
    }
    let folder = args.out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if args.out.is_dir() {
        return Err(BadInput(format!("--out {}: it is a folder", args.out.display())).into());
    }
    if !folder.is_dir() {
        return Err(BadInput(format!("--out {}: there is no folder {}", args.out.display(), folder.display())).into());
    }
    let path = Path::new(&args.subject);
    if path.join("config.toml").is_file() || path.is_dir() { of_run(registry, args) } else { of_random(registry, args) }
}

fn of_random(registry: &Registry, args: &RecordArgs) -> anyhow::Result<ExitCode> {
    if args.task.is_some() {
        return Err(BadInput("--task goes with a run; an environment is one task".into()).into());
    }
    let mut player = Player::new(registry.make(&args.subject, &options(&args.option)?)?);
    let seed = args.seed.unwrap_or_default();
    let mut policy = recording::random(seed);
    let mut chance = |episode| -> Box<dyn Chance> { Box::new(seeds::stream(seed, "env", 0, episode)) };
    let mut recorder = Recorder::new(args, std::slice::from_mut(&mut player))?;
    recorder.episodes(&args.subject, &mut player, &mut policy, &mut chance)?;
    recorder.finish()
}

fn of_run(registry: &Registry, args: &RecordArgs) -> anyhow::Result<ExitCode> {
    if !args.option.is_empty() {
        return Err(BadInput("--option goes with an environment; a run's tasks have their options".into()).into());
    }
    let SavedPolicy { config, curriculum, mut agent, directory } =
        SavedPolicy::load(Path::new(&args.subject), registry)?;
    let count = curriculum.tasks.len();
    if args.task.is_some_and(|task| task >= count) {
        return Err(BadInput(format!("--task: the run has tasks 0 to {}", count - 1)).into());
    }
    let seed = args.seed.unwrap_or(config.seed);
    let tasks: Vec<usize> = (0..count).filter(|task| args.task.is_none_or(|chosen| chosen == *task)).collect();
    let players: Result<Vec<_>, _> = tasks.iter().map(|&task| curriculum.tasks[task].make()).collect();
    let mut players = players?;
    let mut recorder = Recorder::new(args, &mut players)?;
    for (&task, player) in tasks.iter().zip(&mut players) {
        let starts = player.starts();
        directory.load_params(Some(task), &mut agent)?;
        let mut policy = |player: &Player| agent.greedy(player.observation(), task);
        let mut chance = |episode| evaluate::chance(starts, seed, task, episode);
        recorder.episodes(&curriculum.tasks[task].env, player, &mut policy, &mut chance)?;
    }
    recorder.finish()
}

/// A recording in the making, and what is said of it.
struct Recorder<'a> {
    args: &'a RecordArgs,
    animation: Animation,
    report: Vec<String>,
}

impl<'a> Recorder<'a> {
    /// A recording as large as the largest picture of these games.
    fn new(args: &'a RecordArgs, players: &mut [Player]) -> anyhow::Result<Self> {
        let (mut width, mut height) = (0, 0);
        for player in players {
            let frame = player.render()?;
            (width, height) = (width.max(frame.width), height.max(frame.height));
        }
        Ok(Self { args, animation: Animation::new(width, height, args.fps)?, report: Vec::new() })
    }

    fn episodes(
        &mut self,
        name: &str,
        player: &mut Player,
        policy: &mut Policy<'_>,
        chance: &mut dyn FnMut(u64) -> Box<dyn Chance>,
    ) -> anyhow::Result<()> {
        let mut returns = Vec::new();
        for episode in 0..self.args.episodes {
            let mut chance = chance(episode);
            let show = |frame, last| Ok::<_, anyhow::Error>(self.animation.push(&frame, last)?);
            returns.push(recording::episode(player, &mut *chance, self.args.steps, policy, show)?.to_string());
        }
        self.report.push(format!("{name}: return {}\n", returns.join(", ")));
        Ok(())
    }

    fn finish(self) -> anyhow::Result<ExitCode> {
        let (path, frames) = (self.args.out.display(), self.animation.frames());
        let bytes = self.animation.finish()?;
        snapshot::replace(&self.args.out, &bytes).map_err(|error| BadInput(format!("cannot write {path}: {error}")))?;
        print(&format!("{}{path}: {frames} pictures, {} kB\n", self.report.concat(), bytes.len().div_ceil(1000)))?;
        Ok(Exit::Done.into())
    }
}
