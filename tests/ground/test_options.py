"""Settings describe, convert and check themselves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, ClassVar

import pytest
import yaml

from headwater.errors import SettingError
from headwater.options import Between, Duration, Of, OneOf, build, check_fields, options_of, plain, seconds, to_yaml
from headwater.settings import Settings


def test_every_setting_has_a_sentence_and_a_section() -> None:
    options = options_of(Settings)
    sections = [section for section, _ in groupby(option.section for option in options)]
    assert {"Data", "Source", "Learning", "Augmentation", "Computing", "Run"} <= set(sections)
    assert len(sections) == len(set(sections)), "a section stands in two places"
    assert all(option.sentence.endswith(".") and option.sentence[0].isupper() for option in options)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "5", 5),
        ("epochs", "none", None),
        ("augment", "none", None),
        ("augment", "word-dropout, mixup", ("word-dropout", "mixup")),
        ("learning_rate", "5e-5", 5e-5),
        ("learning_rate", 1, 1.0),
        ("offline", "yes", True),
        ("text", "premise,hypothesis", ("premise", "hypothesis")),
        ("target", ["a", "b"], ("a", "b")),
        ("budget", 600, "600"),
        ("delimiter", ";", ";"),
    ],
)
def test_texts_become_values(name: str, text: object, value: object) -> None:
    assert getattr(build(Settings, {name: text}), name) == value


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"epochs": 0}, r"settings: epochs cannot have this value\. Got 0\. Accepted: 1 to 10000\."),
        ({"epochs": True}, r"Got True\. Accepted: 1 to 10000\."),
        ({"epochs": "many"}, r"Got 'many'\. Accepted: 1 to 10000\."),
        ({"budget": "soon"}, r"budget cannot have this value\. Got 'soon'\. Accepted: a time such as 90s, 10m or 2h\."),
        ({"strategy": "prob"}, r"Got 'prob'\. Accepted: auto, probe, .*Did you mean probe\?"),
        ({"text": 3}, r"text cannot have this value\. Got 3\. Accepted: a list of text\."),
        ({"offline": "perhaps"}, r"Got 'perhaps'\. Accepted: true or false\."),
        ({"seed": None}, r"seed cannot have this value\. Got None\."),
        ({"epochs": 0, "clip": -1}, r"2 settings cannot have these values: epochs=0 \(accepted: 1 to 10000\); clip=-1"),
        ({"warmupp": "probe"}, r"There is no setting of this name\. Got 'warmupp'\. Did you mean warmup\?"),
        ({"zzz": 1}, r"Got 'zzz'\. Accepted: "),
    ],
)
def test_wrong_values_get_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        build(Settings, values)


def test_yaml_reads_back_to_the_same_settings() -> None:
    settings = build(Settings, {"epochs": 5, "text": "a,b", "budget": "10m", "learning_rate": 1e-5, "delimiter": "\t"})
    text = to_yaml(settings, head=("how to use it",))
    assert text.startswith("# how to use it\n")
    assert "# Passes over the training rows. (1 to 10000)\nepochs: 5\n" in text
    assert build(Settings, yaml.safe_load(text)) == settings
    assert build(Settings, plain(settings)) == settings


@pytest.mark.parametrize(("text", "expected"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("1d", 86400)])
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


def test_limits_say_what_they_admit() -> None:
    assert str(Between(1, None)) == "1 or more"
    assert str(Between(None, 1)) == "1 or less"
    assert not OneOf(("a",)).admits("b")
    assert not Duration().admits("10 minutes")


def test_a_setting_that_has_no_part_is_refused():
    with pytest.raises(SettingError) as told:
        build(Settings, {"plan": "joint"})
    assert str(told.value) == (
        "settings: plan has a part only with --source. Got 'joint'. Give --source, or leave --plan out."
    )
    given = {"unlabelled": "more.csv", "unlabelled_method": "coral", "self_training_rounds": 2}
    with pytest.raises(SettingError, match="self_training_rounds has a part only with --unlabelled-method self-train"):
        build(Settings, given)
    assert build(Settings, {"source": "other.csv", "verify": True}).verify


@dataclass(frozen=True)
class OfTwoKinds:
    """Settings of two kinds of input, of both, and of none."""

    section: ClassVar[str] = "Kinds"

    words: Annotated[int, Of("Text"), Between(1, 9), "Words."] = 3
    pixels: Annotated[int, Of("Image"), "Pixels."] = 8
    width: Annotated[int, Of("Text"), Of("Image"), "Width."] = 2
    seed: Annotated[int, "The seed."] = 0


def test_a_setting_knows_of_which_inputs_it_is():
    known = {option.name: option for option in options_of(OfTwoKinds)}
    assert {name: option.of for name, option in known.items()} == {
        "words": ("Text",), "pixels": ("Image",), "width": ("Text", "Image"), "seed": ()
    }  # fmt: skip
    assert [option.kinds for option in known.values()] == ["texts", "images", "texts and images", ""]
    assert [name for name, option in known.items() if option.fits(("Image",))] == ["pixels", "width", "seed"]
    assert known["words"].limit == Between(1, 9)
    assert {option.name for option in options_of(Settings) if "Text" in option.of} >= {"text", "max_length", "augment"}


def test_yaml_leaves_out_what_is_of_other_inputs():
    text = to_yaml(OfTwoKinds(), fields=("Image",))
    assert list(yaml.safe_load(text)) == ["pixels", "width", "seed"]
    assert list(yaml.safe_load(to_yaml(OfTwoKinds()))) == ["words", "pixels", "width", "seed"]


def test_a_setting_of_other_inputs_is_refused():
    check_fields(OfTwoKinds(words=3, pixels=9, width=5), "image-classification", ("Image",))
    with pytest.raises(SettingError) as told:
        check_fields(Settings(text=("title", "body")), "image-classification", ("Image",))
    assert str(told.value) == (
        "settings: text has a part only with tasks of the field Text or Item; image-classification is of Image. "
        "Got 'title,body'. Leave --text out."
    )
    with pytest.raises(
        SettingError, match="width has a part only with tasks of the field Text or Image; x is of Series"
    ):
        check_fields(OfTwoKinds(width=5), "x", ("Series",))
