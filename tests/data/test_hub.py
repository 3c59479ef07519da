import sys

import pytest

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


def test_offline_is_honoured():
    with pytest.raises(
        DataError, match=r"hub:a/b: A hub data set needs the network, and this run is offline. Run without"
    ):
        read("hub:a/b", DataSettings(), offline=True)


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
