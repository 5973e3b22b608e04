"""Opens runs in a real TensorBoard, in a headless Chromium, and checks that each page shows them.

Usage: python tensorboard_browser.py RUNS [--page NAME] [--screenshots FOLDER] [--chromium PATH]

RUNS is a folder of finished runs of one preset, with recordings; at least one has a method that consolidates.
What the pages must show comes from the runs' own config.toml and status.json.

Exits with 0 if every page shows every run, else with 1 after naming what the first page lacks.
"""

import argparse
import io
import json
import re
import subprocess
import sys
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Error, sync_playwright

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip
PATIENCE = 30
METRICS = ["average_performance", "forgetting", "backward_transfer"]
CHARTS = ["score of each task", "return of each task in training", "continual metrics", "losses"]
# How many of these elements are drawn: lines with a length, pictures with pixels, none without a place on the page.
DRAWN = """elements => elements.filter(element => {
    const box = element.getBoundingClientRect();
    const content = element.getTotalLength?.() ?? element.naturalWidth ?? element.width;
    return content > 0 && box.width > 0 && box.height + box.width > 20;
}).length"""
CELLS = """elements => elements.map(element => {
    const box = element.getBoundingClientRect();
    return [box.x, box.y + box.height / 2, element.innerText];
})"""


class Missing(Exception):
    pass


class Run:
    def __init__(self, path):
        self.name = path.name
        self.status = json.loads((path / "status.json").read_text())
        self.config = tomllib.loads((path / "config.toml").read_text())
        self.method = self.config["method"]["name"]
        self.strength = self.config["method"].get(self.method, {}).get("lambda")
        self.tasks = [f"{task}_{env['env'].replace('/', '-')}"
                      for task, env in enumerate(self.config["curriculum"]["tasks"])]  # fmt: skip


def within_patience(condition, message):
    """Waits for a condition: what a page shows comes bit by bit."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise Missing(message() if callable(message) else message)
        time.sleep(0.2)


class Page:
    """One of TensorBoard's pages, as a person sees it."""

    def __init__(self, browser, url, name, width, height):
        self.name = name
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.page.goto(f"{url}#{name}")

    def shows(self, *texts):
        for text in texts:
            found = self.page.get_by_text(text, exact=True).locator("visible=true")
            within_patience(lambda: found.count() > 0, f"#{self.name} does not show {text!r}")

    def draws(self, selector, least):
        found = self.page.locator(f"{selector} >> visible=true")
        count = lambda: found.evaluate_all(DRAWN)
        enough, missing = lambda: count() >= least, lambda: f"#{self.name} draws {count()} of {least} {selector}"
        within_patience(enough, missing)

    def filter_tags(self, expression):
        self.page.locator("tf-tag-filterer input >> visible=true").first.fill(expression)

    def table(self, selector):
        """Maps what a row begins with to its cells by their heading. Cells at one height are a row."""
        lines = {}
        for x, y, content in self.page.locator(f"{selector} >> visible=true").evaluate_all(CELLS):
            lines.setdefault(round(y), []).append((x, content.strip()))
        heading, *rows = [[content for _, content in sorted(lines[y])] for y in sorted(lines)] or [[]]
        return {row[0]: dict(zip(heading, row)) for row in rows}

    def must_not_be_empty(self):
        nothing = self.page.get_by_text(re.compile("data was found|no dashboards are active|no data", re.I))
        nothing = nothing.locator("visible=true")
        if nothing.count():
            raise Missing(f"#{self.name} says: {nothing.first.inner_text()}")

    def save(self, path):
        # What is animated comes to rest.
        time.sleep(1)
        picture = Image.open(io.BytesIO(self.page.screenshot()))
        picture.quantize(128).save(path, optimize=True)


def opener(browser, url, name, screenshots):
    """How a check opens its page: what it asks for must be there, and nothing may say that there is nothing."""

    @contextmanager
    def open_page(screenshot=False, width=1100, height=700):
        page = Page(browser, url, name, width, height)
        yield page
        page.must_not_be_empty()
        if screenshot and screenshots:
            page.save(screenshots / f"tensorboard-{name.replace('_', '-')}.png")
        page.page.close()

    return open_page


def timeseries(open_page, runs):
    with open_page() as page:
        page.shows(*(run.name for run in runs), "charts", "continual", "eval", "losses", "train")
        page.draws("scalar-card line-chart canvas", 1)


