"""The configuration file that `headwater config` prints reads back."""

import subprocess
import sys

import yaml
from tests.cli.commands import type_in

from headwater import catalog
from headwater.options import build, options_of
from headwater.request import read_config
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


def test_config_of_a_foundation_needs_no_extra():
    code = "import sys; sys.argv = ['headwater', 'config', 'text-classification']; from headwater.cli import main\n"
    code += "sys.modules['torch'] = sys.modules['transformers'] = sys.modules['tokenizers'] = None\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nmodel: minilm\n" in done.stdout


def test_the_settings_of_a_foundation_are_those_of_the_class_that_adapts_it():
    for task in catalog.TASKS:
        for foundation in catalog.foundations(task.name):
            adapting = catalog.model_class(task.name, foundation.name)
            assert catalog.model_settings(task.name, foundation.name) is adapting.Settings
