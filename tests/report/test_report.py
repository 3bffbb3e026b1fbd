"""The report opens in a browser without a network and without errors, and shows what the files hold."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from irsmith.audit import audit
from irsmith.dataset.near import near_duplicates
from irsmith.report import audit_page, charts, report
from irsmith.report.clusters import clusters
from irsmith.report.figures import gather
from irsmith.report.highlight import highlighted
from irsmith.report.samples import choose
from irsmith.verdict import Status

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "</pre></script><script>window.broken = 1</script><img src=x onerror='window.broken = 1'>\x1b[2J\ud800"


@pytest.fixture(scope="module")
def page(made, tmp_path_factory):
    return report(made, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def opened(browser):
    """Opens a page and fails the test for what its console says, or if it asks for anything."""
    problems, contexts = [], []

    def open_page(path, width=1300, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: problems.append(message.text))
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on(
            "request",
            lambda request: None if request.url.startswith(("file:", "data:")) else problems.append(request.url),
        )
        tab.goto(path.as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 380])
def test_it_opens_wide_and_narrow_light_and_dark(page, opened, width, scheme):
    tab = opened(page, width, scheme)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) > 380) == (scheme == "light")
    assert tab.locator("figure svg").count() > 12
    for box in (tab.locator("figure").nth(n).bounding_box() for n in range(5)):
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_every_status_of_a_verdict_is_drawn():
    assert set(charts._STATUS) == {status.replace("_", " ") for status in Status}


def test_lines_that_belong_together_light_up(page, opened, made):
    tab = opened(page)
    sample = tab.locator(".sample").first
    row = made.row(sample.locator("summary").inner_text().split(", ")[-1])
    shown = sample.locator("[role=tab][aria-selected=true]").inner_text()
    assert shown == "cpp_forward"
    spans = [span for span in row.lines if span.column == shown]
    span = max(spans, key=lambda item: item.last)
    sample.locator("pre").first.locator(f"[data-l='{span.python_line}']").hover()
    lit = sample.locator(f"[aria-label={shown}] .lit").all_inner_texts()
    wanted = [s for s in spans if s.python_line == span.python_line]
    lines = row.texts[shown].splitlines()
    expected = [lines[n - 1] for s in wanted for n in range(s.first, s.last + 1)]
    assert [line.rstrip("\n") for line in lit] == expected
    sample.locator("[role=tab]", has_text="cuda_forward").click()
    assert sample.locator("[aria-label=cuda_forward]").is_visible()
    assert not sample.locator("[aria-label=cpp_forward]").is_visible()


def test_samples_of_jax_are_linked_in_every_text(made_jax):
    samples = choose(made_jax)
    assert samples
    for sample in samples:
        assert {line.python_line for line in sample.python.lines} - {None}
        for text in sample.texts:
            assert any(line.python_line is not None for line in text.lines), (sample.row.id, text.title)


def test_a_line_that_was_tapped_stays_lit(page, opened):
    tab = opened(page, 380)
    sample = tab.locator(".sample").first
    line = sample.locator("pre").first.locator("[data-l]").first
    line.click()
    sample.locator("summary").hover()
    assert sample.locator(".lit").count() > 1
    line.click()
    sample.locator("summary").hover()
    assert sample.locator(".lit").count() == 0


def test_figures_are_those_of_the_rows(made, rows):
    found = gather(made)
    assert found.rows == len(rows) == found.categories.total()
    assert found.structures == len({row["structure_id"] for row in rows})
    assert found.curve[-1] == (len(rows), found.structures)
    assert found.metrics["loops"][0] == sum(row["loops"] == 0 for row in rows)
    count, mean, longest = found.texts["cpp_backward"]
    texts = [row["cpp_backward"] for row in rows if row["cpp_backward"]]
    assert (count, longest) == (len(texts), max(map(len, texts)))
    assert mean == pytest.approx(sum(map(len, texts)) / len(texts))
    assert found.verdicts["forward", "passed"] == sum(
        verdict["status"] == "passed" for row in rows for verdict in row["verdicts"] if verdict["check"] == "forward"
    )
    assert sum(found.margins["forward"].values()) + found.exact["forward"] == len(rows)
    assert {name: reason.rows for name, reason in found.rejects.items()} == made.manifest.rejects
    assert found.coverage.rows == len(rows)
    assert found.coverage.builtins["tid"] == sum("wp.tid()" in row["python_source"] for row in rows)
    assert found.coverage.types["float32"] == sum(
        any(argument["type"] == "float32" for argument in row["arguments"]) for row in rows
    )


def test_clusters_hold_the_near_duplicates(made, rows):
    assert clusters(made) == []
    found = clusters(made, 0.3)
    near = near_duplicates([made.root / shard.file for shard in made.manifest.shards], 0.3)
    pairs = {(rows[item.of]["id"], rows[item.place]["id"]) for item in near}
    assert {(cluster.row_id, other) for cluster in found for other in cluster.others} == pairs != set()
    assert [cluster.size for cluster in found] == sorted((cluster.size for cluster in found), reverse=True)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.scripts, self.attributes = 0, []

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        self.attributes += [name for name, _ in attrs]
        assert tag not in ("img", "iframe", "object", "embed")
        for name, value in attrs:
            assert name not in ("src", "xlink:href") or value.startswith("#"), (tag, name, value)


def test_what_a_row_says_is_shown_and_never_run(made, tmp_path, opened, monkeypatch):
    row = next(iter(made))
    source = f"# {HOSTILE}\n{row.kernel.source}"
    kernel = replace(row.kernel, source=source, name=HOSTILE, description=HOSTILE, category=HOSTILE)
    texts = {name: text and f"// {HOSTILE}\n{text}" for name, text in row.texts.items()}
    hostile = replace(row, kernel=kernel, texts=texts)
    folder = made.root
    monkeypatch.setattr(type(made), "row", lambda self, row_id: hostile)
    records = type(made).records
    named = {"category": HOSTILE, "name": HOSTILE, "description": HOSTILE}
    monkeypatch.setattr(
        type(made),
        "records",
        lambda self, columns=None: (
            {**record, **{k: v for k, v in named.items() if k in record}} for record in records(self, columns)
        ),
    )
    path = report(made, tmp_path / "r.html")
    text = path.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert tags.scripts == 1
    assert not [name for name in tags.attributes if name.startswith("on")]
    tab = opened(path)
    assert tab.evaluate("window.broken") is None
    assert "<img src=x" in tab.locator(".sample").first.inner_text()
    assert folder == made.root


def test_an_audit_page_shows_its_findings_and_runs_nothing(opened, tmp_path):
    rows = [
        {
            "python": "import warp as wp\n\n\ndef k():\n    pass\n",
            "cpp": f"/* {HOSTILE} at 0x7f12ab34cd56 */",
            "cuda": "",
        },
        {"python": "def (", "cpp": "", "cuda": ""},
    ]
    lines = [json.dumps({"id": 1, "kernel_name": HOSTILE, "type": HOSTILE, **row}) for row in rows]
    (tmp_path / "p.jsonl").write_text("\n".join([*lines, "{"]) + "\n")
    audit_page(audit(tmp_path / "p.jsonl"), tmp_path / "audit.html")
    tab = opened(tmp_path / "audit.html", 380)
    assert tab.evaluate("window.broken") is None
    text = tab.locator("main").inner_text()
    for wanted in ("Unpredictable, address", "Unreadable, not JSON", "Python that does not parse", "<script>"):
        assert wanted in text


def test_highlighting_keeps_every_line():
    text = '\n\n"""a\n\nb"""\nx = 1  # <b>\n'
    lines = highlighted(text, "python")
    assert len(lines) == len(text.rstrip("\n").split("\n"))
    assert "&lt;b&gt;" in lines[-1]
    assert highlighted("HloModule <a>\n", "no such language") == ["HloModule &lt;a&gt;"]
