"""Opens the page of a report in Chromium, wide and narrow, light and dark, and holds it to what a page must do.

Usage: python report_browser.py REPORT.html SCREENSHOTS [CHROMIUM]

Exits with 0 if every check holds, else with 1 after naming those that do not. Writes a screenshot of each view into the
folder SCREENSHOTS.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

VIEWS = {"wide": (1280, 900), "narrow": (390, 844)}
SCHEMES = ("light", "dark")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
CONTRAST = 4.5  # Of text, by the Web Content Accessibility Guidelines, level AA.

# The lowest contrast between a text and what lies behind it, with the text, over all text of the page.
LOWEST_CONTRAST = """() => {
  const rgba = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  let lowest = [Infinity, ""];
  for (const element of document.body.querySelectorAll("*")) {
    if (!own(element) || !element.checkVisibility() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const picture = element.closest("svg");
    // Numbers in the cells of a matrix stand on a colour of their own.
    if (picture && picture.closest("#figure-performance-matrices")) continue;
    const style = getComputedStyle(element);
    const [one, other] = [luminance(rgba(picture ? style.fill : style.color)), luminance(behind(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < lowest[0]) lowest = [contrast, element.textContent.trim().slice(0, 40)];
  }
  return lowest;
}"""

# The sort keys of a column of the first table, from top to bottom.
COLUMN = """(column) => [...document.querySelector("table.sortable").tBodies[0].rows]
  .map((row) => Number(row.cells[column].dataset.value))"""


def check_view(page, fails):
    """Checks of one width and scheme."""
    width, visible = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    if width > visible:
        fails.append(f"the page is {width} wide in a window of {visible}")
    figures = page.query_selector_all("figure svg")
    if len(figures) < 3:
        fails.append(f"{len(figures)} figures")
    for figure in figures:
        box = figure.bounding_box()
        if not box or box["width"] < 200 or box["height"] < 100:
            fails.append(f"a figure has the box {box}")
        if not (figure.get_attribute("aria-label") or "").strip():
            fails.append("a figure has no text in its place")
    contrast, text = page.evaluate(LOWEST_CONTRAST)
    if contrast < CONTRAST:
        fails.append(f'the contrast of "{text}" is {contrast:.2f}')
    headings = [int(heading.evaluate("h => h.tagName[1]")) for heading in page.query_selector_all("h1, h2, h3")]
    if headings[:1] != [1] or any(after - before > 1 for before, after in zip(headings, headings[1:])):
        fails.append(f"headings skip a level: {headings}")


def check_sorting(page, fails):
    """A click on a heading sorts by it, a second the other way round, one on the first restores the order."""
    buttons = page.query_selector_all("table.sortable >> nth=0 >> thead button")
    if not buttons:
        fails.append("no heading can be clicked")
        return
    column = 2
    before = page.evaluate(COLUMN, 0)
    for reverse, order in ((True, "descending"), (False, "ascending")):
        buttons[column].click()
        values = page.evaluate(COLUMN, column)
        if values != sorted(values, reverse=reverse) or len(set(values)) < 2:
            fails.append(f"sorted {order}, a column reads {values}")
        state = buttons[column].evaluate("b => b.parentElement.getAttribute('aria-sort')")
        if state != order:
            fails.append(f"aria-sort is {state}, not {order}")
    buttons[0].click()
    buttons[0].click()
    if page.evaluate(COLUMN, 0) != before:
        fails.append("sorting by group does not restore the order")


def check_without_scripts(browser, url, fails):
    """Without scripts every table is there."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    if page.locator("table tbody tr").count() == 0 or page.locator("th button").count() > 0:
        fails.append("without scripts the tables are not as they should be")
    context.close()


def main(report, screenshots, chromium):
    url = Path(report).resolve().as_uri()
    Path(screenshots).mkdir(parents=True, exist_ok=True)
    failures = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET, headless=True)
        for name, (width, height) in VIEWS.items():
            for scheme in SCHEMES:
                fails = []
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                page.on("console", lambda message: fails.append(f"console: {message.text}"))
                page.on("pageerror", lambda error: fails.append(f"error: {error}"))
                page.on("request", lambda request: request.url == url or fails.append(f"request: {request.url}"))
                page.goto(url)
                check_view(page, fails)
                page.screenshot(path=f"{screenshots}/{name}-{scheme}.png", full_page=True)
                check_sorting(page, fails)
                context.close()
                failures += [f"{name}, {scheme}: {fail}" for fail in fails]
        check_without_scripts(browser, url, failures)
        browser.close()
    for failure in failures:
        print(failure)
    print(f"{report}: {len(failures)} failures in {len(VIEWS) * len(SCHEMES)} views")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) == 4 else "/usr/bin/chromium"))
