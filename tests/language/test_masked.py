"""A foundation goes on filling gaps in the user's texts, is the better for it, and loses the head that filled them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tests.tiny import WORDS, make_bert, make_gpt2, make_masked, make_t5

from headwater.errors import SettingError
from headwater.foundation.text import TextEncoder
from headwater.language import masked
from headwater.language.masked import MaskedLearner, pretrain
from headwater.run import Run
from headwater.settings import Settings

HALF = len(WORDS) // 2
SETTINGS = Settings(device="cpu", offline=True, pretraining_epochs=1, batch_size=16)


def _texts(rows: int) -> list[str]:
    """Texts in which every word tells its neighbour."""
    random = np.random.default_rng(0)
    firsts, times = random.integers(0, HALF, (rows, 2)), random.integers(1, 4, (rows, 2))
    return [
        " ".join(" ".join([WORDS[first], WORDS[first + HALF]] * time) for first, time in zip(*row, strict=True))
        for row in zip(firsts.tolist(), times.tolist(), strict=True)
    ]


def _encoder(folder: Path) -> TextEncoder:
    return TextEncoder.load(folder, "tiny")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A foundation that was saved without its head."""
    return make_bert(tmp_path_factory.mktemp("bare") / "tiny")


@pytest.fixture(scope="module")
def learner(bare: Path) -> MaskedLearner:
    return MaskedLearner(_encoder(bare), _texts(40), _texts(8), SETTINGS)


# Masks


def test_a_word_in_seven_is_asked_for_and_most_of_them_are_hidden(learner: MaskedLearner):
    ids = torch.randint(5, 27, (200, 100))
    torch.manual_seed(0)
    shown, truth = learner._masked(ids, None)
    asked = truth >= 0
    hidden = asked & (shown == learner.tokenizer.mask_token_id)
    assert asked.float().mean().item() == pytest.approx(0.15, abs=0.01)
    assert (hidden.sum() / asked.sum()).item() == pytest.approx(0.8, abs=0.02)
    assert (shown != ids)[asked & ~hidden].float().mean().item() == pytest.approx(0.5, abs=0.06)
    torch.testing.assert_close(shown[~asked], ids[~asked])
    torch.testing.assert_close(truth[asked], ids[asked])


def test_marks_and_padding_are_never_asked_for(learner: MaskedLearner):
    batch = learner.prepared.batch(np.arange(40))
    special = torch.isin(batch["input_ids"], torch.tensor(learner.tokenizer.all_special_ids))
    for seed in range(50):
        torch.manual_seed(seed)
        shown, truth = learner._masked(batch["input_ids"], batch["attention_mask"])
        assert (truth[special] == -1).all()
        assert torch.equal(shown[special], batch["input_ids"][special])


def test_of_every_pass_something_is_asked_for(learner: MaskedLearner):
    for ids in ([[2, 9, 3]], [[2, 1, 3]]):
        for seed in range(20):
            torch.manual_seed(seed)
            assert (learner._masked(torch.tensor(ids), None)[1] >= 0).any()


def test_the_masks_of_held_out_texts_stay(learner: MaskedLearner):
    scores = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        with torch.no_grad():
            scores.append(learner.score())
    assert scores[0] == scores[1]


# What is learnt


