"""Broken environments into `adapt control`: always one clear sentence, and the best policy so far is never lost.

Two hundred worlds go wrong in 42 ways (`faulty_worlds.py`): rewards and observations that are no numbers, of another
shape or type, or huge; exceptions in every method; a wrong number of values; episodes that never end; spaces that
change. Each does so at a seeded moment, before, within or behind the training, and goes through the command line with
`dqn` or `actor-critic`. A command ends with status 0 and an application, where the fault can be lived with or came too
late to be met, or with status 2 and one sentence, never a traceback, and within 60 CPU seconds. Where a policy had been
scored before the end, it must lie in `work/best` of the run folder as an application that answers.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from faulty_worlds import KINDS, Faulty
from harness import Bench, main
from results import Table, publish
from robustness import Ended, fault_of, in_this_process

CASES = 200
IN_ONE_PROCESS = 50
_CHEAP = {
    "dqn": ("--set", "hidden=8", "--set", "warm_up=32"),
    "actor-critic": ("--set", "hidden=8", "--set", "rollout=8"),
}
_HOW = ("--steps", "400", "--evaluations", "4", "--episodes", "20", "--episode-limit", "50")
_LATEST = 3.3
"""Of the moment of a fault, the power of ten: after about 2,000 steps the test episodes are over as well."""


def attack(first: int, cases: int) -> dict[str, Any]:
    """Learns in each broken world; returns how it ended by kind of fault, and everything that must not be."""
    place, endings, faults = Path(tempfile.mkdtemp()), Counter[str](), list[str]()
    for seed in range(first, first + cases):
        chance, kind = random.Random(seed), KINDS[seed % len(KINDS)]
        at, model, folder = round(10 ** chance.uniform(1, _LATEST)), chance.choice(sorted(_CHEAP)), place / str(seed)
        Faulty.done = 0
        ended = in_this_process((
            "adapt", "control", "faulty_worlds:Faulty", "--model", model, "--env", f"kind={kind}", "--env", f"at={at}",
            *_CHEAP[model], *_HOW, "--to", str(folder),
        ))  # fmt: skip
        fault = fault_of(ended, made=(folder / "report.json").exists())
        scored, kept = " steps: return " in ended.said, (folder / "work" / "best").is_dir()
        how = "done" if ended.status == 0 else "best kept" if kept else "nothing learnt yet"
        endings[f"{kind}|{how}"] += 1
        fault = fault or _lost(ended, folder / "work" / "best", scored=scored)
        if fault:
            faults.append(f"{kind} at {at}, {model}, seed {seed}: {fault}")
    return {"endings": endings, "faults": faults}


def _lost(ended: Ended, best: Path, *, scored: bool) -> str | None:
    """What is wrong with the end of a run that was refused, beyond its sentence."""
    import headwater

    if ended.status == 0:
        return None
    said = [line for line in ended.said.splitlines() if "error:" in line]
    if len(said) != 1:
        return f"{len(said)} sentences"
    if scored and not best.is_dir():
        return "the best policy is lost"
    answers = headwater.load(best).predict([[0.0, 0.0]]).labels if best.is_dir() else [0]
    return None if answers[0] in (0, 1) else f"the best policy answers {answers[0]}"


def compare(bench: Bench) -> None:
    """Attacks in portions, so that an interrupted run can go on."""
    cases = 45 if bench.options.quick else CASES
    portions = [
        bench.measure("attack", first=first, cases=min(IN_ONE_PROCESS, cases - first)).values
        for first in range(0, cases, IN_ONE_PROCESS)
    ]
    endings: Counter[str] = sum((Counter(portion["endings"]) for portion in portions), Counter())
    faults = [fault for portion in portions for fault in portion["faults"]]
    ends = ("done", "best kept", "nothing learnt yet")
    rows = [(kind, *(endings[f"{kind}|{how}"] for how in ends)) for kind in KINDS]
    heads = ("what is wrong", "an application", "a sentence, best policy kept", "a sentence, no policy yet")
    tables = [Table(f"{cases} broken environments; {len(faults)} faults.", heads, rows)]
    publish(bench, [*tables, *([Table("Faults:", ("fault",), [(fault,) for fault in faults])] if faults else [])])


if __name__ == "__main__":
    main(Path(__file__), {"attack": attack}, compare, seeds=1)
