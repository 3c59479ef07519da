"""Gymnasium's own warnings, which are coloured and name a line of its source: here they are plain and said once."""

from __future__ import annotations

import contextlib
import logging
import re
import warnings
from collections.abc import Iterator

log = logging.getLogger("headwater")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_OWN = re.compile(r"(WARN|ERROR): ")
_said = set[str]()


@contextlib.contextmanager
def hushed(name: str) -> Iterator[None]:
    """Within, what Gymnasium warns of goes to the log; what anybody else warns of stays what it is.

    Args:
        name: the environment that is made.
    """
    try:
        with warnings.catch_warnings(record=True) as found:
            # As Gymnasium does when it is imported; that a newer version exists is no matter of ours.
            warnings.simplefilter("always")
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        for one in found:
            told = _COLOUR.sub("", str(one.message))
            own = _OWN.match(told)
            if own is None:
                warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
            elif (sentence := f"{name}: {told[own.end() :]}") not in _said:
                # An environment is made many times in a run.
                _said.add(sentence)
                log.warning("%s", sentence)
