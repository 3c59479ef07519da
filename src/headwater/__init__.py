"""headwater: a foundation model and your data in; a working application out.

    import headwater

    app = headwater.adapt("text-classification", "reviews.csv", model="minilm")
    app.predict(["a fine film"])

Importing this package loads neither torch nor pandas: the verbs import what they need when they are called.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "adapt", "compare", "load", "rank", "tune"]

# A thread that waits for the others of a matrix product sleeps: spinning costs up to twice the product itself where
# cores are shared. OpenMP reads this when torch is imported; whoever has set it keeps their choice.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# oneDNN and the layer above it keep a thousand compiled products each, with their scratch memory, one for every shape
# they meet. Batches of like length have many shapes: hundreds of megabytes were held that no later step asked for.
for _cache in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(_cache, "32")

if TYPE_CHECKING:
    from pathlib import Path

    from headwater.application import Application
    from headwater.flow import adapt, compare, rank
    from headwater.tuning.tune import tune


def load(folder: str | Path) -> Application:
    """The application in a run folder, as `adapt` or `Application.save` left it."""
    from headwater.application import Application

    return Application.load(folder)


def __getattr__(name: str) -> Any:
    if name in ("adapt", "compare", "rank"):
        from headwater import flow

        return getattr(flow, name)
    if name == "tune":
        from headwater.tuning.tune import tune

        return tune
    raise AttributeError(f"module 'headwater' has no attribute {name!r}")
