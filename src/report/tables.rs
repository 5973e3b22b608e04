//! The tables of a report, before they are text, Markdown or HTML.

use super::{MEASURES, Report, Summary};
use crate::figure::{Group, Settings, short_name, two_decimals};
use crate::sink::status::{Bytes, Cost};
use crate::statistics::{Estimate, Interval, mean};

/// Groups of so many runs or fewer are shown run by run as well.
const FEW: usize = 5;

/// Groups of which the probabilities of improvement are shown as a square; more are shown as a list.
const WIDEST_SQUARE: usize = 6;

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// A heading a column.
    pub headings: Vec<String>,
    /// A cell a column.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Whether a column holds numbers, which are set flush right.
    pub fn is_number(&self, column: usize) -> bool {
        let is_number = |cell: &Cell| matches!(cell, Cell::Count(_) | Cell::Score(..));
        self.rows.iter().any(|row| is_number(&row[column]))
    }
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// The label of the group with this index.
    Group(usize, String),
    /// A whole number.
    Count(u64),
    /// A score or a difference of scores, with the interval around it if there are several runs.
    Score(f64, Option<Interval>),
    /// Nothing, since there is nothing to average.
    Missing,
}

impl Cell {
    /// The cell of an estimate from so many runs. One run says nothing about others and has no interval.
    fn estimate(estimate: Option<Estimate>, runs: usize) -> Self {
        let score = |Estimate { value, interval }| Self::Score(value, (runs > 1).then_some(interval));
        estimate.map_or(Self::Missing, score)
    }

    fn value(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, |value| Self::Score(value, None))
    }

    /// As text: a score has two decimals.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Group(_, text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Score(value, None) => two_decimals(*value),
            Self::Score(value, Some(interval)) => format!("{} [{}]", two_decimals(*value), ends(*interval)),
            Self::Missing => "n/a".into(),
        }
    }
}

/// The ends of an interval as text.
pub fn ends(Interval { low, high }: Interval) -> String {
    format!("{}, {}", two_decimals(low), two_decimals(high))
}

/// The one table to look at first.
pub fn headline(report: &Report) -> Table {
    let mut headings = vec!["group".into(), "runs".into()];
    headings.extend(MEASURES.map(|measure| measure.heading.to_owned()));
    headings.extend(["IQM".into(), "optimality gap".into()]);
    let rows = report.groups().map(|(index, group, summary)| {
        let runs = group.runs.len();
        let mut cells = vec![Cell::Group(index, group.label.clone()), Cell::Count(runs as u64)];
        cells.extend(summary.means(report.resampling).map(|estimate| Cell::estimate(estimate, runs)));
        let aggregates = [summary.scores.interquartile_mean, summary.scores.optimality_gap];
        cells.extend(aggregates.map(|estimate| Cell::estimate(Some(estimate), runs)));
        cells
    });
    let caption = "Means over runs; IQM and optimality gap over runs and tasks; 95 % bootstrap intervals".into();
    Table { caption, headings, rows: rows.collect() }
}

/// The headline in two tables that a terminal has room for: of final scores, and of the sequence.
pub fn narrow(report: &Report) -> [Table; 2] {
    let whole = headline(report);
    let columns = |caption: &str, columns: &[usize]| Table {
        caption: caption.into(),
        headings: columns.iter().map(|&column| whole.headings[column].clone()).collect(),
        rows: whole.rows.iter().map(|row| columns.iter().map(|&column| row[column].clone()).collect()).collect(),
    };
    [
        columns("final scores, with 95 % bootstrap intervals", &[0, 1, 2, 8, 9, 7]),
        columns("along the sequence", &[0, 3, 4, 5, 6]),
    ]
}

/// What the groups cost; None where no run says so.
pub fn costs(report: &Report) -> Option<Table> {
    if report.comparison.groups.iter().flat_map(|group| &group.runs).all(|run| run.cost == Cost::default()) {
        return None;
    }
    let row = |(index, group, _): (usize, &Group, &Summary)| {
        let mean = |of: fn(&Cost) -> f64| mean(&group.runs.iter().map(|run| of(&run.cost)).collect::<Vec<_>>());
        let bytes = |of| Cell::Text(Bytes(mean(of).round() as u64).to_string());
        let seconds = |of| Cell::Text(format!("{:.1}", mean(of)));
        vec![
            Cell::Group(index, group.label.clone()),
            bytes(|cost| cost.method_bytes as f64),
            bytes(|cost| cost.replay_bytes as f64),
            seconds(|cost| cost.wall_seconds),
            seconds(|cost| cost.consolidation_seconds),
        ]
    };
    let headings = ["group", "kept by the method", "replay buffers", "seconds", "of them consolidating"];
    let caption =
        "Memory beside the networks at the end, and time on the machine that trained, whatever else it did; means \
                   over runs"
            .into();
    Some(Table { caption, headings: headings.map(str::to_owned).into(), rows: report.groups().map(row).collect() })
}

