"""Every error a user can meet: what, where, what came, what is accepted, what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any, Final

_NOTHING: Final = object()


class HeadwaterError(Exception):
    """A mistake that the user can mend, told in one line.

    Args:
        what: what is wrong, as a sentence without its full stop.
        where: the file, line, setting or column it is about.
        got: the value that came, shown with `repr`.
        accepted: what would have been right; several names are joined with commas.
        fix: what to do, as an imperative sentence.

    Example:
        >>> str(SettingError("epochs must be at least 1", where="--epochs", got=0, fix="Give 1 or more."))
        '--epochs: epochs must be at least 1. Got 0. Give 1 or more.'
    """

    exit_code = 2

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        got: object = _NOTHING,
        accepted: str | Iterable[object] | None = None,
        fix: str | None = None,
    ) -> None:
        self.what, self.where, self.accepted, self.fix = what, where, accepted, fix
        self.got = None if got is _NOTHING else got
        super().__init__(self._sentence(got))

    def _sentence(self, got: object) -> str:
        parts = [f"{self.where}: {self.what}." if self.where else f"{self.what}."]
        if got is not _NOTHING:
            parts.append(f"Got {_short(got)}.")
        if self.accepted is not None:
            parts.append(f"Accepted: {_listed(self.accepted)}.")
        if self.fix:
            parts.append(self.fix)
        return " ".join(parts)


class SettingError(HeadwaterError, ValueError):
    """A setting, flag or configuration key has a name or value that cannot be used."""


class DataError(HeadwaterError, ValueError):
    """The user's data cannot be read, or cannot answer the question asked of it."""


class NotFoundError(HeadwaterError, LookupError):
    """A task, model, file or column of this name does not exist."""


class ArtifactError(HeadwaterError, RuntimeError):
    """A run folder or a checkpoint is missing, damaged, unsafe or too new."""


class NotFittedError(HeadwaterError, RuntimeError):
    """The application was asked for something that only a fitted one can give."""


class ExtraError(HeadwaterError, ImportError):
    """An optional dependency is needed; the sentence names the extra to install."""


class ResourceError(HeadwaterError, RuntimeError):
    """The machine lacks what the run needs: memory, disk, a writable folder, a device."""


class RequestError(HeadwaterError, ValueError):
    """A request to a served application cannot be answered; `status` is the number that HTTP has for why."""

    def __init__(self, what: str, *, status: int = 400, **told: Any) -> None:
        self.status = status
        super().__init__(what, **told)


_VERSION: Final = re.compile(r"-v\d+$")
"""What the id of an environment ends in."""
_CLOSE: Final = 0.7


def did_you_mean(name: str, choices: Iterable[str]) -> str | None:
    """The nearest known name as a question, or None when nothing is near.

    Example:
        >>> did_you_mean("tfidf-logisitc", ["tfidf-logistic", "lstm"])
        'Did you mean tfidf-logistic?'
        >>> did_you_mean("CartPol-v1", ["CartPole-v0", "CartPole-v1"]), did_you_mean("nope-v1", ["Hopper-v5"])
        ('Did you mean CartPole-v1 or CartPole-v0?', None)
    """
    known, stem = list(choices), _VERSION.sub("", name)
    if stem != name:
        # What names have in common by their versions is no likeness.
        stems = difflib.get_close_matches(stem, {_VERSION.sub("", one) for one in known}, n=2, cutoff=_CLOSE)
        known = [one for one in known if _VERSION.sub("", one) in stems]
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.6)
    return f"Did you mean {' or '.join(near)}?" if near else None


def unknown(
    kind: str, name: str, choices: Iterable[str], *, where: str | None = None, otherwise: str | None = None
) -> NotFoundError:
    """The error for a name that is not in a closed list; `otherwise` is what to do where no name of it is near.

    Example:
        >>> print(unknown("model", "lstmm", ["lstm", "gru"]))
        There is no model of this name. Got 'lstmm'. Accepted: lstm, gru. Did you mean lstm?
    """
    known = list(choices)
    fix = did_you_mean(name, known) or otherwise
    return NotFoundError(f"There is no {kind} of this name", where=where, got=name, accepted=known, fix=fix)


def _listed(accepted: str | Iterable[object]) -> str:
    return accepted if isinstance(accepted, str) else ", ".join(map(str, accepted))


def _short(value: object, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
