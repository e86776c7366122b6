"""Cuts the inventory of another project's site to the names that occur in our pages, examples and docstrings.

``python docs/inventories/cut.py NAME ADDRESS objects.inv``, with the inventory of ADDRESS, such as that of a Debian
package of its documentation, writes ``NAME.txt``: the address, then an object per line. ``docs/conf.py`` reads these
files, so that no inventory is fetched. Without an inventory, ``numpy`` is written from the rule of NumPy's addresses.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
_ALIASES = {"np": "numpy"}
_ALSO = {"collections.abc.Mapping": "collections.abc.Mapping", "sklearn.exceptions.NotFittedError": "NotFittedError"}
"""A base class, and an exception that docstrings name without its module."""
_NUMPY = {"numpy.random.default_rng": "reference/random/generator.html"}
"""Pages of functions that are not under ``reference/generated``."""


def texts() -> Iterator[str]:
    """Yield the pages, the examples and the docstrings."""
    for path in [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("docs/examples/*.py")]:
        yield path.read_text(encoding="utf-8")
    for package in ("wordvec", "seqclf", "corpora"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                    yield ast.get_docstring(node) or ""


def names_used() -> set[str]:
    """Return the dotted names of our text, names imported from a module with that of the module."""
    found = set(_ALSO)
    for text in texts():
        for name in re.findall(r"\b[A-Za-z_]\w*(?:\.\w+)+", text):
            first, _, rest = name.partition(".")
            found.add(f"{_ALIASES.get(first, first)}.{rest}")
        for module, names in re.findall(r"^ *(?:>>> )?from ([\w.]+) import ([\w, ]+)", text, re.MULTILINE):
            found |= {f"{module}.{name.strip()}" for name in names.split(",")}
    return found


def numpy_objects(used: set[str]) -> Iterator[tuple[str, str, str]]:
    """Yield name, role and page of the functions of NumPy among names."""
    import numpy

    for name in used:
        value = numpy
        for part in name.split(".")[1:] if name.startswith("numpy.") else ["not a name"]:
            value = getattr(value, part, None)
        if callable(value) and not inspect.isclass(value):
            yield name, "function", f"{_NUMPY.get(name, f'reference/generated/{name}.html')}#$"


def main() -> None:
    """Write the list."""
    name, address, *paths = sys.argv[1:]
    used = names_used()
    if paths:
        import sphobjinv  # pip install sphobjinv

        objects = [
            (each.name, each.role, each.uri)
            for each in sphobjinv.Inventory(paths[0]).objects
            if each.domain == "py" and each.role != "module" and each.name in used
        ]
    else:
        objects = list(numpy_objects(used))
    lines = sorted(f"{_ALSO.get(name, name)} py:{role} 1 {uri.replace('$', name)} -" for name, role, uri in objects)
    (HERE / f"{name}.txt").write_text("\n".join([address, *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
