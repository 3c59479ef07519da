"""The script that the test of pixels in several processes starts: each tells what it has decoded itself."""

import json
import sys
from pathlib import Path

import numpy as np

from headwater.data.pictures import Picture
from headwater.run import Run
from headwater.settings import Settings
from headwater.training.processes import Processes
from headwater.vision import kept, pixels


def main(folder, shared):
    kept.IN_MEMORY, pixels._PART = 0, 3 * 8 * 8 * 40
    own, decode, decoded = [], pixels.decoded, {}
    pixels.decoded = lambda some, side, grey: own.append(len(some)) or decode(some, side, grey=grey)
    given = [Picture.of(one) for one in np.random.default_rng(0).integers(0, 256, (100, 8, 8, 3), np.uint8)]
    run = Run(Settings(device="cpu"), Path(folder))
    place = kept.folder_of(run)
    index = Processes.joined().index
    for part in (given, given[:60]):
        found = pixels.Pixels.of(part, 8, grey=False, folder=place if shared == "yes" else place / str(index)).array
        decoded[len(part)] = [isinstance(found, np.memmap), bool((found == decode(part, 8, grey=False)).all())]
    (run.folder / f"{index}.json").write_text(json.dumps({"own": own, "decoded": decoded}))


if __name__ == "__main__":
    main(*sys.argv[1:])
