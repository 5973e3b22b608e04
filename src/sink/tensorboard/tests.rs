//! What the event file of a run holds.

use std::fs;

use engram_agents::dqn::Update;
use tensorboard_proto::event::Event_oneof_what as What;

use super::*;
use crate::config::{Overrides, Source, load};
use crate::event::Score;
use crate::metrics::Trained;
use crate::sink::status::Cost;

/// The records of an event file, without checking the checksums.
fn records(path: &Path) -> Vec<Record> {
    let bytes = fs::read(path).unwrap();
    let mut rest = bytes.as_slice();
    let mut records = Vec::new();
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        records.push(Record::parse_from_bytes(&rest[12..12 + length]).unwrap());
        rest = &rest[16 + length..];
    }
    records
}

fn values(record: &Record) -> Vec<(String, f32)> {
    let Some(What::summary(summary)) = &record.what else { panic!("no summary in {record:?}") };
    summary.value.iter().map(|value| (value.tag.clone(), value.get_simple_value())).collect()
}

fn config() -> Config {
    let mut config = load(&Source::from("catch-3"), &Overrides::default()).unwrap().resolve();
    config.curriculum.tasks[1].env = "MinAtar/Breakout-v1".into();
    config
}

fn sink(run: &Path) -> TensorBoardSink {
    begun(run).unwrap()
}

fn begun(run: &Path) -> Result<TensorBoardSink, SinkError> {
    TensorBoardSink::new(run, &config(), &Layout::default(), Start::New, 0)
}

#[test]
fn the_file_starts_with_its_version_and_what_the_run_is_set_to() {
    let run = tempfile::tempdir().unwrap();
    let sink = sink(run.path());
    let records = records(&sink.path);
    assert_eq!(records[0].get_file_version(), "brain.Event:2");
    let value = &records[1].get_summary().value[0];
    assert_eq!(value.tag, "config/text_summary");
    let text = String::from_utf8(value.get_tensor().string_val[0].clone()).unwrap();
    assert_eq!(text, format!("```toml\n{}```", config::to_toml(&config()).unwrap()));
    let tags: Vec<_> = records[2..].iter().map(|record| record.get_summary().value[0].tag.clone()).collect();
    assert_eq!(tags, ["custom_scalars__config__", hparams::EXPERIMENT, hparams::SESSION_START]);
    assert!(records.iter().all(|record| record.wall_time > 1e9));
}

#[test]
fn a_resumed_run_is_marked_and_set_to_nothing_again() {
    let run = tempfile::tempdir().unwrap();
    let start = |start| TensorBoardSink::new(run.path(), &config(), &Layout::default(), start, 40).unwrap();
    let resumed = records(&start(Start::Resumed { cost: Cost::default() }).path);
    assert_eq!(resumed.len(), 2);
    assert_eq!((resumed[1].step, resumed[1].has_session_log()), (41, true));
    let forked = records(&start(Start::Forked).path);
    assert_eq!((forked.len(), forked[1].has_session_log(), forked[5].step), (6, true, 40));
    assert_eq!(forked[5].get_summary().value[0].tag, hparams::SESSION_START);
}

#[test]
fn a_run_ends_once() {
    let run = tempfile::tempdir().unwrap();
    let mut sink = sink(run.path());
    let ends = |sink: &TensorBoardSink| {
        let records = records(&sink.path);
        let ends = records
            .iter()
            .filter(|record| record.get_summary().value.first().is_some_and(|value| value.tag == hparams::SESSION_END));
        ends.map(|record| record.step).collect::<Vec<_>>()
    };
    let end_phase = |sink: &mut TensorBoardSink, step, phase: Option<usize>| {
        let trained = phase.map(|phase| Trained { phase, task: Some(phase) });
        let row = Row { step, trained, returns: vec![0.0; 3], normalized: vec![0.0; 3] };
        let matrix = PerformanceMatrix { rows: vec![row.clone()] };
        sink.record(&Event::Row { row: &row, matrix: &matrix, metrics: &Metrics::default() }).unwrap();
    };
    sink.record(&Event::Broken { step: 5, failed: false }).unwrap();
    end_phase(&mut sink, 0, None);
    end_phase(&mut sink, 10, Some(0));
    end_phase(&mut sink, 20, Some(1));
    assert!(ends(&sink).is_empty());
    end_phase(&mut sink, 30, Some(2));
    sink.record(&Event::Broken { step: 31, failed: true }).unwrap();
    assert_eq!(ends(&sink), [30]);
}

#[test]
fn scores_are_on_disk_when_evaluated_under_tags_without_foreign_groups() {
    let run = tempfile::tempdir().unwrap();
    let mut sink = sink(run.path());
    let score = Score { task: 1, returns: vec![3.0], mean: 3.0, normalized: f64::NAN };
    sink.record(&Event::Evaluated { step: 70, phase: 0, scores: &[score] }).unwrap();
    let records = records(&sink.path);
    let last = records.last().unwrap();
    let values = values(last);
    assert_eq!(last.step, 70);
    assert_eq!(values[0], ("eval/1_MinAtar-Breakout-v1/return".into(), 3.0));
    assert_eq!(values[1].0, "eval/1_MinAtar-Breakout-v1/normalized");
    assert!(values[1].1.is_nan());
}

