"""Serving: recommendations out of 50,000 items at 200 requests a second on one core, and what a killed server loses.

The load is open: each request has a moment at which it is due, whether or not earlier ones were answered, and its time
counts from that moment. Of a hundred requests 80 ask for known users, 10 for a history of three items, and 10 bring a
new interaction, half of these of users nobody has heard of. The server is one process on one core, this script on the
others. The same load on `/health`, which does nothing, tells what the machine and the protocol cost by themselves.

The interactions are generated: items by a power law, users alike. What is measured depends on how many items and
factors there are, not on what they mean.

A killed server: eight clients send interactions as fast as they are acknowledged until the process gets SIGKILL; then a
new one starts on the same journal, and every acknowledged interaction is looked for.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from harness import WORK, Bench, Stopwatch, main
from results import Table, publish

ITEMS, USERS, INTERACTIONS = 50_000, 50_000, 2_000_000
RATE = 200
CONNECTIONS = 32
SECONDS = 600
QUICK = 20
KILLS = 5
SENDERS = 8


def fit(model: str, items: int, users: int, interactions: int, to: str) -> dict[str, Any]:
    """Makes the application that is served."""
    import pyarrow as pa

    from headwater.recommendation.task import Recommendation
    from headwater.settings import Settings

    draws = np.random.default_rng(0)
    chances = 1 / np.arange(1, items + 1) ** 0.8
    drawn = draws.choice(items, interactions, p=chances / chances.sum())
    table = pa.table({"user": draws.integers(0, users, interactions), "item": draws.permutation(items)[drawn]})
    with Stopwatch() as watch:
        application = Recommendation(model, Settings(epochs=3)).fit(table)
    shutil.rmtree(to, ignore_errors=True)
    application.save(to)
    return {"fit_seconds": watch.wall_seconds}


def load(run: str, seconds: float, rate: int, route: str) -> dict[str, Any]:
    """The times of the answers to an open load."""
    with _served(run) as (server, port):
        bodies = _bodies(run, route)
        _pace(port, bodies, 2, rate)  # the first requests find a server that is not warm
        before = _cpu_seconds(server.pid)
        told = _pace(port, bodies, seconds, rate)
        busy = (_cpu_seconds(server.pid) - before) / seconds
        server.send_signal(signal.SIGTERM)
        status = server.wait(60)
    times = np.array(told.times) * 1000
    return {
        "requests": len(times), "errors": told.errors, "server_cpu": busy, "exit": status,
        **{f"p{share:g}": float(np.percentile(times, share)) for share in (50, 90, 99, 99.9, 100)},
        **{f"p99_{kind}": float(np.percentile(np.array(some) * 1000, 99)) for kind, some in told.by_kind.items()},
    }  # fmt: skip


def kill(run: str, seed: int) -> dict[str, Any]:
    """How many acknowledged interactions are gone after SIGKILL."""
    from headwater.serving.journal import Journal

    journal = Path(tempfile.mkdtemp()) / "journal"
    with _served(run, "--journal", str(journal)) as (server, port):
        wait = 0.5 + random.Random(seed).random()
        taken = asyncio.run(_send_until_killed(server, port, wait))
    again = Journal(journal, 1 << 40)
    kept = {(one["user"], one["item"]) for one in again.records()}
    again.close()
    with _served(run, "--journal", str(journal)) as (server, port):
        sample = random.Random(seed).sample(sorted(taken), min(200, len(taken)))
        unseen = asyncio.run(_unseen(port, sample))
    return {"acknowledged": len(taken), "lost": len(taken - kept), "looked_up": len(sample), "unseen": unseen}


@dataclass
class Told:
    """The times of answers in seconds, and what was no answer."""

    times: list[float] = field(default_factory=list)
    by_kind: dict[str, list[float]] = field(default_factory=dict)
    errors: int = 0


Bodies = Callable[[int], tuple[str, str, bytes]]
"""For the number of a request its kind, its route and its body."""


def _bodies(run: str, route: str) -> Bodies:
    if route == "/health":
        return lambda number: ("health", "/health", b"")
    names = json.loads(Path(run, "model", "names.json").read_text("utf-8"))
    draws = random.Random(1)

    def body(number: int) -> tuple[str, str, bytes]:
        turn = draws.random()
        if turn < 0.8:
            return "known", "/recommend", json.dumps({"user": draws.choice(names["users"]), "k": 10}).encode()
        if turn < 0.9:
            return "history", "/recommend", json.dumps({"history": draws.sample(names["items"], 3)}).encode()
        user = draws.choice(names["users"]) if turn < 0.95 else f"new{number}"
        new = {"interactions": [{"user": user, "item": draws.choice(names["items"])}]}
        return "new", "/interactions", json.dumps(new).encode()

    return body


def _pace(port: int, bodies: Bodies, seconds: float, rate: int) -> Told:
    return asyncio.run(_paced(port, bodies, int(seconds * rate), 1 / rate))


async def _paced(port: int, bodies: Bodies, count: int, step: float) -> Told:
    told, queue = Told(), asyncio.Queue[Any]()
    clients = [asyncio.create_task(_client(port, queue, told)) for _ in range(CONNECTIONS)]
    begin = time.perf_counter() + 0.1
    for number in range(count):
        due = begin + number * step
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        queue.put_nowait((due, *bodies(number)))
    for _ in clients:
        queue.put_nowait(None)
    await asyncio.gather(*clients)
    return told


async def _client(port: int, queue: asyncio.Queue[Any], told: Told) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (asked := await queue.get()) is not None:
        due, kind, route, body = asked
        status, _ = await _ask(reader, writer, route, body)
        took = time.perf_counter() - due
        told.times.append(took)
        told.by_kind.setdefault(kind, []).append(took)
        told.errors += status != 200
    writer.close()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, route: str, body: bytes
) -> tuple[int, bytes]:  # fmt: skip
    method = "POST" if body else "GET"
    writer.write(f"{method} {route} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return int(head.split(b" ", 2)[1]), await reader.readexactly(int(length[1]) if length else 0)


async def _send_until_killed(server: subprocess.Popen[str], port: int, wait: float) -> set[tuple[str, str]]:
    taken: set[tuple[str, str]] = set()

    async def send(sender: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        number = 0
        while True:
            user, item = f"s{sender}-{number // 20}", str(number % 1000)
            body = json.dumps({"interactions": [{"user": user, "item": item}]}).encode()
            try:
                status, _ = await _ask(reader, writer, "/interactions", body)
            except (OSError, asyncio.IncompleteReadError):
                return
            if status == 200:
                taken.add((user, item))
            number += 1

    senders = [asyncio.create_task(send(sender)) for sender in range(SENDERS)]
    await asyncio.sleep(wait)
    server.kill()
    await asyncio.gather(*senders)
    return taken


async def _unseen(port: int, pairs: list[tuple[str, str]]) -> int:
    """How many interactions are not in what the server says it knows of their users."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    missing = 0
    for user, item in pairs:
        status, content = await _ask(reader, writer, "/recommend", json.dumps({"user": user}).encode())
        known = {str(one["item"]) for one in json.loads(content)["history"]} if status == 200 else set()
        missing += item not in known
    writer.close()
    return missing


