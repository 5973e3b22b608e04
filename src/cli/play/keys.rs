//! Which key plays which action.

use ratatui::crossterm::event::KeyCode;

/// Words in an action's name, or the name itself, and the keys that play it: the first keys are shown first.
const NAMED: [(&[&str], &[KeyCode]); 6] = [
    (&["left"], &[KeyCode::Left, KeyCode::Char('a')]),
    (&["right"], &[KeyCode::Right, KeyCode::Char('d')]),
    (&["up"], &[KeyCode::Up, KeyCode::Char('w')]),
    (&["down"], &[KeyCode::Down, KeyCode::Char('s')]),
    (&["fire"], &[KeyCode::Char(' ')]),
    (&IDLE, &[KeyCode::Char('n')]),
];

/// What doing nothing is called.
const IDLE: [&str; 4] = ["none", "noop", "stay", "nothing"];

/// Keys that end the game, whatever the actions are.
const QUIT: [KeyCode; 2] = [KeyCode::Char('q'), KeyCode::Esc];

/// The keys of a game: those that its actions' names suggest, a digit for each of the first ten actions, and letters
/// for those that have no key then.
pub struct Keys {
    actions: Vec<(String, Vec<KeyCode>)>,
}

impl Keys {
    /// Keys for actions of these names.
    pub fn new(names: &[impl AsRef<str>]) -> Self {
        let mut actions: Vec<(_, Vec<KeyCode>)> =
            names.iter().map(|name| (name.as_ref().to_owned(), Vec::new())).collect();
        for (words, keys) in NAMED {
            // Of several actions with one word in their names, such as "left fire" after "left", the first has the keys.
            let named = |name: &str| name.split([' ', '-', '_']).any(|part| words.contains(&part));
            if let Some((_, own)) = actions.iter_mut().find(|(name, own)| own.is_empty() && named(name)) {
                own.extend(keys);
            }
        }
        for ((_, own), digit) in actions.iter_mut().zip('0'..='9') {
            own.push(KeyCode::Char(digit));
        }
        let taken: Vec<KeyCode> = actions.iter().flat_map(|(_, own)| own.clone()).chain(QUIT).collect();
        let mut letters = ('a'..='z').map(KeyCode::Char).filter(|key| !taken.contains(key));
        for (_, own) in actions.iter_mut().filter(|(_, own)| own.is_empty()) {
            own.extend(letters.next());
        }
        Self { actions }
    }

    /// The action that a key plays.
    pub fn action(&self, key: KeyCode) -> Option<usize> {
        let key = lower(key);
        self.actions.iter().position(|(_, own)| own.contains(&key))
    }

    /// Whether a key ends the game.
    pub fn quits(key: KeyCode) -> bool {
        QUIT.contains(&lower(key))
    }

    /// The action that does nothing.
    pub fn idle(&self) -> Option<usize> {
        self.actions.iter().position(|(name, _)| IDLE.contains(&name.as_str()))
    }

    /// Each action's keys and name, to be shown.
    pub fn labels(&self) -> impl Iterator<Item = String> {
        let show = |keys: &[KeyCode]| keys.iter().map(|key| symbol(*key)).collect::<Vec<_>>().join("/");
        self.actions.iter().map(move |(name, own)| format!("[{}] {name}", show(own)))
    }
}

fn lower(key: KeyCode) -> KeyCode {
    match key {
        KeyCode::Char(letter) => KeyCode::Char(letter.to_ascii_lowercase()),
        other => other,
    }
}

fn symbol(key: KeyCode) -> String {
    match key {
        KeyCode::Left => "←".into(),
        KeyCode::Right => "→".into(),
        KeyCode::Up => "↑".into(),
        KeyCode::Down => "↓".into(),
        KeyCode::Char(' ') => "space".into(),
        KeyCode::Char(letter) => letter.into(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(keys: &Keys, pressed: &[KeyCode]) -> Vec<Option<usize>> {
        pressed.iter().map(|key| keys.action(*key)).collect()
    }

    #[test]
    fn names_suggest_arrows_and_digits_always_work() {
        let keys = Keys::new(&["none", "left", "up", "right", "down", "fire"]);
        let arrows = [KeyCode::Left, KeyCode::Up, KeyCode::Right, KeyCode::Down];
        assert_eq!(played(&keys, &arrows), [Some(1), Some(2), Some(3), Some(4)]);
        let letters = ['n', 'A', 'w', 'd', 's', ' ', '0', '5', '6', 'x'].map(KeyCode::Char);
        let expected = [Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), Some(0), Some(5), None, None];
        assert_eq!(played(&keys, &letters), expected);
        assert_eq!(keys.idle(), Some(0));
    }

    #[test]
    fn names_of_several_words_count_by_their_words() {
        let keys = Keys::new(&["push left", "push right"]);
        assert_eq!(played(&keys, &[KeyCode::Left, KeyCode::Right, KeyCode::Up]), [Some(0), Some(1), None]);
        assert_eq!(keys.labels().collect::<Vec<_>>(), ["[←/a/0] push left", "[→/d/1] push right"]);
        assert_eq!(keys.idle(), None);
        let keys = Keys::new(&["left", "left fire"]);
        assert_eq!(played(&keys, &[KeyCode::Left, KeyCode::Char(' ')]), [Some(0), Some(1)]);
    }

    #[test]
    fn many_actions_get_letters_but_never_the_one_that_quits() {
        let names: Vec<&'static str> = (0..30).map(|_| "answer").collect();
        let keys = Keys::new(&names);
        assert_eq!(keys.action(KeyCode::Char('a')), Some(10));
        assert_eq!(keys.action(KeyCode::Char('q')), None);
        assert!((0..30).all(|action| keys.actions[action].1.len() == 1));
        assert!(Keys::quits(KeyCode::Char('Q')) && Keys::quits(KeyCode::Esc) && !Keys::quits(KeyCode::Enter));
    }
}
