"""The configuration file: read, refused, and written so that it reads back."""

import pytest
import yaml
from tests.cli.commands import type_in

from headwater.doors import config
from headwater.errors import NotFoundError, SettingError
from headwater.options import build
from headwater.settings import Settings


def test_read_gives_arguments_settings_and_the_models_own(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("task: text-classification\ndata: a.csv\nto: null\nepochs: 3\nmodel_settings: {hidden: 64}\n")
    assert config.read(file) == {"task": "text-classification", "data": "a.csv", "epochs": 3, "hidden": 64}


def test_an_unknown_key_names_the_file_and_the_nearest(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("epoch: 3\n")
    with pytest.raises(
        SettingError, match=r"run.yaml: There is no setting of this name. Got 'epoch'. Did you mean epochs"
    ):
        config.read(file)


def test_a_key_of_a_model_is_sent_to_its_place(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("qqqq: 3\n")
    with pytest.raises(SettingError, match="Settings of the model itself belong under model_settings"):
        config.read(file)


def test_model_settings_are_names_and_values(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("model_settings: 3\n")
    with pytest.raises(SettingError, match=r"model_settings is a mapping of names to values. Got 3"):
        config.read(file)


def test_a_wrong_value_names_the_file(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("epochs: 0\n")
    with pytest.raises(SettingError, match=r"run.yaml: epochs cannot have this value. Got 0. Accepted: 1 to 10000"):
        config.read(file)


def test_a_missing_file_is_said_by_the_verb(tmp_path):
    with pytest.raises(NotFoundError, match="There is no configuration file here"):
        config.read(tmp_path / "run.yaml")


def test_what_config_prints_reads_back_to_the_defaults(tmp_path):
    result = type_in("config", "text-classification", "--model", "tfidf-logistic")
    assert result.exit_code == 0, result.output
    file = tmp_path / "run.yaml"
    file.write_text(result.stdout)
    values = config.read(file)
    assert (values["task"], values["model"]) == ("text-classification", "tfidf-logistic")
    settings = {name: value for name, value in yaml.safe_load(result.stdout).items() if name in vars(Settings())}
    assert build(Settings, settings) == Settings()
    assert "# The seed of every random choice." in result.stdout
