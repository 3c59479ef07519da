"""How fast images are learnt and seen: beside fastai and a plain loop, a bare forward loop, and as rows grow.

Training: ResNet-18 at 128 pixels on hymenoptera (244 photos). Every side trains a few epochs and some more; what the
further epochs cost, with their scores on held-out photos where a side takes them, is told as photos a CPU second.
fastai decodes in its own process, with its usual alterations; the plain loop holds pixels in memory, mirrors, scores
nothing; both compute in float32. headwater is told with its own precision and in float32.

Features: a frozen ResNet-18 of timm with random weights at 224 pixels over the same photos, against the same network
over pixels that are in memory already: photos a second of wall time, in turn within one process.

Prediction: lenet over 2,000 and 10,000 rows that name the photos of cifar10_small again and again, as one command; its
largest resident set.
"""

from __future__ import annotations

import csv
import tempfile
import time
import zipfile
from pathlib import Path
from statistics import median
from typing import Any

import peers
from harness import WORK, Bench, Stopwatch, main
from results import Spread, Table, publish

_SIDE, _BATCH = 128, 32
_EPOCHS = (2, 6)
_ROWS = (2000, 10_000)
_TURNS = 5


def headwater_epochs(train: str, test: str, epochs: int, precision: str, seed: int) -> dict[str, Any]:
    """A whole `adapt` of so many epochs."""
    import headwater

    headwater.adapt(
        "image-classification", train, test=test, model="resnet18", seed=seed, epochs=epochs, offline=True,
        image_size=_SIDE, batch_size=_BATCH, precision=precision, patience=100, to=Path(tempfile.mkdtemp()) / "run",
    )  # fmt: skip
    return {}


def fastai_epochs(train: str, test: str, epochs: int, seed: int) -> dict[str, Any]:
    """As the documentation of fastai has it, without pretrained weights."""
    from fastai.vision.all import ImageDataLoaders, Learner, Resize, accuracy, aug_transforms, set_seed
    from torchvision.models import resnet18

    set_seed(seed)
    loaders = ImageDataLoaders.from_folder(
        train, valid_pct=0.1, seed=seed, item_tfms=Resize(_SIDE), batch_tfms=aug_transforms(), bs=_BATCH, num_workers=0,
        device="cpu",
    )  # fmt: skip
    learner = Learner(loaders, resnet18(num_classes=2), metrics=accuracy)
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(epochs)
    return {}


def plain_epochs(train: str, test: str, epochs: int, seed: int) -> dict[str, Any]:
    """A loop over pixels in memory, as tutorials have it."""
    import torch
    from torchvision.models import resnet18

    torch.manual_seed(seed)
    pixels = _pixels(sorted(Path(train).rglob("*.jpg")), _SIDE)
    labels = torch.tensor([file.parent.name == "bees" for file in sorted(Path(train).rglob("*.jpg"))]).long()
    network = resnet18(num_classes=2)
    optimiser = torch.optim.Adam(network.parameters())
    for _ in range(epochs):
        for rows in torch.randperm(len(pixels)).split(_BATCH):
            seen = pixels[rows] if torch.rand(()) < 0.5 else pixels[rows].flip(3)
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(network(seen), labels[rows]).backward()
            optimiser.step()
    return {}


def features(train: str, seed: int) -> dict[str, Any]:
    """Photos a second through a frozen network: headwater from files, a bare loop over pixels in memory, in turn."""
    import timm
    import torch

    from headwater.data.pictures import Picture
    from headwater.foundation.image import ImageEncoder
    from headwater.transfer.features import in_batches

    folder = Path(tempfile.mkdtemp())
    _saved(timm.create_model("resnet18", num_classes=0), folder)
    encoder = ImageEncoder.load(folder, "resnet18")
    files = sorted(Path(train).rglob("*.jpg"))
    pixels, taken = _pixels(files, 224), {"headwater": [], "bare": []}
    for _ in range(_TURNS):
        started = time.perf_counter()
        for _rows, _found in in_batches(encoder, [Picture(str(file)) for file in files], None):
            pass
        taken["headwater"].append(len(files) / (time.perf_counter() - started))
        started = time.perf_counter()
        with torch.inference_mode():
            for some in pixels.split(_BATCH):
                encoder.network(some)
        taken["bare"].append(len(files) / (time.perf_counter() - started))
    return {name: median(rates) for name, rates in taken.items()}


