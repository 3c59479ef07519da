"""The configuration file that `headwater config` prints reads back."""

import yaml
from tests.cli.commands import type_in

from headwater.options import build
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
