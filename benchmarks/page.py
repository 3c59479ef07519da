"""Writes docs/benchmarks.md from what the benchmarks say and have measured: `python benchmarks/page.py`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from harness import ROOT
from results import FOLDER

BENCHMARKS = (
    "sst2_finetune", "probe_cost", "basic_models", "pictures", "boxes", "masks", "pretraining", "strategies",
    "few_labels", "augmentation", "compare", "rank", "plan", "unlabelled", "tune", "prediction", "picture_speed",
    "recommenders", "recommender_speed", "recommender_scale", "control", "control_presets", "control_pixels",
    "demonstrations", "serving", "robustness", "damaged_pictures", "broken_environments", "defaults",
)  # fmt: skip
PAGE = ROOT / "docs" / "benchmarks.md"

_HEAD = """\
# Benchmarks

Each table is the output of one command of the folder `benchmarks/`, which runs headwater and its peer in turn (A B A B,
one pair a seed) on the same machine, in processes of their own, with the same number of threads and without a network.
CPU seconds are user and system seconds of the whole process unless the text says otherwise; memory is its largest
resident set. Every single measurement is in the JSON file beside the table, in `benchmarks/results/`.

    python benchmarks/NAME.py [--seeds N] [--quick] [--resume] [--extend] [--threads N] [--data FOLDER]

`--data` (or `HEADWATER_DATA`) names the folder of the data sets, `../shared/data` without it. `--quick` is a trial with
one seed and few rows that leaves the results alone. `--resume` goes on after an interruption. `--extend` keeps what is
published and measures what it lacks, so that a table can grow over days: it names every commit that its figures are of.
The peers (SetFit, fastai, implicit, Cornac, Surprise, Stable-Baselines3) get an environment of their own, built by
`python benchmarks/peers.py` with the same versions of torch and transformers.
`python benchmarks/page.py` writes this page.
"""


def page() -> str:
    """The text of the page."""
    return "\n".join([_HEAD, *(section for name in BENCHMARKS for section in _sections(name))])


def _sections(name: str) -> Iterator[str]:
    source = ROOT / "benchmarks" / f"{name}.py"
    story = ast.get_docstring(ast.parse(source.read_text("utf-8"))) or ""
    yield f"## {name}\n\n{story}\n"
    results = [file for file in sorted(FOLDER.glob(f"{name}*.md")) if _benchmark_of(file.stem) == name]
    for result in results:
        yield result.read_text("utf-8")
    if not results:
        yield f"No result is committed yet; `python benchmarks/{name}.py` measures it.\n"


def _benchmark_of(result: str) -> str:
    """Whose result it is: of the names that it begins with the longest."""
    return max((name for name in BENCHMARKS if result.startswith(name)), key=len)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")
    print(PAGE)
