"""Networks of masks trained from scratch: overlap with its interval and cost, beside a plain loop.

isbi_membrane: slices 0 to 23 are learnt from, 24 to 29 tested; camvid_240x180: its official parts. Every model takes
its own defaults. The plain loop trains torchvision's LR-ASPP on MobileNetV3 for as many CPU seconds as headwater's
whole process took with `unet` on the first seed: AdamW, batches of 8 crops of 176 pixels, mirrored at random, cross
entropy without void. What it gives where the time runs out is measured on the same test pictures by the same metric.
"""

from __future__ import annotations

import csv
import io
import tempfile
import time
import zipfile
from pathlib import Path
from statistics import mean
from typing import Any

from harness import WORK, Bench, Measured, main
from results import Spread, Table, publish

MODELS = ("unet", "fcn", "deeplab")
SETS = {"isbi_membrane": "unet at least 0.95 pixel accuracy", "camvid_240x180": "mean IoU of all three told"}
_VOID = {"isbi_membrane": (), "camvid_240x180": ("11",)}
_METRICS = ("pixel_accuracy", "mean_iou", "mean_dice", "boundary_f")
_BARRED = ("isbi_membrane", "unet")
"""What a bar is about; the others, of which one takes a quarter of an hour and more, have one seed."""
_CROP, _BATCH = 176, 8


def headwater_adapt(train: str, test: str | None, void: list[str], model: str, seed: int,
                    epochs: int | None = None) -> dict[str, Any]:  # fmt: skip
    """One whole `adapt`: reading, near copies, the baseline, learning, test and report."""
    import headwater

    app = headwater.adapt(
        "semantic-segmentation", train, test=test, model=model, seed=seed, epochs=epochs, offline=True, device="cpu",
        mask_void=void or None, to=Path(tempfile.mkdtemp()) / "run",
    )  # fmt: skip
    if app.report is None:
        raise SystemExit("adapt made no report.")
    told = app.report.metrics
    limits = {"low": told["mean_iou"].low, "high": told["mean_iou"].high, "epochs": len(app.trace.curve)}
    return {name: told[name].value for name in _METRICS} | limits


def plain_loop(parts: dict[str, list[list[str]]], void: int | None, cpu_seconds: float, seed: int) -> dict[str, Any]:
    """A network of torchvision, trained by a loop as tutorials have it."""
    import torch
    from torch.nn.functional import cross_entropy
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    torch.manual_seed(seed)
    pictures, masks, codes = _tensors(parts["train"], void)
    network = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=len(codes))
    optimiser, epochs = torch.optim.AdamW(network.parameters(), lr=1e-3), 0.0
    while time.process_time() < cpu_seconds:
        for rows in torch.randperm(len(pictures)).split(_BATCH):
            if time.process_time() >= cpu_seconds or len(rows) < 2:
                break
            seen, known = _cropped(pictures[rows], masks[rows])
            optimiser.zero_grad()
            cross_entropy(network(seen)["out"], known, ignore_index=-1).backward()
            optimiser.step()
            epochs += len(rows) / len(pictures)
    return _measured(network.eval(), *_tensors(parts["test"], void, codes)) | {"epochs": round(epochs, 1)}


def _measured(network: Any, pictures: Any, masks: Any, codes: list[int]) -> dict[str, Any]:
    """What a network of torchvision comes to by the metrics of headwater's reports."""
    import torch

    from headwater.evaluation.segmentation import MaskTally

    tally = MaskTally(tuple(map(str, codes)), ("plain",))
    with torch.inference_mode():
        for picture, mask in zip(pictures, masks, strict=True):
            tally.update(mask.numpy(), {"plain": network(picture[None])["out"][0].argmax(dim=0).numpy()})
    told = tally.metrics()
    return {name: told[name].value for name in _METRICS} | {"low": told["mean_iou"].low, "high": told["mean_iou"].high}


def _cropped(pictures: Any, masks: Any) -> tuple[Any, Any]:
    import torch

    top, left = (int(torch.randint(0, size - _CROP + 1, ())) for size in pictures.shape[2:])
    pictures, masks = (part[..., top : top + _CROP, left : left + _CROP] for part in (pictures, masks))
    return (pictures, masks) if torch.rand(()) < 0.5 else (pictures.flip(3), masks.flip(2))


