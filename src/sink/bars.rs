//! Progress bars in a terminal: one a phase and one for the whole curriculum.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// The bars of a run, on the standard error.
pub struct Bars {
    /// What the bars are drawn by; it makes room for lines above them.
    pub all: MultiProgress,
    /// The whole curriculum.
    pub total: ProgressBar,
    /// The phases begun, the last one running; a bar that is dropped may vanish from the screen.
    phases: Vec<ProgressBar>,
}

impl Bars {
    /// An empty bar over `total` steps.
    pub fn new(total: u64) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        let style = style("{prefix:24!} {bar:24} {percent:>3}% {rate:>16}  {elapsed} done, {eta} left");
        let total = all.add(ProgressBar::new(total).with_style(style).with_prefix("all"));
        total.enable_steady_tick(Duration::from_millis(500));
        Self { all, total, phases: Vec::new() }
    }

    /// Ends the bar of the last phase and begins one of `steps`; `clear` takes the old one away.
    pub fn start(&mut self, name: String, steps: u64, clear: bool) {
        if let Some(bar) = self.phases.last() {
            bar.set_position(bar.length().unwrap_or_default());
            if clear { bar.finish_and_clear() } else { bar.abandon() }
        }
        let bar = ProgressBar::new(steps).with_prefix(name);
        bar.set_style(style("{prefix:24!} {bar:24} {percent:>3}% {rate:>16}  {msg}"));
        self.phases.push(self.all.insert_before(&self.total, bar));
    }

    /// The bar of the phase that runs.
    pub fn phase(&self) -> Option<&ProgressBar> {
        self.phases.last()
    }

    /// Leaves the bars as they are.
    pub fn finish(&mut self) {
        if let Some(bar) = self.phases.last() {
            bar.abandon();
        }
        self.total.abandon();
    }
}

/// A bar's style; `{rate}` is whole steps a second.
fn style(template: &str) -> ProgressStyle {
    let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        let _ = write!(text, "{} steps/s", grouped(state.per_sec() as u64));
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate)
        .progress_chars("━╸ ")
}

/// 1234567 as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let texts = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
