//! Ids and how to make what they name: a value with one line per environment, which a user's crate can add to.

use std::sync::Arc;

use crate::acrobot::Acrobot;
use crate::addition::Addition;
use crate::cart_pole::CartPole;
use crate::catch::Catch;
use crate::env::{Env, EnvError};
use crate::gymnasium;
use crate::minatar;
use crate::options::{Options, Value};
use crate::permuted_catch::PermutedCatch;
use crate::request::Request;
use crate::time_limit::TimeLimit;

/// Below this similarity (0 to 1) an id is no likely misspelling of another.
const SIMILAR: f64 = 0.8;

/// The environments that can be made by id.
#[derive(Clone, Default)]
pub struct Registry {
    entries: Vec<Entry>,
}

impl Registry {
    /// A registry without environments.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Every environment of this crate.
    pub fn standard() -> Self {
        let mut registry = Self::empty();
        registry.add(Entry::new("CartPole-v1", "balance a pole on a cart, as in Gymnasium", |_| {
            Ok(limited(CartPole::new(), 500))
        }));
        registry.add(Entry::new("Acrobot-v1", "swing up a double pendulum, as in Gymnasium", |_| {
            Ok(limited(Acrobot::new(), 500))
        }));
        #[cfg(feature = "gym-rs")]
        registry.add(Entry::new("MountainCar-v0", "rock a weak car up a hill; gym-rs's, equal to Gymnasium's", |_| {
            Ok(limited(crate::mountain_car::MountainCar::new(), 200))
        }));
        #[cfg(feature = "gym-rs")]
        registry.add(Entry::new(
            "gym-rs/CartPole",
            "gym-rs's own with its defects: wrong pole mass length, starts within 0.5 and not 0.05, no limit of its own",
            |_| Ok(limited(crate::gym_rs::cart_pole()?, 500)),
        ));
        registry.add(Entry::new("Catch", "catch a falling ball, as in bsuite", |_| Ok(Box::new(Catch::new()))));
        registry.add(
            Entry::new(
                "PermutedCatch/{set}-{k}",
                "Catch with shuffled pixels; k = 0 leaves them in place",
                |request| Ok(Box::new(PermutedCatch::make(request)?)),
            )
            .example("PermutedCatch/a-1")
            .option("patch", 10, "how many rows in the middle of the board are shuffled, 0 to 10"),
        );
        registry.add(
            Entry::new("Addition/{k}", "answer a digit plus k + 1, in one step", |request| {
                Ok(Box::new(Addition::make(request)?))
            })
            .example("Addition/0")
            .option("tasks", 3, "how many addends there are, 1 to 20")
            .option("cue", true, "whether the addend is shown"),
        );
        minatar::add_to(&mut registry);
        gymnasium::add_to(&mut registry, None);
        registry
    }

    /// Adds a line, in place of one with the same id pattern.
    pub fn add(&mut self, entry: Entry) -> &mut Self {
        match self.entries.iter_mut().find(|known| known.pattern == entry.pattern) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
        self
    }

    /// All lines, in the order in which they were added.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The lines whose environments live in this process.
    pub fn local(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.external)
    }

    /// Makes the environment with this id; what `options` leaves out has its default. One that nobody could play is an
    /// error, see [`Spec::check`](crate::Spec::check).
    pub fn make(&self, id: &str, options: &Options) -> Result<Box<dyn Env>, EnvError> {
        let known = self.entries.iter().find_map(|entry| Some((entry, entry.parameters(id)?)));
        let Some((entry, parameters)) = known else {
            return Err(EnvError::Unknown { id: id.into(), suggestion: self.nearest(id) });
        };
        let request = Request { id, parameters, options: entry.resolve(id, options)? };
        let env = (entry.make)(&request)?;
        env.spec().check()?;
        Ok(env)
    }

    /// The known id most like this one.
    fn nearest(&self, id: &str) -> Option<String> {
        let likeness = |known: &str| strsim::jaro_winkler(&id.to_lowercase(), &known.to_lowercase());
        self.entries
            .iter()
            .map(|entry| (likeness(&entry.example), &entry.example))
            .filter(|(likeness, _)| *likeness > SIMILAR)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, example)| example.clone())
    }
}

fn limited(env: impl Env + 'static, steps: u32) -> Box<dyn Env> {
    Box::new(TimeLimit::new(env, steps))
}

type Make = dyn Fn(&Request<'_>) -> Result<Box<dyn Env>, EnvError> + Send + Sync;

/// One line of the registry.
#[derive(Clone)]
pub struct Entry {
    /// An id such as `Catch`, or a pattern such as `Addition/{k}`, which stands for all ids that begin like it.
    pub pattern: String,
    /// An id that can be made as it is.
    pub example: String,
    /// The game in one sentence.
    pub summary: String,
    /// What can be set.
    pub options: Vec<OptionEntry>,
    /// Whether it lives in another program, which may be missing: nothing makes it unasked.
    pub external: bool,
    make: Arc<Make>,
}

/// One option of an environment.
#[derive(Debug, Clone)]
pub struct OptionEntry {
    /// Its name.
    pub name: String,
    /// Its value where none is given; also says what kind of value it takes.
    pub default: Value,
    /// What it does.
    pub summary: String,
}

impl Entry {
    /// A line without options; `make` can rely on the request's options being complete and of the right kind.
    pub fn new(
        pattern: &str,
        summary: &str,
        make: impl Fn(&Request<'_>) -> Result<Box<dyn Env>, EnvError> + Send + Sync + 'static,
    ) -> Self {
        let (pattern, summary) = (pattern.to_owned(), summary.to_owned());
        Self { example: pattern.clone(), pattern, summary, options: Vec::new(), external: false, make: Arc::new(make) }
    }

    /// Names an id that can be made, where the pattern itself is none.
    #[must_use]
    pub fn example(mut self, id: &str) -> Self {
        id.clone_into(&mut self.example);
        self
    }

    /// Says that it lives in another program.
    #[must_use]
    pub fn external(mut self) -> Self {
        self.external = true;
        self
    }

    /// Adds an option; the kind of its default is the kind it takes.
    #[must_use]
    pub fn option(mut self, name: &str, default: impl Into<Value>, summary: &str) -> Self {
        self.options.push(OptionEntry { name: name.into(), default: default.into(), summary: summary.into() });
        self
    }

    /// The part of an id that fills the pattern's braces, or `None` where the id is not this entry's.
    fn parameters<'a>(&self, id: &'a str) -> Option<&'a str> {
        match self.pattern.split_once('{') {
            Some((prefix, _)) => id.strip_prefix(prefix),
            None => (id == self.pattern).then_some(""),
        }
    }

    /// All options with their values.
    fn resolve(&self, id: &str, given: &Options) -> Result<Options, EnvError> {
        let refuse = |message| Err(EnvError::Option { id: id.into(), message });
        let mut resolved: Options = self.options.iter().map(|o| (o.name.clone(), o.default.clone())).collect();
        for (name, value) in given {
            let Some(slot) = resolved.get_mut(name) else {
                let names: Vec<_> = self.options.iter().map(|option| format!("`{}`", option.name)).collect();
                let known =
                    if names.is_empty() { "it has none".into() } else { format!("it has {}", names.join(", ")) };
                return refuse(format!("there is no option `{name}`, {known}"));
            };
            let Some(value) = value.fit(slot) else {
                return refuse(format!("option `{name}` is {}, not {value}", slot.kind()));
            };
            *slot = value;
        }
        Ok(resolved)
    }
}