def scalars(open_page, runs):
    with open_page(screenshot=True) as page:
        page.filter_tags("continual/|normalized")
        page.shows(*(run.name for run in runs), *(f"tag: continual/{metric}" for metric in [*METRICS, "learning"]))
        page.draws("tf-scalar-card svg path.line", len(runs) * len(METRICS))


def custom_scalars(open_page, runs):
    with open_page(screenshot=True) as page:
        page.shows(*(run.name for run in runs), *CHARTS)
        # A line a run in each chart at least, and of each task in the first.
        least = len(runs) * (len(runs[0].tasks) + len(CHARTS) - 1)
        page.draws("tf-custom-scalar-multi-line-chart-card svg path.line", least)


def images(open_page, runs):
    with open_page(screenshot=True) as page:
        page.shows(*(run.name for run in runs), "tag: continual/performance_matrix")
        page.draws("tf-image-loader img", len(runs))
    with open_page() as page:
        page.filter_tags("recordings/")
        page.shows(*(f"tag: recordings/{task}" for task in runs[0].tasks))
        page.draws("tf-image-loader img", len(runs) * len(runs[0].tasks))


def histograms(open_page, runs):
    with open_page(screenshot=True) as page:
        page.shows(*(run.name for run in runs), "tag: method/importance/dense1.weight")
        page.draws("tf-histogram-loader svg path", sum(run.strength is not None for run in runs))


def distributions(open_page, runs):
    with open_page() as page:
        page.shows("tag: method/importance/dense1.weight")
        page.draws("tf-distribution-loader svg path", sum(run.strength is not None for run in runs))


def text(open_page, runs):
    with open_page(screenshot=True) as page:
        page.shows(*(run.name for run in runs), "tag: config/text_summary")
        page.shows(re.compile(f'name = "{re.escape(runs[0].config["name"])}"'))


def hparams(open_page, runs):
    with open_page(screenshot=True, width=2340, height=420) as page:
        page.shows("lambda", "method", "average performance")
        rows = lambda: page.table("tf-hparams-table-view vaadin-grid-cell-content")
        within_patience(lambda: {run.name for run in runs} <= rows().keys(), lambda: f"#hparams has the rows {rows()}")
        for run in runs:
            check_row(run, rows()[run.name])


def check_row(run, row):
    """Numbers are shown with five digits."""
    expected = {"method": run.method, "preset": run.config["name"], "lambda": run.strength, "seed": run.config["seed"],
                **{metric.replace("_", " "): run.status[metric] for metric in METRICS}}  # fmt: skip
    for column, value in expected.items():
        shown = row.get(column)
        if isinstance(value, (int, float)):
            same = bool(shown) and abs(float(shown) - value) <= 1e-4 * max(abs(value), 1e-3)
        else:
            same = shown == (value or "")
        if not same:
            raise Missing(f"#hparams shows {shown!r} as {column} of {run.name}, where {value!r} is expected")


PAGES = [timeseries, scalars, custom_scalars, images, histograms, distributions, text, hparams]


@contextmanager
def tensorboard(folder):
    """TensorBoard on a free port that it chooses itself."""
    command = [Path(sys.executable).parent / "tensorboard", "--logdir=.", "--host=localhost", "--port=0"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if url := re.search(r"http://localhost\S+", line):
                yield url[0]
                break
        else:
            sys.exit("TensorBoard did not start\n" + "".join(said))
    finally:
        process.terminate()
        process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--page", choices=[check.__name__ for check in PAGES], help="one page in place of all")
    parser.add_argument("--screenshots", type=Path, help="a folder for a picture of each page")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    args = parser.parse_args()
    runs = [Run(status.parent) for status in sorted(args.runs.glob("*/status.json"))]
    if not runs:
        parser.error(f"there is no run in {args.runs}")
    checks = [check for check in PAGES if args.page in (None, check.__name__)]
    with tensorboard(args.runs) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=args.chromium, args=CHROMIUM)
        try:
            for check in checks:
                check(opener(browser, url, check.__name__, args.screenshots), runs)
        except (Missing, Error) as missing:
            print(missing, file=sys.stderr)
            sys.exit(1)
        finally:
            browser.close()
    shown = ", ".join(check.__name__ for check in checks)
    print(f"TensorBoard shows {', '.join(run.name for run in runs)}: {shown}")


if __name__ == "__main__":
    main()
