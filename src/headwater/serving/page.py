"""The page for people: one file, which reaches for nothing but the routes beside it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Page:
    """A page, and the headers that hold it to what it is."""

    content: str
    headers: dict[str, str]


def page(script: str) -> Page:
    """The page with this script.

    Example:
        >>> "default-src 'none'" in page("predict.js").headers["Content-Security-Policy"]
        True
    """
    code = f"\n{_text('common.js')}\n{_text(script)}\n"
    style = resources.files("headwater.evaluation").joinpath("templates/report.css").read_text("utf-8")
    shell = _text("page.html").replace("/* style */", f"{style}\n{_text('page.css')}")
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    policy = {
        "default-src": "'none'", "script-src": f"'sha256-{digest}'", "style-src": "'unsafe-inline'",
        "img-src": "data: blob:", "connect-src": "'self'", "base-uri": "'none'", "form-action": "'none'",
        "frame-ancestors": "'none'",
    }  # fmt: skip
    rules = "; ".join(f"{name} {value}" for name, value in policy.items())
    return Page(shell.replace("/* script */", code), {"Content-Security-Policy": rules})


def _text(name: str) -> str:
    return resources.files("headwater.serving").joinpath("pages", name).read_text("utf-8")
