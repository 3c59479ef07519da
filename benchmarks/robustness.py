"""Damaged files into `adapt` and `predict`: never a traceback, never status 0 on failure, never a lost or shifted row.

A clean CSV of 120 sentences (columns id, text, label) is damaged in a thousand seeded ways by the mutations of the
test suite. Each damaged file goes through the command line twice in process, and the first 50 once more as processes
of their own; no end after 60 CPU seconds is a fault as well. A row counts as intact when a plain CSV reader still
sees its three cells unchanged, written as a CSV writer writes them; every intact row must come out once, in order,
beside its own id and with the answer that it has in the clean file.
"""

from __future__ import annotations

import csv
import runpy
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import data
import intact
from harness import ROOT, WORK, Bench, main
from results import Table, publish

ROWS = 120
CASES = 1000
IN_ONE_PROCESS = 50
SECONDS = 60


@dataclass(frozen=True)
class Ended:
    """How one command ended."""

    status: int
    said: str


Command = Callable[[Sequence[str]], Ended]


def attack(clean: str, first: int, cases: int, *, processes: bool = False) -> dict[str, Any]:
    """Runs both verbs on each damaged file; returns how they ended by kind of damage, and every fault."""
    mutate = runpy.run_path(str(ROOT / "tests" / "data" / "mutations.py"))["mutate"]
    folder = Path(tempfile.mkdtemp())
    command = _in_process_of_its_own if processes else in_this_process
    known = _clean_answers(clean, folder)
    endings: Counter[str] = Counter()
    faults = []
    for seed in range(first, first + cases):
        kind, content = mutate(Path(clean).read_bytes(), seed)
        file = folder / f"case-{seed}.csv{'.gz' if content[:2] == intact.GZIP else ''}"
        file.write_bytes(content)
        for verb, run in (("predict", _predict), ("adapt", _adapt)):
            status, fault = run(command, file, folder, known)
            endings[f"{verb}|{kind}|{status}"] += 1
            if fault:
                faults.append(f"{verb} {kind} seed {seed}: {fault}")
    return {"endings": endings, "faults": faults}


def _clean_answers(clean: str, folder: Path) -> intact.Answers:
    done = in_this_process(("adapt", "text-classification", clean, *_HOW, "--to", str(folder / "run")))
    if done.status:
        raise SystemExit(f"adapt failed on the clean file: {done.said}")
    ended, to = _predicted(in_this_process, Path(clean), folder)
    if ended.status:
        raise SystemExit(f"predict failed on the clean file: {ended.said}")
    answers = {intact.kept(row): row["prediction"] for row in _rows(to)}
    to.unlink()
    return answers


def _predict(command: Command, file: Path, folder: Path, known: intact.Answers) -> tuple[int, str | None]:
    ended, to = _predicted(command, file, folder)
    fault = fault_of(ended, made=to.exists())
    if fault is None and ended.status == 0:
        fault = intact.row_fault(list(_rows(to)), intact.seen_in(file), known)
    to.unlink(missing_ok=True)
    return ended.status, fault


def _adapt(command: Command, file: Path, folder: Path, _: intact.Answers) -> tuple[int, str | None]:
    to = folder / f"run-of-{file.name}"
    ended = command(("adapt", "text-classification", str(file), *_HOW, "--to", str(to)))
    return ended.status, fault_of(ended, made=(to / "report.json").exists())


def _predicted(command: Command, file: Path, folder: Path) -> tuple[Ended, Path]:
    to = folder / "answers.csv"
    words = ("predict", str(folder / "run"), str(file), "--keep", "id", "--keep", "text", "--keep", "label")
    return command((*words, "--to", str(to))), to


def fault_of(ended: Ended, *, made: bool) -> str | None:
    """What is wrong with how a command ended, if anything; `made` says whether it left a result."""
    if "Traceback" in ended.said or ended.status not in (0, 2):
        return f"status {ended.status}: {ended.said[-300:]}"
    if ended.status == 0 and not made:
        return "status 0 without a result"
    if ended.status == 2 and made:
        return "status 2, and yet a result"
    if ended.status == 2 and "error:" not in ended.said:
        return f"status 2 without a sentence: {ended.said[-300:]}"
    return None


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def in_this_process(words: Sequence[str]) -> Ended:
    """Runs the command line here; a crash, or no end in time, stands in what it said as a traceback."""
    from typer.testing import CliRunner

    from headwater.cli import app

    signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        result = CliRunner().invoke(app, list(words))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    crash = result.exception is not None and not isinstance(result.exception, SystemExit)
    return Ended(result.exit_code, result.output + (f"\nTraceback: {result.exception!r}" if crash else ""))


def _give_up(*_: object) -> None:
    raise TimeoutError(f"no end after {SECONDS} CPU seconds")


def _in_process_of_its_own(words: Sequence[str]) -> Ended:
    command = [sys.executable, "-m", "headwater", *words]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return Ended(done.returncode, done.stdout + done.stderr)


_HOW = ("--model", "tfidf-logistic", "--text", "text", "--target", "label", "--offline")


def compare(bench: Bench) -> None:
    """Attacks in portions, so that an interrupted run can go on."""
    cases, alone = (20, 2) if bench.options.quick else (CASES, 50)
    clean = _clean(data.prepare("sst2", bench.options.data).train)
    portions = [
        bench.measure("attack", clean=str(clean), first=first, cases=min(IN_ONE_PROCESS, cases - first))
        for first in range(0, cases, IN_ONE_PROCESS)
    ]
    portions.append(bench.measure("attack", clean=str(clean), first=0, cases=alone, processes=True))
    publish(bench, tables([portion.values for portion in portions], cases, alone))


def _clean(source: Path) -> Path:
    texts, labels = data.read(data.few_of(source, ROWS // 2, 0))
    ids = [f"r{number}" for number in range(len(texts))]
    clean = WORK / "data" / "clean.csv"
    with clean.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text", "label"), *zip(ids, texts, labels, strict=True)])
    return clean


def tables(portions: list[dict[str, Any]], cases: int, alone: int) -> list[Table]:
    """How the commands ended by kind of damage, and the faults, of which there should be none."""
    endings: Counter[str] = sum((Counter(portion["endings"]) for portion in portions), Counter())
    kinds = sorted({key.split("|")[1] for key in endings})
    statuses = [(verb, status) for verb in ("adapt", "predict") for status in ("0", "2")]
    rows = [(kind, *(endings[f"{verb}|{kind}|{status}"] for verb, status in statuses)) for kind in kinds]
    faults = [fault for portion in portions for fault in portion["faults"]]
    caption = (
        f"{cases} damaged files in process and {alone} of them again as processes: how each verb ended. "
        f"{len(faults)} faults."
    )
    columns = ("damage", "adapt done", "adapt refused", "predict done", "predict refused")
    table = Table(caption, columns, rows)
    return [table, Table("Faults:", ("fault",), [(fault,) for fault in faults])] if faults else [table]


if __name__ == "__main__":
    main(Path(__file__), {"attack": attack}, compare, seeds=1)
