"""A masked language model writes into the gaps, whatever its tokens are, and writes once for a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tiny import WORDS, make_bert, make_masked

from headwater.errors import ArtifactError, SettingError
from headwater.language import filling
from headwater.language.augmentation import altered
from headwater.run import Run
from headwater.settings import Settings

TEXTS = [" ".join(WORDS[row % 7 : row % 7 + 2 + row % 9]) for row in range(30)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_masked(tmp_path_factory.mktemp("masked") / "tiny", says="lovely"))


def _altered(inputs: list[Any], folder: Path, draw: int = 0, foundation: str | None = None, **given: Any) -> list[Any]:
    run = Run(Settings(device="cpu", offline=True, **given), folder)
    return altered(inputs, "span-masking", draw, run, foundation)


def test_the_hidden_words_are_what_the_model_writes_and_the_others_stay(model: str, tmp_path: Path):
    found = _altered(TEXTS, tmp_path, augment_model=model, augment_strength=0.3)
    for text, copy in zip(TEXTS, found, strict=True):
        before, after = text.split(), copy.split()
        changed = [new for old, new in zip(before, after, strict=True) if old != new]
        assert set(changed) == {"lovely"}
        assert len(changed) == min(max(1, round(0.3 * len(before))), len(before) - 1)


def test_spaces_signs_and_case_outside_the_gaps_stay(model: str, tmp_path: Path):
    (found,) = _altered(["Good  FILM,\n(very) dull!"], tmp_path, augment_model=model)
    assert [part for part in ["Good", "  ", "FILM", ",", "\n(", "very", ")", " ", "dull", "!"] if part not in found]
    assert len([part for part in ["Good", "  FILM", ",\n(", "very", ") dull"] if part in found]) >= 3
    assert "lovely" in found


def test_a_seed_repeats_and_another_draw_differs(tmp_path: Path):
    model = str(make_masked(tmp_path / "free"))
    parts = [tmp_path / name for name in ("one", "two", "three")]
    first, again = (_altered(TEXTS, part, augment_model=model) for part in parts[:2])
    assert first == again
    assert _altered(TEXTS, parts[2], draw=1, augment_model=model) != first


def test_padding_changes_nothing(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    together = _altered(TEXTS, tmp_path / "a", augment_model=model)
    monkeypatch.setattr(filling, "_TOKENS_IN_A_PASS", 4)
    assert _altered(TEXTS, tmp_path / "b", augment_model=model) == together


def test_the_foundation_serves_where_it_can(tmp_path: Path):
    model = str(make_masked(tmp_path / "own"))
    assert any(_altered(TEXTS, tmp_path / "run", foundation=model))


@pytest.mark.parametrize("text", ["good", "好", "", "👍"])
def test_one_word_tells_the_model_nothing(model: str, text: str, tmp_path: Path):
    assert _altered([text or " "], tmp_path, augment_model=model) == [None]


def test_texts_beyond_the_model_are_altered_where_it_reads(model: str, tmp_path: Path):
    long = " ".join(["good film"] * 200)
    (found,) = _altered([long], tmp_path, augment_model=model, augment_strength=0.5)
    assert len(found.split()) == 400
    assert found.split()[70:] == long.split()[70:]


def test_pairs_and_strange_texts_are_refilled(model: str, tmp_path: Path):
    ((left, right),) = _altered([("good film 很好", "\u202ebad 🇩🇪 plot")], tmp_path, augment_model=model)
    assert left != "good film 很好"
    assert right != "\u202ebad 🇩🇪 plot"


def test_what_was_written_is_read_when_the_run_resumes(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("headwater.language.written._PART", 8)
    first = _altered(TEXTS, tmp_path, augment_model=model)
    parts = sorted((tmp_path / "augmentation").glob("span-masking-*.json"))
    assert len(parts) == 4
    parts[-1].unlink()
    written = []
    fill = filling._Filler.fill
    monkeypatch.setattr(
        filling._Filler, "fill", lambda self, texts, seed: written.extend(texts) or fill(self, texts, seed)
    )
    assert _altered(TEXTS, tmp_path, augment_model=model) == first
    assert len(written) in (6, 8)
    monkeypatch.setattr(filling, "masked_model", None)
    assert _altered(TEXTS, tmp_path, augment_model=model) == first


def test_a_model_must_be_named_where_the_foundation_cannot_write(tmp_path: Path):
    for foundation in (None, "minilm"):
        with pytest.raises(
            SettingError, match=r"Span-masking needs a masked language model to write with.*--augment-model"
        ):
            _altered(TEXTS, tmp_path, foundation=foundation)


def test_weights_without_the_head_are_refused(tmp_path: Path):
    with pytest.raises(ArtifactError, match=r"The weights lack the head that writes.*sentence encoders"):
        _altered(TEXTS, tmp_path / "run", augment_model=str(make_bert(tmp_path / "bare")))


def test_spans_are_whole_words_and_never_all_of_them():
    random = np.random.default_rng(0)
    for _ in range(50):
        spans = filling._chosen("one two three four five six", 100, 0.9, random)
        assert sum(len("one two three four five six"[start:end].split()) for start, end in spans) == 5
    assert filling._chosen("one two three", 7, 0.9, random) in ([(0, 3)], [(4, 7)])
