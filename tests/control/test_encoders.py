"""Foundations as the eyes of agents: frozen before them, or learning with them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from tests import tiny
from tests.control import worlds as odd
from tests.control.stopping import stopped_and_resumed
from tests.control.test_pixels import FEW, HERE, MODELS, VIEW

import headwater
from headwater.control import seeing
from headwater.control.dqn import Dqn
from headwater.control.eye import Eye
from headwater.control.seeing import Seeing, Sight
from headwater.control.spaces import Box, Choices, Discrete, Parts, Text
from headwater.data.pictures import Picture
from headwater.errors import ArtifactError, DataError, ExtraError, SettingError
from headwater.foundation.image import ImageEncoder
from headwater.foundation.locate import locate
from headwater.settings import Settings

WIDTH = 16 * 4 * 4
"""Features of the tiny transformer: 16 of each of 4 by 4 patches."""
FRAMES = np.random.default_rng(0).integers(0, 256, (6, 16, 20, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    return str(tiny.make_vit(tmp_path_factory.mktemp("vit")))


@pytest.fixture(scope="module")
def timm(tmp_path_factory):
    return str(tiny.make_timm(tmp_path_factory.mktemp("timm") / "encoder"))


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return str(tiny.make_bert(tmp_path_factory.mktemp("bert")))


def weights(encoder):
    return torch.cat([one.detach().ravel() for one in encoder.network.parameters()]).numpy()


@pytest.mark.parametrize("strategy", ["probe", "full"])
@pytest.mark.parametrize(("world", "own"), MODELS, ids=[own["model"] for _, own in MODELS])
def test_agents_with_an_encoder_stop_and_go_on_and_live_in_their_folder(
    world, own, strategy, timm, tmp_path, monkeypatch
):
    asked = {**FEW, **own, "encoder": timm, "strategy": strategy, "checkpoint_seconds": 0.0}
    whole, resumed = stopped_and_resumed(f"{HERE}:{world}", asked, tmp_path / "run", monkeypatch)
    for name, values in whole.agent.policy().items():
        np.testing.assert_array_equal(resumed.agent.policy()[name], values)
    loaded = headwater.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.predict(FRAMES).labels, whole.predict(FRAMES).labels)
    assert loaded.evaluate().metrics["return"].value == whole.report.metrics["return"].value
    # The folder is a foundation itself: as it came where it was frozen, else what has been learnt.
    kept = ImageEncoder.load(locate(str(tmp_path / "run")), "kept")
    same = np.array_equal(weights(kept), weights(ImageEncoder.load(locate(timm), "given")))
    assert same == (strategy == "probe")


def test_a_frozen_encoder_gives_its_own_features_once(vit):
    eye = Eye.open(vit, VIEW, Settings(), "cpu")
    square = Box((32, 32, 3), (0.0,), (255.0,), pixels=True)
    sight, frames = Sight(eye, square), np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    asked = list[int]()
    eye.encoder.network.register_forward_hook(lambda *_: asked.append(1))
    found = sight(frames.reshape(3, -1))
    batch = eye.encoder.prepare([Picture.of(one) for one in frames]).batch(np.arange(3))
    with torch.inference_mode():
        hidden = eye.encoder.network(**batch).last_hidden_state
    expected = hidden[:, 1:].transpose(1, 2).reshape(3, -1)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    asked.clear()
    np.testing.assert_array_equal(sight(frames[[2, 0, 2]].reshape(3, -1)), found[[2, 0, 2]])
    assert asked == []
    assert sight.features == Box((WIDTH,), (float("-inf"),), (float("inf"),))


def test_places_are_told_by_every_kind_of_network(vit, timm, tmp_path):
    pixels = {"pixel_values": torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))}
    for folder in (vit, timm, str(tiny.make_resnet(tmp_path / "resnet"))):
        encoder = ImageEncoder.load(locate(folder), "one")
        with torch.inference_mode():
            places = encoder.places(pixels)
            assert places.shape[:2] == (2, encoder.width)
            if folder != vit:  # whose features are those of its class token
                np.testing.assert_allclose(places.mean(dim=(2, 3)), encoder.features(pixels), atol=1e-5)


def test_of_large_maps_fewer_places_are_taken(vit, monkeypatch):
    monkeypatch.setattr("headwater.control.eye._MOST_FEATURES", 16 * 5)
    assert Sight(Eye.open(vit, VIEW, Settings(), "cpu"), VIEW).features.size == 16 * 4


def test_the_features_that_are_kept_are_the_latest(vit, monkeypatch):
    monkeypatch.setattr(seeing, "_KEPT_BYTES", 4 * WIDTH * 4)
    sight = Sight(Eye.open(vit, VIEW, Settings(), "cpu"), VIEW)
    sight(FRAMES.reshape(6, -1))
    assert len(sight._known) == 4
    first = list(sight._known)
    sight(FRAMES[[2, 0]].reshape(2, -1))
    assert list(sight._known)[:2] == first[2:4]


def test_equal_bytes_of_two_parts_are_two_images(vit):
    wide, high = (Box(shape, (0.0,), (255.0,), pixels=True) for shape in ((16, 64), (64, 16)))
    sight = Sight(
        Eye.open(vit, Parts(("wide", "high"), (wide, high)), Settings(), "cpu"), Parts(("a", "b"), (wide, high))
    )
    row = np.random.default_rng(0).integers(0, 256, (1, 1024)).astype(np.uint8)
    both = sight(np.hstack([row, row]).astype(np.float32))
    alone = [Sight(sight.eye, space)(row) for space in (wide, high)]
    np.testing.assert_array_equal(both, np.hstack(alone))
    assert not np.allclose(*alone)


def test_a_replay_memory_holds_features_near_one(vit):
    app = headwater.adapt("control", odd.Seen, **{**FEW, **MODELS[0][1]}, encoder=vit)
    assert isinstance(app.agent, Seeing)
    assert app.observations == VIEW
    replay = app.agent.agent.replay
    assert (replay.now.shape[-1], replay.now.dtype) == (WIDTH, np.float32)
    filled = replay.now[: int(replay.place[1]), 0]
    assert np.abs(filled.mean(axis=0)).max() < 1
    assert np.abs(filled).max() <= 10


def test_parts_that_no_encoder_reads_stay_as_they_are(vit):
    both = Parts(("goal", "inner", "view"), (Discrete(3), Parts(("a",), (Choices((2, 2)),)), VIEW))
    sight = Sight(Eye.open(vit, both, Settings(), "cpu"), both)
    raw = both.sample(np.random.default_rng(0), 4)
    found = sight(raw)
    assert (sight.features.size, found.shape) == (3 + WIDTH, (4, 3 + WIDTH))
    np.testing.assert_array_equal(found[:, :3], raw[:, :3])
    assert sight(raw[:0]).shape == (0, 3 + WIDTH)
    assert Sight(Eye.open(vit, VIEW, Settings(), "cpu"), VIEW)(np.zeros((0, VIEW.size), np.uint8)).shape == (0, WIDTH)


def test_frames_and_grey_images_are_read(vit):
    grey = Box((2, 16, 20, 1), (0.0,), (255.0,), pixels=True)
    sight = Sight(Eye.open(vit, grey, Settings(), "cpu"), grey)
    raw = np.random.default_rng(0).integers(0, 256, (1, grey.size)).astype(np.uint8)
    one = Box((16, 20), (0.0,), (255.0,), pixels=True)
    alone = Sight(sight.eye, one)(raw.reshape(2, -1))
    np.testing.assert_allclose(sight(raw)[0], alone.ravel(), atol=1e-5)


@pytest.mark.parametrize("strategy", ["probe", "full"])
def test_texts_are_read(strategy, bert, tmp_path):
    asked = {"model": "dqn", "hidden": (8,), "warm_up": 32, "batch": 16, "steps": 200, "episodes": 10, "tau": 0.05,
             "evaluations": 2, "train_every": 8, "episode_limit": 5}  # fmt: skip
    app = headwater.adapt("control", f"{HERE}:Told", encoder=bert, strategy=strategy, to=tmp_path / "run", **asked)
    texts = ["the goal is good and the plot cold", "the goal is bad and the plot warm"]
    loaded = headwater.load(tmp_path / "run")
    found = loaded.predict([*texts, None, "x" * 41])
    assert found.labels == app.predict([*texts, None, "x" * 41]).labels
    assert found.labels[2:] == [None, None]
    assert "not a text of at most 40 characters" in found.reasons[3]
    raw = np.stack([app.observations.raw(text) for text in texts])
    assert isinstance(loaded.agent, Seeing) == (strategy == "probe")
    assert loaded.agent.act(raw).shape == (2, 1)


def test_an_agent_learns_behind_an_encoder(bert):
    own = {"hidden": (16,), "tau": 0.05, "warm_up": 64, "envs": 4, "steps": 1500, "evaluations": 2}
    app = headwater.adapt("control", odd.Told, encoder=bert, model="dqn", episodes=20, **own)
    assert app.report.metrics["return"].value > 0.9


def test_demonstrations_go_through_the_encoder(vit, tmp_path):
    rows = [json.dumps(FRAMES[row % 6].tolist()) for row in range(20)]
    lines = [json.dumps({"observation": one, "action": row % 2, "reward": 1.0, "done": row == 19})
             for row, one in enumerate(rows)]  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    app = headwater.adapt("control", odd.Seen, **{**FEW, **MODELS[0][1], "steps": 40, "evaluations": 1}, encoder=vit,
                          demonstrations=str(tmp_path / "rows.jsonl"))  # fmt: skip
    assert app.standing.imitated["relived"] == 20
    assert app.agent.rehearsal.draw(np.random.default_rng(0))[0].shape[1] == WIDTH


@pytest.mark.parametrize(
    ("observations", "sentence"),
    [
        (Discrete(3), "looks at images or reads texts, and these observations have neither"),
        (Parts(("a", "b"), (VIEW, Text(3))), "looks at images or reads texts, and these observations have both"),
    ],
)
def test_an_encoder_needs_what_it_reads(observations, sentence, vit):
    with pytest.raises(DataError, match=sentence):
        Eye.open(vit, observations, Settings(), "cpu")


def test_an_encoder_of_texts_looks_at_no_images(bert, vit):
    with pytest.raises(ArtifactError):
        Eye.open(bert, VIEW, Settings(), "cpu")
    stacked = Box((16, 20, 4), (0.0,), (255.0,), pixels=True)
    eye = Eye.open(vit, stacked, Settings(), "cpu")
    with pytest.raises(DataError, match="An encoder of images reads them in grey or in colour"):
        Dqn(None, stacked, Discrete(2), eye=eye)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"strategy": "lora", "encoder": "minilm"}, "An encoder of control is left as it is, or learns as a whole"),
        ({"strategy": "probe"}, "strategy has no part in control.*--encoder as well"),
        ({"model": "q-learning", "encoder": "minilm"}, "A table learns nothing from features.*Take --model dqn"),
    ],
)
def test_what_cannot_be_done_with_an_encoder_is_told(asked, sentence):
    with pytest.raises(SettingError, match=sentence):
        headwater.adapt("control", odd.Told, **{"model": "dqn", **asked})


def test_without_torch_an_encoder_asks_for_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "headwater.control.eye", None)
    with pytest.raises(ExtraError, match="Encoders need the library torch"):
        headwater.adapt("control", odd.Told, model="dqn", encoder="minilm")
