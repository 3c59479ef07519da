import numpy as np
import pytest
from tests.tiny import WORDS, make_bert

from headwater.errors import ArtifactError, NotFittedError
from headwater.language.classification.pretrained import PretrainedClassifier
from headwater.run import Run
from headwater.settings import Settings
from headwater.transfer.classifier import Examples


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))


def _examples(*, pairs, several):
    random = np.random.default_rng(0)
    texts = [f"{WORDS[row % 2]} {' '.join(random.choice(WORDS[4:], row % 5 + 1))}" for row in range(40)]
    targets = np.arange(40) % 2
    inputs = [(text, "the film") for text in texts] if pairs else texts
    encoded = np.stack([targets, 1 - targets, targets], axis=1).astype(np.float32) if several else targets
    return Examples(inputs, encoded, 3 if several else 2)


def _fitted(tmp_path, strategy, rows):
    (tmp_path / "run").mkdir()
    settings = Settings(strategy=strategy, epochs=1, device="cpu", offline=True)
    model = PretrainedClassifier(foundation=str(make_bert(tmp_path / "tiny")))
    return model.fit(rows, rows, Run(settings, tmp_path / "run"))


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("strategy", ["probe", "full", "last-layers", "lora", "probe-then-full", "auto"])
def test_every_strategy_serves_pairs_and_several_labels_and_survives_saving(tmp_path, strategy, pairs, several):
    rows = _examples(pairs=pairs, several=several)
    model = _fitted(tmp_path, strategy, rows)
    logits = model.logits(rows.inputs)
    model.save(tmp_path / "saved")
    assert logits.shape == (40, rows.n_classes)
    np.testing.assert_allclose(PretrainedClassifier.load(tmp_path / "saved").logits(rows.inputs), logits, atol=1e-6)


def test_an_adapted_model_is_a_foundation_again(tmp_path):
    rows = _examples(pairs=False, several=False)
    _fitted(tmp_path, "full", rows).save(tmp_path / "saved")
    (tmp_path / "next").mkdir()
    again = PretrainedClassifier(foundation=str(tmp_path / "saved" / "encoder"))
    again.fit(rows, rows, Run(Settings(strategy="probe", device="cpu"), tmp_path / "next"))
    assert again.logits(["good film"]).shape == (1, 2)


def test_no_input_gives_no_logit(tmp_path):
    model = _fitted(tmp_path, "probe", _examples(pairs=False, several=False))
    assert model.logits([]).shape == (0, 2)


def test_an_unfitted_model_says_so():
    with pytest.raises(NotFittedError, match="answers only after it was fitted"):
        PretrainedClassifier().logits(["text"])


def test_an_incomplete_folder_says_so(tmp_path):
    with pytest.raises(ArtifactError, match="adapted classifier is incomplete"):
        PretrainedClassifier.load(tmp_path)
