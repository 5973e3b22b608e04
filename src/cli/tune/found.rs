//! What tuning has found, in words and as JSON.

use std::{fmt::Write as _, path::PathBuf, slice};

use engram_agents::continual::MethodName;

use crate::{
    figure::{Comparison, Group, two_decimals},
    metrics::Metrics,
    statistics::mean,
    sweep::{
        Standing, Sweep,
        tuning::{FEWEST_SEEDS, Recommendation, Tried},
    },
};

/// What the tuning seeds say.
pub struct Found {
    /// The key of the strength.
    key: String,
    /// How many seeds each strength was tried on.
    seeds: u64,
    pub comparison: Comparison,
    /// The strengths under which no run broke, from the smallest on.
    tried: Vec<Tried>,
    /// Those under which one did.
    pub broken: Vec<f64>,
    pub recommendation: Recommendation,
}

impl Found {
    /// Reads the runs of a sweep that has tried these strengths of a method.
    pub fn read(sweep: &Sweep, method: MethodName, key: &str, strengths: &[f64], seeds: u64) -> anyhow::Result<Self> {
        if !sweep.standings().iter().any(Standing::is_finished) {
            anyhow::bail!("no run came to its end; engram sweep status {} says why", sweep.folder.display());
        }
        let comparison = Comparison::read(slice::from_ref(&sweep.folder))?;
        let mut tried = Vec::new();
        let whole = |group: &&Group| group.method == method.as_str() && group.runs.len() as u64 == seeds;
        for group in comparison.groups.iter().filter(whole) {
            tried.push(Tried { strength: group.runs[0].settings.value(key).parse()?, scores: scores(group) });
        }
        // A config keeps a strength as an f32.
        let broke = |strength: &&f64| !tried.iter().any(|tried| tried.strength as f32 == **strength as f32);
        let broken = strengths.iter().filter(broke).copied().collect();
        let Some(recommendation) = Recommendation::of(&tried) else {
            anyhow::bail!(
                "no strength let all runs come to their end; engram sweep status {} says why",
                sweep.folder.display()
            );
        };
        Ok(Self { key: key.to_owned(), seeds, comparison, tried, broken, recommendation })
    }

    /// The recommended strength.
    pub fn best(&self) -> f64 {
        self.tried[self.recommendation.best].strength
    }

    /// The recommendation and its reason.
    fn reason(&self) -> String {
        let Self { tried, recommendation, seeds, .. } = self;
        let mut text = format!(
            "{} = {} has the highest average performance, {} in the mean of {seeds} tuning seeds",
            self.key,
            self.best(),
            two_decimals(mean(&tried[recommendation.best].scores)),
        );
        if *seeds < FEWEST_SEEDS as u64 {
            let _ = write!(text, "\nso few seeds tell no strength from the best; --seeds {FEWEST_SEEDS} would");
        }
        for index in recommendation.alike() {
            let (difference, Some(interval)) = recommendation.behind[index] else { continue };
            let [difference, low, high] = [difference, interval.low, interval.high].map(two_decimals);
            let _ =
                write!(text, "\n{} is not told from it: behind by {difference} [{low}, {high}]", tried[index].strength);
        }
        if recommendation.at_edge().is_some() {
            text.push_str("\nit is the last that was tried on its side; --strengths goes further");
        }
        for strength in &self.broken {
            let _ = write!(text, "\nunder {strength} a run broke");
        }
        text
    }

    /// The numbers, the recommendation and what the fresh seeds say, for people.
    pub fn text(&self, files: &[PathBuf], fresh: Option<&Comparison>) -> String {
        let mut text = format!("\ntuning seeds:\n{}\n{}\n", self.comparison.table(), self.reason());
        if let Some(fresh) = fresh {
            let _ = write!(text, "\nfresh seeds, which had no part in the choice:\n{}", fresh.table());
        }
        let _ = write!(text, "\nuse it with --set {}={}\n", self.key, self.best());
        for file in files {
            let _ = writeln!(text, "{}", file.display());
        }
        text
    }

    /// The same for programs.
    pub fn document(&self, files: &[PathBuf], fresh: Option<&Comparison>) -> serde_json::Value {
        let strengths: Vec<_> = self
            .tried
            .iter()
            .zip(&self.recommendation.behind)
            .map(|(Tried { strength, scores }, (behind, interval))| {
                serde_json::json!({
                    "strength": strength, "average_performance": scores, "mean": mean(scores),
                    "behind": behind, "low": interval.map(|behind| behind.low), "high": interval.map(|behind| behind.high),
                })
            })
            .collect();
        let fresh = fresh.map(|fresh| {
            let group =
                |group: &Group| serde_json::json!({ "method": group.method, "average_performance": scores(group) });
            fresh.groups.iter().map(group).collect::<Vec<_>>()
        });
        serde_json::json!({
            "key": self.key, "recommended": self.best(), "reason": self.reason(), "strengths": strengths,
            "broken": self.broken, "fresh": fresh, "files": files,
        })
    }
}

/// The average performance of each run.
fn scores(group: &Group) -> Vec<f64> {
    group.runs.iter().map(|run| Metrics::of(&run.matrix).average_performance).collect()
}
