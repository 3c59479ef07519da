import json

import numpy as np
import pytest

from headwater.errors import ArtifactError
from headwater.evaluation.intervals import Estimate, Gain
from headwater.evaluation.report import Report
from headwater.evaluation.sections import plain


def test_survives_saving_and_loading(report, tmp_path):
    report.save(tmp_path)
    loaded = Report.load(tmp_path)
    assert loaded.sections() == report.sections()
    assert loaded.score == report.score
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_the_terminal_tells_how_many_rows_were_set_aside(report):
    assert "12 rows were set aside and not measured. The first is news.csv:88: 3 cells instead of 2." in str(report)


@pytest.mark.parametrize("rows", [1, 9, 10])
def test_a_handful_of_test_rows_gives_no_verdict(rows):
    gain = Gain("majority", "roc_auc", 0.3, 0.2, 0.4).to_json()
    told = Report("t", "m", {"roc_auc": Estimate(0.9)}, "roc_auc", rows={"test": rows}, gain=gain).gain
    assert told["real"] == (rows >= 10)
    assert ("the gain is real" in told["sentence"]) == (rows >= 10)
    few = f"Differs from majority by +0.300 in ROC AUC on {rows} test row{'s' * (rows > 1)}: too few test rows to tell."
    assert (told["sentence"] == few) == (rows < 10)


def test_sections_of_later_versions_survive():
    text = json.dumps({"task": "t", "model": "m", "metrics": {}, "fairness": {"gap": 0.1}})
    assert json.loads(Report.from_json(text).to_json())["fairness"] == {"gap": 0.1}


def test_only_task_model_and_metrics_are_needed(tmp_path):
    report = Report("text-classification", "minilm", {"accuracy": Estimate(float("nan"))})
    report.save(tmp_path)
    assert Report.load(tmp_path).sections() == report.sections()
    assert "not measured" in str(report)


def test_broken_characters_do_not_stop_the_report(tmp_path):
    report = Report("t", "m", {"accuracy": Estimate(1.0)}, mistakes=[{"input": "\ud83d", "target": 1, "prediction": 2}])
    report.save(tmp_path)
    assert Report.load(tmp_path).mistakes[0]["input"] == "?"


def test_a_missing_report_says_so(tmp_path):
    with pytest.raises(ArtifactError, match="There is no report here"):
        Report.load(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", '{"task": "t"}', '{"task": "t", "model": "m", "metrics": {"a": 1}}'])
def test_a_damaged_report_says_so(tmp_path, content):
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(ArtifactError, match="The report cannot be read"):
        Report.load(tmp_path)


def test_the_terminal_table_shows_the_model_beside_its_baselines(report):
    lines = str(report).splitlines()
    assert lines[0].endswith("2,000 test rows, 95 % intervals")
    assert lines[2].split() == ["sentence-transformers/all-MiniLM-L6-v2", "majority", "tfidf-logistic"]
    assert lines[3].startswith(f"Accuracy           {report.score}")
    assert report.gain["sentence"] in lines
    assert max(map(len, lines)) < 140


def test_a_notebook_shows_the_page_in_a_frame(report):
    shown = report._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;!DOCTYPE html&gt;')
    assert "<script" not in shown


def test_plain_leaves_only_what_json_has():
    values = {"a": np.float32(0.5), "b": np.arange(2), "c": {1}, "d": float("inf"), "e": Estimate(1.0), "f": 1 + 1j}
    assert plain(values) == {
        "a": 0.5, "b": [0, 1], "c": [1], "d": None, "e": {"value": 1.0, "low": None, "high": None}, "f": "(1+1j)"
    }  # fmt: skip
