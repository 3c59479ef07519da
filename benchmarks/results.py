"""Sums up and writes what a benchmark measured: a Markdown table for people, every measurement as JSON for machines."""

from __future__ import annotations

import json
import platform
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any, Self

from harness import FOLDER, WORK, Bench, Measured, commit, portable

_LIBRARIES = ("torch", "transformers", "scikit-learn", "accelerate", "peft", "numpy")


@dataclass(frozen=True)
class Spread:
    """The middle and the ends of a few measurements.

    Example:
        >>> str(Spread.of([0.52, 0.41, 0.47]))
        '0.47 (0.41 to 0.52)'
        >>> str(Spread.of([1234.5]))
        '1,234 (1,234 to 1,234)'
    """

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        known = sorted(values)
        return cls(median(known), known[0], known[-1])

    def __str__(self) -> str:
        return f"{_number(self.middle)} ({_number(self.low)} to {_number(self.high)})"


@dataclass(frozen=True)
class Table:
    """A table with a sentence above it that says what stands in it.

    Example:
        >>> print(Table("Two sides.", ("side", "CPU s"), [("A", 1.25)]).markdown())
        Two sides.
        <BLANKLINE>
        | side | CPU s |
        |---|---|
        | A | 1.25 |
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def markdown(self) -> str:
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        body = ["|" + "|".join(_cell(value, bare=line is lines[1]) for value in line) + "|" for line in lines]
        return "\n".join([self.caption, "", *body])


def ratio(pairs: Sequence[tuple[Measured, Measured]], cost: str) -> Spread:
    """The second side's cost over the first's, pair by pair."""
    return Spread.of(getattr(second, cost) / getattr(first, cost) for first, second in pairs)


def publish(bench: Bench, tables: Sequence[Table], *, name: str | None = None) -> Path:
    """Writes NAME.md and NAME.json to `results/`, or for a quick run to `.work/`, and prints the tables."""
    folder = WORK if bench.options.quick else FOLDER
    folder.mkdir(exist_ok=True)
    facts = _facts(bench)
    text = "\n\n".join([*(table.markdown() for table in tables), _provenance(facts)]) + "\n"
    page = folder / f"{name or bench.name}.md"
    page.write_text(text, "utf-8")
    content = facts | {
        "tables": [asdict(table) for table in tables],
        "measured": [portable(asdict(m)) for m in bench.measured],
    }
    page.with_suffix(".json").write_text(json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n", "utf-8")
    print(text)
    return page


def _facts(bench: Bench) -> dict[str, Any]:
    return {
        "command": shlex.join(["python", f"benchmarks/{bench.script.name}", *_shown(sys.argv[1:])]),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "commit": ", ".join(dict.fromkeys(one.commit or commit() for one in bench.measured)) or commit(),
        "seeds": list(bench.seeds),
        "threads": bench.options.threads,
        "machine": _machine(),
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _provenance(facts: dict[str, Any]) -> str:
    versions = ", ".join(f"{library} {number}" for library, number in facts["versions"].items())
    commits = "commits" if "," in facts["commit"] else "commit"
    return (
        f"`{facts['command']}` on {facts['date']}, {commits} {facts['commit']}, seeds {facts['seeds']}, "
        f"{facts['threads']} threads on every side. {facts['machine']}; {versions}."
    )


def _shown(arguments: list[str]) -> list[str]:
    """The command without the place of the data, which differs from machine to machine."""
    kept, skip = [], False
    for argument in arguments:
        if not skip and argument != "--data" and not argument.startswith("--data="):
            kept.append(argument)
        skip = argument == "--data"
    return kept


def _machine() -> str:
    facts = {}
    for file in ("/proc/cpuinfo", "/proc/meminfo"):
        if Path(file).exists():
            pairs = (line.partition(":") for line in Path(file).read_text("utf-8").splitlines())
            facts.update({key.strip(): value.strip() for key, _, value in pairs})
    cores = int(facts.get("processor", 0)) + 1
    memory = int(facts.get("MemTotal", "0 kB").split()[0]) / 2**20
    return f"{facts.get('model name', platform.processor())}, {cores} cores, {memory:.0f} GiB, {platform.system()}"


def _versions() -> dict[str, str]:
    found = {}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def _number(value: float) -> str:
    """Three digits, or from a thousand on all that stand before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _cell(value: Any, *, bare: bool = False) -> str:
    shown = _number(value) if isinstance(value, float) else str(value)
    return shown if bare else f" {shown} "
