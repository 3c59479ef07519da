import json

import numpy as np
import pytest
import torch
from tests.vision.detection.squares import scenes

from headwater.data.boxes import no_boxes
from headwater.data.pictures import Picture, encode
from headwater.errors import ResourceError
from headwater.run import Run
from headwater.settings import Settings
from headwater.vision import network
from headwater.vision.detection.detector import Guess
from headwater.vision.detection.learning import SceneLearner
from headwater.vision.detection.precision import mean_precision
from headwater.vision.detection.scenes import Framed
from headwater.vision.detection.yolo import YoloDetector
from headwater.vision.locator import Scenes

GIVEN = scenes(4)
SMALL = YoloDetector.Settings(width=4, depth=1)


def run_in(folder, **settings):
    folder.mkdir(exist_ok=True, parents=True)
    given = {"device": "cpu", "image_augment": "none", "epochs": 2, "precision": "fp32"} | settings
    return Run(Settings(**given), folder)


def fitted(folder, given=GIVEN, valid=GIVEN, **settings):
    return YoloDetector(SMALL).fit(given, valid, run_in(folder, **settings))


def same(first, second):
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.places, other.places)
        np.testing.assert_array_equal(one.scores, other.scores)
        np.testing.assert_array_equal(one.labels, other.labels)


def test_answers_are_the_same_after_loading_and_for_one_seed(tmp_path):
    made = fitted(tmp_path / "one", image_augment="strong")
    answers = made.answers(GIVEN.inputs)
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved")
    again = YoloDetector.load(tmp_path / "saved")
    assert again.settings == made.settings
    same(again.answers(GIVEN.inputs), answers)
    same(fitted(tmp_path / "two", image_augment="strong").answers(GIVEN.inputs), answers)
    assert sorted(file.name for file in (tmp_path / "saved").iterdir()) == ["model.json", "model.safetensors"]
    assert [epoch["epoch"] for epoch in made.trace.curve] == [1, 2]
    assert made.trace.stages[0].low <= made.trace.stages[0].score <= made.trace.stages[0].high


def test_a_detector_saved_before_it_wrote_where_it_computes_answers_as_it_did(tmp_path):
    made = fitted(tmp_path / "run")
    made.save(tmp_path)
    told = json.loads((tmp_path / "model.json").read_text("utf-8"))
    for later in ("token_budget", "device"):
        del told[later]
    (tmp_path / "model.json").write_text(json.dumps(told), "utf-8")
    same(YoloDetector.load(tmp_path).answers(GIVEN.inputs), made.answers(GIVEN.inputs))


def tight(made, most):
    """Lets the memory of a detector hold so many pictures; returns how many each pass had."""
    passes, guesses = [], made.model.guesses

    def within(pictures, proposals):
        passes.append(len(pictures))
        if len(pictures) > most:
            raise torch.OutOfMemoryError("no room")
        return guesses(pictures, proposals)

    made.model.guesses = within
    return passes


def test_answers_keep_to_the_token_budget_before_and_after_loading(tmp_path):
    made = fitted(tmp_path / "run", epochs=1, token_budget=2 * 16)
    made.save(tmp_path)
    again = YoloDetector.load(tmp_path)
    assert (again.token_budget, again.device) == (made.token_budget, made.device) == (32, "cpu")
    for one in (made, again):
        passes = tight(one, 4)
        one.answers(GIVEN.inputs)
        assert passes == [2, 2]


def test_answers_go_in_smaller_passes_when_memory_runs_out(tmp_path):
    made = fitted(tmp_path, epochs=1)
    wanted = made.answers(GIVEN.inputs)
    passes = tight(made, 2)
    found = made.answers(GIVEN.inputs)
    assert passes == [4, 2, 2]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.places, other.places, atol=1e-3)
    tight(made, 0)
    with pytest.raises(ResourceError, match="One row alone does not fit into the memory"):
        made.answers(GIVEN.inputs)


def test_is_loaded_where_it_was_asked_to_compute(tmp_path, monkeypatch):
    made, asked = fitted(tmp_path / "run", epochs=1), []
    made.device = "cuda"
    made.save(tmp_path)
    monkeypatch.setattr(network, "nearest", lambda kind: asked.append(kind) or torch.device("cpu"))
    YoloDetector.load(tmp_path)
    assert asked == ["cuda"]


