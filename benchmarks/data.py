"""Brings the data sets of the benchmarks into one shape: CSV files with the columns text and label."""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import WORK

Row = tuple[str, str]

csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class DataSet:
    """A set as files. `base` is the accuracy of TF-IDF and logistic regression on record beside the data, if any."""

    name: str
    train: Path
    test: Path
    valid: Path | None
    base: float | None

    @property
    def files(self) -> dict[str, str]:
        """The files as the arguments that a side takes."""
        files = {"train": str(self.train), "test": str(self.test)}
        return files | ({"valid": str(self.valid)} if self.valid else {})


def prepare(name: str, data: Path) -> DataSet:
    """The named set, read from the data folder the first time and kept in `.work/` after that.

    Rows without text (after the stripping of posts) are left out: nobody could tell their class.

    Raises:
        SystemExit: the data folder has no such set.
    """
    folder, load, base = SETS[name]
    if not (data / folder).is_dir():
        raise SystemExit(f"{data}: the data set {folder} is not here. Give its parent folder with --data.")
    kept = WORK / "data" / name
    if not kept.is_dir():
        for part, rows in load(data / folder).items():
            with_text = ((text, label) for text, label in rows if text.strip())
            write(with_text, kept.with_name(f"{name}.partial") / f"{part}.csv")
        kept.with_name(f"{name}.partial").rename(kept)
    valid = kept / "valid.csv"
    return DataSet(name, kept / "train.csv", kept / "test.csv", valid if valid.exists() else None, base)


def read(path: str | Path) -> tuple[list[str], list[str]]:
    """Texts and labels of a prepared file."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["label"] for row in rows]


def write(rows: Iterable[Row], path: Path) -> Path:
    """Writes a prepared file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(rows)
    return path


def part_of(source: Path, rows: int, seed: int) -> Path:
    """A file with a random part of a prepared file, class by class in proportion."""
    share = rows / len(read(source)[0])
    return _drawn(source, f"{rows}-{seed}", seed, lambda of_class: round(share * len(of_class)))


def few_of(source: Path, per_class: int, seed: int) -> Path:
    """A file with this many random rows of each class of a prepared file."""
    return _drawn(source, f"{per_class}-a-class-{seed}", seed, lambda _: per_class)


def halves_of(prepared: DataSet, first: int, second: int) -> tuple[Path, Path]:
    """Two files of so many rows each, no row in both, from everything of a set but its test rows."""
    known = [prepared.train] if prepared.valid is None else [prepared.train, prepared.valid]
    rows = [row for path in known for row in zip(*read(path), strict=True)]
    rest, second_half = split(rows, second / len(rows), 0)
    _, first_half = split(rest, first / len(rest), 0)
    folder = prepared.train.parent
    return write(first_half, folder / f"first-{first}.csv"), write(second_half, folder / f"second-{second}.csv")


