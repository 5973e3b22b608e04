//! A checkpoint: one file that holds everything that decides a run's future, checked to the last byte before it is used.
//!
//! The file is a mark of eight bytes, the version of its format (four bytes, the least significant first), the content
//! in postcard's encoding, and the CRC-32 of all of that (four bytes). The mark, the version and the checksum stay where
//! they are in every version, so that a newer file is told from a damaged one.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    run_directory::{self, Outputs},
    snapshot,
    trainer::TrainerState,
};

/// The content of a checkpoint.
#[derive(Debug, Serialize, Deserialize)]
pub struct Checkpoint<'a> {
    /// The resolved config of the run.
    pub config: String,
    /// What the processor has that decides how sums are rounded.
    pub cpu: String,
    /// How long each output file was.
    pub outputs: Outputs,
    /// Where training stands.
    #[serde(borrow)]
    pub trainer: TrainerState<'a>,
}

const MARK: [u8; 8] = *b"ENGRAMCP";
/// The version of the format that this program writes and reads. Any change to what a checkpoint holds raises it.
const FORMAT: u32 = 2;
const CHECKSUM_LEN: usize = 4;

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be opened.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// Some of its bytes are not those that were written.
    #[error("{} is damaged: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Another version of the program wrote it.
    #[error("{} has the format {format} of another version of Engram; this one reads {FORMAT}", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
}

/// Writes a checkpoint to `path`, whole or not at all. Returns how many bytes it has.
pub fn write(path: &Path, checkpoint: &Checkpoint<'_>) -> io::Result<u64> {
    snapshot::replace_with(path, |file| {
        let mut out = BufWriter::with_capacity(1 << 16, Summed::new(file));
        out.write_all(&MARK)?;
        out.write_all(&FORMAT.to_le_bytes())?;
        let encoded = postcard::to_io(checkpoint, &mut out).map(drop);
        encoded.map_err(|error| out.get_mut().failure.take().unwrap_or_else(|| io::Error::other(error)))?;
        out.flush()?;
        let Summed { sum, len, .. } = out.get_ref();
        let (sum, len) = (sum.clone().finalize(), *len);
        out.write_all(&sum.to_le_bytes())?;
        out.flush()?;
        Ok(len + CHECKSUM_LEN as u64)
    })
}

/// The bytes of a checkpoint whose checksum is right.
#[derive(Debug)]
pub struct Stored {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Stored {
    /// Reads a file and checks that it is whole and of this format.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = fs::read(path).map_err(|cause| CheckpointError::Read { path: path.to_owned(), cause })?;
        Self::new(path, bytes)
    }