def test_answers_are_in_the_pixels_of_each_picture(tmp_path):
    made = fitted(tmp_path, epochs=1)
    shapes = [(1, 1), (5, 90), (300, 200, 3), (64, 64, 4)]
    given = [Picture(content=encode(np.full(shape, 90, np.uint8))) for shape in shapes]
    for boxes, shape in zip(made.answers(given), shapes, strict=True):
        assert (boxes.places >= 0).all()
        assert (boxes.places[:, [0, 2]] <= shape[1]).all()
        assert (boxes.places[:, [1, 3]] <= shape[0]).all()
        assert (boxes.areas > 0).all()
        assert (np.diff(boxes.scores) <= 0).all()
        assert len(boxes) <= 100
    assert made.answers([]) == []


def test_a_box_of_the_frame_goes_back_into_its_picture(tmp_path):
    made = fitted(tmp_path, epochs=1)
    made.model.guesses = lambda pictures, proposals: (
        [Guess(torch.tensor([[16.0, 8, 32, 24], [0, 40, 64, 64]]), torch.tensor([0.9, 0.8]), torch.tensor([1, 0]))]
        * len(pictures)
    )
    wide = Picture(content=encode(np.zeros((64, 128, 3), np.uint8)))
    (boxes,) = made.answers([wide])
    np.testing.assert_allclose(boxes.places, [[32, 16, 64, 48]])  # the other lies in the grey beside the picture
    assert boxes.labels.tolist() == [1]


def test_pictures_without_boxes_are_learned_from(tmp_path):
    empty = Scenes(GIVEN.inputs, [no_boxes()] * 3 + [GIVEN.answers[3]], 2)
    made = fitted(tmp_path, empty, image_augment="standard")
    assert np.isfinite([epoch["loss"] for epoch in made.trace.curve]).all()


def test_a_killed_run_goes_on_as_if_unbroken(tmp_path):
    whole = fitted(tmp_path / "whole", epochs=4, image_augment="standard")

    def stop(share, score):
        if share >= 0.5:
            raise KeyboardInterrupt
        return ""

    broken = run_in(tmp_path / "broken", epochs=4, image_augment="standard", checkpoint_seconds=0.0)
    broken.judge = stop
    with pytest.raises(KeyboardInterrupt):
        YoloDetector(SMALL).fit(GIVEN, GIVEN, broken)
    resumed = fitted(tmp_path / "broken", epochs=4, image_augment="standard")
    same(resumed.answers(GIVEN.inputs), whole.answers(GIVEN.inputs))


@pytest.mark.parametrize(("rows", "batch", "epochs"), [(8, 4, 300), (240, 10, 63), (5000, 32, 30)])
def test_few_pictures_are_passed_over_more_often_in_smaller_steps(rows, batch, epochs):
    chosen = YoloDetector.completed(Settings(), rows)
    assert (chosen.batch_size, chosen.epochs, chosen.learning_rate) == (batch, epochs, YoloDetector.learning_rate)
    assert YoloDetector.completed(Settings(epochs=3, batch_size=2, learning_rate=0.5), rows).epochs == 3


def test_the_loss_of_a_step_is_that_of_its_passes(tmp_path):
    made = fitted(tmp_path, epochs=1)
    seen = Framed.of(GIVEN, made.frame, None, made.proposals)
    learner = SceneLearner(made, seen, seen, Settings(image_augment="none", precision="fp32"))
    made.model.eval()
    with torch.no_grad():
        whole = float(learner.loss(np.arange(4)))
        parts = sum(float(learner.loss(np.array([row]))) for row in range(4))
    assert whole == pytest.approx(parts, rel=0.5)
    assert learner.score() == mean_precision(made.answers(GIVEN.inputs), GIVEN.answers)


def test_guesses_are_the_surest_of_every_class():
    sure = torch.tensor([[0.9, 0.001], [0.3, 0.5]])
    found = Guess.of(torch.arange(8.0).reshape(2, 4), sure)
    torch.testing.assert_close(found.scores, torch.tensor([0.9, 0.5, 0.3]))
    assert found.labels.tolist() == [0, 1, 0]
    assert found.places[:, 0].tolist() == [0, 4, 4]
    own = Guess.of(torch.arange(16.0).reshape(2, 2, 4), sure)
    assert own.places[:, 0].tolist() == [0, 12, 8]
