"""The doctor looks, names the gaps, and loads nothing heavy."""

import importlib.metadata
import subprocess
import sys

from tests.cli.commands import type_in

import headwater
from headwater import catalog
from headwater.doors import doctor


def by_name(**options):
    return {finding.what: finding for finding in doctor.examine(**options)}


def test_it_finds_the_core_the_extras_and_the_machine():
    found = by_name(offline=True)
    assert headwater.__version__ in found["headwater"].found
    assert f"numpy {importlib.metadata.version('numpy')}" in found["core"].found
    assert {"extra language", "extra hub", "devices", "processor", "memory", "hub cache"} <= set(found)
    assert all(f"foundation {entry.name}" in found for entry in catalog.FOUNDATIONS)
    assert found["hub"].found == "not asked: offline"


def test_the_environment_can_say_offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert by_name()["hub"].found == "not asked: offline"


def test_a_hub_that_does_not_answer_is_a_gap_with_a_way_round(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    hub = by_name()["hub"]
    assert hub.state == "gap"
    assert "embedded foundation" in hub.fix


def test_a_missing_library_names_its_extra():
    finding = doctor._group("extra x", ["numpy", "no-such-library"], state="gap", fix="pip install 'headwater[x]'")
    assert (finding.state, finding.found) == ("gap", "missing: no-such-library")
    assert finding.fix == "pip install 'headwater[x]'"


def test_a_broken_core_ends_with_status_1(monkeypatch):
    monkeypatch.setattr(doctor, "_requirements", lambda: {"": ["no-such-library"]})
    result = type_in("doctor", "--offline")
    assert result.exit_code == 1
    assert "missing: no-such-library" in result.stdout


def test_the_command_ends_well_and_loads_nothing_heavy():
    code = "import sys, headwater.doors.doctor as doctor; doctor.examine(offline=True)\n"
    code += "print([name for name in ('torch', 'transformers', 'sklearn', 'pyarrow') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert type_in("doctor", "--offline").exit_code == 0
