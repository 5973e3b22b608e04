"""Reads a run back with TensorBoard's own reader and compares it with the run's CSV files.

Usage: python tensorboard_readback.py RUN_DIRECTORY [OTHER_RUN_DIRECTORY]

With another run of the same config and seed, interrupted or not: their events are the same, but for wall times and
charts/SPS.

Exits with 0 if every tag, step and value agrees, else with 1 after naming the first difference.
"""

import csv
import json
import math
import re
import struct
import sys
import tomllib
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams import metadata as hparams

KINDS = ("scalars", "histograms", "images", "tensors")
LOSSES = {"losses/td_loss": "td_loss", "losses/q_values": "q_value", "losses/penalty": "penalty",
          "losses/grad_norm": "gradient_norm", "charts/epsilon": "epsilon",
          "losses/stiffness": "stiffness", "charts/learning_rate": "learning_rate"}  # fmt: skip


class Difference(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Difference(message)


def as_f32(value):
    """A scalar event holds an f32."""
    return struct.unpack("f", struct.pack("f", value))[0]


def rows(run, name):
    with open(run / name, newline="") as file:
        return list(csv.DictReader(file))


def task(row):
    return f"{row['task']}_{row['env'].replace('/', '-')}"


def expected_curves(run):
    """Maps each scalar tag to the points that the CSV files ask for."""
    curves = defaultdict(list)

    def point(tag, row, column):
        curves[tag].append((int(row["step"]), as_f32(float(row[column]))))

    for row in rows(run, "episodes.csv"):
        point("charts/episodic_return", row, "return")
        point("charts/episodic_length", row, "length")
        point(f"train/{task(row)}/episodic_return", row, "return")
    for row in rows(run, "updates.csv"):
        for tag, column in LOSSES.items():
            point(tag, row, column)
    for row in rows(run, "evaluations.csv"):
        point(f"eval/{task(row)}/return", row, "mean_return")
        point(f"eval/{task(row)}/normalized", row, "normalized")
    return curves


def mean(values):
    return sum(values) / len(values)


def shared_importance(path):
    """The importance of all shared parameters in a file of consolidations, in the order of the tensors' names."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header, data = json.loads(data[8 : 8 + length]), data[8 + length :]
    importance = []
    for name in sorted(header):
        # What a task owns is called by it, as `importance/task0.output.weight`.
        if name.startswith("importance/") and not re.match(r"importance/task\d+\.", name):
            begin, end = header[name]["data_offsets"]
            importance.extend(struct.unpack(f"<{(end - begin) // 4}f", data[begin:end]))
    return importance


def expected_overlaps(run, steps):
    """Maps method/overlap/{i}_{j} to its point: the overlap of the importance of two phases, scaled to a sum of 1 each."""
    count = len(list((run / "consolidations").glob("*.safetensors")))
    kept = [shared_importance(run / f"consolidations/{phase}.safetensors") for phase in range(count)]
    curves = {}
    for later in range(count):
        for earlier in range(later):
            one, other = kept[earlier], kept[later]
            scale = math.sqrt(math.fsum(one) * math.fsum(other))
            if scale > 0:
                overlap = math.fsum(math.sqrt(a * b) for a, b in zip(one, other)) / scale
                curves[f"method/overlap/{earlier}_{later}"] = [(steps[later + 1], overlap)]
    return curves


def expected_metrics(run):
    """Maps each continual metric to its points, computed anew from the performance matrix."""
    matrix, steps, trained = defaultdict(list), {}, {}
    for row in rows(run, "performance_matrix.csv"):
        index = int(row["row"])
        matrix[index].append(float(row["normalized"]))
        steps[index] = int(row["step"])
        trained[index] = int(row["trained_task"]) if row["trained_task"] else None
    metrics = defaultdict(list)
    for last in matrix:
        now = matrix[last]
        metrics["average_performance"].append((steps[last], mean(now)))
        seen = {trained[row] for row in range(1, last + 1)}
        old = sorted(seen - {trained[last]})
        if old:
            best = [max(matrix[row][j] for row in range(last)) for j in old]
            learned = [matrix[max(row for row in range(1, last + 1) if trained[row] == j)][j] for j in old]
            metrics["forgetting"].append((steps[last], mean([b - now[j] for b, j in zip(best, old)])))
            metrics["backward_transfer"].append((steps[last], mean([now[j] - l for l, j in zip(learned, old)])))
        if seen:
            after = {j: max(row for row in range(1, last + 1) if trained[row] == j) for j in seen}
            metrics["learning"].append((steps[last], mean([matrix[after[j]][j] for j in sorted(seen)])))
        first = {j: min(row for row in range(1, last + 1) if trained[row] == j) for j in seen}
        ahead = [matrix[row - 1][j] - matrix[0][j] for j, row in first.items() if row > 1]
        if ahead:
            metrics["forward_transfer"].append((steps[last], mean(ahead)))
    return metrics, sorted(set(steps.values()))


def compare(tag, found, expected, tolerance):
    steps = [event.step for event in found]
    check(steps == [step for step, _ in expected], f"{tag}: steps {steps[:5]}… are not those of the CSV")
    for event, (step, value) in zip(found, expected):
        same = event.value == value or (event.value != event.value and value != value)
        close = abs(event.value - value) <= tolerance
        check(same or close, f"{tag} at step {step}: {event.value!r} in the event file, {value!r} expected")


def compare_run(run):
    # A size of 0 keeps all points; by default the reader keeps a sample.
    events = EventAccumulator(str(run), size_guidance={kind: 0 for kind in KINDS})
    events.Reload()
    tags = events.Tags()
    scalars = set(tags["scalars"])

    curves = expected_curves(run)
    for tag, expected in curves.items():
        check(tag in scalars, f"{tag} is missing")
        compare(tag, events.Scalars(tag), expected, 0.0)

    metrics, boundaries = expected_metrics(run)
    for name, expected in metrics.items():
        tag = f"continual/{name}"
        check(tag in scalars, f"{tag} is missing")
        compare(tag, events.Scalars(tag), expected, 1e-6)

    overlaps = expected_overlaps(run, boundaries)
    for tag, expected in overlaps.items():
        check(tag in scalars, f"{tag} is missing")
        compare(tag, events.Scalars(tag), expected, 1e-6)

    check("charts/SPS" in scalars, "charts/SPS is missing")
    rates = events.Scalars("charts/SPS")
    updates = [int(row["step"]) for row in rows(run, "updates.csv")]
    check([rate.step for rate in rates] == updates, "charts/SPS: steps are not those of updates.csv")
    check(all(rate.value > 0 for rate in rates), "charts/SPS: a rate is not positive")

    known = set(curves) | set(overlaps) | {f"continual/{name}" for name in metrics} | {"charts/SPS"}
    check(not scalars - known, f"scalars without a source: {sorted(scalars - known)}")

    check("continual/performance_matrix" in tags["images"], "the image continual/performance_matrix is missing")
    images = events.Images("continual/performance_matrix")
    check([image.step for image in images] == boundaries, "continual/performance_matrix: not one image a row")
    for image in images:
        check(image.encoded_image_string.startswith(b"\x89PNG"), "continual/performance_matrix is not a PNG")
        size = struct.unpack(">II", image.encoded_image_string[16:24])
        check((image.width, image.height) == size, "continual/performance_matrix: wrong width or height")

    layers = [tag for tag in tags["histograms"] if tag.startswith("method/importance/")]
    check(layers, "no histogram method/importance/… found")
    for tag in layers:
        for event in events.Histograms(tag):
            check(event.step in boundaries, f"{tag}: step {event.step} is not the end of a phase")
            check(event.histogram_value.num == sum(event.histogram_value.bucket) > 0, f"{tag}: counts do not add up")

    check("config/text_summary" in tags["tensors"], "the text config/text_summary is missing")
    text = events.Tensors("config/text_summary")[0].tensor_proto.string_val[0].decode()
    check(text.startswith("```toml\n") and text.endswith("\n```"), "config/text_summary is not a code block")
    config = run / "config.toml"
    if config.exists():
        check(config.read_text().strip() in text, "config/text_summary is not config.toml")
    compare_hparams(run, events)
    return len(curves) + len(metrics) + len(overlaps) + 1, len(layers), len(images)


def compare_hparams(run, events):
    """The HPARAMS page's records say what config.toml and status.json say."""
    content = events.summary_metadata

    def plugin_data(parse, tag):
        check(tag in content, f"{tag} is missing")
        return parse(content[tag].plugin_data.content)

    start = plugin_data(hparams.parse_session_start_info_plugin_data, hparams.SESSION_START_INFO_TAG)
    config = tomllib.loads((run / "config.toml").read_text())
    method = config["method"]
    expected = {"method": method["name"], "preset": config["name"], "seed": config["seed"],
                "learning_rate": config["agent"]["optimizer"]["learning_rate"], **method.get(method["name"], {})}
    for name, value in expected.items():
        found = start.hparams[name]
        check(getattr(found, found.WhichOneof("kind")) == value, f"hparam {name}: {found} where {value!r} is expected")
    check(start.start_time_secs == 0, "the start has a time, which no other run would have")

    experiment = plugin_data(hparams.parse_experiment_plugin_data, hparams.EXPERIMENT_TAG)
    columns = {column.name for column in experiment.hparam_infos}
    check(set(start.hparams) <= columns, f"hparams without a column: {sorted(set(start.hparams) - columns)}")

    end = plugin_data(hparams.parse_session_end_info_plugin_data, hparams.SESSION_END_INFO_TAG)
    check(end.status == api_pb2.STATUS_SUCCESS, f"the run ended with status {end.status}")
    status = json.loads((run / "status.json").read_text())
    for metric in experiment.metric_infos:
        name = metric.name.tag.removeprefix("continual/")
        if status.get(name) is not None:
            value = events.Scalars(metric.name.tag)[-1].value
            check(value == as_f32(status[name]), f"{metric.name.tag} ends with {value}, not {status[name]}")


def events(run):
    """The summaries of a run as bytes, without what a clock decides. Each time it is resumed it begins a further file."""
    for file in sorted(run.glob("events.out.tfevents.*")):
        for event in EventFileLoader(str(file)).Load():
            event.wall_time = 0
            if event.HasField("summary") and not any(value.tag == "charts/SPS" for value in event.summary.value):
                yield event.SerializeToString(deterministic=True)


def compare_runs(run, other):
    count = 0
    for count, (one, two) in enumerate(zip_longest(events(run), events(other)), 1):
        check(one == two, f"event {count} differs")
    check(count > 10, "there are hardly any events")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.strip())
    try:
        scalars, histograms, images = compare_run(Path(sys.argv[1]))
        if len(sys.argv) == 3:
            compare_runs(Path(sys.argv[1]), Path(sys.argv[2]))
    except Difference as difference:
        print(difference, file=sys.stderr)
        sys.exit(1)
    print(f"{scalars} scalar tags, {histograms} histograms and {images} images agree with the CSV files")


if __name__ == "__main__":
    main()