def split(rows: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Divides rows in two, class by class, the second part having this share."""
    rest, part = [], []
    for of_class in _by_class(rows, seed):
        cut = round(share * len(of_class))
        part += of_class[:cut]
        rest += of_class[cut:]
    return rest, part


def strip_post(post: str) -> str:
    r"""The body of a Usenet post without header, quoted lines, the lines that introduce them, and signature.

    Example:
        >>> strip_post("From: a@b.c\n\nJane writes:\n> it broke\nOil it.\n--\nJoe")
        'Oil it.'
    """
    body = post.partition("\n\n")[2]
    lines = [line for line in body.splitlines() if not _QUOTED.match(line) and not _INTRODUCES.search(line)]
    last = range(max(0, len(lines) - _LONGEST_SIGNATURE), len(lines))
    lines = lines[: next((number for number in last if _SIGNATURE.fullmatch(lines[number])), len(lines))]
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip())
    if len(paragraphs) > 1 and "@" in paragraphs[-1] and paragraphs[-1].count("\n") < _LONGEST_SIGNATURE:
        paragraphs.pop()
    return "\n\n".join(paragraphs).strip()


_QUOTED = re.compile(r"\s*(\w{0,4}>|[|:])")
_INTRODUCES = re.compile(r"^\s*In article\b|\b(writes|wrote|says|said)\s*:\s*$|<[^<>\s]+@[^<>\s]+>.*\b(writes|wrote)\b")
_SIGNATURE = re.compile(r"\s*[-_=*]{2,}\s*")
_LONGEST_SIGNATURE = 12


def _sst2(folder: Path) -> dict[str, list[Row]]:
    def part(name: str) -> list[Row]:
        rows = (line.rstrip("\n").rpartition("\t") for line in _lines(folder / f"{name}.tsv.gz"))
        return [(text, ("negative", "positive")[int(label)]) for text, _, label in rows]

    return {"train": part("train"), "valid": part("dev"), "test": part("test")}


def _ag_news(folder: Path) -> dict[str, list[Row]]:
    names = (folder / "classes.txt").read_text("utf-8").split()

    def part(name: str) -> list[Row]:
        rows = csv.reader(_lines(folder / f"{name}.csv.gz"))
        return [(f"{title} {description}", names[int(label) - 1]) for label, title, description in rows]

    return {"train": part("train"), "test": part("test")}


def _newsgroups(clean: Callable[[str], str]) -> Callable[[Path], dict[str, list[Row]]]:
    def load(folder: Path) -> dict[str, list[Row]]:
        parts = {name: map(json.loads, _lines(folder / f"{name}.jsonl.gz")) for name in ("train", "test")}
        return {name: [(clean(post["text"]), post["label"]) for post in posts] for name, posts in parts.items()}

    return load


def _hotels(folder: Path) -> dict[str, list[Row]]:
    reader = csv.DictReader(_lines(folder / "ChnSentiCorp_htl_all.csv.gz"))
    train, test = split([(row["review"], ("negative", "positive")[int(row["label"])]) for row in reader], 0.2, seed=0)
    return {"train": train, "test": test}


def _amazon(domain: str) -> Callable[[Path], dict[str, list[Row]]]:
    def load(folder: Path) -> dict[str, list[Row]]:
        rows = map(json.loads, _lines(folder / f"{domain}.jsonl.gz"))
        train, test = split([(row["text"], ("negative", "positive")[row["label"]]) for row in rows], 0.5, seed=0)
        return {"train": train, "test": test}

    return load


SETS: dict[str, tuple[str, Callable[[Path], dict[str, list[Row]]], float | None]] = {
    "sst2": ("sst2", _sst2, 0.810),
    "ag_news_small": ("ag_news_small", _ag_news, 0.8665),
    "newsgroups20": ("newsgroups20_subset", _newsgroups(strip_post), None),
    "newsgroups20_headers": ("newsgroups20_subset", _newsgroups(str.strip), 0.780),
    "chnsenticorp_htl": ("chnsenticorp_htl", _hotels, 0.896),
    "amazon_books": ("amazon_multidomain", _amazon("books"), None),
    "amazon_kitchen": ("amazon_multidomain", _amazon("kitchen"), None),
}


def _lines(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from file


def _drawn(source: Path, suffix: str, seed: int, count: Callable[[list[Row]], int]) -> Path:
    drawn = [
        row
        for of_class in _by_class(list(zip(*read(source), strict=True)), seed)
        for row in of_class[: count(of_class)]
    ]
    random.Random(seed).shuffle(drawn)
    return write(drawn, source.with_name(f"{source.stem}-{suffix}.csv"))


def _by_class(rows: Sequence[Row], seed: int) -> list[list[Row]]:
    """The rows of each class, classes in the order of their names, rows shuffled."""
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[1]].append(row)
    return [random.Random(f"{seed}-{label}").sample(groups[label], len(groups[label])) for label in sorted(groups)]
