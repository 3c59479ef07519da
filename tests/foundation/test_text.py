import json

import numpy as np
import pytest
import torch
from tests.tiny import make_bert, make_distilbert, make_gpt2, make_sentence_transformer, make_t5

from headwater.errors import ArtifactError
from headwater.foundation.locate import locate
from headwater.foundation.text import TextEncoder

TEXTS = ["good", "a very dull film and the plot", "the music", "not so bad a story"]
PAIRS = [("good", "a film"), ("the very dull plot", "so bad"), ("music", "story")]


def _features(encoder, inputs, rows=None):
    prepared = encoder.prepare(inputs)
    with torch.inference_mode():
        return encoder.features(prepared.batch(np.arange(len(inputs)) if rows is None else rows)).numpy()


@pytest.mark.parametrize("make", [make_bert, make_distilbert, make_gpt2, make_t5])
@pytest.mark.parametrize("inputs", [TEXTS, PAIRS])
def test_padding_changes_no_feature_in_any_architecture(tmp_path, make, inputs):
    encoder = TextEncoder.load(make(tmp_path), "tiny")
    together = _features(encoder, inputs)
    alone = np.concatenate([_features(encoder, inputs, np.array([row])) for row in range(len(inputs))])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert together.shape == (len(inputs), encoder.width)


def test_minilm_equals_the_recipe_of_sentence_transformers():
    from transformers import AutoModel, AutoTokenizer

    folder = locate("minilm")
    encoder = TextEncoder.load(folder, "minilm")
    given = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = encoder.network(**given).last_hidden_state
    mask = given["attention_mask"].unsqueeze(2).float()
    expected = (hidden * mask).sum(1) / mask.sum(1)
    np.testing.assert_allclose(_features(encoder, TEXTS), expected.numpy(), atol=1e-5)
    assert (encoder.max_length, encoder.pooling, AutoModel is not None) == (256, "mean", True)


@pytest.mark.parametrize("flag", ["mean_tokens", "cls_token", "max_tokens", "lasttoken"])
def test_pooling_is_what_the_checkpoint_asks_for(tmp_path, flag):
    encoder = TextEncoder.load(make_sentence_transformer(tmp_path, flag), "tiny")
    prepared = encoder.prepare(["a good film"])
    with torch.inference_mode():
        tokens = encoder.network(**prepared.batch(np.array([0]))).last_hidden_state[0].numpy()
    expected = {
        "mean_tokens": tokens.mean(0),
        "cls_token": tokens[0],
        "max_tokens": tokens.max(0),
        "lasttoken": tokens[-1],
    }
    together = _features(encoder, ["a good film", "the very dull plot and the music"])[0]
    np.testing.assert_allclose(together, expected[flag], atol=1e-5)


def test_an_unknown_pooling_is_told(tmp_path):
    folder = make_sentence_transformer(tmp_path, "weightedmean_tokens")
    with pytest.raises(ArtifactError, match=r"pooling is not known.*weightedmean.*mean, cls"):
        TextEncoder.load(folder, "tiny")


def test_long_texts_are_cut_at_the_length_and_at_the_positions(tmp_path, caplog):
    folder = make_bert(tmp_path)
    long = "film " * 500
    assert TextEncoder.load(folder, "tiny", max_length=10).prepare([long]).lengths.tolist() == [10]
    assert TextEncoder.load(folder, "tiny", max_length=1000).prepare([long]).lengths.tolist() == [64]
    assert "texts are cut there, not at 1000 tokens" in caplog.text


def test_no_text_at_all_and_the_strangest_texts_give_one_feature_row_each(tmp_path):
    encoder = TextEncoder.load(make_gpt2(tmp_path), "tiny")
    assert len(encoder.prepare([])) == 0
    assert np.isfinite(_features(encoder, ["😀", "\x00", "中文", "film"])).all()


def test_an_untrained_encoder_is_saved_as_its_files_a_trained_one_as_its_weights(tmp_path):
    encoder = TextEncoder.load(make_bert(tmp_path / "from"), "tiny")
    encoder.save(tmp_path / "copy")
    weights = "model.safetensors"
    assert (tmp_path / "copy" / weights).read_bytes() == (tmp_path / "from" / weights).read_bytes()
    before = encoder.fingerprint()
    with torch.no_grad():
        next(encoder.network.parameters()).mul_(2)
    encoder.changed()
    encoder.save(tmp_path / "trained")
    again = TextEncoder.load(tmp_path / "trained", "tiny")
    np.testing.assert_array_equal(_features(again, TEXTS), _features(encoder, TEXTS))
    assert before != encoder.fingerprint() == again.fingerprint()


def test_the_encoder_half_survives_saving(tmp_path):
    encoder = TextEncoder.load(make_t5(tmp_path / "from"), "tiny")
    encoder.changed()
    encoder.save(tmp_path / "to")
    np.testing.assert_array_equal(
        _features(TextEncoder.load(tmp_path / "to", "tiny"), TEXTS), _features(encoder, TEXTS)
    )


def test_weights_that_do_not_fit_are_refused(tmp_path):
    config = json.loads((make_bert(tmp_path) / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(ArtifactError, match="The weights lack 16 tensors of the network"):
        TextEncoder.load(tmp_path, "tiny")


def test_an_unknown_architecture_is_told(tmp_path):
    make_bert(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "abacus"}))
    with pytest.raises(ArtifactError, match=r"cannot be loaded.*Accepted: an encoder, a decoder"):
        TextEncoder.load(tmp_path, "tiny")


def test_a_network_that_reads_no_tokens_is_refused(tmp_path):
    from transformers import ViTConfig, ViTModel

    make_bert(tmp_path)
    config = ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32)
    TextEncoder.load(tmp_path, "tiny").tokenizer.save_pretrained(tmp_path)
    ViTModel(config).save_pretrained(tmp_path)
    with pytest.raises(ArtifactError, match=r"architecture vit cannot serve text.*such as minilm"):
        TextEncoder.load(tmp_path, "tiny")
