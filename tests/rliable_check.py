"""Holds the numbers of `engram report` against the package rliable (Agarwal et al. 2021).

Usage: python rliable_check.py ENGRAM RUN_DIRECTORY...

The final scores are read from the run directories' own CSV files. Point estimates must be equal to 1e-12. The ends of
the intervals (`--intervals stratified`, which draws as rliable does) are quantiles of finitely many resamples, drawn by
another generator: they may differ by the noise of both.

That noise is measured, not guessed. The statistic is resampled by rliable's own bootstrap; with the values in order, the
`n` resamples below a quantile at `p` are Binomial(B, p), so that the quantile of B resamples lies between the quantiles
of the distribution at p - z sd and p + z sd, sd = sqrt(p (1 - p) / B), except with the probability of a normal deviate
beyond z. rliable's sample is so large that it stands for the distribution, and its own noise is added to the variance.
With z = 5 a correct report fails one check in a million, and there are a few hundred.

Then every number is disturbed in turn, and the check must see it. Exits with 0 if all is as it should be, else with 1.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from rliable import library, metrics

EXACT = 1e-12
Z = 5.0
REPETITIONS = {"aggregate": 10_000, "pair": 2_000, "profile": 2_000}
STATISTICS = {
    "mean": metrics.aggregate_mean,
    "median": metrics.aggregate_median,
    "iqm": metrics.aggregate_iqm,
    "optimality_gap": metrics.aggregate_optimality_gap,
}


def final_scores(run):
    """The last row of a run's performance matrix, task by task."""
    with open(Path(run) / "performance_matrix.csv", newline="") as file:
        records = list(csv.DictReader(file))
    last = max(int(record["row"]) for record in records)
    return [float(record["normalized"]) for record in records if int(record["row"]) == last]


def report(engram, runs):
    command = [engram, "report", *runs, "--json", "--intervals", "stratified"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def resampled(scores, statistic, kind, seed):
    """The values of a statistic on rliable's own resamples, one column an entry of the statistic."""
    bootstrap = library.StratifiedIndependentBootstrap if len(scores) == 2 else library.StratifiedBootstrap
    state = np.random.RandomState(seed)
    return bootstrap(*scores, random_state=state).apply(statistic, reps=REPETITIONS[kind])


def bounds(values, p, resamples):
    """Between what values the quantile at `p` of `resamples` resamples lies, but for chance."""
    deviation = np.sqrt(p * (1 - p) * (1 / resamples + 1 / len(values)))
    low, high = np.quantile(values, [max(0.0, p - Z * deviation), min(1.0, p + Z * deviation)])
    # Sums in another order may differ in the last digits where many resamples have one value.
    return low - EXACT, high + EXACT


class Expected:
    """What rliable says about one number of the report."""

    def __init__(self, name, path, value, values, resamples):
        self.name, self.path, self.value = name, path, value
        self.ends = {end: bounds(values, p, resamples) for end, p in (("low", 0.025), ("high", 0.975))}

    def of(self, document):
        """The number in a report."""
        for part in self.path:
            document = document[part]
        return document

    def compare(self, number):
        """What is wrong with a number, in words."""
        found = []
        if not abs(number["value"] - self.value) <= EXACT:
            found.append(f"{self.name} is {number['value']!r}, rliable has {self.value!r}")
        for end, (low, high) in self.ends.items():
            if not low <= number[end] <= high:
                found.append(f"{self.name}: the {end} end {number[end]!r} is not within {low!r} to {high!r}")
        return found


def expected_numbers(document):
    groups = document["groups"]
    scores = [np.array([final_scores(run["run"]) for run in group["runs"]]) for group in groups]
    labels = [group["label"] for group in groups]
    for index, (group, x) in enumerate(zip(groups, scores)):
        for key, statistic in STATISTICS.items():
            values = resampled([x], lambda x, of=statistic: np.array([of(x)]), "aggregate", seed=index)[:, 0]
            path = ("groups", index, "scores", key)
            yield Expected(f"{key} of {group['label']}", path, statistic(x), values, group["resamples"])
    for index, pair in enumerate(document["pairs"]):
        # The report has the reverse of a pair from the pair itself, see `mirrored`.
        if index % 2 == 1:
            continue
        x, y = (scores[labels.index(pair[name])] for name in ("group", "over"))
        of = lambda x, y: np.array([metrics.probability_of_improvement(x, y)])  # noqa: E731
        values = resampled([x, y], of, "pair", seed=100 + index)
        value = metrics.probability_of_improvement(x, y)
        path = ("pairs", index, "probability")
        yield Expected(f"{pair['group']} over {pair['over']}", path, value, values[:, 0], pair["resamples"])
    taus = document["profiles"]["thresholds"]
    profile = lambda x: np.array([library.run_score_deviation(x, tau) for tau in taus])  # noqa: E731
    for index, x in enumerate(scores):
        shares = profile(x)
        values = resampled([x], profile, "profile", seed=200 + index)
        for at, tau in enumerate(taus):
            path = ("profiles", "groups", index, "share_above", at)
            resamples = document["profiles"]["groups"][index]["resamples"]
            yield Expected(f"share of {labels[index]} above {tau}", path, shares[at], values[:, at], resamples)


def mirrored(document):
    """Pairs whose reverse is not the same the other way round."""
    pairs = document["pairs"]
    for pair, reverse in zip(pairs[::2], pairs[1::2], strict=True):
        one, other = pair["probability"], reverse["probability"]
        sums = (one["value"] + other["value"], one["low"] + other["high"], one["high"] + other["low"])
        if (pair["group"], pair["over"]) != (reverse["over"], reverse["group"]) or any(abs(s - 1) > EXACT for s in sums):
            yield f"{pair['group']} over {pair['over']}: the reverse does not fit"


def blind_spots(document, expected):
    """Disturbances that the check does not see. A value is moved by a billionth, an end of an interval by its width
    and 0.05 at least: shares come in steps of one score, and 2,000 resamples leave the ends of some one or two open."""
    for number in expected:
        reported = number.of(document)
        width = max(reported["high"] - reported["low"], 0.05)
        for key, by in (("value", 1e-9), ("low", -width), ("high", width)):
            if not number.compare(dict(reported, **{key: reported[key] + by})):
                yield f"{number.name}: {key} disturbed by {by} is not seen"


def main(engram, runs):
    document = report(engram, runs)
    expected = list(expected_numbers(document))
    wrong = [line for number in expected for line in number.compare(number.of(document))]
    wrong += [*mirrored(document), *blind_spots(document, expected)]
    print("\n".join(wrong) if wrong else f"{len(expected)} numbers and their intervals agree with rliable")
    return 1 if wrong or len(expected) < 10 else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