def predicted(run: str, rows: str) -> dict[str, Any]:
    """One `predict` to a file."""
    from robustness import in_this_process

    to = Path(tempfile.mkdtemp()) / "answers.jsonl"
    with Stopwatch() as watch:
        ended = in_this_process(("predict", run, rows, "--to", str(to)))
    if ended.status:
        raise SystemExit(ended.said)
    return {"rows": len(to.read_text("utf-8").splitlines()), "cpu_seconds": watch.cpu_seconds}


def _saved(network: Any, folder: Path) -> None:
    """A network of timm in the hub's format."""
    import json

    from safetensors.torch import save_file

    save_file(network.state_dict(), folder / "model.safetensors", {"format": "pt"})
    told = {"architecture": "resnet18", "num_classes": 0, "pretrained_cfg": {"input_size": [3, 224, 224]}}
    (folder / "config.json").write_text(json.dumps(told), "utf-8")


def _pixels(files: list[Path], side: int) -> Any:
    """Standardised pixels of shape (files, 3, side, side)."""
    import numpy as np
    import torch
    from PIL import Image

    arrays = [np.asarray(Image.open(file).convert("RGB").resize((side, side))) for file in files]
    return (torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 255 - 0.45) / 0.225


def compare(bench: Bench) -> None:
    """Three tables."""
    folder = bench.options.data / "hymenoptera"
    files = {"train": str(folder / "train"), "test": str(folder / "val")}
    publish(bench, [_training(bench, files), _features(bench, files["train"]), _prediction(bench)])


def _training(bench: Bench, files: dict[str, str]) -> Table:
    photos = len(list(Path(files["train"]).rglob("*.jpg")))
    sides: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("headwater", "headwater", {"precision": "auto"}),
        ("headwater, float32", "headwater", {"precision": "fp32"}),
        ("fastai", "fastai", {"python": peers.python()}),
        ("torchvision, plain loop", "plain", {}),
    )
    rates: dict[str, list[float]] = {name: [] for name, _, _ in sides}
    for seed in bench.seeds:
        for name, side, how in sides:
            few, many = (bench.measure(side, **files, seed=seed, epochs=epochs, **how) for epochs in _EPOCHS)
            rates[name].append(photos * (_EPOCHS[1] - _EPOCHS[0]) / (many.cpu_seconds - few.cpu_seconds))
    caption = f"Training, {photos} photos. Bar: headwater's rate is at least that of fastai and of the plain loop."
    return Table(caption, ("side", "photos a CPU second"), [(name, Spread.of(found)) for name, found in rates.items()])


def _features(bench: Bench, train: str) -> Table:
    runs = [bench.measure("features", train=train, seed=seed) for seed in bench.seeds]
    rows = [(name, Spread.of(run.values[name] for run in runs)) for name in ("headwater", "bare")]
    share = Spread.of(run.values["headwater"] / run.values["bare"] for run in runs)
    caption = "Features of a frozen ResNet-18, decoding included on the first side only. Bar: a share of 0.9."
    return Table(caption, ("side", "photos a second"), [*rows, ("share", share)])


def _prediction(bench: Bench) -> Table:
    archive = bench.options.data / "cifar10_small" / "test.zip"
    run = WORK / "speed-run"
    if not run.exists():
        import headwater

        headwater.adapt("image-classification", str(archive), model="lenet", epochs=1, offline=True, to=run)
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if not name.endswith("/")]
    rows = []
    for count in _ROWS[:1] if bench.options.quick else _ROWS:
        file = WORK / f"speed-{count}.csv"
        with file.open("w", newline="", encoding="utf-8") as written:
            places = [[f"{archive}!/{names[row % len(names)]}"] for row in range(count)]
            csv.writer(written).writerows([["image"], *places])
        done = bench.measure("predicted", run=str(run), rows=str(file))
        rows.append((f"{count:,}", f"{done.peak_mib:.0f}", f"{count / done.values['cpu_seconds']:.0f}"))
    caption = "Prediction by lenet. Bar: the memory does not grow with the rows."
    return Table(caption, ("rows", "peak MiB", "photos a CPU second"), rows)


SIDES = {
    "headwater": headwater_epochs, "fastai": fastai_epochs, "plain": plain_epochs, "features": features,
    "predicted": predicted,
}  # fmt: skip

if __name__ == "__main__":
    main(Path(__file__), SIDES, compare)
