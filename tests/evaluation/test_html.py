import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from tests.evaluation.pictures import photograph
from tests.serving.browser import CHROMIUM, Browser

from headwater.comparison.comparison import Comparison
from headwater.evaluation.classification import Tally
from headwater.evaluation.html import page
from headwater.evaluation.intervals import Estimate
from headwater.evaluation.mistakes import Mistakes
from headwater.evaluation.report import Report

SECTIONS = (
    "metrics", "learning", "classes", "confusion", "calibration", "mistakes", "data", "quarantine", "provenance"
)  # fmt: skip
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Outline(HTMLParser):
    """Open tags, tags that were closed out of order, the ids, and every address."""

    def __init__(self, text):
        super().__init__()
        self.open, self.faults, self.ids, self.addresses, self.tags = [], [], [], [], set()
        self.pictures = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.addresses += [value for name, value in attrs if name in ("href", "src", "srcset", "action", "data")]
        self.pictures += [dict(attrs)] if tag == "img" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def test_the_page_is_whole_and_reaches_for_nothing(report):
    text = page(report)
    outline = Outline(text)
    assert not outline.open
    assert not outline.faults
    assert [name for name in SECTIONS if name in outline.ids] == list(SECTIONS)
    assert sorted(outline.addresses) == sorted(f"#{name}" for name in SECTIONS)
    assert not re.search(r"https?:|url\(|@import|//[a-z]", text)
    assert not outline.tags & {"script", "link", "iframe", "object", "img"}


def test_text_of_the_user_is_escaped_everywhere():
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    report = Report(
        evil, evil, {"accuracy": Estimate(0.5, 0.4, 0.6)}, strategy=evil, rows={evil: 3}, notes=[evil],
        per_class=[{"class": evil, "support": 3, "f1": {"value": 0.5}, "precision": {"value": 0.5}, "recall": {}}],
        confusion={"classes": [evil, "b"], "counts": [[1, 2], [0, 3]], "left_out": 0},
        baselines={evil: {"accuracy": Estimate(0.4)}}, gain={"sentence": evil, "real": True},
        mistakes=[{"input": evil, "target": evil, "prediction": [evil], "confidence": 0.9, "place": evil}],
        stages=[{"name": evil, "score": 0.5, "low": 0.4, "high": 0.6, "seconds": 1.0, "decision": evil}],
        curve=[{"stage": evil, "step": step, "loss": 1.0 / step} for step in (1, 2)],
        audit={"classes": {evil: 3}, "warnings": [evil], evil: evil, "columns": [{evil: evil}], "lengths": {evil: {}}},
        split={evil: {evil: [evil, {evil: evil}]}}, quarantine={"count": 1, "examples": [evil, {evil: evil}]},
        provenance={"command": evil, evil: [[evil]]},
        augmentation={"copies": {evil: 1}, "examples": [{"method": evil, "before": evil, "after": (evil, evil)}]},
    )  # fmt: skip
    outline = Outline(page(report))
    assert not outline.tags & {"script", "img"}
    assert not outline.faults


def test_altered_copies_are_shown_beside_their_rows():
    examples = [
        {"method": "word-swap", "before": "good film", "after": "film good"},
        {"method": "word-dropout", "before": ["left side", "right side"], "after": ["left", "x" * 400]},
    ]
    told = {"rows": 7, "copies": {"word-swap": 7}, "unaltered": 2, "made": {"smote": 3}, "examples": examples}
    text = page(Report("t", "m", {"accuracy": Estimate(0.5)}, augmentation=told))
    assert "augmentation" in Outline(text).ids
    for shown in ("film good", "left side / right side", "Unaltered", "<i>Smote</i>", "left /…"):
        assert shown in text
    assert "x" * 400 not in text


@pytest.fixture(scope="module")
def of_pictures():
    random, classes = np.random.default_rng(0), ("cat", "dog", "<b>fox</b>")
    targets, probabilities = random.integers(0, 3, 150), random.dirichlet(np.ones(3), 150)
    tally, mistakes = Tally(classes), Mistakes()
    tally.update(targets, probabilities)
    mistakes.update([photograph(row) for row in range(150)], targets, probabilities)
    return Report.of_classification(tally, mistakes, task="image-classification", model="resnet18")


def test_mistakes_of_pictures_are_a_grid_of_small_ones(of_pictures):
    text = page(Report.from_json(of_pictures.to_json()))
    assert text == page(of_pictures)
    outline = Outline(text)
    assert not outline.faults
    assert len(outline.pictures) == 20 + 6 * 3
    assert all(one["src"].startswith("data:image/jpeg;base64,") and one["alt"] for one in outline.pictures)
    assert not outline.tags & {"script", "b>fox</b"}
    assert "&lt;b&gt;fox&lt;/b&gt;" in text
    assert '<ul class="pictures">' in text
    assert "taken for <b" in text
    assert len(text.encode()) < 300_000


def test_a_picture_without_its_bytes_or_with_an_address_is_named_only():
    for image in ("", None, "http://example.org/x.png", "javascript:alert(1)"):
        given = {"image": image, "text": 'a"b.png'}
        mistake = {"input": given, "target": ["cat"], "prediction": [], "confidence": 0.9, "place": "rows.csv:7"}
        copies = {"examples": [{"method": "flip", "before": given, "after": given}]}
        report = Report("t", "m", {"f1_micro": Estimate(0.5)}, "f1_micro", mistakes=[mistake], augmentation=copies)
        outline = Outline(text := page(report))
        assert not outline.faults
        assert "img" not in outline.tags
        assert "a&#34;b.png; rows.csv:7" in text
        assert 'Predicted <b class="wrong" dir="auto">none</b>, 0.900' in text
        assert "example.org" not in text


