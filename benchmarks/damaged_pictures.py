"""Damaged images, annotations and masks into `adapt`, `evaluate` and `predict`: never a traceback, never a shifted row.

Three folders of real images (hymenoptera in two classes, bccd with Pascal VOC, camvid_240x180 with masks) are learnt
once. Then one or two files of a folder are damaged in a seeded way, 500 times over the three, and each damaged folder
goes through the command line: `predict`, and of the classes a whole `adapt`, else `evaluate`, which read what is known.
Every undamaged image must come out once, under its own name, with the answer that it has in the clean folder; a command
ends with status 0 and a result, or with status 2 and a sentence; no end after 60 CPU seconds is a fault as well.
"""

from __future__ import annotations

import io
import json
import random
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from harness import Bench, main
from results import Table, publish
from robustness import fault_of, in_this_process

CASES = 500
IN_ONE_PROCESS = 50
IMAGES = 20
TASKS = ("image-classification", "object-detection", "semantic-segmentation")
_CHEAP = {
    TASKS[0]: ("--model", "pixels-logistic"),
    TASKS[1]: ("--model", "yolo", "--set", "width=8", "--set", "depth=1", "--epochs", "1", "--image-size", "64"),
    TASKS[2]: ("--model", "unet", "--set", "width=4", "--epochs", "1", "--image-size", "64", "--mask-void", "11"),
}

_HOW = ("--offline", "--quarantine-share", "0.5")

Damage = Callable[[bytes, random.Random], bytes]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice([1, 5, 100])):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _zeroed(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content))
    end = min(len(content), start + chance.randrange(1, 4000))
    return content[:start] + bytes(end - start) + content[end:]


