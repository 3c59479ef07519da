"""The command: it listens, it stops well, and it loses nothing when it is killed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import contextmanager
from http.client import HTTPException

import pytest
from tests.cli.commands import type_in

from headwater.errors import ResourceError, SettingError
from headwater.serving.server import listening
from headwater.serving.settings import TOKEN, ServeSettings, refuse_open

PATIENCE = 60


@contextmanager
def served(run, *flags):
    """A process that serves, and its address; it is killed in the end if it still lives."""
    command = [sys.executable, "-m", "headwater", "serve", str(run), "--port", "0", *map(str, flags)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, process.communicate(timeout=PATIENCE)
        yield process, found[0]
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def ask(address, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address, data), timeout=PATIENCE) as answer:
        return json.loads(answer.read())


def test_it_answers_and_ends_with_status_0_when_told_to_stop(reviews):
    with served(reviews) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        assert ask(f"{address}/health") == {"status": "ok"}
        found = ask(f"{address}/predict", {"rows": [{"review": "a warm and funny film"}]})
        assert found["predictions"][0]["prediction"] == "good"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == ""


def test_a_killed_server_has_lost_nothing_that_it_acknowledged(shop, tmp_path):
    journal, taken = tmp_path / "journal", []
    with served(shop, "--journal", journal) as (process, address):

        def send(sender):
            for number in range(1000):
                one = {"user": f"s{sender}", "item": f"i{number % 30}"} if number < 30 else {
                    "user": f"s{sender}-{number}", "item": f"i{number % 30}"
                }  # fmt: skip
                try:
                    ask(f"{address}/interactions", {"interactions": [one]})
                except (OSError, HTTPException):
                    return
                taken.append(one)

        senders = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
        for thread in senders:
            thread.start()
        while len(taken) < 60 and any(thread.is_alive() for thread in senders):
            senders[0].join(0.01)
        process.kill()
        for thread in senders:
            thread.join(PATIENCE)
    assert 60 <= len(taken) < 4000
    kept = {tuple(json.loads(line).values()) for line in (journal / "000001.jsonl").read_bytes().splitlines()}
    assert {tuple(one.values()) for one in taken} <= kept
    with served(shop, "--journal", journal) as (_, address):
        found = ask(f"{address}/recommend", {"user": taken[-1]["user"]})
    # The answer shows the latest twenty: what is older stands in the journal, as was just seen.
    assert taken[-1]["item"] in {one["item"] for one in found["history"]}


def test_an_address_that_is_taken_is_told(reviews):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = type_in("serve", reviews, "--port", port)
    assert result.exit_code == 2
    assert f"127.0.0.1:{port}: Nothing can listen here" in result.stderr
    with pytest.raises(ResourceError, match="Nothing can listen here"), listening(ServeSettings(host="no.such.host.")):
        pass


def test_other_machines_may_not_ask_without_a_token(reviews, monkeypatch):
    monkeypatch.delenv(TOKEN, raising=False)
    result = type_in("serve", reviews, "--host", "0.0.0.0")
    assert result.exit_code == 2
    assert "Other machines could ask without a token. Got '0.0.0.0'" in result.stderr
    monkeypatch.setenv(TOKEN, "short")
    assert "The token is too short to be safe" in type_in("serve", reviews, "--host", "0.0.0.0").stderr
    with pytest.raises(SettingError, match="Other machines could ask"):
        refuse_open(ServeSettings(host="192.168.1.7"))
    refuse_open(ServeSettings(host="192.168.1.7", token="x" * 16))


def test_flags_of_recommendation_have_no_part_elsewhere(reviews):
    result = type_in("serve", reviews, "--journal", "somewhere")
    assert "journal has a part only with tasks of the field Item" in result.stderr


def test_what_is_no_run_folder_is_told(tmp_path):
    result = type_in("serve", tmp_path)
    assert result.exit_code == 2
    assert "There is no headwater application here" in result.stderr
