//! Records of `TensorBoard`'s HPARAMS page: which columns its table has, what a run was set to, and how it ended.
//!
//! The page takes its columns from the first run that names any, so that every run names those of all methods. It shows
//! five of them at once, those that are said to differ between runs before the others, each in alphabetical order.

use std::collections::BTreeMap;
use std::io;

use engram_agents::continual::MethodName;
use protobuf::Message as _;
use protobuf::well_known_types::Value;
use tensorboard_proto::api::{DataType, Experiment, HParamInfo, MetricInfo, Status};
use tensorboard_proto::plugin_hparams::{HParamsPluginData, SessionEndInfo, SessionStartInfo};
use tensorboard_proto::summary::Summary_Value;

use super::summary::plugin;
use crate::config::{Config, keys};

/// The tag of the columns.
pub const EXPERIMENT: &str = "_hparams_/experiment";
/// The tag of what a run was set to.
pub const SESSION_START: &str = "_hparams_/session_start_info";
/// The tag of how a run ended.
pub const SESSION_END: &str = "_hparams_/session_end_info";

/// The settings that the page shows at first.
const SHOWN: [&str; 5] = ["lambda", "learning_rate", "method", "preset", "seed"];
/// The scalars that the page shows beside them, each with its last value.
const METRICS: [&str; 5] = ["average_performance", "forgetting", "backward_transfer", "learning", "forward_transfer"];
/// The number of `SessionStartInfo` in `HParamsPluginData`.
const SESSION_START_FIELD: u32 = 3;
/// The number of `differs` in `HParamInfo`, which the crate's messages lack.
const DIFFERS_FIELD: u32 = 7;

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
enum Setting {
    Bool(bool),
    Number(f64),
    Text(String),
}

/// The columns for runs of this resolved config, under whatever method, as a record.
pub fn experiment(config: &Config) -> io::Result<Summary_Value> {
    let mut columns = BTreeMap::new();
    let mut config = config.clone();
    for method in MethodName::ALL {
        config.method.name = method;
        columns.extend(settings(&config)?);
    }
    let mut experiment = Experiment::new();
    experiment.set_hparam_infos(columns.iter().map(|(name, setting)| column(name, setting)).collect());
    experiment.set_metric_infos(METRICS.into_iter().map(metric).collect());
    let mut data = HParamsPluginData::new();
    data.set_experiment(experiment);
    record(EXPERIMENT, &data)
}

/// What a run of this resolved config is set to, as a record. It has no group: each run is a line of the table, since a
/// group shows the settings of one of its runs, seed included, as those of all.
pub fn start(config: &Config) -> io::Result<Summary_Value> {
    // A map is written in the order of a hash map, which no two processes share. Each entry is therefore written as a
    // message of its own: protobuf takes messages that follow one another for one.
    let mut entries = Vec::new();
    for (name, setting) in settings(config)? {
        let mut entry = SessionStartInfo::new();
        entry.mut_hparams().insert(name, setting.value());
        entry.write_to_vec(&mut entries)?;
    }
    let mut data = HParamsPluginData::new();
    data.mut_unknown_fields().add_length_delimited(SESSION_START_FIELD, entries);
    record(SESSION_START, &data)
}

/// How the run ended, as a record.
pub fn end(status: Status) -> io::Result<Summary_Value> {
    let mut end = SessionEndInfo::new();
    end.set_status(status);
    let mut data = HParamsPluginData::new();
    data.set_session_end_info(end);
    record(SESSION_END, &data)
}

fn record(tag: &str, data: &HParamsPluginData) -> io::Result<Summary_Value> {
    Ok(plugin(tag, "hparams", data.write_to_bytes()?))
}

/// The preset, the seed, the method with the keys of its own table, and the keys of the other tables that decide how an
/// agent learns.
fn settings(config: &Config) -> io::Result<BTreeMap<String, Setting>> {
    let keys = keys(config).map_err(io::Error::other)?;
    let named = keys.iter().filter_map(|(key, value)| Some((name(key, config.method.name)?, Setting::read(value))));
    let mut settings: BTreeMap<_, _> = named.collect();
    // A name is a text, whatever it looks like.
    settings.insert("preset".into(), Setting::Text(config.name.clone()));
    Ok(settings)
}

/// The short name of a key of the config; None for those that are no setting of how an agent learns.
fn name(key: &str, method: MethodName) -> Option<String> {
    match key {
        "seed" => return Some(key.into()),
        "method.name" => return Some("method".into()),
        "agent.optimizer.learning_rate" => return Some("learning_rate".into()),
        _ => {}
    }
    let Some(key) = key.strip_prefix("method.") else {
        return ["agent.", "boundary."].iter().any(|table| key.starts_with(table)).then(|| key.into());
    };
    match key.split_once('.') {
        Some((table, own)) if table == method.as_str() => Some(own.into()),
        Some((table, _)) if MethodName::ALL.iter().any(|method| table == method.as_str()) => None,
        _ => Some(key.into()),
    }
}

