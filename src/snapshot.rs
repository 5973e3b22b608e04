//! Parameters and other flat vectors as safetensors files, tensor by tensor under the names of the layout.

use std::{
    collections::HashMap,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use engram_agents::params::{Entry, Layout};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// The version of the files' metadata.
const FORMAT: u32 = 1;
const METADATA: &str = "engram";

/// A tensor ready to be written.
pub struct NamedTensor {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl NamedTensor {
    /// A row of flags, as bytes of 0 and 1.
    pub fn flags(name: String, flags: &[bool]) -> Self {
        let bytes = flags.iter().map(|flag| u8::from(*flag)).collect();
        Self { name, dtype: Dtype::U8, shape: vec![flags.len()], bytes }
    }
}

/// The entries of a flat vector, each under `prefix` and its name in the layout.
pub fn by_name(layout: &Layout, prefix: &str, values: &[f32]) -> Vec<NamedTensor> {
    let entries = layout.entries().iter();
    let tensor = |entry: &Entry| NamedTensor {
        name: format!("{prefix}{}", entry.name),
        dtype: Dtype::F32,
        shape: entry.shape.clone(),
        bytes: values[entry.range.clone()].iter().flat_map(|value| value.to_le_bytes()).collect(),
    };
    entries.map(tensor).collect()
}

/// Writes tensors to `path` whole or not at all, with the format, the layout's hash and the step as metadata.
pub fn write(path: &Path, layout: &Layout, step: u64, tensors: &[NamedTensor]) -> io::Result<()> {
    let views = tensors
        .iter()
        .map(|tensor| Ok((&tensor.name, TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(io::Error::other)?;
    // One entry only: the order of several would differ from run to run.
    let note = format!("format {FORMAT}, layout {:016x}, step {step}", layout.hash());
    let metadata = HashMap::from([(METADATA.to_owned(), note)]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(io::Error::other)?;
    replace(path, &bytes)
}

/// How the names of files begin that are not whole yet. A process that was killed may leave one behind.
pub const UNFINISHED: &str = ".unfinished-";

/// Puts `bytes` at `path` in one step: a reader, or a crash, meets the old file or the new one.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, |file| file.write_all(bytes))
}

/// Puts what `write` writes at `path` in one step: a reader, or a crash, meets the old file or the new one.
pub fn replace_with<T>(path: &Path, write: impl FnOnce(&mut fs::File) -> io::Result<T>) -> io::Result<T> {
    let folder = folder_around(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // A temporary file is its owner's alone; this one becomes a file that others may read as any other.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    let written = write(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_around(path)?;
    Ok(written)
}

/// Makes the folder `path` unless it exists. The one around it must exist: a run directory that was moved away does not
/// come back half empty.
pub fn folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Ok(()) => sync_around(path),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(cause) => Err(cause),
    }
}

/// Makes the name `path` last through a crash of the machine.
pub fn sync_around(path: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened as a file, and there is nothing of the kind to ask for.
    if cfg!(unix) { fs::File::open(folder_around(path))?.sync_all() } else { Ok(()) }
}

/// The folder that `path` lies in.
fn folder_around(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Why a snapshot cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be opened.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// It is no safetensors file, or was cut off.
    #[error("{} is damaged: {cause}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: safetensors::SafeTensorError,
    },
    /// This version of Engram does not know its format.
    #[error(
        "{} was written by a newer version of Engram: format {format}, this one reads {FORMAT}",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// It belongs to another network, or is not Engram's.
    #[error("{} does not fit this network: {message}", path.display())]
    Misfit {
        /// The file.
        path: PathBuf,
        /// What differs.
        message: String,
    },
}

/// A snapshot in memory.
pub struct Snapshot {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Snapshot {
    /// Reads a file.
    pub fn open(path: &Path) -> Result<Self, SnapshotError> {
        let bytes = fs::read(path).map_err(|cause| SnapshotError::Read { path: path.to_owned(), cause })?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// The tensors and the hash of the layout that they were written by, of a file in a format that is known.
    fn tensors(&self) -> Result<(SafeTensors<'_>, u64), SnapshotError> {
        let damaged = |cause| SnapshotError::Damaged { path: self.path.clone(), cause };
        let tensors = SafeTensors::deserialize(&self.bytes).map_err(damaged)?;
        let (_, metadata) = SafeTensors::read_metadata(&self.bytes).map_err(damaged)?;
        let note = metadata.metadata().as_ref().and_then(|entries| entries.get(METADATA));
        let note = note.ok_or_else(|| self.misfit(format!("its metadata has no entry `{METADATA}`")))?;
        match field(note, "format").and_then(|format| format.parse().ok()) {
            Some(FORMAT) => {}
            Some(format) if format > FORMAT => return Err(SnapshotError::Newer { path: self.path.clone(), format }),
            _ => return Err(self.misfit(format!("its metadata is \"{note}\", which is not of format {FORMAT}"))),
        }
        let layout = field(note, "layout").and_then(|hash| u64::from_str_radix(hash, 16).ok());
        Ok((tensors, layout.ok_or_else(|| self.misfit(format!("its metadata is \"{note}\", without a layout")))?))
    }

    /// Whether there are tensors of this layout under `prefix`.
    pub fn holds(&self, layout: &Layout, prefix: &str) -> Result<bool, SnapshotError> {
        let (tensors, _) = self.tensors()?;
        let first = layout.entries().first().map(|entry| format!("{prefix}{}", entry.name));
        Ok(first.is_some_and(|name| tensors.tensor(&name).is_ok()))
    }

    fn misfit(&self, message: String) -> SnapshotError {
        SnapshotError::Misfit { path: self.path.clone(), message }
    }

    /// Copies the tensors under `prefix` into a flat vector of this layout; the file must have been written by it.
    pub fn read(&self, layout: &Layout, prefix: &str, out: &mut [f32]) -> Result<(), SnapshotError> {
        let (tensors, hash) = self.tensors()?;
        for entry in layout.entries() {
            let name = format!("{prefix}{}", entry.name);
            let tensor = tensors.tensor(&name).map_err(|_| self.misfit(format!("it has no tensor `{name}`")))?;
            if tensor.dtype() != Dtype::F32 || tensor.shape() != entry.shape {
                return Err(self.misfit(format!("`{name}` has shape {:?}, not {:?}", tensor.shape(), entry.shape)));
            }
            for (value, bytes) in out[entry.range.clone()].iter_mut().zip(tensor.data().as_chunks::<4>().0) {
                *value = f32::from_le_bytes(*bytes);
            }
        }
        // Last, because a tensor that differs says more. What is left are further tensors, or other owners.
        let expected = layout.hash();
        if hash == expected {
            Ok(())
        } else {
            Err(self.misfit(format!("its layout is {hash:016x}, not {expected:016x}")))
        }
    }

    /// Whether there is any tensor under `prefix`.
    pub fn has(&self, prefix: &str) -> Result<bool, SnapshotError> {
        let (tensors, _) = self.tensors()?;
        Ok(tensors.names().iter().any(|name| name.starts_with(prefix)))
    }

    /// The flags under a name, of which there must be `expected`.
    pub fn flags(&self, name: &str, expected: usize) -> Result<Vec<bool>, SnapshotError> {
        let (tensors, _) = self.tensors()?;
        let tensor = tensors.tensor(name).map_err(|_| self.misfit(format!("it has no tensor `{name}`")))?;
        if tensor.dtype() != Dtype::U8 || tensor.shape() != [expected] {
            let (dtype, shape) = (tensor.dtype(), tensor.shape());
            return Err(self.misfit(format!("`{name}` is {dtype:?} of shape {shape:?}, not U8 of shape [{expected}]")));
        }
        Ok(tensor.data().iter().map(|byte| *byte != 0).collect())
    }
}

/// The value of a field of the metadata, which is a list such as `format 1, step 7`.
fn field<'a>(note: &'a str, name: &str) -> Option<&'a str> {
    note.split(", ").find_map(|field| field.strip_prefix(name)?.strip_prefix(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engram_agents::params::Owner;

    fn layout() -> Layout {
        let mut layout = Layout::default();
        layout.push("dense1.weight", &[2, 3], Owner::Shared);
        layout.push("task0.output.bias", &[1, 2], Owner::Task(0));
        layout
    }

    #[test]
    fn what_is_written_is_read_back_to_the_bit_and_the_bytes_are_stable() {
        let folder = tempfile::tempdir().unwrap();
        let (layout, path) = (layout(), folder.path().join("params.safetensors"));
        let values = [0.1, -0.0, 1e-30, f32::MAX, 5.0, 6.0, 7.0, f32::NAN];
        let mut tensors = by_name(&layout, "", &values);
        tensors.push(NamedTensor::flags("fired/dense1".into(), &[true, false, true]));
        write(&path, &layout, 7, &tensors).unwrap();
        let first = fs::read(&path).unwrap();
        write(&path, &layout, 7, &tensors).unwrap();
        assert_eq!(first, fs::read(&path).unwrap());
        let snapshot = Snapshot::open(&path).unwrap();
        let mut read = [0.0; 8];
        snapshot.read(&layout, "", &mut read).unwrap();
        assert_eq!(read.map(f32::to_bits), values.map(f32::to_bits));
        assert_eq!(snapshot.flags("fired/dense1", 3).unwrap(), [true, false, true]);
        assert!(snapshot.has("fired/").unwrap() && !snapshot.has("importance/").unwrap());
    }

    #[test]
    fn a_file_that_does_not_fit_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let (layout, path) = (layout(), folder.path().join("params.safetensors"));
        write(&path, &layout, 7, &by_name(&layout, "", &[0.0; 8])).unwrap();
        let mut other = Layout::default();
        other.push("dense1.weight", &[3, 2], Owner::Shared);
        let snapshot = Snapshot::open(&path).unwrap();
        let error = snapshot.read(&other, "", &mut [0.0; 6]).unwrap_err().to_string();
        assert!(error.contains("`dense1.weight` has shape [2, 3], not [3, 2]"), "{error}");
        let error = snapshot.read(&layout, "anchor/", &mut [0.0; 8]).unwrap_err().to_string();
        assert!(error.contains("no tensor `anchor/dense1.weight`"), "{error}");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        let cut = Snapshot::open(&path).unwrap();
        assert!(matches!(cut.read(&layout, "", &mut [0.0; 8]), Err(SnapshotError::Damaged { .. })));
    }

    #[test]
    fn flags_of_another_number_or_type_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (layout, path) = (layout(), folder.path().join("0.safetensors"));
        let mut tensors = by_name(&layout, "", &[0.0; 8]);
        tensors.push(NamedTensor::flags("fired/dense1".into(), &[true, false, true]));
        write(&path, &layout, 7, &tensors).unwrap();
        let snapshot = Snapshot::open(&path).unwrap();
        let error = snapshot.flags("fired/dense1", 4).unwrap_err().to_string();
        assert!(error.contains("`fired/dense1` is U8 of shape [3], not U8 of shape [4]"), "{error}");
        let error = snapshot.flags("dense1.weight", 6).unwrap_err().to_string();
        assert!(error.contains("`dense1.weight` is F32 of shape [2, 3], not U8"), "{error}");
    }

    #[test]
    fn the_format_and_the_layout_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let (layout, path) = (layout(), folder.path().join("params.safetensors"));
        let refusal = |note: &str| {
            let view = || TensorView::new(Dtype::F32, vec![2, 3], &[0; 24]).unwrap();
            let entries = HashMap::from([(METADATA.to_owned(), note.to_owned())]);
            let entries = (!note.is_empty()).then_some(entries);
            fs::write(&path, safetensors::serialize([("dense1.weight", view())], entries).unwrap()).unwrap();
            let snapshot = Snapshot::open(&path).unwrap();
            let flags = snapshot.flags("dense1.weight", 6).unwrap_err().to_string();
            (snapshot.read(&layout, "", &mut [0.0; 8]).unwrap_err().to_string(), flags)
        };
        let newer = "was written by a newer version of Engram: format 2, this one reads 1";
        for (note, expected) in [
            ("format 2, layout 0, step 7", newer),
            ("format 2, other 0", newer),
            ("format 0, layout 0, step 7", "not of format 1"),
            ("something else", "not of format 1"),
            ("format 1, step 7", "without a layout"),
            ("", "no entry `engram`"),
        ] {
            let (read, flags) = refusal(note);
            assert!(read.contains(expected) && flags.contains(expected), "{note}: {read}; {flags}");
        }

        // The same tensors, owned differently.
        write(&path, &layout, 7, &by_name(&layout, "", &[0.0; 8])).unwrap();
        let mut other = Layout::default();
        other.push("dense1.weight", &[2, 3], Owner::Shared);
        other.push("task0.output.bias", &[1, 2], Owner::Task(1));
        let error = Snapshot::open(&path).unwrap().read(&other, "", &mut [0.0; 8]).unwrap_err().to_string();
        assert!(error.contains(&format!("its layout is {:016x}, not {:016x}", layout.hash(), other.hash())), "{error}");
    }
}
