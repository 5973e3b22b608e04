//! Commands that are printed to be copied into a shell.

use std::path::Path;

/// A path as an argument of a POSIX shell: as it is where that is safe, else in single quotes.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    // An argument that begins with a hyphen would be taken for an option.
    let text = if text.starts_with('-') { format!("./{text}") } else { text };
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+:,@%".contains(letter);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_take_apart_is_quoted() {
        for (path, argument) in [
            ("runs/catch-5__ewc__0__20260101-120000", "runs/catch-5__ewc__0__20260101-120000"),
            ("läufe/a.2", "läufe/a.2"),
            ("my runs/a", "'my runs/a'"),
            ("it's", r"'it'\''s'"),
            ("a$b;c*", "'a$b;c*'"),
            ("~/a", "'~/a'"),
            ("-x", "./-x"),
            ("", "''"),
        ] {
            assert_eq!(quoted(Path::new(path)), argument);
        }
    }
}
