"""Settings become flags: names, help, and what reaches the command."""

import pytest
import typer
from tests.cli.commands import type_in
from typer.testing import CliRunner

from headwater.doors.flags import assignments, with_flags
from headwater.errors import SettingError
from headwater.options import options_of
from headwater.settings import Settings


def given(*words):
    """The settings that a command with flags receives."""
    received = {}
    app = typer.Typer()

    @app.command()
    @with_flags(Settings)
    def command(**settings):
        received.update(settings)

    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return received


def test_only_what_was_given_arrives():
    assert given() == {}
    assert given("--epochs", "3", "--offline") == {"epochs": "3", "offline": True}
    assert given("--no-feature-cache") == {"feature_cache": False}


def test_several_names_come_as_several_flags_or_one_text():
    assert given("--text", "title", "--text", "body") == {"text": ["title", "body"]}
    assert given("--text", "title,body") == {"text": "title,body"}


def test_settings_of_the_model_arrive_beside_the_others():
    assert given("--set", "hidden=64", "--set", "max-norm=3", "--seed", "1") == {
        "seed": "1",
        "hidden": "64",
        "max_norm": "3",
    }


def test_help_has_every_setting_under_its_heading():
    shown = " ".join(type_in("adapt", "--help").stdout.split())
    for option in options_of(Settings):
        assert option.flag in shown
        assert f" {option.section}:" in shown
    assert "Rows in one optimiser step, over all processes. (1 to 65536; default 32)" in shown


def test_help_says_of_which_inputs_a_setting_is():
    shown = " ".join(type_in("adapt", "--help").stdout.split())
    assert "Altered copies of each training row. (texts; 1 to 100; default 1)" in shown
    assert "two make a text pair. Found by its content if not given. (texts and items)" in shown
    assert "What suits the images and the model if not given. (images and items; 16 to 1024)" in shown


@pytest.mark.parametrize("pair", ["hidden", "=3"])
def test_a_setting_without_name_or_value_is_refused(pair):
    with pytest.raises(SettingError, match=r"A model setting needs a name and a value. Got .*Accepted: NAME=VALUE"):
        assignments([pair])


@pytest.mark.parametrize(
    ("pair", "fix"),
    [
        ("resume=1", "--resume"),
        ("data=x", "DATA"),
        ("task=x", "TASK"),
        ("model=lstm", "--model"),
        ("to=x", "--to"),
        ("config=x", "--config"),
        ("learning-rate=1", "--learning-rate"),
    ],
)
def test_a_name_of_the_command_is_no_setting_of_the_model(pair, fix):
    result = type_in("adapt", "text-classification", "x.csv", "--set", pair)
    assert result.exit_code == 2
    got = pair.replace("-", "_")
    assert f"--set: The model itself has no setting of this name, the command has. Got '{got}'." in result.stderr
    assert result.stderr.endswith(f"Give it as {fix}.\n")
