"""The architecture as a page and a drawing, from the imports of the code; ``build_site.py`` adds them to the site."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("corpora", "wordvec", "seqclf", "cli")
_WIDTH, _HEIGHT, _ROW = 132, 30, 78
_TEXT = '<text x="{x}" y="{y}" text-anchor="middle" font-family="sans-serif" font-size="13" fill="#111">{name}</text>'


def arrows(package: str) -> dict[str, set[str]]:
    """Return for each folder, or module at the top, of a package which others of it are imported by its modules."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        unit = path.relative_to(ROOT / package).parts[0].removesuffix(".py")
        if unit.startswith("__"):  # public names, which are imported on first use, and the command
            continue
        targets = found.setdefault(unit, set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            targets |= {name.split(".")[1] for name in names if name.startswith(f"{package}.")} - {unit}
    return {unit: {target for target in targets if target in found} for unit, targets in found.items()}


def reduced(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the arrows that do not follow from others.

    Example:
        >>> sorted(reduced({"a": {"b", "c"}, "b": {"c"}, "c": set()})["a"])
        ['b']
    """

    def below(unit: str) -> set[str]:
        return graph[unit].union(*map(below, graph[unit]))

    return {unit: targets - set().union(*map(below, targets)) for unit, targets in graph.items()}


def ranks(graph: dict[str, set[str]]) -> dict[str, int]:
    """Return the row of each unit: 0 if it imports none, else one above the highest that it imports."""

    def rank(unit: str) -> int:
        return 1 + max(map(rank, graph[unit]), default=-1)

    return {unit: rank(unit) for unit in graph}


def drawing(graph: dict[str, set[str]]) -> str:
    """Return a picture (SVG) of the units in rows, with an arrow to each that a unit imports."""
    row_of = ranks(graph)
    rows = [sorted(unit for unit in graph if row_of[unit] == row) for row in range(max(row_of.values()) + 1)]
    width, height = _WIDTH * max(map(len, rows)), _ROW * len(rows)
    places = {}
    for number, row in enumerate(rows):
        for column, unit in enumerate(row):
            x = width / 2 + _WIDTH * (column - (len(row) - 1) / 2)
            places[unit] = (x, height - _ROW * number - _ROW / 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#888"/></marker>',
    ]
    for unit, targets in reduced(graph).items():
        for target in sorted(targets):
            (x, y), (to_x, to_y) = places[unit], places[target]
            start, end = y + _HEIGHT / 2, to_y - _HEIGHT / 2
            curve = f"M{x:.0f} {start:.0f}C{x:.0f} {start + 28:.0f} {to_x:.0f} {end - 28:.0f} {to_x:.0f} {end:.0f}"
            parts.append(f'<path d="{curve}" fill="none" stroke="#888" marker-end="url(#tip)"/>')
    for unit, (x, y) in places.items():
        box = f'x="{x - _WIDTH / 2 + 5:.0f}" y="{y - _HEIGHT / 2:.0f}" width="{_WIDTH - 10}" height="{_HEIGHT}" rx="5"'
        parts.append(f'<rect {box} fill="#e8eef8" stroke="#0b3c8c"/>')
        parts.append(_TEXT.format(x=f"{x:.0f}", y=f"{y + 5:.0f}", name=unit))
    return "\n".join([*parts, "</svg>\n"])


def page() -> str:
    """Return the page; its pictures are ``architecture-PACKAGE.svg``."""
    parts = [
        "# Architecture\n\nDrawn from the imports of the code when the site is built. Between packages they follow "
        "`cli → seqclf → wordvec → corpora`; `tests/test_imports.py` checks that, and the arrows within a package. An "
        "arrow points to what is imported; arrows that follow from others are not drawn."
    ]
    for package in PACKAGES[1:3]:
        graph = arrows(package)
        parts.append(
            f"## {package}\n\n![The folders of {package} in rows: each imports only what is below it.]"
            f"(architecture-{package}.svg)"
        )
        lines = ["| folder or module | modules | imports |", "|-|-|-|"]
        for unit in sorted(graph, key=lambda unit: (-ranks(graph)[unit], unit)):
            count = len(list((ROOT / package / unit).rglob("*.py"))) or 1
            lines.append(f"| `{unit}` | {count} | {', '.join(sorted(graph[unit])) or '-'} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
