"""Every error a user can meet is met by a test that reads its sentence."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from tests.house.sources import ROOT, sources

from headwater import errors

ERRORS = {
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.HeadwaterError)
}
LEAST_WORDS = 3


def _literals(node: ast.AST) -> list[str]:
    """The texts of a sentence between the values that are put into it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [part.value for part in node.values if isinstance(part, ast.Constant)]
    return []


def _alternatives(node: ast.AST) -> list[ast.AST]:
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", re.sub(r"\\(.)", r"\1", text).lower())


def _windows(literals: list[str]) -> set[str]:
    """Every run of words of a sentence that is long enough to know it by; else its longest run."""
    runs = list(map(_words, literals))
    long = {
        " ".join(words[start:end])
        for words in runs
        for start in range(len(words))
        for end in range(start + LEAST_WORDS, len(words) + 1)
    }
    return long or {" ".join(max(runs, key=len, default=[]))}


def _sentences() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Where an error is made, and the texts of its sentence."""
    for source in sources():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ERRORS and node.args:
                for sentence in _alternatives(node.args[0]):
                    yield source.at(node), tuple(_literals(sentence))


@cache
def _tested() -> str:
    """All texts in the tests, words only parted by single spaces."""
    files = [file for file in sorted((ROOT / "tests").rglob("*.py")) if "house" not in file.parts]
    texts = [
        literal
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant | ast.JoinedStr)
        for literal in _literals(node)
    ]
    return "\n".join(" ".join(_words(text)) for text in texts)


def _is_tested(literals: tuple[str, ...], known: Counter[str]) -> bool:
    """Whether a test names the sentence by words that no other sentence has (by any, where it has none of its own)."""
    windows = _windows(list(literals))
    own = {window for window in windows if known[window] == 1}
    return any(window in _tested() for window in own or windows)


def test_errors_are_found():
    assert len(list(_sentences())) > 60


def test_every_error_is_read_by_a_test():
    found = list(_sentences())
    known = Counter(window for literals in {literals for _, literals in found} for window in _windows(list(literals)))
    silent = [f"{where} {'…'.join(literals)}" for where, literals in found if not _is_tested(literals, known)]
    assert silent == []


def test_a_sentence_is_known_by_its_own_words_only():
    known = Counter({"file cannot be read": 1, "cannot be read": 2})
    assert not _is_tested(("a zebra cannot be read",), Counter({"a zebra cannot": 1, "cannot be read": 2}))
    assert _is_tested(("There is no setting of this name",), known)
