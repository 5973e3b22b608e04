//! The presets `fame-minatar/{0..29}` and `fame-minatar/norepeat-{0..9}`: one text, forty published orders of games.

use super::Preset;

/// How the names of the presets begin, and what can follow.
pub const PATTERN: &str = "fame-minatar/{0..29,norepeat-0..9}";
const PREFIX: &str = "fame-minatar/";
const TEXT: &str = include_str!("fame-minatar.toml");
/// B is Breakout, S `SpaceInvaders`, F Freeway.
const GAMES: &str = "BSF";

/// Drawn with replacement: a game may follow itself.
const ORDERS: [&str; 30] = [
    "BSBSSFB", "SBBSSBB", "BSBFFBF", "FBSBBBS", "FFSSBBF", "FSFFBSB", "FSBFSFB", "BSFBSFB", "BSSSFBB", "FBFSFBF",
    "SSBBSBS", "SBSSBSF", "FSSFBBF", "FBFBFFB", "BBFSFFB", "BSBSBBS", "SFSSSBS", "SFFSBSF", "FBSFSFF", "SFSFBBF",
    "FBFSBFF", "SBBBBBB", "SBBBBFF", "FBSFBSB", "FBSSSBB", "BFFSFBF", "SFFBSFS", "BBBBSBS", "SSSFBBB", "SBSFBBS",
];
/// No game follows itself.
const ORDERS_WITHOUT_REPEATS: [&str; 10] =
    ["BSFSBFS", "SFSBSFS", "FBFSBSF", "BSBFSBS", "SBSFSFB", "FSBFSBS", "BSFSBSF", "SFBFBFS", "FSBFSFB", "BSBSFBS"];

/// The preset of this name.
pub(super) fn get(name: &str) -> Option<Preset> {
    let rest = name.strip_prefix(PREFIX)?;
    let (orders, index) = match rest.strip_prefix("norepeat-") {
        Some(index) => (ORDERS_WITHOUT_REPEATS.as_slice(), index),
        None => (ORDERS.as_slice(), rest),
    };
    // Not `01` or `+1`: a preset has one name.
    let index = index.parse::<usize>().ok().filter(|number| number.to_string() == index)?;
    let order = orders.get(index)?;
    let phases: Vec<String> =
        order.chars().filter_map(|game| GAMES.find(game)).map(|task| format!("{{ task = {task} }}")).collect();
    let text = TEXT.replace("NAME", &name.replace('/', "-")).replace("ORDER", order);
    Some(Preset { name: name.to_owned().into(), toml: text.replace("PHASES", &phases.join(", ")).into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, Source, read};

    #[test]
    fn every_order_is_a_valid_preset_of_seven_phases() {
        let registry = engram_envs::Registry::standard();
        let names = (0..30).map(|k| k.to_string()).chain((0..10).map(|k| format!("norepeat-{k}")));
        for name in names.map(|rest| format!("{PREFIX}{rest}")) {
            let config = read(&Source::from(name.as_str()), &Overrides::default(), &registry).unwrap();
            assert_eq!((config.curriculum.phases.len(), config.name), (7, name.replace('/', "-")));
            let tasks: Vec<_> = config.curriculum.phases.iter().map(|phase| phase.task).collect();
            assert!(!name.contains("norepeat") || tasks.windows(2).all(|pair| pair[0] != pair[1]), "{name}");
        }
        let first = read(&Source::from("fame-minatar/4"), &Overrides::default(), &registry).unwrap();
        let tasks: Vec<_> = first.curriculum.phases.iter().map(|phase| phase.task).collect();
        assert_eq!(tasks, [2, 2, 1, 1, 0, 0, 2].map(Some));
        assert!(first.description.contains("FFSSBBF"));
    }

    #[test]
    fn there_are_forty() {
        for name in ["fame-minatar/30", "fame-minatar/norepeat-10", "fame-minatar/01", "fame-minatar/", "fame"] {
            assert!(get(name).is_none(), "{name}");
        }
    }
}
