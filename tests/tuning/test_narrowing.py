"""A search file: what it may say, and what is told of one that may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.tuning.searches import Fixed

from headwater.errors import DataError, HeadwaterError, NotFoundError, SettingError
from headwater.tuning.asked import Asked


def asked(search: Any, model: str = "minilm", **settings: Any) -> Asked:
    return Asked.of("text-classification", "rows.csv", model, {"search": search, **settings})


def test_a_file_narrows_widens_and_fixes(tmp_path: Path) -> None:
    file = tmp_path / "search.yaml"
    file.write_text("learning_rate: [1e-5, 2e-4]\nstrategy: [full, lora]\nepochs: 2\nclip: [0.5, 5]\n")
    found = asked(str(file))
    assert found.fixed == {"epochs": 2}
    low, high = (found.space.draw(Fixed(share), rows=100).values for share in (0.0, 1.0))
    assert (low["learning_rate"], high["learning_rate"], high["clip"]) == (1e-5, 2e-4, 5.0)
    assert {low["strategy"], high["strategy"]} == {"lora", "full"}
    assert "epochs" not in low
    assert Asked.from_json(found.to_json()).to_json() == found.to_json()


def test_yes_and_no_are_searched_as_names() -> None:
    found = asked({"bidirectional": [True], "layers": [1, 4]}, "lstm")
    choices = {one.name: one.choices for one in found.space.dimensions["lstm"]}
    assert choices["bidirectional"] == (True,)
    assert found.space.draw(Fixed(1.0), rows=100).values["layers"] == 4


@pytest.mark.parametrize(
    ("search", "sentence"),
    [
        (
            {"learning_rat": [1, 2]},
            r"nothing of this name that a search of these models varies.*Did you mean learning",
        ),
        (
            {"test_share": [0.1, 0.2]},
            r"that a search of these models varies. Got 'test_share'. Accepted: batch_",
        ),
        ({"epochs": [0, 3]}, r"search: epochs cannot have this value. Got 0. Accepted: 1 to 10000"),
        ({"epochs": ["few", "many"]}, r"epochs cannot have this value. Got 'few'"),
        ({"strategy": ["ful"]}, r"strategy cannot have this value. Got 'ful'.*Did you mean full\?"),
        (
            {"epochs": [3, 2]},
            r"epochs is searched between two values. Got \[3, 2\]. Accepted: the least and",
        ),
        ({"epochs": [1, 2, 3]}, r"epochs is searched between two values"),
        (
            {"batch_size": [8, 16]},
            r"A setting is either fixed or searched. Got .*32, 'searched': \[8, 16\]\}",
        ),
    ],
)
def test_a_wrong_range_is_a_sentence(search: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        asked(search, batch_size=32)


@pytest.mark.parametrize(
    ("content", "kind", "sentence"),
    [
        (None, NotFoundError, "There is no search file here"),
        ("a: [", DataError, "The search file is no YAML that can be read"),
        ("- 3", DataError, r"The search file is not a list of `name: range` lines. Got \[3\]"),
    ],
)
def test_a_file_that_is_none_is_a_sentence(
    tmp_path: Path, content: str | None, kind: type[HeadwaterError], sentence: str
) -> None:
    file = tmp_path / "search.yaml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(kind, match=sentence):
        asked(str(file))
