"""Real text that every machine with headwater has: the docstrings of the scientific libraries beside it.

The question is "which library does this passage document?". The source files are parsed, never imported, and the
names of the libraries are masked, so that the answer must come from what the passage is about.
"""

from __future__ import annotations

import ast
import csv
import importlib.util
import io
import itertools
import random
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from headwater.errors import ResourceError
from headwater.run import write_whole

LIBRARIES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "scikit-learn": "sklearn",
    "pyarrow": "pyarrow",
    "torch": "torch",
    "transformers": "transformers",
    "rich": "rich",
    "networkx": "networkx",
    "pandas": "pandas",
    "sympy": "sympy",
}
"""The import name of each library that may be asked about; those that are not installed are left out."""

MASK = "LIBRARY"
_MASKED = re.compile(
    r"(?i)(?<![a-z])(numpy|np|scipy|sp|scikits?[- ]?learn|sklearn|py ?arrow|arrow|pa|py ?torch|torch|"
    r"transformers?|hugging ?face|rich|networkx|nx|pandas|pd|sympy)(?![a-z])"
)
_MARKUP = re.compile(r":\w+(?::\w+)*:(?=`)|[`*~\[\]<>{}|_]+|[-=]{3,}")
_SHORTEST, _LONGEST = 60, 400  # characters
_PER_FILE = 4
_UNSEEN = 8


def write_passages(known: Path, unseen: Path, *, per_library: int = 150, seed: int = 0) -> dict[str, int]:
    """Writes two CSV files with the columns `passage` and `library`: rows to learn from, and a few to ask about.

    Returns:
        The rows to learn from, by library.

    Raises:
        ResourceError: fewer than two of the libraries are installed here.
    """
    generator = random.Random(seed)
    drawn = {
        name: list(itertools.islice(passages(folder, generator), per_library)) for name, folder in _installed().items()
    }
    if len(drawn) < 2:
        raise ResourceError(
            "The demonstration needs the source of at least two libraries",
            got=sorted(drawn),
            accepted=LIBRARIES,
            fix="Install them with: pip install 'headwater[language]'",
        )
    rows = [(passage, name) for name, found in drawn.items() for passage in found]
    generator.shuffle(rows)
    _write_table(unseen, rows[:_UNSEEN])
    _write_table(known, rows[_UNSEEN:])
    return dict(Counter(name for _, name in rows[_UNSEEN:]))


def passages(folder: Path, generator: random.Random) -> Iterator[str]:
    """The openings of docstrings under a folder, masked, each once: a few of a file, the files in random order."""
    seen = set()
    files = sorted(file for file in folder.rglob("*.py") if "tests" not in file.parts)
    for file in generator.sample(files, len(files)):
        found = {_key(passage): passage for passage in map(mask, map(_opening, docstrings(file)))}
        fresh = [passage for key, passage in found.items() if len(passage) >= _SHORTEST and key not in seen]
        seen.update(found)
        yield from generator.sample(fresh, min(_PER_FILE, len(fresh)))


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


def mask(passage: str) -> str:
    """The passage without the names, and common import names, of the libraries.

    Example:
        >>> mask("Convert a torch.Tensor to a NumPy array")
        'Convert a LIBRARY.Tensor to a LIBRARY array'
    """
    return _MASKED.sub(MASK, passage)


def _opening(docstring: str) -> str:
    """Prose from the start of a docstring, on one line, up to its first section of parameters or code.

    Markup goes too: each library writes its own, and the passage must be known by what it says.
    """
    prose = re.split(r"\n\s*(?:>>>|\.\. |Args:|Parameters\n|Returns|Examples?\b|```)", docstring, maxsplit=1)[0]
    return " ".join(_MARKUP.sub(" ", prose).split())[:_LONGEST]


def _write_table(path: Path, rows: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("passage", "library"), *rows])
    write_whole(path, text.getvalue().encode())


def _key(passage: str) -> str:
    """What two passages share when they differ in case, space and punctuation only."""
    return re.sub(r"\W+", " ", passage).casefold()


def _installed() -> dict[str, Path]:
    specs = {name: importlib.util.find_spec(module) for name, module in LIBRARIES.items()}
    return {name: Path(spec.origin).parent for name, spec in specs.items() if spec is not None and spec.origin}
