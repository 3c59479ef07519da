"""A request says the same as arguments, YAML or an unfinished run's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.errors import DataError, NotFoundError, SettingError
from headwater.request import Request


def test_yaml_reads_back_to_the_same_request(tmp_path: Path) -> None:
    request = Request.of("text-classification", "a.csv", "lstm", {"epochs": 3, "bidirectional": False})
    (tmp_path / "run.yaml").write_text(request.to_yaml(head=("again",)), "utf-8")
    assert Request.from_yaml(tmp_path / "run.yaml") == request


@pytest.mark.parametrize(
    ("content", "kind", "sentence"),
    [
        ("epochs: 3\n", SettingError, "names no task"),
        ("- a\n", DataError, "is not a list of `name: value` lines"),
        ("a: [\n", DataError, "is not readable YAML"),
        ("task: text-classification\nepoch: 3\n", SettingError, "Did you mean epochs?"),
        ("task: text-clasification\n", NotFoundError, "Did you mean text-classification?"),
    ],
)
def test_wrong_files_get_a_sentence(tmp_path: Path, content: str, kind: type[Exception], sentence: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(content)
    with pytest.raises(kind) as caught:
        Request.from_yaml(path)
    assert sentence in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no configuration file here"):
        Request.from_yaml(tmp_path / "no.yaml")


def test_a_model_refuses_what_it_does_not_have() -> None:
    with pytest.raises(SettingError, match=r"model tfidf-logistic: There is no setting of this name\. Got 'hidden'"):
        Request.of("text-classification", "a.csv", "tfidf-logistic", {"hidden": 3})