def test_a_long_path_is_cut_to_its_end_and_the_place_is_told_where_it_says_more():
    def told(text, place):
        row = {
            "input": {"image": "", "text": text},
            "target": "a",
            "prediction": "b",
            "confidence": 0.9,
            "place": place,
        }
        return page(Report("t", "m", {"accuracy": Estimate(0.5)}, mistakes=[row]))

    path = "/data/pets/cats/1.jpg"
    assert f'title="{path}">…/cats/1.jpg</span>' in told(path, f"{path}, row 3")
    assert ">…/cats/1.jpg; pets.csv:7</span>" in told(path, "pets.csv:7")
    assert ">an image of 6 bytes; row 3</span>" in told("an image of 6 bytes", "row 3")


def test_the_audit_of_pictures_tells_their_sides_in_pixels():
    sides = {str(percent): 10 + percent for percent in (0, 5, 25, 50, 75, 95, 100)}
    found = {"lengths": {"width": sides, "words": sides}, "scripts": {}, "pictures": {"grey": 0.5}}
    text = page(Report("t", "m", {"accuracy": Estimate(0.5)}, audit=found))
    for heading in ("Width in pixels", "Length in words", "<dt>Pictures</dt>"):
        assert heading in text
    assert "Scripts" not in text


def test_altered_copies_of_pictures_are_shown_beside_them():
    given = {"image": "data:image/jpeg;base64,AAAA", "text": "sea.png"}
    told = {"copies": {"flip": 1}, "examples": [{"method": "flip", "before": given, "after": given}]}
    outline = Outline(page(Report("t", "m", {"accuracy": Estimate(0.5)}, augmentation=told)))
    assert [one["alt"] for one in outline.pictures] == ["sea.png", "sea.png"]


def test_a_comparison_shows_pictures_too():
    given = {"image": "data:image/jpeg;base64,AAAA", "text": "sea.png"}
    row, side = {"text": given, "place": "row 3", "likeness": 0.9}, {"name": "a", "rows": 20, "compared": 20}
    found = Comparison(
        "image-classification", "m", {**side, "quarantine": {}}, side, verdict={"differs": True, "sentence": "So."},
        copies={"rows": 1, "sentence": "One.", "examples": [{"text": given, "target": "row 1", "source": "row 2"}]},
        examples={"source": [row], "target": [row, row]},
    )  # fmt: skip
    text = found.to_html()
    outline = Outline(text)
    assert not outline.faults
    assert len(outline.pictures) == 4
    assert "sea.png; row 3" in text


@pytest.mark.parametrize(
    ("metric", "said"),
    [("mean_iou", "what found and true pixels share"), ("other_view_found", "second view of an image")],
)
def test_metrics_of_pictures_are_told_in_their_own_words(metric, said):
    text = page(Report("a-task", "a-model", {metric: Estimate(0.5)}, primary=metric))
    assert said in text
    assert "Log loss" not in text


def test_a_report_of_little_is_a_page():
    for metrics in ({"accuracy": Estimate(float("nan"))}, {"accuracy": Estimate(0.5)}):
        outline = Outline(page(Report("text-classification", "minilm", metrics)))
        assert not outline.faults
        assert outline.ids == ["metrics"]


def test_several_labels_have_no_confusion(make_report):
    outline = Outline(page(make_report(("art", "law", "war"), 200, several=True)))
    assert not outline.faults
    assert "confusion" not in outline.ids


def test_many_classes_are_cut_short_and_it_is_said(make_report):
    text = page(make_report(tuple(f"class {number}" for number in range(60)), 300))
    assert "20 more are in report.json" in text
    assert "30 are left out" in text
    assert len(text) < 600_000


def test_curves_of_many_stages_with_gaps():
    curve = [{"stage": "probe", "epoch": 1, "step": 5, "loss": 1.0, "score": None}]
    curve += [{"stage": "full", "epoch": step, "loss": float("nan"), "score": 0.1 * step} for step in range(1, 4)]
    text = page(Report("t", "m", {"accuracy": Estimate(0.5)}, curve=curve))
    assert text.count('class="plot curve"') == 1
    assert not Outline(text).faults


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.parametrize("scheme", ["0", "1"])
def test_a_browser_draws_the_page(report, tmp_path, scheme):
    report.save(tmp_path)
    shot = tmp_path / "shot.png"
    subprocess.run(
        [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}",
            f"--blink-settings=preferredColorScheme={scheme}", "--window-size=1100,1400", f"--screenshot={shot}",
            (tmp_path / "report.html").as_uri(),
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert shot.read_bytes().startswith(b"\x89PNG")
    assert shot.stat().st_size > 50_000


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [420, 1100])
def test_words_stay_whole_and_nothing_is_cut_however_narrow(tmp_path, width):
    followed = "80 demonstrations imitated: agreement 1.000 on 20 rows held out"
    scored = {"score": 199.4, "low": 150.2, "high": 240.1, "seconds": 75.0}
    stages = [{"name": "demonstrations", **scored, "decision": followed}]
    found = {"primary": "return", "episodes": {"count": 9, "returns": {}}, "stages": stages}
    report = Report("control", "dqn", {"return": Estimate(199.4, 150.2, 240.1)}, **found)
    report.save(tmp_path)
    with Browser(tmp_path / "profile") as browser:
        browser.open((tmp_path / "report.html").as_uri(), width=width)
        assert browser.run("[...document.querySelectorAll('.scroll')].every(one => one.scrollWidth <= one.clientWidth)")
        lines = (
            "(one => { const range = document.createRange(); range.selectNodeContents(one); "
            "return range.getClientRects().length })(document.querySelector('#learning tbody th'))"
        )
        assert browser.run(lines) == 1
        assert followed in browser.text("#learning")
