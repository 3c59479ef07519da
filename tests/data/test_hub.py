import socket
import sys
from pathlib import Path

import datasets
import pytest
from datasets.packaged_modules.csv.csv import Csv
from huggingface_hub import constants, errors

from headwater.data.hub import parse
from headwater.data.reading import read
from headwater.errors import DataError, ExtraError
from headwater.settings import DataSettings


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("hub:sst2", ("sst2", None, "train")),
        ("hub:owner/name:test", ("owner/name", None, "test")),
        ("hub:owner/name:config", ("owner/name", "config", "train")),
        ("hub:owner/name:config:dev", ("owner/name", "config", "dev")),
    ],
)
def test_parts_of_a_name(source, parts):
    assert parse(source) == parts


@pytest.mark.parametrize("source", ["hub:", "hub:a:b:c:d", "hub:a::b"])
def test_names_that_are_none(source):
    with pytest.raises(DataError, match=r"This names no hub data set\. Got 'hub:.*Accepted: hub:owner/name"):
        parse(source)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A data set as its folder lies on the hub, with two configurations and numbered classes."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for file, text in (("train", "fine"), ("test", "dull"), ("long", "a long story")):
        (folder / f"{file}.csv").write_text(f"text,label\n{text},1\nother,0\n")
    card = """---
configs:
- {config_name: default, data_files: [{split: train, path: train.csv}, {split: test, path: test.csv}]}
- {config_name: long, data_files: [{split: train, path: long.csv}]}
dataset_info:
- config_name: default
  features:
  - {name: text, dtype: string}
  - {name: label, dtype: {class_label: {names: {"0": neg, "1": pos}}}}
---
"""
    (folder / "README.md").write_text(card)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    load = datasets.load_dataset

    def of_folder(name, *parts, **options):
        assert name == "owner/tiny"
        return load(str(folder), *parts, **options)

    monkeypatch.setattr(datasets, "load_dataset", of_folder)
    return folder


@pytest.mark.parametrize(
    ("source", "first"),
    [
        ("hub:owner/tiny", {"text": "fine", "label": "pos"}),
        ("hub:owner/tiny:test", {"text": "dull", "label": "pos"}),
        ("hub:owner/tiny:long", {"text": "a long story", "label": 1}),
    ],
)
def test_a_data_set_is_read_with_the_names_of_its_classes(repository, source, first):
    records = read(source, DataSettings())
    assert (records.name, len(records), records.table.to_pylist()[0]) == (source, 2, first)


def test_a_data_set_that_cannot_be_built_is_told(repository):
    (repository / "train.csv").write_text("text,label\nfine,awful\n")
    with pytest.raises(DataError, match=r"hub:owner/tiny: The hub does not give this data set. Got 'An error occurred"):
        read("hub:owner/tiny", DataSettings())


@pytest.fixture
def calls(monkeypatch):
    """The addresses that were called, none of which answers."""
    called = []

    def refuse(_, address):
        called.append(address)
        raise OSError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return called


def test_offline_reads_what_the_cache_holds(calls, tmp_path, monkeypatch):
    (tmp_path / "train.csv").write_text("text,label\nfine,1\n")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    builder = Csv(dataset_name="tiny", data_files=str(tmp_path / "train.csv"))
    builder.download_and_prepare()
    cached = tmp_path / "owner___tiny" / "default" / "0.0.0"
    cached.mkdir(parents=True)
    Path(builder.cache_dir).rename(cached / "0123")
    assert read("hub:owner/tiny", DataSettings(), offline=True).table.to_pylist() == [{"text": "fine", "label": 1}]
    with pytest.raises(DataError, match="Unknown split"):
        read("hub:owner/tiny:test", DataSettings(), offline=True)
    assert calls == []


def test_offline_is_honoured(calls, tmp_path, monkeypatch):
    switches = (datasets.config, constants)
    for switch in switches:
        monkeypatch.setattr(switch, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    with pytest.raises(
        DataError, match=r"hub:a/b: This run is offline, and the cache of hub data sets.*Run once without --offline"
    ):
        read("hub:a/b", DataSettings(), offline=True)
    assert calls == []
    assert not any(switch.HF_HUB_OFFLINE for switch in switches)


@pytest.mark.parametrize("name", ["ProxyError", "ReadTimeout", "RemoteProtocolError"])
def test_a_hub_that_does_not_answer_is_told(monkeypatch, name):
    http = sys.modules[errors.HTTPError.__module__.partition(".")[0]]

    def refuse(*_, **__):
        raise getattr(http, name)("no answer")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(DataError, match=r"hub:a/b: The hub does not give this data set. Got 'no answer'"):
        read("hub:a/b", DataSettings())


def test_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ExtraError, match=r"hub:a/b: Hub data sets need the library datasets.*headwater\[hub\]"):
        read("hub:a/b", DataSettings())


def test_what_the_hub_refuses_is_told(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    with pytest.raises(
        DataError, match=r"hub:owner/none: The hub does not give this data set. Got .*Accepted: hub:owner"
    ):
        read("hub:owner/none", DataSettings())
