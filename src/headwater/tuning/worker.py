"""One of several processes of a search: `python -m headwater.tuning.worker WORK_FOLDER NUMBER SECONDS_SPENT`."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from pathlib import Path

from headwater import catalog
from headwater.errors import HeadwaterError
from headwater.run import Run
from headwater.tuning.asked import Asked
from headwater.tuning.loop import Loop


def main(work: Path, worker: int, spent: float) -> int:
    """Runs trials of the search in a work folder until there may be no more; returns the exit status."""
    logging.getLogger("headwater").addHandler(logging.StreamHandler())
    asked = Asked.from_json(json.loads((work / "search.json").read_text("utf-8")))
    request = asked.request
    run = Run(request.settings, work, time.monotonic() - spent)
    entry = catalog.task(request.task)
    try:
        application = catalog.load(entry.path, extra=entry.extra)(request.model, request.settings)
        for _ in Loop(asked, application.prepare(request.data), run, worker)():
            pass
    except HeadwaterError as mistake:
        sys.stderr.write(f"{mistake}\n")
        return mistake.exit_code
    return 0


def end_with_the_parent() -> None:
    """Ends this process as soon as the one that started it closes our standard input, or dies."""

    def wait() -> None:
        sys.stdin.read()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    end_with_the_parent()
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
