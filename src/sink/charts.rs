//! The charts of `TensorBoard`'s CUSTOM SCALARS page: curves that belong together, in one chart each.

use std::io;

use protobuf::Message as _;
use tensorboard_proto::layout::{Category, Chart, Layout};
use tensorboard_proto::summary::Summary_Value;

use super::summary::tensor;

/// Title of each chart, and what the tags of its curves match from their beginning.
///
/// The page merges the charts of all runs and drops those that are equal: expressions in place of a run's own tags keep
/// runs of different tasks in the same charts.
const CHARTS: [(&str, &str); 4] = [
    ("score of each task", "eval/.*/normalized"),
    ("return of each task in training", "train/.*/episodic_return"),
    ("continual metrics", "continual/"),
    ("losses", "losses/(td_loss|penalty)"),
];

/// The charts as a record.
pub fn charts() -> io::Result<Summary_Value> {
    let mut category = Category::new();
    category.set_title("continual learning".into());
    for (title, tags) in CHARTS {
        let mut chart = Chart::new();
        chart.set_title(title.into());
        chart.mut_multiline().mut_tag().push(tags.into());
        category.mut_chart().push(chart);
    }
    let mut layout = Layout::new();
    layout.mut_category().push(category);
    Ok(tensor("custom_scalars__config__", "custom_scalars", layout.write_to_bytes()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_charts_read_back() {
        let value = charts().unwrap();
        let layout = Layout::parse_from_bytes(&value.get_tensor().string_val[0]).unwrap();
        let charts = layout.category[0].chart.iter();
        let read: Vec<_> = charts.map(|chart| (chart.get_title(), chart.get_multiline().tag[0].as_str())).collect();
        assert_eq!(read, CHARTS);
    }
}
