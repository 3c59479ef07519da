"""`headwater rank` as a user types it."""

import json

import pytest
from tests.cli.commands import type_in

from headwater import flow


def test_rank_says_which_model_to_take_and_what_to_type_next(reviews, tmp_path):
    folder = tmp_path / "ranking"
    result = type_in("rank", reviews, "--models", "tfidf-svm,nothing", "--models", "tfidf-logistic", "--to", folder,
                     "--target", "label", "--offline")  # fmt: skip
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "text-classification: reviews.csv" in lines[1]
    assert "majority" in result.stdout
    assert "nothing could not be had: --model: No foundation was found" in result.stdout
    assert lines[-2] == f"Page:   {folder}/ranking.html"
    assert lines[-1].startswith(f"Next:   headwater adapt text-classification {reviews} --model tfidf-")
    command = json.loads((folder / "ranking.json").read_text())["provenance"]["command"]
    assert command == (
        f"headwater rank {reviews} --models tfidf-svm --models nothing --models tfidf-logistic --rows 1000 "
        "--task text-classification --target label --offline"
    )
    assert (folder / "ranking.html").exists()


def test_rank_without_a_folder_names_one_after_the_data(reviews, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert type_in("rank", reviews, "--models", "tfidf-svm", "--rows", 40).exit_code == 0
    assert (tmp_path / "runs" / "reviews-rank" / "ranking.json").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["rank"], "Missing argument 'DATA'"),
        (["rank", "nowhere.csv"], "There is no file"),
        (["rank", "x.csv", "--task", "text-clasification"], "Did you mean text-classification"),
        (["rank", "x.csv", "--rows", "7"], "--rows: rows cannot have this value. Got 7."),
        (["rank", "x.csv", "--epochs", "3"], "No such option: --epochs"),
        (["rank", "x.csv", "--seed", "-1"], "seed cannot have this value"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(words, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = type_in(*words, *(["--models", "tfidf-svm"] if len(words) > 1 else []))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in result.stderr
    assert not list(tmp_path.glob("runs/*"))


def test_none_of_the_models_is_status_2(reviews, tmp_path):
    result = type_in("rank", reviews, "--models", "minilmm", "--to", tmp_path / "ranking", "--offline")
    assert result.exit_code == 2
    assert "None of these models can be had" in result.stderr
    assert "Did you mean minilm?" in result.stderr


def test_ctrl_c_says_how_to_go_on(reviews, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(flow, "rank", stop)
    result = type_in("rank", reviews, "--to", tmp_path / "my ranking")
    assert result.exit_code != 0
    assert f"Stopped. The same command with --to '{tmp_path}/my ranking' goes on." in result.stderr