impl Setting {
    fn read(text: &str) -> Self {
        match (text.parse(), text.parse()) {
            (Ok(flag), _) => Self::Bool(flag),
            (_, Ok(number)) => Self::Number(number),
            _ => Self::Text(text.into()),
        }
    }

    fn value(&self) -> Value {
        let mut value = Value::new();
        match self {
            Self::Bool(flag) => value.set_bool_value(*flag),
            Self::Number(number) => value.set_number_value(*number),
            Self::Text(text) => value.set_string_value(text.clone()),
        }
        value
    }
}

fn column(name: &str, setting: &Setting) -> HParamInfo {
    let mut column = HParamInfo::new();
    column.set_name(name.into());
    column.set_field_type(match setting {
        Setting::Bool(_) => DataType::DATA_TYPE_BOOL,
        Setting::Number(_) => DataType::DATA_TYPE_FLOAT64,
        Setting::Text(_) => DataType::DATA_TYPE_STRING,
    });
    if SHOWN.contains(&name) {
        column.mut_unknown_fields().add_varint(DIFFERS_FIELD, 1);
    }
    column
}

fn metric(name: &str) -> MetricInfo {
    let mut metric = MetricInfo::new();
    metric.mut_name().set_tag(format!("continual/{name}"));
    metric.set_display_name(name.replace('_', " "));
    metric
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, Source, load};

    fn config(set: &[&str]) -> Config {
        let set = set.iter().map(|&text| text.to_owned()).collect();
        load(&Source::from("catch-3"), &Overrides { set, ..Overrides::default() }).unwrap().resolve()
    }

    fn data(value: &Summary_Value) -> HParamsPluginData {
        assert_eq!(value.get_metadata().get_plugin_data().get_plugin_name(), "hparams");
        HParamsPluginData::parse_from_bytes(value.get_metadata().get_plugin_data().get_content()).unwrap()
    }

    #[test]
    fn settings_are_named_shortly_and_typed() {
        let config = config(&["method.name=online-ewc", "method.online-ewc.lambda=2.5", "seed=7", "name=\"12\""]);
        let settings = settings(&config).unwrap();
        for (name, setting) in [
            ("lambda", Setting::Number(2.5)),
            ("decay", Setting::Number(0.9)),
            ("seed", Setting::Number(7.0)),
            ("method", Setting::Text("online-ewc".into())),
            ("preset", Setting::Text("12".into())),
            ("coupling", Setting::Text("proximal".into())),
            ("boundary.reset_replay", Setting::Bool(true)),
            ("agent.network.hidden", Setting::Text("[64, 64]".into())),
        ] {
            assert_eq!(settings[name], setting, "{name}");
        }
        assert!(settings.contains_key("fisher.states") && settings.contains_key("learning_rate"));
        assert!(settings.keys().all(|name| !name.contains("curriculum") && !name.contains("ewc.")), "{settings:?}");
    }

    #[test]
    fn a_method_without_a_strength_has_none() {
        let settings = settings(&config(&["method.name=fine-tune"])).unwrap();
        assert!(!settings.contains_key("lambda") && !settings.contains_key("decay"));
    }

    #[test]
    fn a_start_reads_back_and_is_written_in_one_order() {
        let config = config(&["method.ewc.lambda=0.125"]);
        let (settings, value) = (settings(&config).unwrap(), start(&config).unwrap());
        let data = data(&value);
        let start_info = data.get_session_start_info();
        assert_eq!(start_info.hparams.len(), settings.len());
        for (name, setting) in &settings {
            assert_eq!(start_info.hparams[name], setting.value(), "{name}");
        }
        assert_eq!((start_info.get_group_name(), start_info.start_time_secs), ("", 0.0));
        // Two hash maps of one process differ in order.
        assert!((0..20).all(|_| start(&config).unwrap() == value));
    }

    #[test]
    fn every_run_names_the_columns_of_every_method() {
        let columns = |method: &str| {
            let value = experiment(&config(&[&format!("method.name={method}")])).unwrap();
            let data = data(&value);
            let experiment = data.get_experiment();
            let tags: Vec<_> = experiment.metric_infos.iter().map(|metric| metric.get_name().tag.clone()).collect();
            assert_eq!(tags[0], "continual/average_performance");
            let infos = experiment.hparam_infos.iter();
            let differs = |info: &HParamInfo| info.get_unknown_fields().get(DIFFERS_FIELD).is_some();
            infos.map(|info| (info.name.clone(), info.field_type, differs(info))).collect::<Vec<_>>()
        };
        let of_ewc = columns("ewc");
        assert_eq!(columns("fine-tune"), of_ewc);
        assert!(of_ewc.contains(&("decay".into(), DataType::DATA_TYPE_FLOAT64, false)));
        let shown: Vec<_> = of_ewc.iter().filter(|column| column.2).map(|column| column.0.as_str()).collect();
        assert_eq!(shown, SHOWN);
    }
}
