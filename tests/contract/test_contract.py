"""What every (task, model) of the catalog must do. Adding a model adds no line here."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.cli.commands import type_in
from tests.contract.entries import DATA, Entry

import headwater
from headwater import catalog, workspace
from headwater.data import reading
from headwater.errors import (
    ArtifactError,
    DataError,
    HeadwaterError,
    NotFittedError,
    NotFoundError,
    ResourceError,
    SettingError,
)
from headwater.options import Between, OneOf, options_of
from headwater.settings import Settings
from headwater.training.trainer import Trainer

Adapt = Callable[..., Any]
SAFE = {".safetensors", ".json", ".txt", ".md", ".yaml", ".html", ".jsonl", ".model", ".jinja"}


def test_learns_what_is_there(adapt: Adapt, rows: dict[str, list[Any]]) -> None:
    application = adapt(epochs=20, patience=20, learning_rate=0.01)
    right = [a == b for a, b in zip(application.predict(rows).labels, rows["label"], strict=True)]
    assert np.mean(right) >= 0.9


def test_the_same_seed_gives_the_same_application(adapt: Adapt, fitted: Any, rows: dict[str, list[Any]]) -> None:
    again = adapt()
    np.testing.assert_array_equal(again.predict(rows).probabilities, fitted.predict(rows).probabilities)


def test_inputs_are_left_as_they_were(fitted: Any, rows: dict[str, list[Any]]) -> None:
    frame = pd.DataFrame(rows)
    before, kept = frame.copy(deep=True), copy.deepcopy(rows)
    fitted.predict(frame)
    fitted.evaluate(rows)
    pd.testing.assert_frame_equal(frame, before)
    assert rows == kept


def test_predicts_after_load_as_before_save(fitted: Any, folder: Path, rows: dict[str, list[Any]]) -> None:
    loaded = headwater.load(folder)
    np.testing.assert_array_equal(loaded.predict(rows).probabilities, fitted.predict(rows).probabilities)
    assert loaded.report.metrics == fitted.report.metrics


def test_an_application_saved_twice_is_the_same(folder: Path, tmp_path: Path, rows: dict[str, list[Any]]) -> None:
    loaded = headwater.load(folder)
    loaded.save(tmp_path / "again")
    again = headwater.load(tmp_path / "again")
    np.testing.assert_array_equal(again.predict(rows).probabilities, loaded.predict(rows).probabilities)


def test_two_loads_at_once_agree(fitted: Any, folder: Path, rows: dict[str, list[Any]]) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: headwater.load(folder).predict(rows).probabilities, range(2)))
    for found in both:
        np.testing.assert_allclose(found, fitted.predict(rows).probabilities, atol=1e-6)


def test_labels_in_labels_out(adapt: Adapt, rows: dict[str, list[Any]]) -> None:
    numbers = {**rows, "label": [7 if label == "good" else 3 for label in rows["label"]]}
    application = adapt(numbers)
    assert application.predict(rows["text"][:4]).classes == (3, 7)
    assert set(application.predict(rows["text"]).labels) <= {3, 7}
    assert application.evaluate({**rows, "label": [str(label) for label in numbers["label"]]}).metrics["accuracy"]


def test_sees_inputs_before_it_has_learnt(entry: Entry, fitted: Any, rows: dict[str, list[Any]]) -> None:
    application = type(fitted)(fitted.model_name, Settings(offline=True))
    seen = application.view(rows["text"])
    assert seen.shape[0] == len(rows["text"])
    assert seen.shape[1] > 1
    assert np.isfinite(seen).all()
    np.testing.assert_array_equal(application.view(rows["text"]), seen)
    assert np.ptp(seen, axis=0).max() > 0, f"{entry} sees all inputs alike"


def test_can_be_ranked_before_it_has_learnt(unlearnt: Entry) -> None:
    rows, model, task = DATA[unlearnt.task](30), unlearnt.model, unlearnt.task
    first, again = (headwater.rank(rows, models=[model], task=task, offline=True) for _ in range(2))
    assert {one.model for one in first.measured} == {model, catalog.task(task).linear_baseline, "majority"}
    assert not first.refused
    assert all(0 <= one.score.low <= one.score.value <= one.score.high <= 1 for one in first.measured)
    ranks = [
        [(one.model, one.rank, one.score, one.logme, one.h_score) for one in found.measured] for found in (first, again)
    ]
    assert ranks[0] == ranks[1]


def test_tells_traits_of_every_input(fitted: Any, rows: dict[str, list[Any]]) -> None:
    traits = fitted.traits(rows["text"])
    measured = [*traits.numbers.values(), *(share for kinds in traits.shares.values() for share in kinds.values())]
    assert measured
    assert all(values.shape == (len(rows["text"]),) for values in measured)
    assert len(traits.words) in (0, len(rows["text"]))


def test_compares_its_data_with_itself_and_with_other(unlearnt: Entry) -> None:
    rows = DATA[unlearnt.task]()
    words = ("music", "story", "plot", "film")
    other = [f"the {words[row % 4]} and the {words[row // 4 % 4]} {row * 17} {chr(97 + row % 26)}" for row in range(60)]
    asked = {"model": unlearnt.model, "task": unlearnt.task, "offline": True}
    assert headwater.compare(rows, rows, **asked).differs is False
    found = headwater.compare(rows, {"text": other}, **asked)
    assert found.differs is True
    assert found.proxy is not None
    assert found.proxy.value > 1
    assert headwater.compare(rows, **asked).differs is None


def test_one_row_out_for_every_row_in(fitted: Any, rows: dict[str, list[Any]]) -> None:
    inputs = [rows["text"][0], None, rows["text"][1], "   ", rows["text"][2]]
    found, alone = fitted.predict(inputs), fitted.predict([text for text in inputs if text and text.strip()])
    assert [label is None for label in found.labels] == [False, True, False, True, False]
    assert [bool(reason) for reason in found.reasons] == [False, True, False, True, False]
    assert [label for label in found.labels if label] == alone.labels
    np.testing.assert_allclose(found.probabilities[[0, 2, 4]], alone.probabilities, atol=1e-5)
    assert np.isnan(found.probabilities[[1, 3]]).all()


def test_a_row_does_not_depend_on_its_neighbours(fitted: Any, rows: dict[str, list[Any]]) -> None:
    together = fitted.predict(rows["text"]).probabilities
    single = np.concatenate([fitted.predict([text]).probabilities for text in rows["text"][:5]])
    np.testing.assert_allclose(single, together[:5], atol=1e-5)
    np.testing.assert_allclose(fitted.predict(rows["text"][::-1]).probabilities, together[::-1], atol=1e-5)


def test_probabilities_sum_to_one(fitted: Any, rows: dict[str, list[Any]]) -> None:
    found = fitted.predict(rows["text"])
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
    assert found.probabilities.min() >= 0
    assert set(found.classes) == {"good", "bad"}


def test_no_rows_give_no_predictions(fitted: Any) -> None:
    assert len(fitted.predict([])) == 0


@pytest.mark.parametrize("text", ["🙂🙃 漢字 ελληνικά عربى", "word " * 20_000, "\u202e\u0000x", "a" * 100_000, "?!"])
def test_strange_texts_get_an_answer(fitted: Any, text: str) -> None:
    found = fitted.predict([text])
    assert found.labels[0] in ("good", "bad")
    assert np.isfinite(found.probabilities).all()


def test_the_report_has_intervals_and_baselines(fitted: Any, entry: Entry) -> None:
    report = fitted.report
    accuracy = report.metrics["accuracy"]
    assert 0 <= accuracy.low <= accuracy.value <= accuracy.high <= 1
    assert "majority" in report.baselines
    assert (catalog.task(entry.task).linear_baseline in report.baselines) == (entry.model != "tfidf-logistic")
    assert report.gain


def test_several_labels_a_row(adapt: Adapt, rows: dict[str, list[Any]]) -> None:
    tags = [["good"] if label == "good" else ["bad", "long"] for label in rows["label"]]
    application = adapt({"text": rows["text"], "label": tags})
    found = application.predict(rows["text"][:6])
    assert all(isinstance(labels, list) for labels in found.labels)
    assert application.report.metrics


def test_three_classes_in_another_script(adapt: Adapt) -> None:
    words = {"好": "喜欢 满意 精彩", "坏": "讨厌 失望 难看", "平": "一般 普通 还行"}
    labels = [list(words)[row % 3] for row in range(90)]
    texts = [f"{words[label][row % 7 :]} 第{row}号{chr(0x4E00 + 37 * row)}" for row, label in enumerate(labels)]
    application = adapt({"文本": texts, "标签": labels}, text="文本", target="标签")
    found = application.predict({"文本": [*texts[:6], None]})
    assert set(found.labels) <= {*words, None}
    assert found.classes == tuple(sorted(words))
    np.testing.assert_allclose(found.probabilities[:6].sum(axis=1), 1, atol=1e-6)
    assert found.labels[6] is None
    assert [row["class"] for row in application.report.per_class] == list(found.classes)


def test_pairs_of_texts(adapt: Adapt, rows: dict[str, list[Any]]) -> None:
    data = {"left": rows["text"], "right": rows["text"][::-1], "label": rows["label"]}
    application = adapt(data, text=("left", "right"))
    found = application.predict([(data["left"][0], data["right"][0]), (data["left"][1], None)])
    assert found.labels[0] in ("good", "bad")
    assert found.labels[1] is None


def test_altered_copies_are_learnt_from_and_originals_stay(
    adapt: Adapt, rows: dict[str, list[Any]], entry: Entry
) -> None:
    if entry.settings.get("strategy") == "few-shot":
        with pytest.raises(SettingError, match="Few-shot learns from the labelled rows as they are"):
            adapt(rows, augment="word-swap")
        return
    kept = copy.deepcopy(rows)
    application = adapt(rows, augment="word-dropout,word-swap")
    assert rows == kept
    told = application.report.augmentation
    assert set(told["copies"]) == {"word-dropout", "word-swap"}
    assert {example["before"] for example in told["examples"]} <= set(rows["text"])
    assert not {example["after"] for example in told["examples"]} & set(rows["text"])
    assert set(application.predict(rows).labels) <= {"good", "bad"}
    assert "Its altered copy" in application.report.to_html()
    again = adapt(rows, augment="word-dropout,word-swap")
    np.testing.assert_array_equal(again.predict(rows).probabilities, application.predict(rows).probabilities)


def test_marks_every_labelled_row(fitted: Any, rows: dict[str, list[Any]]) -> None:
    marks = fitted.marks(reading.read(rows, fitted.settings))
    assert marks.right.shape == marks.truth.shape == (len(rows["label"]),)
    np.testing.assert_allclose(marks.right.mean(), fitted.evaluate(rows).metrics["accuracy"].value)
    assert 0 <= marks.score - marks.right.mean() < 1 / len(rows["label"])


def test_a_search_gives_an_application_that_predicts(entry: Entry, rows: dict[str, list[Any]]) -> None:
    try:
        found = headwater.tune(entry.task, rows, model=entry.model, trials=2, **entry.settings)
    except SettingError as nothing:
        if "There is nothing to search" in str(nothing):
            return
        raise
    assert len(found.predict(rows)) == len(rows["label"])
    assert found.report is not None
    assert found.report.search["trials"] == 2


def test_a_source_is_learnt_from_as_well(
    adapt: Adapt, rows: dict[str, list[Any]], tmp_path: Path, entry: Entry
) -> None:
    more = DATA[entry.task](2 * len(rows["text"]))
    source = {name: cells[len(rows["text"]) :] for name, cells in more.items()}
    pd.DataFrame(source).to_csv(tmp_path / "source.csv", index=False)
    if entry.settings.get("strategy") == "few-shot":
        with pytest.raises(SettingError, match="Few-shot learns from the labelled rows as they are"):
            adapt(rows, source=str(tmp_path / "source.csv"))
        return
    report = adapt(rows, source=str(tmp_path / "source.csv"), plan="joint").report
    assert report.plan["name"] == "joint"
    assert report.source["rows"] > 0
    assert any(name.startswith("tfidf-logistic") for name in report.baselines), "nothing learnt from the target alone"
    assert "what a source row counts" in report.to_html().lower()


def test_rows_without_labels_are_learnt_from_as_well(unlearnt: Entry, tmp_path: Path) -> None:
    rows = DATA[unlearnt.task](60)
    some = {name: cells[:40] for name, cells in rows.items()}
    pd.DataFrame({"text": rows["text"][40:]}).to_csv(tmp_path / "more.csv", index=False)
    given = {"model": unlearnt.model, "strategy": "probe", "epochs": 1, "unlabelled": str(tmp_path / "more.csv")}
    report = headwater.adapt(unlearnt.task, some, **given, self_training_confidence=0.5, self_training_rounds=1).report
    assert report.unlabelled["rows"] == report.adaptation["rows"] == 20
    assert "points over doing nothing" in report.adaptation["sentence"] or not report.adaptation["kept"]
    assert report.adaptation["sentence"] in report.to_html()
    with pytest.raises(SettingError, match="DANN trains the encoder"):
        headwater.adapt(unlearnt.task, some, **given, unlabelled_method="dann")


# What must be refused, and how


def test_an_unfitted_application_says_so(entry: Entry) -> None:
    path = catalog.task(entry.task).path
    with pytest.raises(NotFittedError, match="predict needs a fitted application"):
        catalog.load(path, extra=None)(entry.model).predict(["x"])


def test_an_unknown_column_is_named(adapt: Adapt, rows: dict[str, list[Any]]) -> None:
    with pytest.raises(NotFoundError, match=r"no column of this name\. Got 'labell'.*Did you mean label\?"):
        adapt(rows, target="labell")


def test_predict_without_the_input_column_is_refused(fitted: Any) -> None:
    with pytest.raises(NotFoundError, match="no column of this name"):
        fitted.predict({"other": ["x"]})


def test_empty_data_is_refused(adapt: Adapt) -> None:
    with pytest.raises(DataError, match="There are column names but no rows"):
        adapt({"text": [], "label": []})


def test_one_class_is_refused(adapt: Adapt, rows: dict[str, list[Any]]) -> None:
    with pytest.raises(DataError, match="at least two classes"):
        adapt({**rows, "label": ["good"] * len(rows["label"])})


def test_missing_targets_are_refused(adapt: Adapt, rows: dict[str, list[Any]]) -> None:
    with pytest.raises(DataError, match="label is missing"):
        adapt({**rows, "label": [None] * len(rows["label"])})


def test_unseen_labels_are_set_aside_and_told(fitted: Any, rows: dict[str, list[Any]]) -> None:
    report = fitted.evaluate({**rows, "label": [*rows["label"][:-1], "ugly"]})
    assert report.quarantine["count"] == 1
    assert "'ugly' was not in training" in json.dumps(report.quarantine)
    with pytest.raises(DataError, match="was not in training"):
        fitted.evaluate({**rows, "label": ["ugly"] * len(rows["label"])})


def test_an_unwritable_folder_is_told_before_the_work(adapt: Adapt, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises((ResourceError, ArtifactError), match="run folder"):
        adapt(to=tmp_path / "file" / "run")


def _wrong_values() -> list[tuple[str, Any]]:
    wrong: list[tuple[str, Any]] = []
    for option in options_of(Settings):
        if isinstance(option.limit, Between) and option.limit.low is not None:
            wrong.append((option.name, option.limit.low - 1))
        elif isinstance(option.limit, OneOf) or option.limit is not None:
            wrong.append((option.name, "no such value"))
        elif option.kind is bool:
            wrong.append((option.name, "perhaps"))
    return wrong


def test_every_wrong_setting_gets_its_sentence(adapt: Adapt) -> None:
    wrong = _wrong_values()
    assert len(wrong) >= 20
    for name, value in wrong:
        with pytest.raises(HeadwaterError, match=f"{name} cannot have this value. Got .* Accepted: "):
            adapt(**{name: value})


def test_every_wrong_setting_of_the_model_gets_its_sentence(adapt: Adapt, entry: Entry) -> None:
    for option in options_of(catalog.model_class(entry.task, entry.model).Settings):
        with pytest.raises(HeadwaterError, match=f"{option.name} cannot have this value"):
            adapt(**{option.name: object() if option.limit is None else -1})


def test_an_unknown_setting_is_refused(adapt: Adapt) -> None:
    with pytest.raises(HeadwaterError, match="Did you mean epochs"):
        adapt(epoch=3)


# The run folder


def test_an_interrupted_run_resumes_to_the_same_result(
    adapt: Adapt, entry: Entry, fitted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: dict[str, list[Any]]
) -> None:
    source = tmp_path / "rows.csv"
    pd.DataFrame(rows).to_csv(source, index=False)
    with monkeypatch.context() as patch:
        patch.setattr(workspace, "finish", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            adapt(source, to=tmp_path / "run")
    with pytest.raises(NotFoundError, match="This run is not finished"):
        headwater.load(tmp_path / "run")
    with pytest.raises(ArtifactError, match="unfinished run"):
        adapt(source, to=tmp_path / "run")
    resumed = headwater.flow.resume(tmp_path / "run")
    np.testing.assert_array_equal(resumed.predict(rows).probabilities, fitted.predict(rows).probabilities)
    assert headwater.load(tmp_path / "run").report.metrics == fitted.report.metrics


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_run_interrupted_while_it_trains_resumes_to_the_same_result(
    adapt: Adapt, fitted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: dict[str, list[Any]]
) -> None:
    source, steps = tmp_path / "rows.csv", iter(range(100))
    pd.DataFrame(rows).to_csv(source, index=False)
    after_step = Trainer._after_step

    def stop_after_eight(trainer: Trainer, shown: Any) -> None:
        after_step(trainer, shown)
        if next(steps) == 7:  # in the second epoch, where a step has six of them
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_after_step", stop_after_eight)
        try:
            resumed = adapt(source, to=tmp_path / "run")
        except KeyboardInterrupt:
            resumed = None
    # Models that are solved, not trained in steps, are not stopped here.
    resumed = resumed or headwater.flow.resume(tmp_path / "run")
    np.testing.assert_array_equal(resumed.predict(rows).probabilities, fitted.predict(rows).probabilities)


def test_a_finished_folder_is_not_overwritten(adapt: Adapt, folder: Path) -> None:
    with pytest.raises(ArtifactError, match="already holds an application"):
        adapt(to=folder)


def test_the_folder_holds_nothing_that_could_run_code(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert {path.suffix for path in files} <= SAFE


def test_a_planted_pickle_is_never_opened(folder: Path, tmp_path: Path, rows: dict[str, list[Any]]) -> None:
    planted, trap = tmp_path / "planted", tmp_path / "sprung"
    shutil.copytree(folder, planted)
    bomb = pickle.dumps(_Bomb(str(trap)))
    for place in (planted, *(path for path in planted.rglob("*") if path.is_dir())):
        for name in ("pytorch_model.bin", "training_args.bin", "model.pkl", "adapter_model.bin", "head.joblib"):
            (place / name).write_bytes(bomb)
    with pytest.raises(ArtifactError, match="files that were not saved with it"):
        headwater.load(planted)
    shutil.rmtree(planted / "model")
    shutil.copytree(folder / "model", planted / "model")
    headwater.load(planted).predict(rows["text"][:2])
    assert not trap.exists()


class _Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self.path, "w"))


def test_a_changed_file_is_refused(folder: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(folder, copied)
    name = next(iter(json.loads((copied / "application.json").read_text())["files"]))
    with (copied / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ArtifactError, match="not the one that was saved"):
        headwater.load(copied)
    (copied / name).unlink()
    with pytest.raises(ArtifactError, match="is missing"):
        headwater.load(copied)


def test_it_loads_where_its_foundation_is_gone(
    folder: Path, fitted: Any, rows: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(catalog, "FOUNDATIONS", ())
    found = headwater.load(folder).predict(rows["text"][:3])
    np.testing.assert_allclose(found.probabilities, fitted.predict(rows["text"][:3]).probabilities, atol=1e-6)


def test_the_command_line_ends_in_the_status_that_is_true(
    folder: Path, tmp_path: Path, rows: dict[str, list[Any]]
) -> None:
    source, answers = tmp_path / "rows.csv", tmp_path / "answers.csv"
    pd.DataFrame(rows).to_csv(source, index=False)
    assert type_in("predict", folder, source, "--to", answers).exit_code == 0
    assert len(pd.read_csv(answers)) == len(rows["label"])
    assert type_in("evaluate", folder, source).exit_code == 0
    for words in (
        ("predict", folder, tmp_path / "gone.csv"),
        ("evaluate", folder, answers),
        ("predict", tmp_path, source),
    ):
        ended = type_in(*words)
        assert ended.exit_code == 2
        assert ended.stderr.startswith("error: ")