def _tensors(pairs: list[list[str]], void: int | None, codes: list[int] | None = None) -> tuple[Any, Any, list[int]]:
    """Standardised pixels of shape (rows, 3, height, width), class positions with -1 for void, and the classes."""
    import numpy as np
    import torch
    from PIL import Image

    images, drawn = (np.stack([np.asarray(Image.open(_opened(pair[part])).convert(mode)) for pair in pairs])
                     for part, mode in ((0, "RGB"), (1, "L")))  # fmt: skip
    if len(np.unique(drawn)) > 64:  # masks in two classes, blurred by JPEG
        drawn = np.where(drawn < 128, 0, 255)
    codes = codes or [code for code in np.unique(drawn).tolist() if code != void]
    masks = np.full(drawn.shape, -1)
    for place, code in enumerate(codes):
        masks[drawn == code] = place
    pixels = torch.from_numpy(images.copy()).permute(0, 3, 1, 2).float() / 255
    return (pixels - 0.45) / 0.25, torch.from_numpy(masks), codes


def _opened(place: str) -> Any:
    archive, inside, name = place.partition("!/")
    return io.BytesIO(zipfile.ZipFile(archive).read(name)) if inside else place


def _parts(name: str, folder: Path) -> dict[str, list[list[str]]]:
    """The pairs of picture and mask of each part, as paths."""
    if name == "isbi_membrane":
        pairs = [[str(folder / kind / f"{row}.{_suffix(folder / kind)}") for kind in ("image", "label")]
                 for row in range(30)]  # fmt: skip
        return {"train": pairs[:24], "test": pairs[24:]}
    with zipfile.ZipFile(folder / "masks.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".png")]
    found: dict[str, list[list[str]]] = {"train": [], "test": []}
    for mask in names:
        part, file = mask.removeprefix("./").split("/")[-2:]
        own = part.removesuffix("annot")
        picture = f"{folder / 'images.zip'}!/{own}/{Path(file).stem}.jpg"
        found["test" if own == "test" else "train"].append([picture, f"{folder / 'masks.zip'}!/{mask}"])
    return found


def _suffix(folder: Path) -> str:
    return next(folder.glob("0.*")).suffix.removeprefix(".")


def _manifest(name: str, part: str, pairs: list[list[str]]) -> str:
    file = WORK / f"{name}-{part}.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([["image", "mask"], *pairs])
    return str(file)


def compare(bench: Bench) -> None:
    """Measures set by set; a table for each."""
    publish(bench, [_table(bench, name) for name in bench.options.only or SETS])


def _table(bench: Bench, name: str) -> Table:
    folder = bench.options.data / name
    parts, void = _parts(name, folder), _VOID[name]
    files: dict[str, Any] = {"train": str(folder), "test": None}
    if name == "isbi_membrane":  # the others say by themselves which part is which
        files = {part: _manifest(name, part, pairs) for part, pairs in parts.items()}
    epochs = {"epochs": 1} if bench.options.quick else {}
    rows = []
    for model in bench.options.models or MODELS:
        seeds = bench.seeds if (name, model) == _BARRED else bench.seeds[:1]
        runs = [bench.measure("headwater", **files, void=list(void), model=model, seed=seed, **epochs)
                for seed in seeds]  # fmt: skip
        rows.append(_row(model, runs))
        if model == "unet":
            plain = [bench.measure("plain", parts=parts, void=int(void[0]) if void else None,
                                   cpu_seconds=run.cpu_seconds, seed=seed)
                     for run, seed in zip(runs[:1], bench.seeds, strict=False)]  # fmt: skip
            rows.append(_row("torchvision LR-ASPP, plain loop", plain))
    caption = (
        f"{name}: means over the seeds, the 95 % interval of the first; costs as median (range). Bar: {SETS[name]}."
    )
    heads = ("model", "mean IoU", "by seed", "interval", "mean Dice", "pixel accuracy", "boundary F", "epochs", "CPU s",
             "peak MiB")  # fmt: skip
    return Table(caption, heads, rows)


def _row(name: str, runs: list[Measured]) -> tuple[Any, ...]:
    values = [run.values for run in runs]
    return (
        name, f"{mean(one['mean_iou'] for one in values):.3f}", ", ".join(f"{one['mean_iou']:.3f}" for one in values),
        f"{values[0]['low']:.3f} to {values[0]['high']:.3f}",
        *(f"{mean(one[metric] for one in values):.3f}" for metric in ("mean_dice", "pixel_accuracy", "boundary_f")),
        ", ".join(str(one["epochs"]) for one in values),
        Spread.of(run.cpu_seconds for run in runs), Spread.of(run.peak_mib for run in runs),
    )  # fmt: skip


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": tuple(SETS), "help": "these sets"},
    "--models": {"nargs": "+", "choices": MODELS, "help": "these models"},
}

if __name__ == "__main__":
    main(Path(__file__), {"headwater": headwater_adapt, "plain": plain_loop}, compare, flags=FLAGS)
