"""Detectors trained from scratch on bccd: average precision with its interval and cost, beside a plain loop.

Every model takes its own defaults, and the official division of 205, 87 and 72 pictures. The plain loop trains
torchvision's SSDlite on MobileNetV3 for as many CPU seconds as headwater's whole process took with `yolo` on the first
seed: AdamW, batches of 8, pictures of 320 pixels, mirrored at random, the validation pictures learnt as well. What it
gives where the time runs out is measured on the same test pictures by the same metric.
"""

from __future__ import annotations

import tempfile
import time
import zipfile
from pathlib import Path
from statistics import mean
from typing import Any
from xml.etree import ElementTree

from harness import Bench, Measured, main
from results import Spread, Table, publish

MODELS = ("yolo", "ssd", "faster-rcnn", "fast-rcnn", "rcnn")
BAR = "yolo at least 0.80 mAP50 within 3,600 CPU s"
CLASSES = ("Platelets", "RBC", "WBC")
_METRICS = ("map50", "map", "map75")
_SIDE, _BATCH = 320, 8
_SEEDS = {"ssd": 1, "faster-rcnn": 1, "fast-rcnn": 1, "rcnn": 1}
"""Seeds of the models that no bar is about, where fewer than all."""


def headwater_adapt(folder: str, model: str, seed: int, epochs: int | None = None) -> dict[str, Any]:
    """One whole `adapt`: reading, near copies, the baseline, learning, test and report."""
    import headwater

    app = headwater.adapt(
        "object-detection", folder, model=model, seed=seed, epochs=epochs, offline=True, device="cpu",
        to=Path(tempfile.mkdtemp()) / "run",
    )  # fmt: skip
    if app.report is None:
        raise SystemExit("adapt made no report.")
    told = app.report.metrics
    return {
        **{name: told[name].value for name in _METRICS}, "low": told["map50"].low, "high": told["map50"].high,
        "epochs": len(app.trace.curve),
        "classes": {row["class"]: row["ap50"]["value"] for row in app.report.per_class},
    }  # fmt: skip


def plain_loop(folder: str, cpu_seconds: float, seed: int) -> dict[str, Any]:
    """A detector of torchvision, trained by a loop as tutorials have it."""
    import torch
    from torchvision.models.detection import ssdlite320_mobilenet_v3_large

    torch.manual_seed(seed)
    pictures, targets = _tensors(Path(folder), ("train", "val"))
    network = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=len(CLASSES) + 1)
    optimiser, epochs = torch.optim.AdamW(network.parameters(), lr=1e-3), 0.0
    while time.process_time() < cpu_seconds:
        for rows in torch.randperm(len(pictures)).split(_BATCH):
            if time.process_time() >= cpu_seconds or len(rows) < 2:
                break
            pairs = [_mirrored(pictures[row], targets[row]) for row in rows.tolist()]
            optimiser.zero_grad()
            sum(network([picture for picture, _ in pairs], [target for _, target in pairs]).values()).backward()
            optimiser.step()
            epochs += len(rows) / len(pictures)
    return _measured(network.eval(), *_tensors(Path(folder), ("test",))) | {"epochs": round(epochs, 1)}


def _measured(network: Any, pictures: Any, targets: list[dict[str, Any]]) -> dict[str, Any]:
    """What a network of torchvision comes to by the metric of headwater's reports."""
    import torch

    from headwater.data.boxes import Boxes
    from headwater.evaluation.detection import BoxTally

    tally = BoxTally(CLASSES)
    with torch.inference_mode():
        for picture, target in zip(pictures, targets, strict=True):
            answer = network([picture])[0]
            found = Boxes(answer["boxes"].numpy(), answer["labels"].numpy() - 1,
                          answer["scores"].numpy())  # fmt: skip
            tally.update([Boxes(target["boxes"].numpy(), target["labels"].numpy() - 1)], {"plain": [found]})
    told = tally.metrics()
    names = {row["class"]: row["ap50"]["value"] for row in tally.per_class()}
    limits = {"low": told["map50"].low, "high": told["map50"].high, "classes": names}
    return {name: told[name].value for name in _METRICS} | limits


