//! The report as Markdown, for a repository or an issue.

use std::fmt::Write as _;

use super::pictures::Picture;
use super::tables::{self, Cell, Table};
use super::{Report, notes, overview};

/// The whole page.
pub fn page(report: &Report, pictures: &[Picture], commands: &[String]) -> String {
    let mut text = format!("# {}\n\n", escape(&report.comparison.preset));
    for (term, value) in overview::entries(report) {
        let _ = writeln!(text, "- {term}: {}", escape(&value));
    }
    let left_out = report.comparison.left_out();
    if !left_out.is_empty() {
        let _ = write!(text, "\n```text\n{left_out}```\n");
    }
    section(
        &mut text,
        "Summary",
        &[
            Some(tables::headline(report)),
            tables::costs(report),
            tables::improvements(report),
            tables::single_runs(report),
        ],
    );
    for picture in pictures {
        let Picture { name, title, caption, .. } = picture;
        let _ = write!(text, "\n## {title}\n\n![{title}]({name}.svg)\n\n{caption}\n");
    }
    section(&mut text, "Tasks", &tables::tasks(report).map(Some));
    section(&mut text, "Settings", &[tables::differences(report)]);
    let _ = write!(text, "\n## How to read it\n");
    for paragraph in notes::paragraphs(report) {
        let _ = write!(text, "\n{paragraph}\n");
    }
    let _ = writeln!(text);
    for (term, meaning) in notes::terms() {
        let _ = writeln!(text, "- {term}: {meaning}");
    }
    let _ = write!(text, "\n## Commands\n\n```sh\n{}\n```\n", commands.join("\n"));
    text
}

fn section(text: &mut String, heading: &str, tables: &[Option<Table>]) {
    let mut tables = tables.iter().flatten().peekable();
    if tables.peek().is_some() {
        let _ = write!(text, "\n## {heading}\n");
    }
    for shown in tables {
        let _ = write!(text, "\n{}:\n\n{}", shown.caption, table(shown));
    }
}

fn table(table: &Table) -> String {
    let Table { headings, rows, .. } = table;
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rules = (0..headings.len()).map(|column| if table.is_number(column) { "---:" } else { "---" });
    let mut text = line(&headings.iter().map(|heading| escape(heading)).collect::<Vec<_>>());
    let _ = writeln!(text, "|{}|", rules.collect::<Vec<_>>().join("|"));
    text.extend(rows.iter().map(|row| line(&row.iter().map(Cell::text).map(|cell| escape(&cell)).collect::<Vec<_>>())));
    text
}

/// Text that stays in its cell and is nothing but text.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '<' | '>' | '*' | '&' => escaped.extend(['\\', c]),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_what_is_in_it() {
        let shown = Table {
            caption: String::new(),
            headings: vec!["a|b".into(), "n".into()],
            rows: vec![vec![Cell::Text("<i>\nx".into()), Cell::Score(-0.001, None)]],
        };
        assert_eq!(table(&shown), "| a\\|b | n |\n|---|---:|\n| \\<i\\> x | 0.00 |\n");
    }
}
