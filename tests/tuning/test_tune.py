"""The verb: an application like any other, with its search; resumed after a kill; the same again from the same seed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.contract.interactions import baskets
from tests.contract.texts import texts
from tests.tiny import make_bert
from tests.tuning.searches import FAST, LINEAR, write_rows

import headwater
from headwater import flow, workspace
from headwater.errors import (
    ArtifactError,
    DataError,
    HeadwaterError,
    NotFoundError,
    ResourceError,
    SettingError,
)
from headwater.tuning import crew, loop, tune

TASK = "text-classification"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "rows.csv", rows=80, noise=True)


@pytest.fixture(scope="module")
def searched(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("search") / "run"
    return folder, headwater.tune(TASK, rows, to=folder, trials=8, **FAST)


def trials_of(folder: Path) -> list[dict[str, Any]]:
    found = json.loads((folder / "search.json").read_text())["trials"]
    return [{name: value for name, value in trial.items() if name != "seconds"} for trial in found]


def test_the_winner_is_an_application_like_any_other(searched: tuple[Path, Any], rows: Path) -> None:
    folder, application = searched
    loaded = headwater.load(folder)
    np.testing.assert_array_equal(loaded.predict(rows).probabilities, application.predict(rows).probabilities)
    assert loaded.report.metrics == application.report.metrics
    assert loaded.settings.budget is None
    assert not (folder / "work").exists()
    assert {path.name for path in (folder / "logs" / "trials").iterdir()} == {f"{n:05}" for n in range(1, 9)}


def test_the_winner_is_made_again_without_a_search(searched: tuple[Path, Any], rows: Path, tmp_path: Path) -> None:
    from headwater.request import Request

    folder, application = searched
    request = Request.from_yaml(folder / "config.yaml")
    again = headwater.adapt(TASK, rows, model=request.model, **request.changed())
    np.testing.assert_array_equal(again.predict(rows).probabilities, application.predict(rows).probabilities)


def test_it_is_never_worse_than_adapt_on_validation(searched: tuple[Path, Any], rows: Path) -> None:
    found = json.loads((searched[0] / "search.json").read_text())
    scores = {trial["number"]: trial["score"] for trial in found["trials"] if trial["state"] == "complete"}
    assert scores[found["best"]] == max(scores.values())
    assert found["trials"][0]["defaults"]
    assert found["trials"][0]["values"] == {}
    adapted = headwater.adapt(TASK, rows, **FAST)
    assert found["trials"][0]["estimate"]["value"] == adapted.trace.stages[-1].score


def test_the_report_tells_of_the_search(searched: tuple[Path, Any]) -> None:
    folder, application = searched
    assert "trials" in application.report.notes[-1] or "validation rows" in " ".join(application.report.notes)
    assert application.report.search["trials"] == 8
    page = (folder / "report.html").read_text()
    best = application.report.search["best"]
    assert f'Found by a search of 8 trials, of which trial {best} was the best: <a href="search.html">' in page
    assert application.report.provenance["command"].startswith("headwater adapt text-classification")
    assert application.report.provenance["search"].startswith("headwater tune text-classification")


def test_the_page_of_the_search(searched: tuple[Path, Any]) -> None:
    page = (searched[0] / "search.html").read_text()
    for text in ("Progress", "the defaults", "Score by trial", "Score by learning_rate", "How much of the spread"):
        assert text in page, text
    assert page.count("<tr><td") == 8
    assert "<script" not in page
    assert "http" not in page
    found = json.loads((searched[0] / "search.json").read_text())
    best = next(trial for trial in found["trials"] if trial["number"] == found["best"])
    tried = "the defaults" if best["defaults"] else ", ".join(f"{name} " for name in best["values"]).split(", ")[0]
    assert f'class="model">trial {best["number"]}: ' in page
    assert tried in page[page.index(f'class="model">trial {best["number"]}: ') :].partition("</th>")[0]
    assert f"<b>{best['estimate']['value']:.3f}</b>" in page
    assert found["command"].replace("'", "&#39;") in page


def test_the_same_seed_searches_the_same(searched: tuple[Path, Any], rows: Path, tmp_path: Path) -> None:
    headwater.tune(TASK, str(rows), to=tmp_path / "again", trials=8, **FAST)
    assert trials_of(tmp_path / "again") == trials_of(searched[0])


def test_a_killed_search_goes_on_where_it_stood(rows: Path, tmp_path: Path, searched: tuple[Path, Any]) -> None:
    folder = tmp_path / "run"
    script = Path(__file__).with_name("searches.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(script.parents[2]), *sys.path])}
    process = subprocess.Popen([sys.executable, str(script), str(rows), str(folder)], env=environment)
    ended = folder / "work" / "trials" / "00002" / "outcome.json"
    for _ in range(1200):
        if ended.exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = ended.read_bytes()
    with pytest.raises(
        NotFoundError, match=r"The unfinished run here is a search. Go on with: headwater tune --resume"
    ):
        flow.resume(folder)
    with pytest.raises(NotFoundError, match="headwater tune --resume --to"):
        headwater.load(folder)
    with pytest.raises(ArtifactError, match="This folder holds an unfinished run"):
        headwater.tune(TASK, rows, to=folder, trials=8, **FAST)
    with pytest.raises(SettingError, match=r"A search goes on with what it began with, but these differ. Got .'fix"):
        headwater.tune(TASK, rows, to=folder, resume=True, **{**FAST, "epochs": 1})
    kept: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        finish = workspace.finish
        patch.setattr(workspace, "finish", lambda *a: (kept.append(ended.read_bytes()), finish(*a)))
        tune.resume(folder)
    assert kept == [before]
    assert trials_of(folder) == trials_of(searched[0])


def test_what_still_learns_at_the_end_of_the_budget_stops_there(rows: Path, tmp_path: Path) -> None:
    endless = {**FAST, "epochs": 10_000, "patience": 10_000}
    began = time.monotonic()
    found = headwater.tune(TASK, rows, to=tmp_path / "run", budget="3s", **endless)
    assert time.monotonic() - began < 60
    assert found.report.search["stopped"] == "the budget of 3s leaves no time for another trial"
    assert "the end of the budget may have cut its training short" in found.report.notes[-1]
    assert "budget of 3s" in found.report.stages[-1]["decision"]
    assert headwater.load(tmp_path / "run").settings.budget is None


def test_several_processes_share_a_search(rows: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    found = headwater.tune(TASK, rows, model=LINEAR, to=folder, jobs=2)
    assert {trial["model"] for trial in trials_of(folder)} == set(LINEAR.split(","))
    assert "--jobs 2" in json.loads((folder / "search.json").read_text())["command"]
    assert found.predict(["a fine film"]).labels[0] in ("good", "bad")


def test_a_process_that_cannot_go_on_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, start = write_rows(tmp_path / "rows.csv"), crew._start

    def without_rows(*given: Any) -> Any:
        rows.unlink(missing_ok=True)
        return start(*given)

    monkeypatch.setattr(crew, "_start", without_rows)
    with pytest.raises(ResourceError, match=r"A process of the search could not go on. It said: .*rows.csv"):
        headwater.tune(TASK, rows, model=LINEAR, to=tmp_path / "run", jobs=2)
    assert not (tmp_path / "run").exists()


def test_a_process_that_was_killed_loses_its_trial_only(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = crew._start, []

    def doomed(one: Any, number: int, stack: Any) -> Any:
        started.append(number)
        if len(started) > 2:
            return start(one, number, stack)
        if len(started) == 1:
            one.trials.begin(one.trials.claim(9) or 0, one.asked.space.planned[0], number)
        process = subprocess.Popen(["sleep", "60"], stdin=subprocess.PIPE)
        process.send_signal(signal.SIGKILL if len(started) == 1 else signal.SIGTERM)
        stack.callback(crew._end, process)
        if len(started) == 2:
            process.wait()
            process.returncode = 0
        return crew._Worker(process, tmp_path / "log")

    monkeypatch.setattr(crew, "_start", doomed)
    headwater.tune(TASK, rows, model=LINEAR, to=tmp_path / "run", jobs=2)
    first, second = trials_of(tmp_path / "run")
    assert first["reason"] == "its process was ended by signal 9, as when the memory does not suffice"
    assert second["state"] == "complete"


def test_a_foundation_is_searched_by_its_strategies(tmp_path: Path, rows: Path) -> None:
    foundation = make_bert(tmp_path / "bert")
    found = headwater.tune(
        TASK, texts(60), model=str(foundation), trials=4, search={"epochs": [1, 2]}, batch_size=16,
        feature_cache=False, device="cpu",
    )  # fmt: skip
    assert found.report.search["trials"] == 4
    assert found.report.search["page"] is None
    assert found.report.provenance["search"].startswith("headwater.tune('text-classification', DATA")


def test_a_search_that_ended_early_may_be_ended_at_once(rows: Path, tmp_path: Path, monkeypatch: Any) -> None:
    calls: list[int] = []
    fit = loop.fit

    def stop(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return fit(*given)

    monkeypatch.setattr(loop, "fit", stop)
    with pytest.raises(KeyboardInterrupt):
        headwater.tune(TASK, rows, model=LINEAR, to=tmp_path / "run")
    assert tune.resume(tmp_path / "run", trials=1).shown_model == "tfidf-logistic"


def test_all_trials_failing_is_a_sentence(rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> None:
        raise ResourceError("One row alone does not fit")

    monkeypatch.setattr(loop, "fit", failing)
    with pytest.raises(SettingError, match=r"No trial of the search came to its end. Got 'One row alone does not fit"):
        headwater.tune(TASK, rows, model=LINEAR)


def test_wrong_data_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least two classes"):
        headwater.tune(TASK, {"text": ["a b", "c d"] * 20, "label": ["x"] * 40}, model=LINEAR, to=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_rows_in_memory_have_one_process_and_are_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match=r"Rows in memory cannot be handed to other processes. Got 2. Write"):
        headwater.tune(TASK, texts(60), model=LINEAR, jobs=2)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(workspace, "finish", stop)
        with pytest.raises(KeyboardInterrupt):
            headwater.tune(TASK, texts(60), model=LINEAR, to=tmp_path / "run")
    with pytest.raises(DataError, match="The rows of this search were in memory, and are gone with its process"):
        tune.resume(tmp_path / "run")
    assert headwater.tune(TASK, texts(60), model=LINEAR, to=tmp_path / "run", resume=True).report.search["trials"] == 2


def test_there_must_be_a_search_to_resume(searched: tuple[Path, Any], tmp_path: Path) -> None:
    for folder in (searched[0], tmp_path):
        with pytest.raises(NotFoundError, match=r"There is no unfinished search here. Start one without --resume"):
            tune.resume(folder)


def test_a_search_is_not_launched_in_several_processes(rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(HeadwaterError, match=r"A search is not launched in several processes. Got 'WORLD_SIZE=2'"):
        headwater.tune(TASK, rows, model=LINEAR)


def test_a_search_of_agents_speaks_of_returns_and_episodes(tmp_path: Path) -> None:
    # A return may be negative, and far from 1: an interval between 0 and 1 would not hold it.
    small = {"model": "q-learning", "bins": 4, "steps": 200, "evaluations": 1, "episodes": 10}
    application = headwater.tune("control", "tests.tuning.searches:Fines", to=tmp_path / "run", trials=2, **small)
    found = json.loads((tmp_path / "run" / "search.json").read_text())
    assert found["metric"] == "return"
    for trial in found["trials"]:
        assert trial["estimate"]["low"] <= trial["estimate"]["value"] <= trial["estimate"]["high"] < -1
    notes = " ".join(application.report.notes)
    assert f"were compared on the same {found['rows']['valid']} validation episodes" in notes
    assert "The test episodes had no part in the choice." in notes
    assert all(gain["metric"] == "return" for gain in found["gains"].values())
    page = (tmp_path / "run" / "search.html").read_text()
    assert f"all scored on the same {found['rows']['valid']} validation episodes" in page
    assert "Validation return" in page
    assert "The score is the mean return of the validation episodes." in page
    for wrong in ("accuracy", "validation rows", "test rows", "training rows"):
        assert wrong not in page, wrong


def test_a_search_of_recommenders_does_not_speak_of_right_rows(tmp_path: Path) -> None:
    headwater.tune("recommendation", baskets(), model="ease", user="user", item="item", to=tmp_path / "run", trials=2)
    assert json.loads((tmp_path / "run" / "search.json").read_text())["metric"] == "score"
    page = (tmp_path / "run" / "search.html").read_text()
    assert "Validation score" in page
    assert "The score is the mean score of the validation rows." not in page
    assert "accuracy" not in page
    assert "share of right" not in page
