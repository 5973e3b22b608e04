//! Reading `TensorBoard`'s event files back, to compare runs.

use protobuf::Message as _;
use tensorboard_proto::event::{Event as Record, Event_oneof_what as What};

/// A record of a run: its step, and its values as bytes, without wall time, `charts/SPS` and the config's text.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeless {
    /// Environment steps.
    pub step: i64,
    /// The tags of its values, for messages.
    pub tags: Vec<String>,
    bytes: Vec<u8>,
}

/// The tags that are left out: one depends on the clock, and the config may have been extended since.
const LEFT_OUT: [&str; 2] = ["charts/SPS", "config/text_summary"];

/// Whether a file of this name in a run directory is an event file.
pub fn is_name(name: &str) -> bool {
    name.starts_with("events.out.tfevents.") && name.ends_with(".engram")
}

/// What a file holds of the run: its version, marks of sessions and wall times are left out. The error says at which
/// byte the file is damaged.
pub fn read(bytes: &[u8]) -> Result<Vec<Timeless>, String> {
    let mut timeless = Vec::new();
    for (_, record) in records(bytes)? {
        timeless.extend(without_time(record)?);
    }
    Ok(timeless)
}

/// The file without the records that hold values of these tags alone.
pub fn without(bytes: &[u8], tags: &[&str]) -> Result<Vec<u8>, String> {
    let mut kept = Vec::new();
    for (bytes, record) in records(bytes)? {
        let values = record.get_summary().get_value();
        if values.is_empty() || values.iter().any(|value| !tags.contains(&value.get_tag())) {
            kept.extend_from_slice(bytes);
        }
    }
    Ok(kept)
}

/// Takes a file apart: a record has its length (8 bytes), a checksum (4), what it says, and one more checksum (4).
fn records(bytes: &[u8]) -> Result<Vec<(&[u8], Record)>, String> {
    let mut records = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        let damaged = |what: &str| format!("byte {at}: {what}");
        let (header, after) = rest.split_first_chunk::<12>().ok_or_else(|| damaged("a record is cut off"))?;
        let length = u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|byte| header[byte]));
        let length = usize::try_from(length).ok().filter(|length| *length < after.len().saturating_sub(3));
        let length = length.ok_or_else(|| damaged("a record is cut off"))?;
        let record = Record::parse_from_bytes(&after[..length]).map_err(|error| damaged(&error.to_string()))?;
        let (whole, after) = rest.split_at(length + 16);
        records.push((whole, record));
        rest = after;
    }
    Ok(records)
}

fn without_time(mut record: Record) -> Result<Option<Timeless>, String> {
    if !matches!(record.what, Some(What::summary(_))) {
        return Ok(None);
    }
    let mut summary = record.take_summary();
    let values = summary.take_value().into_iter().filter(|value| !LEFT_OUT.contains(&value.get_tag()));
    let values = values.collect::<Vec<_>>();
    let tags = values.iter().map(|value| value.get_tag().to_owned()).collect();
    summary.set_value(values.into());
    let bytes = summary.write_to_bytes().map_err(|error| error.to_string())?;
    Ok(Some(Timeless { step: record.step, tags, bytes }))
}

#[cfg(test)]
mod tests {
    use tensorboard_proto::summary::{Summary, Summary_Value};
    use tensorboard_rs::record_writer::RecordWriter;

    use super::*;

    /// A file with its version and a record for each of these lists of tags.
    fn file(records: &[&[&str]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = RecordWriter::new(&mut bytes);
        let mut version = Record::new();
        version.set_file_version("brain.Event:2".into());
        writer.write(&version.write_to_bytes().unwrap()).unwrap();
        for tags in records {
            let mut summary = Summary::new();
            for tag in *tags {
                let mut value = Summary_Value::new();
                value.set_tag((*tag).to_owned());
                summary.mut_value().push(value);
            }
            let mut record = Record::new();
            record.set_summary(summary);
            writer.write(&record.write_to_bytes().unwrap()).unwrap();
        }
        drop(writer);
        bytes
    }

    #[test]
    fn only_records_of_the_given_tags_alone_are_left_out() {
        let whole = file(&[&["a"], &["b", "a"], &["c"], &["a", "c"]]);
        assert_eq!(without(&whole, &["a", "c"]).unwrap(), file(&[&["b", "a"]]));
        assert_eq!(without(&whole, &["d"]).unwrap(), whole);
        // Records of 31, 23, 28 and 23 bytes come before the last.
        assert_eq!(without(&whole[..whole.len() - 1], &["a"]).unwrap_err(), "byte 105: a record is cut off");
    }
}
