"""An episode as pictures: a strip for the report, a film for the eyes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from headwater.control.episodes import Policy
from headwater.control.world import World
from headwater.control.worlds import Worlds
from headwater.control.written import written
from headwater.errors import DataError, ExtraError, HeadwaterError

_SHOWN: Final = 12
_MOST: Final = 1000
"""Frames that a strip is taken from."""


def frames(world: World, policy: Policy, seed: int, most: int) -> Iterator[np.ndarray]:
    """What the world shows of one episode, its beginning included: uint8 of shape (height, width, 3) each."""
    # What draws with SDL looks for a screen, and needs none here.
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    worlds = Worlds(world, 1, [seed], render_mode="rgb_array")
    worlds.now[0], ended = worlds.reset(0, seed), False
    for _ in range(most):
        frame = worlds.frame()
        if frame is not None:
            yield frame
        if ended:
            break
        worlds.now[0], _, _, ended = worlds.move(0, policy(worlds.now)[0])
    worlds.close()


def strip(world: World, policy: Policy, seed: int) -> list[str]:
    """Some frames of an episode, as addresses of small images; none where the world shows nothing of itself."""
    from headwater.evaluation.showing import tile

    if not world.renders:
        return []
    try:
        found = _thinned(frames(world, policy, seed, _MOST))
    except HeadwaterError:  # it says that it can show itself, and cannot: here it need not
        return []
    places = np.unique(np.linspace(0, len(found) - 1, _SHOWN).astype(int)) if found else []
    return [tile(found[place]) for place in places]


def _thinned(shown: Iterator[np.ndarray]) -> list[np.ndarray]:
    """Frames at equal distances and the last one; never more than a few of them are in memory at once."""
    kept, apart, last = list[np.ndarray](), 1, None
    for number, frame in enumerate(shown):
        last = frame
        if number % apart == 0:
            kept.append(frame)
        if len(kept) > 4 * _SHOWN:
            kept, apart = kept[::2], 2 * apart
    return kept if last is None or kept[-1] is last else [*kept, last]


def film(world: World, policy: Policy, seed: int, file: Path) -> int:
    """Writes one episode as a video of H.264, and tells how many frames it has.

    Raises:
        DataError: the world shows nothing of itself, or the file is of another kind.
        ExtraError: the library that writes videos is not installed.
        NotFoundError, ResourceError: the file cannot be written.
    """
    try:
        import av
    except ModuleNotFoundError as missing:
        raise ExtraError(
            "Videos need the library av, which is not installed",
            fix="Install it with: pip install 'headwater[control]'",
        ) from missing
    if file.suffix.lower() not in (".mp4", ".mkv", ".mov"):
        raise DataError("A film is a video file", where="--video", got=file.name, accepted="a name that ends in .mp4")
    if not world.renders:
        raise DataError(
            "The environment shows nothing of itself", where=world.name, accepted="the render mode rgb_array",
            fix="Give the environment a render method for rgb_array.",
        )  # fmt: skip
    count, stream = 0, None
    with written(file) as place, av.open(str(place), "w") as container:
        for frame in frames(world, policy, seed, world.limit + 1):
            even = frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2]
            if stream is None:
                stream = container.add_stream("libx264", rate=30)
                stream.height, stream.width, stream.pix_fmt = even.shape[0], even.shape[1], "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")))
            count += 1
        if stream is not None:
            container.mux(stream.encode())
    return count