#[test]
fn updates_become_the_usual_tags() {
    let run = tempfile::tempdir().unwrap();
    let mut sink = sink(run.path());
    let update = Update {
        td_loss: 0.5,
        q_value: 2.0,
        penalty: 0.25,
        gradient_norm: 4.0,
        stiffness: 8.0,
        learning_rate: 0.0625,
        ..Update::default()
    };
    sink.record(&Event::Updated { step: 100, phase: 0, task: Some(0), update: &update, epsilon: 0.125 }).unwrap();
    sink.flush().unwrap();
    let mut values = values(records(&sink.path).last().unwrap());
    let (rate_tag, rate) = values.pop().unwrap();
    assert!(rate_tag == "charts/SPS" && rate > 0.0);
    let expected = [
        ("losses/td_loss", 0.5),
        ("losses/q_values", 2.0),
        ("losses/penalty", 0.25),
        ("losses/grad_norm", 4.0),
        ("losses/stiffness", 8.0),
        ("charts/learning_rate", 0.0625),
        ("charts/epsilon", 0.125),
    ];
    assert_eq!(values, expected.map(|(tag, value)| (tag.to_owned(), value)));
}

#[test]
fn a_recording_is_shown_by_the_picture_in_its_middle() {
    let run = tempfile::tempdir().unwrap();
    let mut sink = sink(run.path());
    let frames = [3, 4, 5].map(|width| Frame::new(width, 2, [9, 8, 7]));
    sink.record(&Event::Recorded { step: 70, task: 1, frames: &frames }).unwrap();
    sink.record(&Event::Recorded { step: 80, task: 1, frames: &[] }).unwrap();
    sink.flush().unwrap();
    let records = records(&sink.path);
    let last = records.last().unwrap();
    let value = &last.get_summary().value[0];
    assert_eq!((last.step, value.tag.as_str()), (70, "recordings/1_MinAtar-Breakout-v1"));
    let image = value.get_image();
    assert_eq!((image.width, image.height), (4, 2));
    let mut reader = png::Decoder::new(io::Cursor::new(image.get_encoded_image_string())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels, [9, 8, 7].repeat(8));
}

#[test]
fn two_sinks_of_one_second_have_two_files() {
    let run = tempfile::tempdir().unwrap();
    assert_ne!(sink(run.path()).path, sink(run.path()).path);
}

#[test]
fn a_clock_that_went_back_changes_no_order() {
    let folder = tempfile::tempdir().unwrap();
    let later = "events.out.tfevents.3999999999.engram";
    fs::write(folder.path().join(later), "").unwrap();
    for foreign in ["events.out.tfevents.99999999999999999999.engram", "events.out.tfevents.old.engram"] {
        fs::write(folder.path().join(foreign), "").unwrap();
    }
    let (first, _) = create(folder.path()).unwrap();
    let (second, _) = create(folder.path()).unwrap();
    let names = [&first, &second].map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    assert_eq!(names, ["events.out.tfevents.4000000000.engram", "events.out.tfevents.4000000001.engram"]);
}

#[test]
fn a_missing_directory_is_an_error_that_names_the_file() {
    let run = tempfile::tempdir().unwrap();
    let error = begun(&run.path().join("gone")).err().unwrap();
    assert!(error.to_string().contains("events.out.tfevents"), "{error}");
}

#[test]
fn the_overlap_with_each_earlier_phase_is_written_from_what_was_kept_of_it() {
    use crate::sink::consolidations::ConsolidationSink;
    let run = tempfile::tempdir().unwrap();
    let mut layout = Layout::default();
    layout.push("dense1.weight", &[1, 2], Owner::Shared);
    layout.push("task0.output.weight", &[1, 1], Owner::Task(0));
    let mut kept = ConsolidationSink::new(run.path(), &layout, Vec::new()).unwrap();
    let open = |start| TensorBoardSink::new(run.path(), &config(), &layout, start, 0).unwrap();
    let consolidation = |importance: Option<[f32; 3]>| Consolidation {
        importance: importance.map(Vec::from),
        anchor: vec![0.0; 3],
        diagnostics: None,
        fired: Vec::new(),
        dead: Vec::new(),
        warnings: Vec::new(),
    };
    let overlaps = |sink: &TensorBoardSink| -> Vec<(String, f32)> {
        let records = records(&sink.path);
        let summaries = records.iter().filter(|record| record.has_summary());
        summaries.flat_map(values).filter(|(tag, _)| tag.starts_with("method/overlap/")).collect()
    };
    let mut sink = open(Start::New);
    for (phase, importance) in [(0, Some([1.0, 3.0, 9.0])), (1, None), (2, Some([3.0, 1.0, 0.0]))] {
        // The rest is a process that goes on with the run, and was there for none of the earlier phases.
        if phase == 2 {
            assert!(overlaps(&sink).is_empty());
            sink = open(Start::Resumed { cost: Cost::default() });
        }
        let consolidation = consolidation(importance);
        let event = Event::Consolidated { step: 10, phase, task: phase, consolidation: &consolidation };
        sink.record(&event).unwrap();
        kept.record(&event).unwrap();
    }
    sink.flush().unwrap();
    // The shared weights alone: 2 √(1/4 · 3/4).
    let [(tag, overlap)] = &overlaps(&sink)[..] else { panic!("{:?}", overlaps(&sink)) };
    assert_eq!(tag, "method/overlap/0_2");
    assert!((overlap - 3.0_f32.sqrt() / 2.0).abs() < 1e-6, "{overlap}");
}
