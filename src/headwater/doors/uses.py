"""Real interactions that every machine with headwater has: which functions the modules of scientific libraries use.

A module is a user, a function of another package that it names is an item: `np.linalg.norm` under an `import numpy as
np` is `numpy.linalg.norm`. The question is which functions a module has use for next. The source files are parsed,
never imported.
"""

from __future__ import annotations

import ast
import csv
import importlib.util
import io
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from headwater.errors import ResourceError
from headwater.run import write_whole

LIBRARIES = ("sklearn", "scipy")
"""Whose modules are the users; those that are not installed are left out."""
_LEAST_MODULES, _LEAST_OF_A_MODULE, _LEAST_OF_A_FUNCTION = 20, 5, 3
_UNSEEN = 8


def write_uses(folder: Path, *, held_out: float = 0.2, seed: int = 0) -> tuple[int, int]:
    """Writes interactions with the columns `user` and `item`, a table of items, and users to ask about.

    The folder `labelled` is to learn from: `interactions.csv`, and `items.csv` with the package of each item.
    `test.csv` is to measure on, `unseen.csv` has some of the users.

    Args:
        folder: where to write them.
        held_out: the share of each user's items to measure on.
        seed: of the draw.

    Returns:
        The interactions to learn from, and those to measure on.

    Raises:
        ResourceError: too few modules are installed here.
    """
    found = _common(dict(_modules()))
    if len(found) < _LEAST_MODULES:
        raise ResourceError(
            "The demonstration needs the source of a scientific library", got=f"{len(found)} modules",
            accepted=LIBRARIES, fix="Install one with: pip install scikit-learn",
        )  # fmt: skip
    draw = random.Random(seed)
    parts: dict[str, list[tuple[str, str]]] = {"labelled/interactions": [], "test": []}
    for module, functions in found.items():
        shuffled = draw.sample(functions, len(functions))
        cut = round(held_out * len(functions))
        parts["test"] += [(module, function) for function in shuffled[:cut]]
        parts["labelled/interactions"] += [(module, function) for function in shuffled[cut:]]
    items = sorted({function for functions in found.values() for function in functions})
    for name, rows in parts.items():
        _write(folder / f"{name}.csv", ("user", "item"), rows)
    _write(folder / "labelled" / "items.csv", ("item", "package"), [(item, item.rpartition(".")[0]) for item in items])
    _write(folder / "unseen.csv", ("user",), [(module,) for module in draw.sample(sorted(found), _UNSEEN)])
    return len(parts["labelled/interactions"]), len(parts["test"])


def functions_of(source: str) -> list[str]:
    r"""What a source uses of the packages that it imports, each once, in order; what stands below itself is left out.

    Example:
        >>> functions_of("import numpy as np\nfrom math import pi\nfrom . import own\nnp.linalg.norm(own.x * pi)")
        ['math.pi', 'numpy.linalg.norm']
    """
    tree = ast.parse(source)
    packages: dict[str, str] = {}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            packages |= dict(map(_called, node.names))
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module != "__future__":
            found |= {f"{node.module}.{one.name}" for one in node.names}
    named = (_dotted(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    found |= {f"{packages[first]}.{rest}" for first, _, rest in named if first in packages}
    # Of a.b.c the parts a.b are attributes as well: the longest is what is meant.
    return sorted(name for name in found if not any(other.startswith(f"{name}.") for other in found))


def _modules() -> Iterator[tuple[str, list[str]]]:
    """Every module of the libraries but for tests, with what it uses of others."""
    for library in LIBRARIES:
        spec = importlib.util.find_spec(library)
        top = Path(spec.origin).parent if spec is not None and spec.origin else None
        for file in sorted(top.rglob("*.py")) if top else ():
            parts = file.relative_to(top.parent).with_suffix("").parts if top else ()
            if "tests" not in parts and parts[-1] != "__init__":
                try:
                    used = functions_of(file.read_text("utf-8"))
                except (OSError, SyntaxError, ValueError):
                    continue
                yield ".".join(parts), [name for name in used if name.partition(".")[0] != library]


def _common(used: dict[str, list[str]]) -> dict[str, list[str]]:
    """The functions that several modules use, of the modules that use several."""
    counts = Counter(function for functions in used.values() for function in functions)
    kept = {
        module: [function for function in functions if counts[function] >= _LEAST_OF_A_FUNCTION]
        for module, functions in used.items()
    }
    return {module: functions for module, functions in kept.items() if len(functions) >= _LEAST_OF_A_MODULE}


def _called(imported: ast.alias) -> tuple[str, str]:
    """The name that an import gives, and the package that it stands for."""
    top = imported.name.partition(".")[0]
    return (imported.asname, imported.name) if imported.asname else (top, top)


def _dotted(node: ast.Attribute) -> tuple[str, str, str]:
    """The first name of an attribute and all behind it, as `str.partition` gives them; nothing where it has none."""
    names = [node.attr]
    inner = node.value
    while isinstance(inner, ast.Attribute):
        names.append(inner.attr)
        inner = inner.value
    return (inner.id if isinstance(inner, ast.Name) else "", ".", ".".join(reversed(names)))


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    write_whole(path, text.getvalue().encode())
