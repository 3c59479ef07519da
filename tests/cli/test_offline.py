"""Offline means that nothing is called, and not only that nothing is needed."""

import socket

import pytest
from huggingface_hub import constants

import headwater


@pytest.fixture
def calls(monkeypatch):
    """What was called, none of which answers."""
    called = []

    def refuse(*address, **_):
        called.append(address)
        raise OSError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return called


def test_an_embedded_foundation_is_adapted_without_a_call(reviews, calls, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path / "cache"))
    asked = {"model": "minilm", "strategy": "probe", "offline": True, "to": tmp_path / "run"}
    made = headwater.adapt("text-classification", reviews, **asked)
    again = headwater.load(tmp_path / "run")
    assert list(again.predict(["wonderful, a joy"])) == list(made.predict(["wonderful, a joy"])) == ["good"]
    assert calls == []