def _grown(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + chance.randbytes(chance.randrange(1, 200)) + content[at:]


def _emptied(content: bytes, chance: random.Random) -> bytes:
    return chance.choice([b"", b"\0" * len(content), b"not an image", b"\xff\xfe" + "words".encode("utf-16-le")])


def _digits(content: bytes, chance: random.Random) -> bytes:
    """A number becomes another, or none: the size in a header, the edge of a box."""
    places = [place for place, byte in enumerate(content) if 0x30 <= byte <= 0x39] or [0]
    at = chance.choice(places)
    given = chance.choice([b"-", b"e", b"NaN", b"9999999999", b"0.5", b"\xc2\xb2", b"<", b"{", b""])
    return content[:at] + given + content[at + 1 :]


def _resaved(content: bytes, chance: random.Random) -> bytes:
    """Another kind of image under the name of this one: odd, but often one that can be read."""
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(content)).convert("RGB")
    except OSError:
        return content[::-1]
    kind, mode = chance.choice([("PNG", "1"), ("PNG", "I;16"), ("TIFF", "CMYK"), ("GIF", "P"), ("WEBP", "RGBA"),
                                ("BMP", "L"), ("JPEG", "L"), ("PNG", "LA")])  # fmt: skip
    size = chance.choice([image.size, (1, 1), (1, 300), (image.width // 2, image.height)])
    image = image.resize(size)
    stream = io.BytesIO()
    (image.convert("L").convert(mode) if mode == "I;16" else image.convert(mode)).save(stream, kind)
    return stream.getvalue()


DAMAGES: dict[str, Damage] = {
    "cut off": _cut, "bits flipped": _flipped, "zeros": _zeroed, "bytes put in": _grown, "emptied": _emptied,
    "digits": _digits, "another kind": _resaved,
}  # fmt: skip


def attack(task: str, data: str, first: int, cases: int) -> dict[str, Any]:
    """Runs both verbs on each damaged folder; returns how they ended by kind of damage, and every fault."""
    place = Path(tempfile.mkdtemp())
    clean = place / "clean"
    FOLDERS[task](Path(data), clean)
    run = place / "run"
    done = in_this_process(("adapt", task, str(clean), *_HOW, *_CHEAP[task], "--to", str(run)))
    if done.status:
        raise SystemExit(f"adapt failed on the clean folder: {done.said}")
    known, _ = _answers(run, clean, place)
    endings: Counter[str] = Counter()
    faults = []
    for seed in range(first, first + cases):
        chance, folder = random.Random(seed), place / f"case-{seed}"
        shutil.copytree(clean, folder)
        kind = chance.choice(sorted(DAMAGES))
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        damaged = chance.sample(files, chance.choice([1, 1, 2]))
        for file in damaged:
            file.write_bytes(DAMAGES[kind](file.read_bytes(), chance))
        for verb, ended in (("predict", _predicted), ("read what is known", partial(_read, task))):
            status, fault = ended(run, folder, place, known, {file.stem for file in damaged})
            endings[f"{verb}|{kind}|{status}"] += 1
            if fault:
                faults.append(f"{task} {verb} {kind} seed {seed}: {fault}")
        shutil.rmtree(folder)
    return {"endings": endings, "faults": faults}


def _answers(run: Path, folder: Path, place: Path) -> tuple[dict[str, Any], Any]:
    """The answer of every image by the end of its path, and how the command ended."""
    to = place / "answers.jsonl"
    to.unlink(missing_ok=True)
    ended = in_this_process(("predict", str(run), str(folder), "--keep", "image", "--to", str(to)))
    if not to.exists():
        return {}, ended
    rows = [json.loads(line) for line in to.read_text("utf-8").splitlines()]
    return {Path(row["image"]).name: row["prediction"] for row in rows if row["image"]}, ended


def _predicted(run: Path, folder: Path, place: Path, known: dict[str, Any], damaged: set[str]) -> tuple[int, Any]:
    found, ended = _answers(run, folder, place)
    fault = fault_of(ended, made=bool(found))
    wrong = [name for name, answer in known.items() if Path(name).stem not in damaged and found.get(name) != answer]
    if fault is None and ended.status == 0 and wrong:
        fault = f"other answers than in the clean folder: {wrong[:3]}"
    return ended.status, fault


def _read(task: str, run: Path, folder: Path, place: Path, *_: Any) -> tuple[int, Any]:
    to = place / "made"
    shutil.rmtree(to, ignore_errors=True)
    words = ("adapt", task, str(folder), *_HOW, *_CHEAP[task])
    ended = in_this_process(
        (*words, "--to", str(to)) if task == TASKS[0] else ("evaluate", str(run), str(folder), "--to", str(to))
    )
    return ended.status, fault_of(ended, made=(to / "report.json").exists())


def _classes(data: Path, folder: Path) -> None:
    for kind in ("ants", "bees"):
        (folder / kind).mkdir(parents=True)
        for file in sorted((data / "hymenoptera" / "train" / kind).iterdir())[:IMAGES]:
            shutil.copyfile(file, folder / kind / file.name)


def _boxes(data: Path, folder: Path) -> None:
    (folder / "JPEGImages").mkdir(parents=True)
    (folder / "Annotations").mkdir()
    with zipfile.ZipFile(data / "bccd" / "Annotations.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".xml"))[:IMAGES]
        for name in names:
            (folder / "Annotations" / Path(name).name).write_bytes(archive.read(name))
    for name in names:
        file = f"{Path(name).stem}.jpg"
        shutil.copyfile(data / "bccd" / "JPEGImages" / file, folder / "JPEGImages" / file)


def _masks(data: Path, folder: Path) -> None:
    for kind, inside in (("images", "train/"), ("masks", "trainannot/")):
        (folder / kind).mkdir(parents=True)
        with zipfile.ZipFile(data / "camvid_240x180" / f"{kind}.zip") as archive:
            names = sorted(name for name in archive.namelist() if inside in name and not name.endswith("/"))
            for name in names[: 8 * IMAGES : 8]:
                (folder / kind / Path(name).name).write_bytes(archive.read(name))


FOLDERS = dict(zip(TASKS, (_classes, _boxes, _masks), strict=True))


def compare(bench: Bench) -> None:
    """Attacks in portions, so that an interrupted run can go on."""
    cases = 15 if bench.options.quick else CASES
    tables = []
    for place, task in enumerate(TASKS):
        share = [case for case in range(cases) if case % len(TASKS) == place]
        portions = [
            bench.measure("attack", task=task, data=str(bench.options.data), first=share[start],
                          cases=len(share[start : start + IN_ONE_PROCESS]))
            for start in range(0, len(share), IN_ONE_PROCESS)
        ]  # fmt: skip
        tables += _tables(task, [portion.values for portion in portions], len(share))
    publish(bench, tables)


def _tables(task: str, portions: list[dict[str, Any]], cases: int) -> list[Table]:
    """How the commands ended by kind of damage, and the faults, of which there should be none."""
    endings: Counter[str] = sum((Counter(portion["endings"]) for portion in portions), Counter())
    ends = [(verb, status) for verb in ("predict", "read what is known") for status in ("0", "2")]
    rows = [(kind, *(endings[f"{verb}|{kind}|{status}"] for verb, status in ends)) for kind in sorted(DAMAGES)]
    faults = [fault for portion in portions for fault in portion["faults"]]
    heads = ("damage", "predict done", "predict refused", "known read", "known refused")
    table = Table(f"{task}: {cases} damaged folders; {len(faults)} faults.", heads, rows)
    return [table, Table("Faults:", ("fault",), [(fault,) for fault in faults])] if faults else [table]


if __name__ == "__main__":
    main(Path(__file__), {"attack": attack}, compare, seeds=1)
