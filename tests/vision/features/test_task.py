import numpy as np
import pytest
from tests.vision.features.patterns import patterns
from tests.vision.shapes import stripes

import headwater
from headwater.data.duplicates import clusters
from headwater.data.pictures import Picture
from headwater.errors import DataError, NotFoundError, SettingError
from headwater.settings import Settings
from headwater.vision.features.task import ImageFeatures

FAST = {"epochs": 1, "batch_size": 16, "image_size": 16, "device": "cpu"}
SMALL = {"width": 8, "projection": 16}
IMAGES = list(patterns(40))


def fitted(data, valid=None, **settings):
    return ImageFeatures("simclr", Settings(**FAST, **settings), **SMALL).fit(data, valid)


@pytest.fixture(scope="module")
def application():
    return fitted(IMAGES)


def test_a_column_of_labels_changes_nothing_that_is_learnt(application):
    labels = ["ant", "bee"] * 20
    labelled = fitted({"image": IMAGES, "label": labels})
    for one, other in zip(labelled.predict(IMAGES[:3]).labels, application.predict(IMAGES[:3]).labels, strict=True):
        assert one == other
    assert "label_by_neighbours" in labelled.evaluate({"image": IMAGES, "label": labels}).metrics
    assert "label_by_neighbours" not in labelled.evaluate(IMAGES).metrics
    assert "label_by_neighbours" not in labelled.evaluate({"image": IMAGES, "label": ["ant"] * 40}).metrics
    assert "label_by_neighbours" not in labelled.evaluate({"image": IMAGES[:19], "label": labels[:19]}).metrics


def test_labels_are_looked_at_under_the_name_that_is_given():
    rows = {"image": IMAGES, "insect": [*["ant", "bee"] * 19, None, None], "label": list(range(40))}
    report = fitted(rows, target=("insect",)).evaluate(rows)
    assert 0 <= report.metrics["label_by_neighbours"].value <= 1
    with pytest.raises(NotFoundError, match="no column of this name"):
        fitted(rows, target=("insekt",))


def test_an_answer_is_a_row_of_features_or_a_reason(application):
    found = application.predict([IMAGES[0], None, IMAGES[1]])
    assert [None if answer is None else len(answer) for answer in found.labels] == [64, None, 64]
    assert found.reasons == [None, "the image in column image is missing", None]
    table = found.to_arrow()
    assert str(table.schema.field("prediction").type) == "list<item: float>"
    assert table.column("prediction").null_count == 1


def test_the_report_tells_how_rows_were_divided_without_a_target(tmp_path, caplog):
    with caplog.at_level("INFO", logger="headwater"):
        found = headwater.adapt("image-features", IMAGES, model="simclr", to=tmp_path / "run", **FAST, **SMALL)
    assert found.report.split["rule"] == "random"
    assert found.report.audit["classes"] == {}
    assert found.report.audit["unlabelled"] == 40
    assert "target   none: what is learnt is learnt from the inputs alone" in caplog.text
    assert "classes  " not in caplog.text
    assert [one.name for one in found.trace.stages] == ["untrained network", "small pixels", "1 epoch"]
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "Other view found" in page


def test_frames_of_one_film_are_no_copies():
    # A bright column that wanders over the same ground: near copies all, and of labels that do not exist.
    frames = np.full((30, 16, 64, 3), 30, np.uint8)
    for place, frame in enumerate(frames):
        frame[:8] = 200
        frame[:, 2 * place : 2 * place + 1] = 220
    assert len(np.unique(clusters([Picture.of(frame) for frame in frames]))) < 10
    found = fitted(list(frames)).evaluate(list(frames))
    assert found.rows == {"test": 30}
    assert fitted(list(frames[:20]), list(frames[20:])).fitted
    with pytest.raises(DataError, match="20 rows, of which only 1 are no copies of others, leave too few valid rows"):
        fitted([frames[0]] * 20)


@pytest.mark.parametrize("strategy", ["probe", "lora", "last-layers", "full", "auto"])
def test_a_classification_starts_from_what_was_learnt(strategy, tmp_path):
    folder = tmp_path / "eyes"
    headwater.adapt("image-features", IMAGES, model="simclr", to=folder, **FAST, **SMALL)
    pixels, targets = stripes(40)
    rows = {"image": list(pixels), "label": [("lies", "stands")[target] for target in targets]}
    found = headwater.adapt(
        "image-classification", rows, model=str(folder), strategy=strategy, epochs=1, batch_size=16, device="cpu"
    )
    assert found.classifier.encoder.reading.side == 16
    assert set(found.predict(list(pixels[:4])).labels) <= {"lies", "stands"}
    assert found.report.strategy == strategy


def test_the_model_and_what_it_has_to_beat_are_measured_on_the_same_views_of_the_same_images():
    made = fitted(IMAGES[:30], IMAGES[30:])
    *baselines, own = made.trace.stages
    measured = made.evaluate(IMAGES[30:])
    told = {one.name: one.score for one in baselines}
    assert own.score == measured.metrics["other_view_found"].value
    assert told == {name: values["other_view_found"].value for name, values in measured.baselines.items()}
    assert own.seconds > 0


def test_too_few_images_are_refused(application):
    with pytest.raises(DataError, match="too few images to learn from and to choose by"):
        fitted(IMAGES[:10], IMAGES[:1])
    with pytest.raises(DataError, match="Features are measured among two images or more"):
        application.evaluate(IMAGES[:1])


def test_what_has_no_part_in_it_is_refused():
    with pytest.raises(SettingError, match="image_augment has no part with this model"):
        fitted(IMAGES, image_augment="strong")
    with pytest.raises(SettingError, match="has a part only with tasks of the field"):
        fitted(IMAGES, imbalance="weights")
    with pytest.raises(SettingError, match="Copies of images are not made before the learning"):
        ImageFeatures().augment([], "mixup", 0, None)


def test_it_is_compared_with_other_images(application):
    other = [255 - image // 2 for image in IMAGES]
    found = headwater.compare(IMAGES, other, task="image-features", model="simclr", image_size=16)
    assert found.differs is True
    assert application.origin() is None
    assert len(application.reading(IMAGES).numbers) == 0
    assert np.isfinite(application.marks(headwater.data.reading.read(IMAGES, application.settings)).score)
