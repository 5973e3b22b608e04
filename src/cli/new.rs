//! `engram env new`: the file of a new environment, from a template that compiles and conforms.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use engram_envs::Registry;

use super::env_args::NewArgs;
use super::{BadInput, Exit, print, shell};

// Compiled, so that it is known to compile; its own test is run with the others.
#[cfg(test)]
#[path = "template.rs"]
mod template;

const TEMPLATE: &str = include_str!("template.rs");

/// Words that no module can be called.
const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else enum extern false \
    final fn for gen if impl in let loop macro match mod move mut override priv pub ref return self static struct super \
    trait true try type typeof unsafe unsized use virtual where while yield";

/// What the new file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Home {
    /// The crate of environments in this project's tree.
    Tree,
    /// A crate that depends on this one.
    OwnCrate,
}

/// Runs the command.
pub(super) fn run(registry: &Registry, args: &NewArgs) -> anyhow::Result<ExitCode> {
    let module = module(&args.name)?;
    if registry.entries().any(|entry| entry.example == args.name) {
        return Err(BadInput(format!("there is an environment `{}` already; choose another name", args.name)).into());
    }
    let (home, file) = home(Path::new("."), &module)?;
    write(&file, &text(home, &args.name))?;
    print(&next(home, &file, &module, &args.name))?;
    Ok(Exit::Done.into())
}

/// The module of an environment of this name: `DeepSea` lies in `deep_sea`.
fn module(name: &str) -> Result<String, BadInput> {
    let camel =
        name.starts_with(|first: char| first.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    if !camel {
        let message = format!(
            "`{name}` is no name for an environment: it must be letters and digits, the first a capital, as in `DeepSea`"
        );
        return Err(BadInput(message));
    }
    let mut module = String::new();
    for (place, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && place > 0 {
            module.push('_');
        }
        module.push(letter.to_ascii_lowercase());
    }
    if KEYWORDS.split_whitespace().any(|word| word == module) || module == "template" {
        return Err(BadInput(format!(
            "`{name}` would lie in a module `{module}`, which Rust or the template has taken; choose another name"
        )));
    }
    Ok(module)
}

/// Where the file belongs, seen from the folder in which the command is given.
fn home(folder: &Path, module: &str) -> Result<(Home, PathBuf), BadInput> {
    let file = format!("{module}.rs");
    if folder.join("envs/src/registry.rs").is_file() {
        Ok((Home::Tree, folder.join("envs/src").join(file)))
    } else if folder.join("Cargo.toml").is_file() && folder.join("src").is_dir() {
        Ok((Home::OwnCrate, folder.join("src").join(file)))
    } else {
        Err(BadInput("this folder is no crate: call it where `Cargo.toml` and `src` lie, in this project or in a crate of your own".into()))
    }
}

fn text(home: Home, name: &str) -> String {
    let library = if home == Home::Tree { "crate" } else { "engram::envs" };
    TEMPLATE.replace("engram_envs", library).replace("Template", name)
}

/// Writes a new file, or none.
fn write(file: &Path, text: &str) -> Result<(), BadInput> {
    let refuse = |error: std::io::Error| {
        let why = if error.kind() == ErrorKind::AlreadyExists { "it exists already".into() } else { error.to_string() };
        BadInput(format!("cannot write {}: {why}", shell::quoted(file)))
    };
    let mut out = OpenOptions::new().write(true).create_new(true).open(file).map_err(refuse)?;
    out.write_all(text.as_bytes()).map_err(|error| {
        let _ = std::fs::remove_file(file);
        refuse(error)
    })
}

/// What is left to do by hand.
fn next(home: Home, file: &Path, module: &str, name: &str) -> String {
    let file = file.strip_prefix(".").unwrap_or(file).display();
    let [declaration, line] = match home {
        Home::Tree => [
            format!("envs/src/lib.rs        pub mod {module};"),
            format!("envs/src/registry.rs   registry.add(crate::{module}::entry());   in `Registry::standard`"),
        ],
        Home::OwnCrate => {
            [format!("src/main.rs   mod {module};"), format!("src/main.rs   registry.add({module}::entry());")]
        }
    };
    format!(
        "wrote {file}\n\nnext, two lines that make it known:\n  {declaration}\n  {line}\nand then\n  cargo run --release -- env check {name}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_modules() {
        for (name, expected) in [("Maze", "maze"), ("DeepSea", "deep_sea"), ("Game2D", "game2_d")] {
            assert_eq!(module(name).unwrap(), expected);
        }
        for name in ["", "maze", "Deep Sea", "Deep-Sea", "../Up", "Größe", "2D", "Match", "Template"] {
            assert!(module(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_file_is_written_once_and_where_it_belongs() {
        let folder = tempfile::tempdir().unwrap();
        assert!(home(folder.path(), "maze").is_err());
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        let (home_now, file) = home(folder.path(), "maze").unwrap();
        assert_eq!((home_now, &file), (Home::OwnCrate, &folder.path().join("src/maze.rs")));
        write(&file, "one").unwrap();
        let error = write(&file, "two").unwrap_err().to_string();
        assert!(error.contains("maze.rs: it exists already"), "{error}");
        assert_eq!(std::fs::read_to_string(file).unwrap(), "one");

        std::fs::create_dir_all(folder.path().join("envs/src")).unwrap();
        std::fs::write(folder.path().join("envs/src/registry.rs"), "").unwrap();
        let tree = (Home::Tree, folder.path().join("envs/src/maze.rs"));
        assert_eq!(home(folder.path(), "maze").unwrap(), tree);
    }

    #[test]
    fn the_template_takes_its_name_and_its_library() {
        let own = text(Home::OwnCrate, "Maze");
        assert!(
            own.contains("use engram::envs::{Chance") && own.contains("pub struct Maze {") && !own.contains("Template")
        );
        assert!(text(Home::Tree, "Maze").contains("use crate::{Chance"));
    }
}
