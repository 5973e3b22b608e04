//! The report as one page that needs nothing but itself.

use std::fmt::Write as _;

use super::inline_svg::{css, inline};
use super::pictures::Picture;
use super::tables::{self, Cell, Table, ends};
use super::{Report, notes, overview};
use crate::figure::{group_colors, two_decimals};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Nothing is ever fetched, whatever the text of a run says.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The whole page. `config` is the resolved config of one run.
pub fn page(report: &Report, pictures: &[Picture], commands: &[String], config: &str) -> String {
    let title = escape(&report.comparison.preset);
    let colors: Vec<String> = group_colors(report.comparison).iter().map(|color| css(color)).collect();
    let table = |shown: &Table| table(shown, &colors);
    let mut body = format!("<header>\n<h1>{title}</h1>\n<p class=\"kind\">{}</p>\n", kind(report));
    body += &definitions("", overview::entries(report).into_iter().map(|(term, value)| (term, escape(&value))));
    body += "</header>\n<main>\n";
    let left_out = report.comparison.left_out();
    if let Some((count, runs)) = left_out.split_once('\n') {
        let _ = write!(
            body,
            "<p class=\"warning\">{}</p>\n<details><summary>Which</summary>\n<pre>{}</pre></details>\n",
            escape(count),
            escape(runs)
        );
    }
    let summary = [
        Some(tables::headline(report)),
        tables::costs(report),
        tables::improvements(report),
        tables::single_runs(report),
    ];
    section(&mut body, "Summary", &summary.iter().flatten().map(table).collect::<String>());
    for picture in pictures {
        section(&mut body, picture.title, &figure(picture));
    }
    section(&mut body, "Tasks", &tables::tasks(report).iter().map(table).collect::<String>());
    let differences =
        tables::differences(report).map_or("<p>The groups differ in nothing.</p>\n".into(), |shown| table(&shown));
    let config = format!(
        "<details><summary>The whole config of {}</summary>\n<pre>{}</pre></details>\n",
        example(report),
        escape(config)
    );
    section(&mut body, "Settings", &(differences + &config));
    section(&mut body, "How to read it", &reading(report));
    section(&mut body, "Commands", &format!("<pre tabindex=\"0\">{}</pre>\n", escape(&commands.join("\n"))));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} – Engram</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n{body}</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

/// How much there is of what.
fn kind(report: &Report) -> String {
    let count = |number: usize, name: &str| {
        format!("{} {name}{}", notes::thousands(number), if number == 1 { "" } else { "s" })
    };
    let counts = [
        count(report.comparison.envs.len(), "task"),
        count(report.comparison.groups.len(), "group"),
        count(report.runs(), "run"),
    ];
    format!("{} · a report by Engram", counts.join(" · "))
}

fn example(report: &Report) -> String {
    report.comparison.example().map_or(String::new(), |run| escape(&run.path.display().to_string()))
}

fn reading(report: &Report) -> String {
    let paragraphs: Vec<String> =
        notes::paragraphs(report).iter().map(|text| format!("<p>{}</p>\n", escape(text))).collect();
    let terms = notes::terms().into_iter().map(|(term, meaning)| (term, escape(meaning)));
    paragraphs.concat() + &definitions(" class=\"terms\"", terms)
}

fn definitions<'t>(class: &str, entries: impl Iterator<Item = (&'t str, String)>) -> String {
    let entries: Vec<String> = entries.map(|(term, value)| format!("<dt>{term}</dt><dd>{value}</dd>\n")).collect();
    format!("<dl{class}>\n{}</dl>\n", entries.concat())
}

fn section(body: &mut String, heading: &str, content: &str) {
    let id = heading.to_ascii_lowercase().replace(' ', "-");
    let _ = write!(body, "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{heading}</h2>\n{content}</section>\n");
}

fn figure(picture: &Picture) -> String {
    let Picture { name, caption, description, figure, .. } = picture;
    let svg = inline(&figure.svg, description);
    format!("<figure id=\"figure-{name}\">\n{svg}<figcaption>{}</figcaption>\n</figure>\n", escape(caption))
}

/// A table in a box of its own, so that a wide one scrolls and the page does not.
fn table(table: &Table, colors: &[String]) -> String {
    let Table { caption, headings, rows } = table;
    let head = |(column, heading): (usize, &String)| {
        let class = if table.is_number(column) { " class=\"number\"" } else { "" };
        format!("<th scope=\"col\"{class}>{}</th>", escape(heading))
    };
    let heads: String = headings.iter().enumerate().map(head).collect();
    let row = |row: &Vec<Cell>| {
        let cells = row.iter().enumerate().map(|(column, shown)| {
            let alignment = if table.is_number(column) { " class=\"number\"" } else { "" };
            cell(shown, column == 0, alignment, colors)
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let rows: String = rows.iter().map(row).collect();
    let caption = escape(caption);
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\n<table class=\"sortable\">\n\
         <caption>{caption}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )
}

fn cell(cell: &Cell, is_first: bool, alignment: &str, colors: &[String]) -> String {
    let (tag, scope) = if is_first { ("th", " scope=\"row\"") } else { ("td", "") };
    match cell {
        Cell::Group(index, label) => {
            let color = colors.get(*index).map_or("currentColor", String::as_str);
            let swatch = format!("<span class=\"swatch\" style=\"background: {color}\"></span>");
            // The place in the order of the report, so that sorting by it gives that order back.
            format!("<{tag}{scope} data-value=\"{index}\">{swatch}{}</{tag}>", escape(label))
        }
        Cell::Score(value, interval) => {
            let interval =
                interval.map(|interval| format!("<span class=\"interval\">[{}]</span>", minus(&ends(interval))));
            let value_text = minus(&two_decimals(*value));
            format!(
                "<{tag}{scope}{alignment} data-value=\"{value}\">{value_text}{}</{tag}>",
                interval.unwrap_or_default()
            )
        }
        Cell::Text(_) | Cell::Count(_) | Cell::Missing => {
            format!("<{tag}{scope}{alignment}>{}</{tag}>", escape(&cell.text()))
        }
    }
}

/// Numbers with a true minus sign, which is as wide as a digit.
fn minus(text: &str) -> String {
    text.replace('-', "−")
}

/// Text as text, in an element or in an attribute.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_files_is_nothing_but_text() {
        let shown = Table {
            caption: "a & b".into(),
            headings: vec!["<b>".into(), "n".into()],
            rows: vec![vec![Cell::Group(7, "<script>alert('x')</script>".into()), Cell::Score(-0.5, None)]],
        };
        let text = table(&shown, &[]);
        assert!(!text.contains("<script>") && !text.contains("<b>") && text.contains("a &amp; b"), "{text}");
        assert!(text.contains("&lt;script&gt;alert(&#39;x&#39;)"), "{text}");
        assert!(text.contains("data-value=\"-0.5\">−0.50<"), "{text}");
    }
}
