"""Every verb as a user types it: what it says, what it leaves, and with which status it ends."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest
from tests.cli.commands import read_table, type_in

import headwater
from headwater import flow, workspace
from headwater.errors import DataError
from headwater.request import Request


def headwater_process(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "headwater", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONUTF8": "1", **environment},
        check=False,
    )


def test_adapt_says_what_it_measured_and_what_to_type_next(adapted):
    folder, result = adapted
    assert result.exit_code == 0, result.output
    assert "Accuracy" in result.stdout
    assert "majority" in result.stdout
    assert f"Report: {folder}/report.html" in result.stdout
    assert f"headwater predict {folder} DATA" in result.stdout
    assert (folder / "report.html").exists()


def test_adapt_takes_everything_from_a_config_and_flags_overrule_it(reviews, tmp_path):
    config = tmp_path / "run.yaml"
    config.write_text(
        f"task: text-classification\ndata: {reviews}\nmodel: tfidf-svm\n"
        f"seed: 3\ntest_share: 0.3\nto: {tmp_path / 'x'}\n"
    )
    result = type_in("adapt", "--config", config, "--to", tmp_path / "run", "--seed", 5)
    assert result.exit_code == 0, result.output
    manifest = json.loads((tmp_path / "run" / "application.json").read_text())
    assert (manifest["model"], manifest["settings"]["seed"], manifest["settings"]["test_share"]) == (
        "tfidf-svm",
        5,
        0.3,
    )
    assert not (tmp_path / "x").exists()


def test_adapt_without_a_folder_names_one_after_the_data(reviews, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for expected in ("runs/reviews", "runs/reviews-2"):
        result = type_in("adapt", "text-classification", reviews, "--model", "tfidf-logistic")
        assert result.exit_code == 0, result.output
        assert (tmp_path / expected / "application.json").exists()


def test_resume_without_task_goes_on_from_the_folder(run):
    result = type_in("adapt", "--resume", "--to", run)
    assert result.exit_code == 2
    assert "This run is finished" in result.stderr


def test_resume_without_task_says_which_setting_differs_and_takes_those_that_do_not(reviews, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(workspace, "finish", stop)
        type_in("adapt", "text-classification", reviews, "--model", "tfidf-logistic", "--seed", 3, "--to", folder)
    unfinished = type_in("report", folder)
    assert unfinished.exit_code == 2
    assert f"Go on with: headwater adapt --resume --to {folder}" in unfinished.stderr
    refused = type_in("adapt", "--resume", "--to", folder, "--epochs", 5)
    assert refused.exit_code == 2
    assert "these differ. Got {'epochs': 5}. Accepted: {'epochs': None}. Resume with --resume and" in refused.stderr
    result = type_in("adapt", "text-classification", "--resume", "--to", folder, "--seed", 3)
    assert result.exit_code == 0, result.output


def test_the_command_of_a_request_is_heard_as_the_request(monkeypatch):
    settings = {
        "text": ("left side", "right"), "target": ("label",), "delimiter": "-", "budget": "10m", "offline": True,
        "feature_cache": False, "valid_share": 0.25, "epochs": 3, "hidden": 32, "bidirectional": False,
    }  # fmt: skip
    asked, heard = Request.of("text-classification", "my rows.csv", "lstm", settings), []

    def adapt(task, data, *, model, to, resume, **values):
        heard.append(Request.of(task, data, model, values))
        raise DataError("That is enough")

    monkeypatch.setattr(flow, "adapt", adapt)
    assert "That is enough" in type_in(*shlex.split(asked.command())[1:]).stderr
    assert heard == [asked]


@pytest.mark.parametrize(("stage", "begun"), [("hashes_of", False), ("finish", True)])
def test_ctrl_c_says_how_to_go_on_once_there_is_something_to_go_on_with(reviews, tmp_path, monkeypatch, stage, begun):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(workspace, stage, stop)
    folder = tmp_path / "my run"
    result = type_in("adapt", "text-classification", reviews, "--model", "tfidf-logistic", "--to", folder)
    assert result.exit_code != 0
    assert "Stopped." in result.stderr
    assert (f"Go on with: headwater adapt --resume --to '{folder}'" in result.stderr) == begun


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["adapt"], "adapt needs TASK. See the tasks with: headwater catalog"),
        (["adapt", "text-classification"], "adapt needs DATA. Give a file or a folder."),
        (["adapt", "control"], "adapt needs DATA. Give an environment: an id of Gymnasium, or module:Class."),
        (["play", "runs/x", "--seed", "-1"], "Invalid value for '--seed'"),
        (["adapt", "--resume"], "--resume needs the folder of the run. Add --to FOLDER."),
        (["adapt", "text-clasification", "x.csv"], "Did you mean text-classification"),
        (["adapt", "text-classification", "x.csv", "--epochs", "five"], "epochs cannot have this value. Got 'five'."),
        (["adapt", "text-classification", "x.csv", "--set", "five"], "--set: A model setting needs a name and a value"),
        (["adapt", "text-classification", "x.csv", "--targt", "y"], "Did you mean --target"),
        (["adpat"], "Did you mean 'adapt'?"),
        (["predict", "nowhere"], "predict needs either DATA or --say TEXT, and not both"),
        (["predict", "nowhere", "--say", "x"], "There is no headwater application here"),
        (["evaluate", "nowhere", "x.csv"], "There is no headwater application here"),
        (["report", "nowhere"], "There is no report here"),
        (["catalog", "nothing"], "There is no task of this name"),
        (["config", "nothing"], "There is no task of this name"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(words, sentence):
    result = type_in(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in result.stderr


def test_predict_writes_one_row_for_every_row(run, tmp_path):
    questions = tmp_path / "new.csv"
    questions.write_text('id,review\na,"wonderful, a joy"\nb,\nc,dull and terrible\n')
    result = type_in("predict", run, questions, "--to", tmp_path / "out.csv", "--keep", "id")
    assert result.exit_code == 0, result.output
    unread = "1 without an answer, the first: row 2, the text in column review is missing"
    assert result.stdout == f"3 rows written to {tmp_path / 'out.csv'}, {unread}\n"
    rows = read_table(tmp_path / "out.csv")
    assert list(rows[0]) == ["row", "id", "prediction", "confidence", "reason", "probability:bad", "probability:good"]
    assert [(row["row"], row["id"], row["prediction"]) for row in rows] == [
        ("1", "a", "good"),
        ("2", "b", ""),
        ("3", "c", "bad"),
    ]
    assert "missing" in rows[1]["reason"]


def test_predict_without_a_file_shows_the_first_rows(run, reviews):
    result = type_in("predict", run, reviews, "--keep", "label")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["row", "label", "prediction", "confidence"]
    assert len(lines) == 11


def test_predict_answers_for_texts_typed_here(run):
    result = type_in("predict", run, "--say", "wonderful, a joy", "--say", "[bold]dull")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].split() == ["text", "prediction", "confidence"]
    assert "good" in result.stdout.splitlines()[1]
    assert "[bold]dull" in result.stdout


def test_predict_refuses_an_unknown_column_and_leaves_no_file(run, reviews, tmp_path):
    result = type_in("predict", run, reviews, "--keep", "labl", "--to", tmp_path / "out.csv")
    assert result.exit_code == 2
    assert "Did you mean label?" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_predict_never_replaces_the_data(run, tmp_path):
    questions = tmp_path / "new.csv"
    questions.write_text("review\nwonderful\n")
    result = type_in("predict", run, questions, "--to", questions)
    assert result.exit_code == 2
    assert "The answers would replace the data" in result.stderr
    assert questions.read_text() == "review\nwonderful\n"


def test_predict_answers_what_it_can_of_a_long_file_that_names_its_column_late(run, tmp_path):
    questions = tmp_path / "new.jsonl"
    questions.write_text('{"id": 1}\n' * 8192 + '{"id": 2, "review": "wonderful, a joy"}\n')
    result = type_in("predict", run, questions, "--keep", "review", "--to", tmp_path / "out.parquet")
    assert result.exit_code == 0, result.output
    assert "8,193 rows written" in result.stdout
    assert "8192 without an answer, the first: row 1, the text in column review is missing" in result.stdout
    rows = pyarrow.parquet.read_table(tmp_path / "out.parquet").select(["review", "prediction"]).to_pylist()
    assert (rows[0], rows[-1]) == (
        {"review": None, "prediction": None},
        {"review": "wonderful, a joy", "prediction": "good"},
    )


def test_predict_refuses_a_file_without_its_column(run, tmp_path):
    questions = tmp_path / "new.jsonl"
    questions.write_text('{"id": 1}\n' * 8193)
    result = type_in("predict", run, questions, "--to", tmp_path / "out.csv")
    assert result.exit_code == 2
    assert "There is no column of this name. Got 'review'." in result.stderr


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
@pytest.mark.parametrize(("flag", "offline"), [("--offline", [True]), ("--no-offline", [False]), (None, [False])])
def test_a_verb_that_reads_may_be_kept_from_the_network(run, monkeypatch, verb, flag, offline):
    asked = []

    def read(source, *, offline):
        asked.append(offline)
        raise DataError("no such data set", where=source)

    monkeypatch.setattr("headwater.data.hub.read_hub", read)
    assert type_in(verb, run, "hub:owner/tiny", *([flag] if flag else [])).exit_code == 2
    assert asked == offline


@pytest.mark.parametrize("name", ["row", "prediction", "probability:good"])
def test_predict_refuses_to_keep_a_column_under_a_name_of_its_own(run, tmp_path, name):
    questions = tmp_path / "new.csv"
    questions.write_text(f"review,{name}\nwonderful,7\n")
    result = type_in("predict", run, questions, "--keep", name)
    assert result.exit_code == 2
    assert f"A kept column has the name of a column of answers. Got '{name}'. Rename it" in result.stderr


def test_evaluate_leaves_the_report_of_the_run_alone(run, reviews):
    before = (run / "report.json").read_bytes()
    result = type_in("evaluate", run, reviews, "--to", run)
    assert result.exit_code == 2
    assert "This folder holds an application and the report of how it was made" in result.stderr
    assert (run / "report.json").read_bytes() == before


def test_a_name_too_long_for_a_file_is_a_mistake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = type_in("adapt", "text-classification", "x" * 5000)
    assert result.exit_code == 2
    assert "The path cannot be used" in result.stderr


def test_evaluate_shows_intervals_and_writes_the_report(run, reviews, tmp_path):
    result = type_in("evaluate", run, reviews, "--to", tmp_path / "measured")
    assert result.exit_code == 0, result.output
    assert "Accuracy" in result.stdout
    assert {"report.json", "report.html"} <= {file.name for file in (tmp_path / "measured").iterdir()}


def test_evaluate_on_what_the_application_was_made_from_says_so(run, reviews, tmp_path):
    same, later = tmp_path / "renamed.csv", tmp_path / "later.csv"
    same.write_bytes(reviews.read_bytes())
    told = type_in("evaluate", run, same, "--to", tmp_path / "measured")
    assert "These rows took part in the making of the application" in told.stderr
    assert "the figures are optimistic" in told.stdout
    assert "the figures are optimistic" in (tmp_path / "measured" / "report.json").read_text()
    later.write_text("\n".join(reviews.read_text().splitlines()[:-1]))
    assert "optimistic" not in type_in("evaluate", run, later).output


def test_evaluate_knows_before_the_work_that_the_folder_cannot_be_written(run, reviews):
    result = type_in("evaluate", run, reviews, "--to", reviews)
    assert result.exit_code == 2
    assert "The folder cannot be written" in result.stderr


def test_report_shows_the_table_and_the_page(run):
    result = type_in("report", run)
    assert result.exit_code == 0, result.output
    assert "Accuracy" in result.stdout
    assert result.stdout.endswith(f"Report: {run}/report.html\n")


def test_catalog_lists_every_model():
    result = type_in("catalog")
    assert result.exit_code == 0
    for name in headwater.catalog.model_names("text-classification"):
        assert f"\n{name} " in result.stdout


def test_catalog_says_that_foundations_are_models_only_where_they_are():
    said = "A hub id, a local folder in hub format or a run folder is a model too."
    for task in headwater.catalog.TASKS:
        shown = " ".join(type_in("catalog", task.name).stdout.split())
        assert (said in shown) == (task.foundation is not None), task.name
        assert shown.endswith(f"Default: {task.default_model}")


def test_the_page_of_errors_shows_what_is_said():
    said = type_in("adapt", "text-classifcation", "reviews.csv").stderr.strip()
    assert said in (Path(__file__).parents[2] / "docs" / "errors.md").read_text("utf-8")


def test_version():
    assert type_in("--version").stdout == f"headwater {headwater.__version__}\n"


def test_no_verb_shows_the_help():
    result = type_in()
    assert result.exit_code == 2
    assert result.stdout.startswith("Usage: headwater")


def test_help_loads_no_heavy_library():
    heavy = ("torch", "transformers", "pandas", "sklearn", "pyarrow", "numpy", "rich")
    code = "import sys; sys.argv = ['headwater', 'adapt', '--help']; import atexit; from headwater.cli import main\n"
    code += (
        f"atexit.register(lambda: sys.stderr.write(repr([name for name in {heavy} if name in sys.modules])))\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "[]")
    assert "--learning-rate" in done.stdout


def test_a_process_ends_with_the_status_of_its_mistake():
    done = headwater_process("report", "nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_debug_shows_where_a_mistake_came_from():
    done = headwater_process("--debug", "report", "nowhere")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")


def test_a_reader_that_stops_early_is_no_error():
    writer = subprocess.Popen(
        [sys.executable, "-m", "headwater", "adapt", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    writer.stdout.close()
    assert b"Traceback" not in writer.stderr.read()
    writer.stderr.close()
    writer.wait()


def test_a_pipe_gets_no_colours(run):
    done = headwater_process("report", run, FORCE_COLOR="", TERM="xterm-256color")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr


def test_report_open_shows_the_page(run, monkeypatch):
    opened = []
    monkeypatch.setattr("typer.launch", opened.append)
    assert type_in("report", run, "--open").exit_code == 0
    assert opened == [(run / "report.html").resolve().as_uri()]