/// Probabilities of improvement; None for a single group, and for very many.
pub fn improvements(report: &Report) -> Option<Table> {
    if report.pairs.is_empty() {
        return None;
    }
    let groups = &report.comparison.groups;
    let label = |index: usize| Cell::Group(index, groups[index].label.clone());
    let cell = |group: usize, over: usize| {
        let pair = report.pairs.iter().find(|pair| (pair.group, pair.over) == (group, over));
        let runs = groups[group].runs.len().max(groups[over].runs.len());
        pair.map_or(Cell::Text("–".into()), |pair| Cell::estimate(Some(pair.probability), runs))
    };
    let caption = "Probability that a run of the group has a higher final score on a task".to_owned();
    if groups.len() <= WIDEST_SQUARE {
        let mut headings = vec!["group".to_owned()];
        headings.extend(groups.iter().map(|group| format!("over {}", group.label)));
        let indices = 0..groups.len();
        let row = |group| [label(group)].into_iter().chain(indices.clone().map(|over| cell(group, over))).collect();
        return Some(Table { caption, headings, rows: indices.clone().map(row).collect() });
    }
    let row = |pair: &super::Pair| vec![label(pair.group), label(pair.over), cell(pair.group, pair.over)];
    Some(Table {
        caption,
        headings: ["group", "over", "probability"].map(str::to_owned).into(),
        rows: report.pairs.iter().map(row).collect(),
    })
}

/// The values of single runs, of the groups that have few; None if none has.
pub fn single_runs(report: &Report) -> Option<Table> {
    let mut rows = Vec::new();
    for (index, group, summary) in report.groups().filter(|(_, group, _)| group.runs.len() <= FEW) {
        for (run, values) in group.runs.iter().zip(&summary.values) {
            let mut cells = vec![Cell::Group(index, group.label.clone()), Cell::Count(run.seed)];
            cells.extend(values.map(Cell::value));
            rows.push(cells);
        }
    }
    let mut headings = vec!["group".to_owned(), "seed".to_owned()];
    headings.extend(MEASURES.map(|measure| measure.heading.to_owned()));
    (!rows.is_empty()).then_some(Table {
        caption: "Single runs, where a group has five or fewer".into(),
        headings,
        rows,
    })
}

/// The scores on each task: at the end, and right after its last training.
pub fn tasks(report: &Report) -> [Table; 2] {
    let table = |caption: &str, score: fn(&super::summary::TaskScores) -> Option<Estimate>| {
        let mut headings = vec!["group".to_owned()];
        headings.extend(report.comparison.envs.iter().map(|env| short_name(env).to_owned()));
        let row = |(index, group, summary): (usize, &Group, &Summary)| {
            let scores = summary.tasks.iter().map(|task| Cell::estimate(score(task), group.runs.len()));
            [Cell::Group(index, group.label.clone())].into_iter().chain(scores).collect()
        };
        Table { caption: caption.into(), headings, rows: report.groups().map(row).collect() }
    };
    [
        table("Score on each task at the end", |task| task.last),
        table("Score on each task right after its last training", |task| task.learned),
    ]
}

/// The keys of the config in which groups differ; None where they do not.
pub fn differences(report: &Report) -> Option<Table> {
    let groups = &report.comparison.groups;
    let settings: Vec<&Settings> = groups.iter().map(|group| &group.runs[0].settings).collect();
    let keys = Settings::differing(&settings);
    if keys.is_empty() {
        return None;
    }
    let caption = "The settings in which the groups differ".to_owned();
    let cell = |group: usize, key: &String| Cell::Text(settings[group].get(key).unwrap_or("–").to_owned());
    let label = |group: usize| Cell::Group(group, groups[group].label.clone());
    // The longer list goes down the page.
    if groups.len() > keys.len() {
        let headings = [&"group".to_owned()].into_iter().chain(&keys).cloned().collect();
        let row = |group| [label(group)].into_iter().chain(keys.iter().map(|key| cell(group, key))).collect();
        return Some(Table { caption, headings, rows: (0..groups.len()).map(row).collect() });
    }
    let mut headings = vec!["key".to_owned()];
    headings.extend(groups.iter().map(|group| group.label.clone()));
    let row = |key| {
        let values = (0..groups.len()).map(|group| cell(group, key));
        [Cell::Text(key.clone())].into_iter().chain(values).collect()
    };
    Some(Table { caption, headings, rows: keys.iter().map(row).collect() })
}
