//! Figures inside a page: their fixed colours become those of the page, light or dark.

use std::fmt::Write as _;

use super::html::escape;

/// How a figure, and a panel that is one itself, paints the paper that it is drawn on.
const PAPER: &str = "opacity=\"1\" fill=\"#FFFFFF\" stroke=\"none\"/>";

/// Colours of figures and the names that `page.css` has for them.
const NAMES: [(&str, &str); 10] = [
    ("#222222", "ink"),
    ("#D8D8D8", "grid"),
    ("#F3EFE2", "shade"),
    ("#404040", "grey"),
    ("#E69F00", "orange"),
    ("#0072B2", "blue"),
    ("#009E73", "green"),
    ("#D55E00", "vermilion"),
    ("#CC79A7", "purple"),
    ("#56B4E9", "sky"),
];

/// The SVG as an element of a page, with a text for readers that do not see it.
pub fn inline(svg: &str, description: &str) -> String {
    let mut text = svg.replace(PAPER, "fill=\"none\"/>");
    for (color, name) in NAMES {
        for attribute in ["fill", "stroke"] {
            let fixed = format!("{attribute}=\"{color}\"");
            let named = format!("{attribute}=\"var(--{name})\"");
            text = text.replace(&fixed, &named);
        }
    }
    let mut label = String::new();
    // Writing to a string cannot fail.
    let _ = write!(label, "<svg role=\"img\" aria-label=\"{}\" ", escape(description));
    text.replacen("<svg ", &label, 1)
}

/// A colour of a figure as a value in CSS.
pub fn css(color: &str) -> String {
    let name = NAMES.iter().find(|(known, _)| *known == color).map(|(_, name)| name);
    name.map_or_else(|| color.to_owned(), |name| format!("var(--{name})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_those_of_the_page() {
        let svg = "<svg width=\"9\">\n<rect opacity=\"1\" fill=\"#FFFFFF\" stroke=\"none\"/>\n\
                   <text fill=\"#222222\">a #222222</text><line stroke=\"#D8D8D8\"/><text fill=\"#FFFFFF\"/></svg>";
        let expected = "<svg role=\"img\" aria-label=\"&lt;a&gt;\" width=\"9\">\n<rect fill=\"none\"/>\n\
                        <text fill=\"var(--ink)\">a #222222</text><line stroke=\"var(--grid)\"/><text fill=\"#FFFFFF\"/></svg>";
        assert_eq!(inline(svg, "<a>"), expected);
    }

    #[test]
    fn every_name_has_a_colour_in_both_schemes() {
        let style = include_str!("page.css");
        for (_, name) in NAMES {
            assert!(style.matches(&format!("--{name}: #")).count() == 2, "{name}");
        }
        assert_eq!((css("#0072B2"), css("#123456")), ("var(--blue)".into(), "#123456".into()));
    }
}