@contextmanager
def _served(run: str, *flags: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server on the last core, this process on the others, and its port."""
    cores = sorted(os.sched_getaffinity(0))
    here = Path(tempfile.mkdtemp())
    flags = flags or ("--journal", str(here / "journal"))
    command = [sys.executable, "-m", "headwater", "serve", run, "--port", "0", *flags]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        os.sched_setaffinity(server.pid, cores[-1:])
        os.sched_setaffinity(0, cores[:-1] or cores)
        found = re.search(r"http://127\.0\.0\.1:(\d+)", server.stdout.readline() if server.stdout else "")
        if found is None:
            raise SystemExit("The server did not start.")
        yield server, int(found[1])
    finally:
        server.kill()
        server.wait()
        os.sched_setaffinity(0, cores)
        shutil.rmtree(here, ignore_errors=True)


def _cpu_seconds(process: int) -> float:
    parts = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def compare(bench: Bench) -> None:
    """The load on the recommender and on a route that does nothing, then the kills."""
    options = bench.options
    seconds = options.seconds or (QUICK if options.quick else SECONDS)
    run = str(WORK / f"serving-{options.model}")
    size = {"items": ITEMS, "users": USERS, "interactions": INTERACTIONS}
    bench.measure("fit", model=options.model, to=run, **size)
    lines = []
    for route in ("/health", "/recommend"):
        found = bench.measure("load", run=run, seconds=seconds, rate=RATE, route=route).values
        bar = "p99 below 20 ms, no error" if route == "/recommend" else ""
        lines.append((route, found["requests"], found["errors"], *(f"{found[name]:.1f}" for name in
                      ("p50", "p99", "p99.9", "p100")), f"{found['server_cpu']:.0%}", bar))  # fmt: skip
    caption = (
        f"{options.model} with {ITEMS:,} items, {RATE} requests a second for {seconds:g} s on one core; milliseconds "
        "from when each request was due."
    )
    columns = ("route", "requests", "errors", "p50", "p99", "p99.9", "most", "core in use", "bar")
    kills = [bench.measure("kill", run=run, seed=seed).values for seed in range(1 if options.quick else KILLS)]
    killed = [
        (number, one["acknowledged"], one["lost"], one["unseen"], "none lost") for number, one in enumerate(kills, 1)
    ]
    publish(bench, [
        Table(caption, columns, lines),
        Table("A server that is killed (SIGKILL) while eight clients send it interactions.",
              ("kill", "acknowledged", "lost", "not in answers after", "bar"), killed),
    ])  # fmt: skip


if __name__ == "__main__":
    main(
        Path(__file__), {"fit": fit, "load": load, "kill": kill}, compare, seeds=1,
        flags={
            "--seconds": {"type": float, "help": f"how long the load lasts (default: {SECONDS}, with --quick {QUICK})"},
            "--model": {"default": "als", "help": "the model that is served (default: %(default)s)"},
        },
    )  # fmt: skip