def _mirrored(picture: Any, target: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    import torch

    if torch.rand(()) < 0.5:
        return picture, target
    boxes = target["boxes"].clone()
    boxes[:, [0, 2]] = picture.shape[2] - boxes[:, [2, 0]]
    return picture.flip(2), {**target, "boxes": boxes}


def _tensors(folder: Path, parts: tuple[str, ...]) -> tuple[list[Any], list[dict[str, Any]]]:
    """Pictures of shape (3, 320, 320), and their boxes in its pixels, without those that have no area."""
    import numpy as np
    import torch
    from PIL import Image

    stems = [stem for part in parts for stem in (folder / "ImageSets" / f"{part}.txt").read_text("utf-8").split()]
    pictures, targets = [], []
    with zipfile.ZipFile(folder / "Annotations.zip") as archive:
        names = {Path(name).stem: name for name in archive.namelist() if name.endswith(".xml")}
        for stem in stems:
            image = Image.open(folder / "JPEGImages" / f"{stem}.jpg").convert("RGB")
            tree = ElementTree.fromstring(archive.read(names[stem]))
            objects = [(CLASSES.index(str(one.findtext("name"))) + 1,
                        [float(str(one.findtext(f"bndbox/{edge}"))) for edge in ("xmin", "ymin", "xmax", "ymax")])
                       for one in tree.iter("object")]  # fmt: skip
            objects = [(label, box) for label, box in objects if box[0] < box[2] and box[1] < box[3]]
            scale = torch.tensor([_SIDE / image.width, _SIDE / image.height] * 2)
            pixels = np.asarray(image.resize((_SIDE, _SIDE)))
            pictures.append(torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255)
            targets.append({"boxes": torch.tensor([box for _, box in objects]).reshape(-1, 4) * scale,
                            "labels": torch.tensor([label for label, _ in objects], dtype=torch.long)})  # fmt: skip
    return pictures, targets


def compare(bench: Bench) -> None:
    """Measures model by model; one table."""
    folder = str(bench.options.data / "bccd")
    epochs = {"epochs": 1} if bench.options.quick else {}
    rows = []
    for model in bench.options.models or MODELS:
        seeds = bench.seeds[: _SEEDS.get(model)]
        runs = [bench.measure("headwater", folder=folder, model=model, seed=seed, **epochs) for seed in seeds]
        rows.append(_row(model, runs))
        if model == "yolo":
            plain = [bench.measure("plain", folder=folder, cpu_seconds=run.cpu_seconds, seed=seed)
                     for run, seed in zip(runs[:1], bench.seeds, strict=False)]  # fmt: skip
            rows.append(_row("torchvision SSDlite, plain loop", plain))
    caption = f"bccd: means over the seeds, the 95 % interval of the first; costs as median (range). Bar: {BAR}."
    heads = ("model", "mAP50", "by seed", "interval", "mAP", *(f"AP50 {name}" for name in CLASSES), "epochs", "CPU s",
             "peak MiB")  # fmt: skip
    publish(bench, [Table(caption, heads, rows)])


def _row(name: str, runs: list[Measured]) -> tuple[Any, ...]:
    values = [run.values for run in runs]
    return (
        name, f"{mean(one['map50'] for one in values):.3f}", ", ".join(f"{one['map50']:.3f}" for one in values),
        f"{values[0]['low']:.3f} to {values[0]['high']:.3f}", f"{mean(one['map'] for one in values):.3f}",
        *(f"{mean(one['classes'][label] for one in values):.3f}" for label in CLASSES),
        ", ".join(str(one["epochs"]) for one in values),
        Spread.of(run.cpu_seconds for run in runs), Spread.of(run.peak_mib for run in runs),
    )  # fmt: skip


FLAGS: dict[str, dict[str, Any]] = {"--models": {"nargs": "+", "choices": MODELS, "help": "these models"}}

if __name__ == "__main__":
    main(Path(__file__), {"headwater": headwater_adapt, "plain": plain_loop}, compare, flags=FLAGS)
