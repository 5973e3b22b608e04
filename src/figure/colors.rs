//! The colours of curves.

use plotters::style::{Color, HSLColor, RGBColor};

/// Colours that colour-blind readers can tell apart (Okabe and Ito, 2008), one for each known method.
const METHOD_COLORS: [(&str, RGBColor); 4] = [
    ("fine-tune", RGBColor(0x40, 0x40, 0x40)),
    ("l2", RGBColor(0xE6, 0x9F, 0x00)),
    ("ewc", RGBColor(0x00, 0x72, 0xB2)),
    ("online-ewc", RGBColor(0x00, 0x9E, 0x73)),
];
const OTHER_COLORS: [RGBColor; 3] =
    [RGBColor(0xD5, 0x5E, 0x00), RGBColor(0xCC, 0x79, 0xA7), RGBColor(0x56, 0xB4, 0xE9)];

/// Neighbouring multiples of it, in turns of the colour wheel, are far apart: the golden angle.
const HUE_STEP: f64 = 0.381_966;

/// A colour for each of these methods: its own if it is known and comes for the first time, else the next of the others.
pub fn colors<'a>(methods: impl Iterator<Item = &'a str>) -> Vec<RGBColor> {
    let mut others = OTHER_COLORS.into_iter().chain((0..).map(hue));
    let mut given = Vec::new();
    for method in methods {
        let known = METHOD_COLORS.iter().find(|(name, _)| *name == method).map(|(_, color)| *color);
        let own = known.filter(|color| !given.contains(color));
        given.extend(own.or_else(|| others.next()));
    }
    given
}

/// A colour as SVG and CSS write it.
pub fn hexadecimal(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

fn hue(index: u32) -> RGBColor {
    let (red, green, blue) = HSLColor((f64::from(index) * HUE_STEP).fract(), 0.6, 0.4).rgb();
    RGBColor(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_methods_keep_their_colour_in_any_company() {
        let alone = colors(["ewc"].into_iter())[0];
        let together = colors(["fine-tune", "ewc", "new", "newer"].into_iter());
        assert_eq!(together[1], alone);
        assert_eq!(together[2..], OTHER_COLORS[..2]);
    }

    #[test]
    fn groups_of_one_method_are_told_apart() {
        let many = colors(["ewc"; 12].into_iter());
        assert_eq!(many[0], colors(["ewc"].into_iter())[0]);
        assert!(many.iter().enumerate().all(|(index, color)| !many[..index].contains(color)), "{many:?}");
    }
}
