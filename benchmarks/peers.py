"""Builds the environment of the peers that do not live in the project's own: `python benchmarks/peers.py`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from harness import ROOT, WORK

FOLDER = WORK / "peers"
REQUIREMENTS = ROOT / "benchmarks" / "peers.txt"


def python() -> Path:
    """The interpreter of the peers, with its environment built the first time and whenever `peers.txt` changes.

    Torch, transformers and the rest have the versions of `constraints.txt`, as headwater's own environment has.
    """
    interpreter, stamp = FOLDER / "bin" / "python", FOLDER / "peers.txt"
    if not (stamp.exists() and stamp.read_bytes() == REQUIREMENTS.read_bytes()):
        _build(interpreter)
        shutil.copy(REQUIREMENTS, stamp)
    return interpreter


def _build(interpreter: Path) -> None:
    needs = ["-r", str(REQUIREMENTS), "-c", str(ROOT / "constraints.txt")]
    if shutil.which("uv"):
        _run("uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER))
        _run("uv", "pip", "install", "--quiet", "--python", str(interpreter), *needs)
    else:
        _run(sys.executable, "-m", "venv", "--clear", str(FOLDER))
        _run(str(interpreter), "-m", "pip", "install", "--quiet", *needs)


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise SystemExit(f"peers: this ended with {done.returncode}: {' '.join(command)}")


if __name__ == "__main__":
    print(python())