    fn new(path: &Path, bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        let damaged =
            |message: &str| Err(CheckpointError::Damaged { path: path.to_owned(), message: message.to_owned() });
        let Some((content, sum)) = bytes.split_last_chunk::<CHECKSUM_LEN>() else {
            return damaged("it has hardly any bytes");
        };
        let Some(([mark @ .., a, b, c, d], _)) = content.split_first_chunk::<{ MARK.len() + 4 }>() else {
            return damaged("it has hardly any bytes");
        };
        if *mark != MARK {
            return damaged("it does not begin as a checkpoint does");
        }
        if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
            return damaged("its checksum does not fit its content");
        }
        match u32::from_le_bytes([*a, *b, *c, *d]) {
            FORMAT => Ok(Self { path: path.to_owned(), bytes }),
            format => Err(CheckpointError::OtherVersion { path: path.to_owned(), format }),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The config that the run had.
    pub fn config(&self, checkpoint: &Checkpoint<'_>) -> Result<Config, CheckpointError> {
        let damaged = |error: toml::de::Error| CheckpointError::Damaged {
            path: self.path.clone(),
            message: format!("this version of Engram cannot read its config: {}", error.message()),
        };
        toml::from_str(&checkpoint.config).map_err(damaged)
    }

    /// The content. Its outputs are files that a run writes: no name leads out of the run directory.
    pub fn read(&self) -> Result<Checkpoint<'_>, CheckpointError> {
        let content = &self.bytes[MARK.len() + 4..self.bytes.len() - CHECKSUM_LEN];
        let damaged = |message: String| CheckpointError::Damaged { path: self.path.clone(), message };
        let (checkpoint, rest): (Checkpoint<'_>, _) =
            postcard::take_from_bytes(content).map_err(|error| damaged(error.to_string()))?;
        if !rest.is_empty() {
            return Err(damaged(format!("{} bytes follow on its content", rest.len())));
        }
        match checkpoint.outputs.keys().find(|name| !run_directory::is_output(name)) {
            Some(name) => Err(damaged(format!("it lists {name:?}, which is no output of a run"))),
            None => Ok(checkpoint),
        }
    }
}

/// A file with the checksum and the length of what was written to it, and why it failed: the encoder does not hand that on.
struct Summed<W> {
    file: W,
    sum: crc32fast::Hasher,
    len: u64,
    failure: Option<io::Error>,
}

impl<W: Write> Summed<W> {
    fn new(file: W) -> Self {
        Self { file, sum: crc32fast::Hasher::new(), len: 0, failure: None }
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes).inspect_err(|error| {
            self.failure = Some(error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error));
        })?;
        self.sum.update(&bytes[..written]);
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use engram_envs::Registry;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        config::{self, Overrides, Source},
        sink::Sink,
        stop::{Due, Stop},
        trainer::Trainer,
    };

    /// A run of a small network, so that its checkpoint is small too.
    fn config() -> Config {
        let set = [
            "agent.network.hidden=[4]",
            "agent.replay.capacity=40",
            "agent.warmup_steps=20",
            "agent.batch_size=4",
            "curriculum.steps_per_task=60",
            "method.fisher.states=8",
        ];
        let set = set.map(str::to_owned).to_vec();
        let overrides = Overrides { set, ..Overrides::default() };
        config::read(&Source::from("catch-3"), &overrides, &Registry::standard()).unwrap().resolve()
    }

    /// A trainer in its second task.
    fn trainer(config: &Config) -> Trainer<'_> {
        let mut trainer = Trainer::new(config, &Registry::standard()).unwrap();
        let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
        trainer.run_until(Due::Step(100), &mut sinks, &Stop::default()).unwrap();
        trainer
    }

    fn bytes(config: &Config) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("100.checkpoint");
        let mut trainer = trainer(config);
        let outputs = Outputs::from([("episodes.csv".into(), 7)]);
        let cpu = "x".into();
        let checkpoint = Checkpoint { config: String::new(), cpu, outputs, trainer: trainer.save().unwrap() };
        let len = write(&path, &checkpoint).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len() as u64, len);
        bytes
    }

    fn stored(bytes: Vec<u8>) -> Result<Stored, CheckpointError> {
        Stored::new(Path::new("100.checkpoint"), bytes)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let config = config();
        let bytes = bytes(&config);
        let stored = stored(bytes).unwrap();
        let checkpoint = stored.read().unwrap();
        assert_eq!(checkpoint.outputs["episodes.csv"], 7);
        assert_eq!(checkpoint.trainer.position.step, 100);
        let mut again = Trainer::new(&config, &Registry::standard()).unwrap();
        again.load(checkpoint.trainer).unwrap();
        assert_eq!(again.agent().network().params(), trainer(&config).agent().network().params());
    }

    /// Every byte in turn is changed: it is noticed, whichever it is.
    #[test]
    fn a_changed_byte_is_noticed_wherever_it_is() {
        let mut bytes = bytes(&config());
        assert!((5_000..40_000).contains(&bytes.len()), "{}", bytes.len());
        for at in 0..bytes.len() {
            let change = 1 << (at % 8);
            bytes[at] ^= change;
            assert!(stored(bytes.clone()).is_err(), "byte {at}");
            bytes[at] ^= change;
        }
        for len in 0..bytes.len() {
            assert!(stored(bytes[..len].to_vec()).is_err(), "cut to {len} bytes");
        }
        assert!(stored(bytes).is_ok());
    }

    /// Changes `bytes` between mark and checksum, and makes the checksum right.
    fn forge(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
        let content = bytes.len() - CHECKSUM_LEN;
        for (at, value) in changes {
            let at = MARK.len() + 4 + at.index(content - MARK.len() - 4);
            bytes[at] = *value;
        }
        let sum = crc32fast::hash(&bytes[..content]).to_le_bytes();
        bytes[content..].copy_from_slice(&sum);
        bytes
    }

    #[test]
    fn content_that_was_never_written_is_refused_or_harmless() {
        let config = config();
        let original = bytes(&config);
        let mut runner = proptest::test_runner::TestRunner::new(crate::fuzz::cases(300));
        let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
        let outcome = runner.run(&changes, |changes| {
            let stored = stored(forge(original.clone(), &changes)).unwrap();
            let Ok(checkpoint) = stored.read() else { return Ok(()) };
            let mut trainer = Trainer::new(&config, &Registry::standard()).unwrap();
            if trainer.load(checkpoint.trainer).is_ok() {
                // What was taken can be gone on with: an error is fine, a panic is not.
                let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
                let _ = trainer.run_until(Due::Step(130), &mut sinks, &Stop::default());
            }
            Ok(())
        });
        outcome.unwrap();
    }

    #[test]
    fn no_output_leads_out_of_the_run_directory() {
        let config = config();
        let mut trainer = trainer(&config);
        for name in ["/tmp/x", "../x", "consolidations/../x", "recordings/..", "config.toml", "consolidations/a/b", ""]
        {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("100.checkpoint");
            let (outputs, trainer) = (Outputs::from([(name.into(), 7)]), trainer.save().unwrap());
            write(&path, &Checkpoint { config: String::new(), cpu: "x".into(), outputs, trainer }).unwrap();
            let error = Stored::open(&path).unwrap().read().unwrap_err().to_string();
            assert!(error.contains("is no output of a run"), "{name}: {error}");
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        let mut runner = proptest::test_runner::TestRunner::new(crate::fuzz::cases(2000));
        let outcome = runner.run(&prop::collection::vec(any::<u8>(), 0..300), |content| {
            let mut bytes = [&MARK[..], &FORMAT.to_le_bytes(), &content, &[0; CHECKSUM_LEN]].concat();
            assert!(stored(content).is_err());
            bytes = forge(bytes, &[]);
            prop_assert!(stored(bytes).unwrap().read().is_err());
            Ok(())
        });
        outcome.unwrap();
    }
}
