"""headwater: a foundation model and your data in; a working application out.

    import headwater

    app = headwater.adapt("text-classification", "reviews.csv", model="minilm")
    app.predict(["a fine film"])

Importing this package loads neither torch nor pandas: the verbs import what they need when they are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "adapt", "load"]

if TYPE_CHECKING:
    from headwater.application import Application
    from headwater.flow import adapt


def load(folder: str) -> Application:
    """The application in a run folder, as `adapt` or `Application.save` left it."""
    from headwater.application import Application

    return Application.load(folder)


def __getattr__(name: str) -> Any:
    if name == "adapt":
        from headwater.flow import adapt

        return adapt
    raise AttributeError(f"module 'headwater' has no attribute {name!r}")
