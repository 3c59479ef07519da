"""Ranking models on real rows: the sample, the models that cannot be had, what is done only once."""

import numpy as np
import pytest
from tests.contract.texts import texts
from tests.tiny import make_bert

import headwater
from headwater import flow
from headwater.errors import ArtifactError, DataError, NotFoundError, ResourceError, SettingError
from headwater.language.classification.task import TextClassification
from headwater.language.classification.tfidf import TfidfLogistic
from headwater.ranking import folds
from headwater.ranking.shortlist import default_models, draw, names_of
from headwater.settings import Settings


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))
    return str(make_bert(tmp_path / "tiny"))


def names(ranking):
    return [one.model for one in ranking.measured]


def test_the_baselines_always_stand_beside_the_models(tiny):
    found = headwater.rank(texts(), models=[tiny])
    assert set(names(found)) == {tiny, "tfidf-logistic", "majority"}
    assert [one.kind for one in found.measured if one.model == tiny] == ["foundation"]
    first = next(one for one in found.measured if one.model == tiny)
    assert (first.cost.width, first.cost.max_length) == (16, 64)
    assert first.cost.seconds > 0
    assert first.cost.parameters > 1000
    assert first.cost.megabytes > 0.01
    assert found.provenance["command"].startswith("headwater.rank(DATA, models=")


def test_a_model_that_cannot_be_had_does_not_end_the_run(tiny, tmp_path):
    pickled = make_bert(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    found = headwater.rank(texts(), models=["tfidf-svm", "tfidf-logisitc", str(pickled)], offline=True)
    assert names(found)[:2] == ["tfidf-svm", "tfidf-logistic"]
    missing, unsafe = found.refused
    assert "tfidf-logistic" in missing.reason.partition("Did you mean ")[2]
    assert "The weights are pickled" in unsafe.reason


def test_no_model_at_all_is_a_mistake():
    with pytest.raises(NotFoundError, match=r"None of these models can be had.*minilmm: .*Did you mean minilm\?"):
        headwater.rank(texts(), models="minilmm", offline=True)


def test_several_labels_have_no_h_score():
    rows = texts()
    rows["label"] = [["good"] if label == "good" else ["bad", "long"] for label in rows["label"]]
    found = headwater.rank(rows, models=["tfidf-svm"])
    assert found.several
    assert [one.h_score for one in found.measured] == [None] * 3
    assert all(np.isfinite(one.logme) for one in found.measured if one.model != "majority")


def test_the_sample_has_the_shares_of_the_classes_no_copies_and_no_lone_class():
    rows = texts(300)
    rows["text"] += [rows["text"][0].upper(), "something else entirely"]
    rows["label"] += ["good", "lone"]
    sample = draw(TextClassification(), rows, 1000)
    assert sample.classes == ("bad", "good")
    assert len(sample.examples) == 300
    assert [note.partition(" ")[0] for note in sample.notes] == ["1", "1"]
    small = draw(TextClassification(), rows, 100)
    assert 95 <= len(small.examples) <= 101
    assert abs(np.bincount(small.examples.targets)[0] - 50) <= 2
    assert draw(TextClassification(), rows, 100).examples.inputs == small.examples.inputs
    other = draw(TextClassification(settings=Settings(seed=1)), rows, 100)
    assert other.examples.inputs != small.examples.inputs


def test_too_few_rows_are_refused():
    with pytest.raises(DataError, match=r"A ranking needs more labelled rows. Got '10 rows of 2 classes'"):
        headwater.rank(texts(10), models=["tfidf-svm"])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"epochs": 3}, "rank reads no setting of this name. Got 'epochs'"),
        ({"sead": 3}, r"rank reads no setting of this name. Got 'sead'.*Did you mean seed\?"),
        ({"rows": 3}, "--rows: rows cannot have this value. Got 3. Accepted: 20 or more"),
        ({"seed": -1}, "seed cannot have this value"),
    ],
)
def test_wrong_settings_get_their_sentence(settings, sentence):
    with pytest.raises(SettingError, match=sentence):
        headwater.rank(texts(), models=["tfidf-svm"], **settings)


def test_what_a_stopped_run_fitted_is_not_fitted_again(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    whole = headwater.rank(texts(), models=["tfidf-svm"])
    with monkeypatch.context() as patch:
        patch.setattr("headwater.ranking.candidates.majority", stop)
        with pytest.raises(KeyboardInterrupt):
            headwater.rank(texts(), models=["tfidf-svm"], to=tmp_path / "rank")
    with monkeypatch.context() as patch:
        patch.setattr(TfidfLogistic, "fit", stop)
        resumed = headwater.rank(texts(), models=["tfidf-svm"], to=tmp_path / "rank")
    assert [(one.model, one.score, one.rank) for one in resumed.measured] == [
        (one.model, one.score, one.rank) for one in whole.measured
    ]
    assert sorted(path.name for path in (tmp_path / "rank").iterdir()) == ["ranking.html", "ranking.json"]


def test_rows_that_judge_a_basic_model_take_no_part_in_its_fit(monkeypatch):
    seen = []
    fit = folds._divided

    def divided(kind, examples, held, run):
        train, valid = fit(kind, examples, held, run)
        judged = {examples.inputs[row] for row in held.tolist()}
        seen.append(len(judged & {*train.inputs, *valid.inputs}))
        return train, valid

    monkeypatch.setattr(folds, "_divided", divided)
    headwater.rank(texts(), models=["tfidf-logistic"])
    assert seen == [0] * 5


def test_a_folder_of_other_files_is_refused_and_a_mistake_leaves_no_folder(tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(ArtifactError, match="This is no folder for a ranking"):
        headwater.rank(texts(), models=["tfidf-svm"], to=tmp_path)
    with pytest.raises(ResourceError, match="The folder of the ranking cannot be written"):
        headwater.rank(texts(), models=["tfidf-svm"], to=tmp_path / "mine.txt" / "rank")
    with pytest.raises(DataError):
        headwater.rank(texts(10), models=["tfidf-svm"], to=tmp_path / "rank")
    assert not (tmp_path / "rank").exists()


def test_names_come_with_commas_or_one_by_one():
    assert names_of("a, b,c") == names_of(["a", "b,c"]) == ["a", "b", "c"]
    assert names_of(None) == []


def test_without_names_every_foundation_at_hand_is_looked_at(monkeypatch):
    monkeypatch.setattr("headwater.foundation.shelf.cached_encoders", lambda: ["owner/tiny"])
    assert default_models("text-classification") == ["minilm", "owner/tiny"]
    assert flow.rank is headwater.rank


def test_the_majority_has_its_share_of_the_sample(tiny):
    rows = texts(40)
    kept = [row for row in range(40) if row % 2 == 0 or row < 20]
    table = {name: [cells[row] for row in kept] for name, cells in rows.items()}
    found = headwater.rank(table, models=["tfidf-logistic"], offline=True)
    (majority,) = [one for one in found.measured if one.model == "majority"]
    assert majority.score.value == pytest.approx(20 / 30)
    assert majority.cost.parameters == 0
