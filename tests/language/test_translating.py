"""There and back with two models: the words come back, in other words, and only once for a run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.tiny import WORDS, make_translator

from headwater.errors import SettingError
from headwater.language import translating
from headwater.language.augmentation import altered
from headwater.run import Run
from headwater.settings import Settings

TEXTS = [" ".join(WORDS[row % 7 : row % 7 + 1 + row % 9]) for row in range(20)]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("translators")
    return str(make_translator(folder / "there")), str(make_translator(folder / "back"))


def _altered(inputs: list[Any], folder: Path, translators: tuple[str, ...] | None, draw: int = 0, **given: Any):
    run = Run(Settings(device="cpu", offline=True, augment_translators=translators, **given), folder)
    return altered(inputs, "back-translation", draw, run, None)


def test_a_seed_repeats_another_draw_differs_and_no_text_is_empty(pair: tuple[str, str], tmp_path: Path):
    first = _altered(TEXTS, tmp_path / "one", pair)
    assert all(copy.strip() for copy in first if copy is not None)
    assert any(first)
    assert _altered(TEXTS, tmp_path / "two", pair) == first
    assert _altered(TEXTS, tmp_path / "three", pair, draw=1) != first


def test_what_was_written_is_read_when_the_run_resumes(pair: tuple[str, str], tmp_path: Path, monkeypatch: Any):
    first = _altered(TEXTS, tmp_path, pair)
    monkeypatch.setattr(translating, "translator", None)
    assert _altered(TEXTS, tmp_path, pair) == first


def test_the_second_model_reads_what_the_first_wrote(tmp_path: Path, monkeypatch: Any):
    words: list[str] = []

    def tokenizer(texts: list[str], **_: Any) -> dict[str, Any]:
        words.extend(word for text in texts for word in text.split() if word not in words)
        ids = [[words.index(word) + 1 for word in text.split()] for text in texts]
        length = max(map(len, ids))
        padded = [row + [0] * (length - len(row)) for row in ids]
        return {"input_ids": torch.tensor(padded), "attention_mask": (torch.tensor(padded) > 0).long()}

    def decoded(ids: torch.Tensor, **_: Any) -> list[str]:
        return [" ".join(words[one - 1] for one in row.tolist() if one) for row in ids]

    def translator(name: str, **_: Any) -> tuple[Any, Any]:
        def generate(input_ids: torch.Tensor, **_: Any) -> torch.Tensor:
            return input_ids.flip(1) if name == "there" else input_ids

        speaker = SimpleNamespace(device="cpu", generate=generate, to=lambda _: None)
        tool: Any = type("Tool", (), {"__call__": staticmethod(tokenizer), "batch_decode": staticmethod(decoded)})()
        tool.model_max_length = 64
        return speaker, tool

    monkeypatch.setattr(translating, "translator", translator)
    assert _altered(["good film", "so bad a plot", "fine"], tmp_path, ("there", "back")) == [
        "film good", "plot a bad so", None,
    ]  # fmt: skip


@pytest.mark.parametrize("given", [None, ("one",), ("one", "two", "three")])
def test_two_models_must_be_named(given: tuple[str, ...] | None, tmp_path: Path):
    with pytest.raises(SettingError, match=r"Back-translation needs two models, one there and one back.*opus-mt"):
        _altered(TEXTS, tmp_path, given)