def test_the_gaps_are_filled_better_than_by_the_words_alone(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(masked, "LEARNING_RATE", 1e-2)  # a foundation of 16 features learns slowly
    settings = Settings(device="cpu", pretraining_epochs=5, batch_size=16)
    scores = [epoch.score for epoch in pretrain(_encoder(bare), _texts(240), Run(settings, tmp_path)).epochs]
    assert max(scores) > scores[0]
    assert max(scores) > 0.3 - math.log(len(WORDS))


def test_the_encoder_has_changed_and_its_head_is_gone(bare: Path, tmp_path: Path):
    encoder = _encoder(bare)
    before, kinds = encoder.fingerprint(), encoder.network.state_dict().keys()
    history = pretrain(encoder, _texts(40), Run(SETTINGS, tmp_path))
    assert len(history.epochs) == 1
    assert encoder.fingerprint() != before
    assert encoder.source is None
    assert encoder.network.state_dict().keys() == kinds
    encoder.save(tmp_path / "saved")
    with safe_open(tmp_path / "saved" / "model.safetensors", framework="pt") as saved:
        assert not [name for name in saved.keys() if "cls" in name]  # noqa: SIM118 - not a dict
    assert _encoder(tmp_path / "saved").fingerprint() == encoder.fingerprint()


def test_a_run_that_goes_on_ends_the_same(bare: Path, tmp_path: Path):
    encoders = [_encoder(bare) for _ in range(3)]
    for encoder, name in zip(encoders, ("one", "one", "other"), strict=True):
        (tmp_path / name).mkdir(exist_ok=True)
        pretrain(encoder, _texts(40), Run(SETTINGS, tmp_path / name))
    assert len({encoder.fingerprint() for encoder in encoders}) == 1


def test_both_texts_of_a_pair_are_read(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    read: list[str] = []
    prepare = TextEncoder.prepare
    monkeypatch.setattr(TextEncoder, "prepare", lambda self, texts: read.extend(texts) or prepare(self, texts))
    texts = list(dict.fromkeys(_texts(60)))[:24]
    pretrain(_encoder(bare), [*zip(texts[:12], texts[12:], strict=True)], Run(SETTINGS, tmp_path))
    assert sorted(read) == sorted(texts)


# The head


def _says(encoder: TextEncoder) -> set[int]:
    with torch.inference_mode():
        logits: Any = masked._headed(encoder, SETTINGS)(**encoder.prepare(_texts(1)).batch(np.array([0]))).logits
    return set(logits.argmax(dim=-1).flatten().tolist())


def test_the_head_that_was_saved_with_the_foundation_is_taken(tmp_path: Path):
    encoder = _encoder(make_masked(tmp_path / "tiny", says="lovely"))
    assert _says(encoder) == set(encoder.tokenizer("lovely", add_special_tokens=False)["input_ids"])


def test_a_new_head_shares_the_table_of_words_and_is_drawn_by_the_seed(bare: Path):
    encoder = _encoder(bare)
    heads = [masked._headed(encoder, SETTINGS) for _ in range(2)]
    assert heads[0].get_output_embeddings().weight is encoder.network.get_input_embeddings().weight
    weights = [head.cls.predictions.transform.dense.weight for head in heads]
    torch.testing.assert_close(weights[0], weights[1])


# What is refused


@pytest.mark.parametrize(("make", "kind"), [(make_gpt2, "gpt2"), (make_t5, "t5")])
def test_a_foundation_that_fills_no_gaps_is_refused(make: Any, kind: str, tmp_path: Path):
    sentence = (
        "--unlabelled-method pretraining: This foundation was not pretrained by filling gaps, and cannot go on with it"
        rf"\. Got 'tiny \({kind}\)'. Accepted: a masked language model, such as those of BERT's kind. "
        "Give such a foundation, or take self-training."
    )
    with pytest.raises(SettingError, match=sentence):
        pretrain(_encoder(make(tmp_path / "tiny")), _texts(40), Run(SETTINGS, tmp_path))


def test_a_tokenizer_without_a_mask_is_refused(bare: Path, tmp_path: Path):
    encoder = _encoder(bare)
    encoder.tokenizer.mask_token = None
    with pytest.raises(SettingError, match=r"was not pretrained by filling gaps.*Got 'tiny \(bert\)'"):
        pretrain(encoder, _texts(40), Run(SETTINGS, tmp_path))


def test_too_few_texts_are_refused(bare: Path, tmp_path: Path):
    sentence = (
        r"--unlabelled-method pretraining: Pretraining needs more unlabelled texts to go on with\. Got 2\. "
        r"Accepted: 20 or more\. Give more texts, or take self-training\."
    )
    with pytest.raises(SettingError, match=sentence):
        pretrain(_encoder(bare), ["good film", "bad plot"] * 30, Run(SETTINGS, tmp_path))
