"""`headwater doctor`: what is installed, what this machine can do, and how to close each gap.

Nothing heavy is imported: versions come from the package metadata, devices from the operating system.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from headwater import __version__, catalog

_HUB = "https://huggingface.co"
_GIB = 2**30
_LITTLE_DISK = 2 * _GIB


@dataclass(frozen=True)
class Finding:
    """One thing the doctor looked at. `fix` says what to do; empty where nothing is amiss."""

    state: Literal["ok", "gap", "broken"]
    what: str
    found: str
    fix: str = ""


def examine(*, offline: bool = False, devices: bool = False) -> list[Finding]:
    """Looks at the installation, the machine and the hub, in that order.

    Args:
        offline: do not ask whether the hub answers.
        devices: import torch and ask it for its devices, instead of the operating system.
    """
    return [
        Finding("ok", "headwater", f"{__version__} on Python {platform.python_version()} ({sys.executable})"),
        *_installed(),
        _devices_of_torch() if devices else _devices_of_system(),
        Finding("ok", "processor", f"{os.cpu_count()} cores, {_threads()}"),
        _memory(),
        *_disks(),
        *(_embedded(foundation) for foundation in catalog.FOUNDATIONS),
        _hub(offline=offline),
    ]


def _installed() -> Iterator[Finding]:
    """The core and every extra, one finding each."""
    groups = _requirements()
    yield _group("core", groups.pop("", []), state="broken", fix="pip install --force-reinstall headwater")
    for extra, names in groups.items():
        yield _group(f"extra {extra}", names, state="gap", fix=f"pip install 'headwater[{extra}]'")


def _requirements() -> dict[str, list[str]]:
    """The distribution names that headwater's own metadata asks for, by extra; the core under the empty name."""
    groups: dict[str, list[str]] = {"": []}
    for line in importlib.metadata.requires("headwater") or []:
        name = re.split(r"[\s<>=!~;\[(]", line, maxsplit=1)[0]
        extra = re.search(r"""extra\s*==\s*['"]([^'"]+)""", line)
        # The tools of those who work on headwater itself are no gap in anybody's installation.
        if name != "headwater" and (extra is None or extra[1] != "dev"):
            groups.setdefault(extra[1] if extra else "", []).append(name)
    return groups


def _group(what: str, names: list[str], *, state: Literal["gap", "broken"], fix: str) -> Finding:
    versions = {name: _version(name) for name in names}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return Finding(state, what, f"missing: {', '.join(missing)}", fix)
    return Finding("ok", what, ", ".join(f"{name} {version}" for name, version in versions.items()))


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _devices_of_system() -> Finding:
    if shutil.which("nvidia-smi") or Path("/proc/driver/nvidia/version").exists():
        return Finding("ok", "devices", "cpu, and an NVIDIA driver; see headwater doctor --devices")
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return Finding("ok", "devices", "cpu, mps")
    return Finding("ok", "devices", "cpu; no NVIDIA driver found")


def _devices_of_torch() -> Finding:
    try:
        import torch
    except ImportError as missing:
        return Finding("gap", "devices", f"torch cannot be imported: {missing}", "pip install 'headwater[language]'")
    names = ["cpu", *(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))]
    return Finding("ok", "devices", ", ".join([*names, "mps"] if torch.backends.mps.is_available() else names))


def _threads() -> str:
    limits = [f"{name}={os.environ[name]}" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if name in os.environ]
    return ", ".join(limits) if limits else "threads not limited by the environment"


def _memory() -> Finding:
    if "SC_AVPHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return Finding("ok", "memory", "not told by this system")
    page = os.sysconf("SC_PAGE_SIZE")
    free, total = (os.sysconf(name) * page / _GIB for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"))
    return Finding("ok", "memory", f"{free:.1f} of {total:.1f} GiB free")


def _disks() -> Iterator[Finding]:
    home = Path.home() / ".cache"
    hub = os.environ.get("HF_HOME") or home / "huggingface"
    places = {
        "this folder": Path.cwd(),
        "feature cache": Path(os.environ.get("HEADWATER_CACHE") or home / "headwater"),
        "hub cache": Path(os.environ.get("HF_HUB_CACHE") or Path(hub) / "hub"),
    }
    for what, place in places.items():
        free = shutil.disk_usage(next(folder for folder in (place, *place.absolute().parents) if folder.exists())).free
        found = f"{place}, {free / _GIB:.1f} GiB free on its disk"
        little = free < _LITTLE_DISK
        yield Finding("gap" if little else "ok", what, found, "Free at least 2 GiB on this disk." if little else "")


def _embedded(foundation: catalog.Foundation) -> Finding:
    spec = importlib.util.find_spec(foundation.package)
    folder = Path(spec.origin).parent / foundation.folder if spec and spec.origin else None
    if folder is not None and folder.is_dir():
        return Finding("ok", f"foundation {foundation.name}", str(folder))
    fix = f"pip install 'headwater[{foundation.extra}]'"
    return Finding("gap", f"foundation {foundation.name}", "not installed", fix)


def _hub(*, offline: bool) -> Finding:
    if offline or os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return Finding("ok", "hub", "not asked: offline")
    address = os.environ.get("HF_ENDPOINT") or _HUB
    try:
        request = urllib.request.Request(address, method="HEAD")
        with urllib.request.urlopen(request, timeout=3):
            return Finding("ok", "hub", f"{address} answers")
    except urllib.error.HTTPError as answer:
        return Finding("ok", "hub", f"{address} answers (status {answer.code})")
    except (OSError, ValueError) as failure:
        fix = "Without a hub, use the embedded foundation or a local folder as --model, and --offline to say so."
        return Finding("gap", "hub", f"{address} does not answer: {failure}", fix)
