"""Models that write are read with their heads, or refused with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.tiny import make_bert, make_masked, make_t5, make_translator

from headwater.errors import ArtifactError, NotFoundError
from headwater.foundation.headed import masked_model, translator

REACH: dict[str, Any] = {"offline": True, "trust_remote_code": False}


def test_a_masked_model_and_a_translator_are_read(tmp_path: Path):
    network, tokenizer = masked_model(str(make_masked(tmp_path / "masked")), **REACH)
    assert (network.training, tokenizer.mask_token) == (False, "[MASK]")
    assert translator(str(make_translator(tmp_path / "there")), **REACH)[0].can_generate()


def test_the_head_must_be_there(tmp_path: Path):
    with pytest.raises(ArtifactError, match=r"weights lack the head that writes: they were saved without it"):
        masked_model(str(make_bert(tmp_path)), **REACH)
    with pytest.raises(ArtifactError, match=r"weights lack the head that writes"):
        masked_model("minilm", **REACH)


def test_another_kind_of_model_is_refused(tmp_path: Path):
    with pytest.raises(ArtifactError, match=r"This model cannot write: .*Accepted: a masked language model"):
        masked_model(str(make_t5(tmp_path / "t5")), **REACH)
    with pytest.raises(ArtifactError, match=r"This model cannot write: .*Accepted: a translator"):
        translator(str(make_bert(tmp_path / "bert")), **REACH)


def test_a_tokenizer_without_a_mask_is_refused(tmp_path: Path):
    import json

    folder = make_masked(tmp_path)
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps({k: v for k, v in json.loads(file.read_text()).items() if k != "mask_token"}))
    (folder / "special_tokens_map.json").unlink(missing_ok=True)
    with pytest.raises(ArtifactError, match=r"cannot fill gaps: its tokenizer has no mask, or no tokenizer\.json"):
        masked_model(str(folder), **REACH)


def test_a_translator_between_many_languages_is_refused(tmp_path: Path):
    from tests.tiny import _saved
    from transformers import MBartConfig, MBartForConditionalGeneration

    config = MBartConfig(vocab_size=40, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
                         decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16)  # fmt: skip
    folder = _saved(tmp_path, MBartForConditionalGeneration, config)
    with pytest.raises(
        ArtifactError, match=r"translator knows many languages, and would have to be told between which"
    ):
        translator(str(folder), **REACH)


def test_a_model_that_is_nowhere_is_not_found():
    with pytest.raises(NotFoundError, match=r"No foundation was found"):
        masked_model("no/such-model", **REACH)
