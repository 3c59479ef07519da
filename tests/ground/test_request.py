"""A request says the same as arguments, YAML or an unfinished run's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.errors import DataError, NotFoundError, SettingError
from headwater.request import Request, ranking_request, read_config


def test_yaml_reads_back_to_the_same_request(tmp_path: Path) -> None:
    request = Request.of("text-classification", "a.csv", "lstm", {"epochs": 3, "bidirectional": False})
    (tmp_path / "run.yaml").write_text(request.to_yaml(head=("again",)), "utf-8")
    assert Request.from_yaml(tmp_path / "run.yaml") == request


@pytest.mark.parametrize(
    ("content", "kind", "sentence"),
    [
        ("epochs: 3\n", SettingError, "names no task"),
        ("- a\n", DataError, "is not a list of `name: value` lines. Got ['a']. See one with: headwater config TASK"),
        ("a: [\n", DataError, "is not readable YAML"),
        ("task: text-classification\nepoch: 3\n", SettingError, "Did you mean epochs?"),
        ("task: text-clasification\n", NotFoundError, "Did you mean text-classification"),
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


def test_a_models_own_settings_take_the_type_of_their_field() -> None:
    request = Request.of("text-classification", "a.csv", "lstm", {"hidden": "64", "bidirectional": "no"})
    assert request.model_settings == {"hidden": 64, "bidirectional": False}


@pytest.mark.parametrize("task", ["object-detection", "image-features"])
def test_a_model_of_another_task_says_of_which_it_is(task: str) -> None:
    with pytest.raises(
        NotFoundError, match=rf"lenet is a model of image-classification; {task} has \w+, .*Got 'lenet'"
    ):
        Request.of(task, "x.csv", "lenet", {"filters": 3})


def test_a_folder_may_be_called_as_a_model_of_another_task_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lenet").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Request.of("object-detection", "x.csv", "lenet", {}).model == "lenet"


def test_settings_of_another_kind_of_input_are_refused() -> None:
    with pytest.raises(SettingError, match="text has a part only with tasks of the field Text or Item; image"):
        Request.of("image-classification", "a.csv", "pixels-logistic", {"text": "body"})
    assert Request.of("image-classification", "a.csv", "pixels-logistic", {"text": None}).changed() == {}


def test_a_run_writes_the_settings_of_its_task_alone(tmp_path: Path) -> None:
    request = Request.of("image-classification", "a.csv", "pixels-logistic", {"seed": 3})
    (tmp_path / "run.yaml").write_text(request.to_yaml(), "utf-8")
    assert "max_length" not in (tmp_path / "run.yaml").read_text("utf-8")
    assert Request.from_yaml(tmp_path / "run.yaml") == request


def test_read_gives_arguments_settings_and_the_models_own(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("task: text-classification\ndata: a.csv\nto: null\nepochs: 3\nmodel_settings: {hidden: 64}\n")
    assert read_config(file) == {"task": "text-classification", "data": "a.csv", "epochs": 3, "hidden": 64}


def test_an_unknown_key_names_the_file_and_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("epoch: 3\n")
    with pytest.raises(
        SettingError, match=r"run.yaml: There is no setting of this name. Got 'epoch'. Did you mean epochs"
    ):
        read_config(file)


def test_a_key_of_a_model_is_sent_to_its_place(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("qqqq: 3\n")
    with pytest.raises(SettingError, match="Settings of the model itself belong under model_settings"):
        read_config(file)


def test_model_settings_are_names_and_values(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("model_settings: 3\n")
    with pytest.raises(SettingError, match=r"model_settings is a mapping of names to values. Got 3"):
        read_config(file)


def test_what_belongs_to_the_run_is_not_taken_for_a_model_setting(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("model_settings: {resume: 1, data: x, hidden: 8}\n")
    with pytest.raises(SettingError, match=r"These are no settings of the model, .*\['resume', 'data'\]"):
        read_config(file)


def test_a_wrong_value_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("epochs: 0\n")
    with pytest.raises(SettingError, match=r"run.yaml: epochs cannot have this value. Got 0. Accepted: 1 to 10000"):
        read_config(file)


@pytest.mark.parametrize("line", ["task: 5", "data: [a.csv]", "model: 1.5", "to: {a: b}"])
def test_arguments_are_texts(tmp_path: Path, line: str) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(f"{line}\n")
    with pytest.raises(SettingError, match=r"run.yaml: \w+ cannot have this value. Got .* Accepted: text"):
        read_config(file)


def test_rank_says_which_tasks_it_is_for() -> None:
    with pytest.raises(
        SettingError, match=r"rank compares models that name the class of a whole row\. Got 'object-det"
    ):
        ranking_request("object-detection", "a.jsonl", 100, {})


def test_a_models_own_setting_may_have_the_name_of_a_run_setting_of_other_data(tmp_path):
    asked = Request.of("recommendation", "r.csv", "hybrid", {"encoder": "none", "seed": 3})
    assert asked.settings.encoder is None
    assert dict(asked.model_settings) == {"encoder": None}
    assert asked.command().endswith("--model hybrid --seed 3 --set encoder=none")
    config = tmp_path / "hybrid.yaml"
    config.write_text(asked.to_yaml(), "utf-8")
    assert Request.from_yaml(config) == asked
    with pytest.raises(SettingError, match="encoder has a part only with tasks of the field Action"):
        Request.of("recommendation", "r.csv", "ease", {"encoder": "minilm"})
