"""The configuration file that `headwater config` prints reads back."""

import subprocess
import sys

import pytest
import yaml
from tests.cli.commands import type_in

from headwater import catalog
from headwater.options import build, options_of
from headwater.request import Request, read_config
from headwater.settings import Settings


def test_what_config_prints_reads_back_to_the_defaults(tmp_path):
    result = type_in("config", "text-classification", "--model", "tfidf-logistic")
    assert result.exit_code == 0, result.output
    file = tmp_path / "run.yaml"
    file.write_text(result.stdout)
    values = read_config(file)
    assert (values["task"], values["model"]) == ("text-classification", "tfidf-logistic")
    settings = {name: value for name, value in yaml.safe_load(result.stdout).items() if name in vars(Settings())}
    assert build(Settings, settings) == Settings()
    assert "# The seed of every random choice." in result.stdout


def test_config_leaves_out_the_settings_of_other_inputs():
    for task in catalog.TASKS:
        written = yaml.safe_load(type_in("config", task.name, "--model", task.default_model).stdout)
        fitting = {option.name for option in options_of(Settings) if option.fits(task.fields)}
        assert written.keys() & vars(Settings()).keys() == fitting
        assert ("augment" in written) == ("Text" in task.inputs)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["text-classification"], "\nmodel: minilm\n"),
        (["semantic-segmentation", "--model", "some/hub-id"], "\n  tiles: auto\n"),
    ],
    ids=["embedded", "hub"],
)
def test_config_of_a_foundation_needs_no_extra(words, line):
    code = f"import sys; sys.argv = ['headwater', 'config', *{words}]; from headwater.cli import main\n"
    code += "sys.modules['torch'] = sys.modules['transformers'] = sys.modules['tokenizers'] = None\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert line in done.stdout


def test_the_settings_of_a_foundation_are_those_of_the_class_that_adapts_it():
    adapting = [task for task in catalog.TASKS if task.foundation]
    assert len(adapting) == 4
    for task in adapting:
        for name in [*(foundation.name for foundation in catalog.foundations(task.name)), "some/hub-id"]:
            assert catalog.model_settings(task.name, name) is catalog.model_class(task.name, name).Settings


def test_the_settings_of_a_foundation_read_back(tmp_path):
    written = type_in("config", "semantic-segmentation", "--model", "some/hub-id").stdout
    (tmp_path / "run.yaml").write_text(written.replace("tiles: auto", "tiles: 'no'"))
    asked = Request.from_yaml(tmp_path / "run.yaml")
    assert asked.model_settings == {"tiles": "no", "weighting": "auto", "averaged": 1, "dice": 0.5}
    assert "tiles='no'" in asked.command()
