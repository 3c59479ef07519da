"""Real text that every machine with headwater has: the docstrings of the scientific libraries beside it.

The question is "which field does this function serve?", asked of the one sentence that sums a function up, and eight
labelled sentences of each field are all there is to learn from: the everyday case of short texts and dear labels. The
source files are parsed, never imported, and the names of the libraries are masked.
"""

from __future__ import annotations

import ast
import csv
import importlib.util
import io
import random
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from headwater.errors import ResourceError
from headwater.run import write_whole

FIELDS = {
    "clustering": "sklearn/cluster",
    "geometry": "sympy/geometry",
    "graphs": "networkx/algorithms",
    "images": "scipy/ndimage",
    "linear algebra": "scipy/linalg",
    "number theory": "sympy/ntheory",
    "optimisation": "scipy/optimize",
    "physics": "sympy/physics",
    "signals": "scipy/signal",
    "statistics": "scipy/stats",
}
"""The package whose sentences are of each field; those that are not installed are left out."""

MASK = "LIBRARY"
_MASKED = re.compile(r"(?i)(?<![a-z])(numpy|np|scipy|scikits?[- ]?learn|sklearn|networkx|nx|sympy)(?![a-z])")
_MARKUP = re.compile(r":\w+(?::\w+)*:(?=`)|[`*~\[\]<>{}|_]+|[-=]{3,}")
_SHORTEST, _LONGEST = 30, 400  # characters


def write_sentences(folder: Path, *, labelled: int = 8, held_out: int = 50, seed: int = 0) -> tuple[int, int]:
    """Writes three CSV files with the columns `sentence` and `field`.

    `labelled.csv` is to learn from, `test.csv` to measure on, `unseen.csv` has one sentence of each field to ask about.

    Args:
        folder: where to write them.
        labelled: the sentences of each field to learn from.
        held_out: the sentences of each field to measure on; fewer where a package has no more.
        seed: of the draw.

    Returns:
        The rows to learn from, and those to measure on.

    Raises:
        ResourceError: the packages of fewer than two fields are installed here.
    """
    packages = _installed()
    if len(packages) < 2:
        raise ResourceError(
            "The demonstration needs the source of at least two packages",
            got=sorted(packages),
            accepted=FIELDS.values(),
            fix="Install them with: pip install 'headwater[language]'",
        )
    generator = random.Random(seed)
    parts: dict[str, list[tuple[str, str]]] = {"unseen": [], "labelled": [], "test": []}
    for field, package in packages.items():
        found = sentences(package)
        generator.shuffle(found)
        for part, count in zip(parts.values(), (1, labelled, held_out), strict=True):
            part.extend((sentence, field) for sentence in found[:count])
            del found[:count]
    for name, rows in parts.items():
        generator.shuffle(rows)
        _write_table(folder / f"{name}.csv", rows)
    return len(parts["labelled"]), len(parts["test"])


def sentences(package: Path) -> list[str]:
    """The first sentence of every docstring under a folder but for its tests, masked, each once."""
    found: dict[str, str] = {}
    for file in sorted(package.rglob("*.py")):
        if "tests" not in file.relative_to(package).parts:
            for sentence in map(mask, map(_first_sentence, docstrings(file))):
                found.setdefault(_key(sentence), sentence)
    return [sentence for sentence in found.values() if _SHORTEST <= len(sentence) <= _LONGEST]


def docstrings(file: Path) -> Iterator[str]:
    """The docstrings of a source file's module, classes and functions; none where the file cannot be parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on what others wrote, such as escapes that Python no longer likes
            tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield text


def mask(sentence: str) -> str:
    """The sentence without the names, and common import names, of the libraries.

    Example:
        >>> mask("Convert a SymPy matrix to a NumPy array")
        'Convert a LIBRARY matrix to a LIBRARY array'
    """
    return _MASKED.sub(MASK, sentence)


def _first_sentence(docstring: str) -> str:
    """The first sentence on one line, without markup: each library writes its own, and content must tell them apart."""
    paragraph = re.split(r"\n\s*\n|\n\s*(?:>>>|\.\. )", docstring, maxsplit=1)[0]
    return re.split(r"(?<=[.!?])\s", " ".join(_MARKUP.sub(" ", paragraph).split()), maxsplit=1)[0]


def _write_table(path: Path, rows: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("sentence", "field"), *rows])
    write_whole(path, text.getvalue().encode())


def _key(sentence: str) -> str:
    """What two sentences share when they differ in case, space and punctuation only."""
    return re.sub(r"\W+", " ", sentence).casefold().strip()


def _installed() -> dict[str, Path]:
    found = {}
    for field, path in FIELDS.items():
        library, _, package = path.partition("/")
        spec = importlib.util.find_spec(library)
        if spec is not None and spec.origin:
            found[field] = Path(spec.origin).parent / package
    return found
