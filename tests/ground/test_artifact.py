"""The run folder refuses what is damaged, foreign or unsafe, and upgrades what is old."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.contract.texts import texts

import headwater
from headwater import artifact, workspace
from headwater.errors import ArtifactError, DataError, NotFoundError, ResourceError
from headwater.flow import resume


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "run"
    headwater.adapt("text-classification", texts(), model="tfidf-logistic", to=path)
    return path


@pytest.fixture
def edited(folder: Path, tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    def edit(changes: dict[str, Any]) -> Path:
        import shutil

        copied = tmp_path / "copied"
        shutil.copytree(folder, copied)
        manifest = json.loads((copied / artifact.MANIFEST).read_text()) | changes
        (copied / artifact.MANIFEST).write_text(json.dumps({k: v for k, v in manifest.items() if v is not None}))
        return copied

    return edit


def test_a_run_folder_holds_what_its_page_says(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert {
        "application.json",
        "model",
        "config.yaml",
        "report.json",
        "report.html",
        "README.md",
        "quarantine.jsonl",
    } <= names
    assert workspace.WORK not in names


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 99}, "run folder has a format that this headwater does not know. Got 99"),
        ({"format": "one"}, "no format number"),
        ({"files": None}, r"manifest lacks entries. Got \['files'\]"),
        ({"files": ["model"]}, r"Entries of the manifest are of the wrong kind. Got \['files'\]"),
        ({"task": 5, "settings": []}, r"of the wrong kind. Got \['task', 'settings'\]"),
        ({"files": {"../../etc/passwd": "0"}}, "outside the run folder"),
        ({"files": {"model/gone.json": "0"}}, "file of the application is missing"),
        ({"files": {"model/classification.json": "0"}}, "not the one that was saved"),
    ],
)
def test_a_wrong_manifest_is_refused(edited: Callable[..., Path], changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ArtifactError, match=sentence):
        headwater.load(edited(changes))


def test_a_manifest_that_is_no_json_is_refused(edited: Callable[..., Path]) -> None:
    copied = edited({})
    (copied / artifact.MANIFEST).write_text("{")
    with pytest.raises(ArtifactError, match="manifest cannot be read"):
        headwater.load(copied)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("classification.json", "{}"),
        ("classification.json", "[]"),
        ("classifier/model.json", "null"),
        ("classifier/model.safetensors", "torn"),
    ],
)
def test_model_files_that_do_not_fit_are_refused(edited: Callable[..., Path], name: str, content: str) -> None:
    copied = edited({})
    state = copied / "model" / name
    state.write_text(content)
    manifest = json.loads((copied / artifact.MANIFEST).read_text())
    manifest["files"][f"model/{name}"] = artifact.sha256(state)
    (copied / artifact.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="do not fit together"):
        headwater.load(copied)


def test_an_older_format_is_upgraded(edited: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    copied = edited({"format": 0, "model": None, "kind": "tfidf-logistic"})
    monkeypatch.setitem(artifact.UPGRADES, 0, lambda old: {**old, "format": 1, "model": old["kind"]})
    assert headwater.load(copied).model_name == "tfidf-logistic"


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no headwater application here"):
        headwater.load(tmp_path)


def _fail(*_: object) -> None:
    raise OSError("disk full")


def _content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_failed_first_save_leaves_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    application = headwater.load(folder)
    with monkeypatch.context() as patch:
        patch.setattr(application.report, "save", _fail)
        with pytest.raises(ResourceError, match=r"run folder cannot be written.*disk full"):
            application.save(tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == []
    application.save(tmp_path / "run")
    assert headwater.load(tmp_path / "run").fitted


def test_a_failed_save_leaves_the_earlier_application(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headwater.load(folder).save(tmp_path / "run")
    before = _content(tmp_path / "run")
    other = headwater.adapt("text-classification", texts(40), model="tfidf-svm")
    with monkeypatch.context() as patch:
        patch.setattr(other.report, "save", _fail)
        with pytest.raises(ResourceError, match="disk full"):
            other.save(tmp_path / "run")
    assert _content(tmp_path / "run") == before
    assert headwater.load(tmp_path / "run").model_name == "tfidf-logistic"
    other.save(tmp_path / "run")
    assert headwater.load(tmp_path / "run").model_name == "tfidf-svm"


# Six moves put the old files aside, where there are any, and six the new ones in their places.
@pytest.mark.parametrize("moves", range(12))
@pytest.mark.parametrize("earlier", [True, False])
@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()], ids=["failure", "interrupt"])
def test_a_save_that_fails_between_two_moves_is_undone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException, *, moves: int, earlier: bool
) -> None:
    application = headwater.load(folder)
    if earlier:
        application.save(tmp_path / "run")
    before = _content(tmp_path / "run")
    rename, left = Path.rename, iter([True] * moves + [False])

    def fail_once(path: Path, target: Path) -> Path:
        if not next(left, True):
            raise failure
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    if moves >= 6 and not earlier:
        application.save(tmp_path / "run")
        return
    with pytest.raises((ResourceError, KeyboardInterrupt)):
        application.save(tmp_path / "run")
    assert _content(tmp_path / "run") == before
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.startswith(".")]


def test_saving_without_a_report_leaves_none_of_another_application(folder: Path, tmp_path: Path) -> None:
    application = headwater.load(folder)
    application.save(tmp_path / "run")
    application.report = application.config = None
    application.save(tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {artifact.MANIFEST, artifact.MODEL}
    assert headwater.load(tmp_path / "run").report is None


@pytest.mark.parametrize("name", ["README.md", "model/weights.bin", "application.json", "config.yaml"])
def test_a_folder_with_files_of_others_is_not_written(folder: Path, tmp_path: Path, name: str) -> None:
    own = tmp_path / "project" / name
    own.parent.mkdir(parents=True)
    own.write_text('{"format": "mine"}')
    with pytest.raises(ArtifactError, match=r"holds other files, which an application would.*Save to another folder"):
        headwater.load(folder).save(tmp_path / "project")
    assert _content(tmp_path / "project") == {name: b'{"format": "mine"}'}


def test_an_empty_folder_is_written_and_a_file_is_not(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    headwater.load(folder).save(tmp_path / "empty")
    assert headwater.load(tmp_path / "empty").fitted
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match="run folder cannot be written"):
        headwater.load(folder).save(tmp_path / "file")


@pytest.mark.parametrize("name", ["encoder/adapter_config.json", "adapter_model.safetensors", ".hidden"])
def test_model_files_that_are_not_listed_are_refused(edited: Callable[..., Path], name: str) -> None:
    copied = edited({})
    planted = copied / "model" / "classifier" / name
    planted.parent.mkdir(exist_ok=True)
    planted.write_text("{}")
    with pytest.raises(ArtifactError, match=rf"files that were not saved with it. Got \['model/classifier/{name}'\]"):
        headwater.load(copied)


def test_a_linked_folder_in_the_model_is_refused(edited: Callable[..., Path], tmp_path: Path) -> None:
    copied = edited({})
    (tmp_path / "elsewhere").mkdir()
    (copied / "model" / "encoder").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtifactError, match="files that were not saved with it"):
        headwater.load(copied)


def test_files_beside_the_model_do_not_keep_it_from_loading(edited: Callable[..., Path]) -> None:
    copied = edited({})
    (copied / "notes.txt").write_text("mine")
    (copied / "config.yaml").write_bytes(b"\xff\x00: [")
    assert headwater.load(copied).predict(["fine"]).reasons == [None]


def test_places_that_are_taken_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("x")
    taken = {
        folder: "already holds an application",
        tmp_path / "file": "run folder is a file",
        tmp_path / "full": "is no run folder",
    }
    for place, sentence in taken.items():
        with pytest.raises(ArtifactError, match=sentence):
            headwater.adapt("text-classification", texts(), model="tfidf-logistic", to=place)
    with pytest.raises(ResourceError, match="run folder cannot be written"):
        headwater.adapt("text-classification", texts(), model="tfidf-logistic", to=tmp_path / "file" / "run")


def test_only_the_same_data_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    source = tmp_path / "rows.csv"
    pd.DataFrame(texts()).to_csv(source, index=False)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(workspace, "finish", stop)
    with pytest.raises(KeyboardInterrupt):
        headwater.adapt("text-classification", source, model="tfidf-logistic", to=tmp_path / "run")
    pd.DataFrame(texts(40)).to_csv(source, index=False)
    with pytest.raises(DataError, match="not what this run began with"):
        resume(tmp_path / "run")


def test_what_cannot_be_resumed_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="This run is finished"):
        resume(folder)
    with pytest.raises(NotFoundError, match="no unfinished run here"):
        resume(tmp_path)
