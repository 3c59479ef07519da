"""What image classification does with its settings, beside what the contract asks of all tasks."""

import numpy as np
import pytest
from PIL import Image
from tests.contract.pictures import stripes
from tests.tiny import make_vit

import headwater
from headwater.data.pictures import Picture, glance
from headwater.data.reading import read
from headwater.errors import NotFoundError, SettingError
from headwater.run import Run
from headwater.settings import Settings
from headwater.vision.classification.task import ImageClassification


def test_two_image_columns_are_refused():
    table = {**stripes(20), "other": stripes(20)["image"]}
    with pytest.raises(SettingError, match=r"An image is one column\. Got .*Name one column"):
        headwater.adapt("image-classification", table, model="pixels-logistic", image=("image", "other"))


def test_copies_are_not_made_beforehand(tmp_path):
    task = ImageClassification("pixels-logistic")
    with pytest.raises(SettingError, match="Copies of images are not made before the learning"):
        task.augment([Picture(content=stripes(1)["image"][0])], "word-swap", 0, Run(Settings(), tmp_path))


def test_a_setting_of_texts_is_refused():
    with pytest.raises(SettingError, match="max_length"):
        headwater.adapt("image-classification", stripes(20), model="pixels-logistic", max_length=32)


@pytest.mark.parametrize(("name", "value"), [("strategy", "lora"), ("last_layers", 1), ("lora_rank", 4)])
def test_a_setting_of_foundations_is_refused_by_a_basic_model(name, value):
    sentence = (
        rf"model pixels-logistic: {name} has no part with this model\. Got .*Leave --{name.replace('_', '-')} out"
    )
    with pytest.raises(SettingError, match=sentence):
        headwater.adapt("image-classification", stripes(20), model="pixels-logistic", **{name: value})


def test_a_model_of_texts_is_not_found():
    with pytest.raises(NotFoundError, match="minilm"):
        headwater.adapt("image-classification", stripes(20), model="minilm-of-nobody", offline=True)


def test_pretraining_does_not_go_on_for_images(tmp_path):
    table = stripes(60)
    for row, content in enumerate(table["image"][40:]):
        (tmp_path / "more").mkdir(exist_ok=True)
        (tmp_path / "more" / f"{row}.png").write_bytes(content)
    given = {"unlabelled": str(tmp_path / "more"), "unlabelled_method": "pretraining", "strategy": "probe"}
    some = {name: cells[:40] for name, cells in table.items()}
    with pytest.raises(SettingError, match="The pretraining that can go on is that of masked language models"):
        headwater.adapt("image-classification", some, model=str(make_vit(tmp_path / "vit")), **given)


def test_files_of_16_bits_are_answered_with_the_white_of_the_training_rows(tmp_path):
    def frame(row, most):
        numbers = np.kron(np.random.default_rng(row).integers(0, 700, (4, 4)), np.ones((4, 4))).astype(np.uint16)
        numbers[8, 8] = most
        file = tmp_path / f"{row}-{most}.png"
        Image.fromarray(numbers).save(file)
        return str(file)

    table = {"image": [frame(row, 1500 + row) for row in range(60)], "label": ["across", "down"] * 30}
    made = headwater.adapt("image-classification", table, model="pixels-logistic", to=tmp_path / "run")
    dark, light = frame(61, 1000), frame(61, 2000)
    picture, other = made.field.values(read({"image": [dark, light]}, Settings()))[0]
    assert picture.white == other.white == made.field.white == 4095
    assert abs(glance(picture).colour[0] - glance(other).colour[0]) <= 1
    again = headwater.load(tmp_path / "run")
    assert again.field == made.field
    assert again.predict([dark]).probabilities.tolist() == made.predict([dark]).probabilities.tolist()


def test_an_archive_of_classes_is_learnt_and_answered(tmp_path):
    import zipfile

    table = stripes(60)
    with zipfile.ZipFile(tmp_path / "rows.zip", "w") as archive:
        for row, (content, label) in enumerate(zip(*table.values(), strict=True)):
            archive.writestr(f"rows/{label}/{row}.png", content)
    app = headwater.adapt("image-classification", tmp_path / "rows.zip", model="pixels-logistic", to=tmp_path / "run")
    assert app.report.metrics["accuracy"].value > 0.9
    loaded = headwater.load(tmp_path / "run")
    assert loaded.predict([np.full((9, 9), 7, np.uint8)]).labels[0] in ("good", "bad")
    assert "there is no such file" in str(loaded.predict([str(tmp_path / "nowhere.png")]).reasons[0])


def test_alterations_are_refused_where_nothing_would_be_altered():
    with pytest.raises(SettingError, match=r"image_augment has no part with this model\. Got 'strong'.*Leave --im"):
        headwater.adapt("image-classification", stripes(20), model="pixels-logistic", image_augment="strong")


def test_the_plan_augment_leaves_altering_to_the_steps(tmp_path):
    rows = stripes(100)
    for row, (content, label) in enumerate(zip(*rows.values(), strict=True)):
        folder = tmp_path / ("here" if row < 50 else "there") / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row}.png").write_bytes(content)
    given = {"source": str(tmp_path / "there"), "plan": "augment", "offline": True}
    found = headwater.adapt("image-classification", tmp_path / "here", model="pixels-logistic", **given)
    assert found.report.plan["name"] == "augment"
    assert not found.report.augmentation
