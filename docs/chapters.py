"""Chapters of the course as cells: parsed from plain Markdown, run by the tests, written as notebooks by the site.

A chapter is Markdown that any Git host displays. Its ``python`` blocks are the code cells and share their names. A
``text`` block right after one is its output, and an image of ``pictures/`` after that the figure which is the value of
its last line. What is between ``<details>`` and ``</details>`` is the answer to an exercise.
"""

import ast
import contextlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```$"
    r"(?P<output>\n\n```text\n(?P<text>.*?)^```$)?"
    r"(?P<figure>\n\n!\[(?P<alt>[^\]]*)\]\((?P<picture>pictures/[^)]+)\)$)?",
    re.MULTILINE | re.DOTALL,
)
_ANSWER = re.compile(r"^<details>.*$\n|^</details>$\n?", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?://)[^)]+\)")
_SETUP = "%matplotlib inline\n%config InlineBackend.figure_formats = ['svg']"
_KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@dataclass(frozen=True)
class Cell:
    """A code cell, or the Markdown between two.

    Attributes:
        source: the code, or the text.
        code: whether it is code.
        output: what the page shows as its output; None: nothing.
        span: where that is on the page, or, of no output, the end of the code.
        alt, picture: description and path of its figure, or "".
        answer: whether it answers an exercise.
    """

    source: str
    code: bool
    output: str | None = None
    span: tuple[int, int] = (0, 0)
    alt: str = ""
    picture: str = ""
    answer: bool = False


def cells(page: str) -> Iterator[Cell]:
    """Yield the cells of a chapter."""
    end = 0
    for block in _BLOCK.finditer(page):
        yield from _markdown(page[end : block.start()])
        answer = page.count("<details>", 0, block.start()) > page.count("</details>", 0, block.start())
        fence = block.end("code") + len("```")
        span = (fence, fence) if block["text"] is None else block.span("text")
        yield Cell(block["code"], True, block["text"], span, block["alt"] or "", block["picture"] or "", answer)
        end = block.end()
    yield from _markdown(page[end:])


def _markdown(text: str) -> Iterator[Cell]:
    text = _ANSWER.sub("", text).strip()
    if text:
        yield Cell(text, False)


def run(cell: Cell, names: dict[str, Any]) -> tuple[str, Any]:
    """Run a code cell as a notebook does; return what it prints, with its last value, or that value if it is a figure.

    Args:
        cell: a code cell.
        names: the names of the chapter; updated in place.
    """
    tree = ast.parse(cell.source)
    last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    value = None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<cell>", "exec"), names)
        if last is not None:
            value = eval(compile(last, "<cell>", "eval"), names)
    if hasattr(value, "savefig"):
        return printed.getvalue(), value
    return printed.getvalue() + ("" if value is None else f"{value!r}\n"), None


def notebook(page: str) -> str:
    """Return a chapter as a Jupyter notebook, without outputs."""
    parts: list[dict[str, Any]] = [_code_cell(Cell(_SETUP, True))]
    for cell in cells(page):
        if cell.code:
            parts.append(_code_cell(cell))
        else:
            parts.append({"cell_type": "markdown", "metadata": {}, "source": _LINK.sub(r"\1", cell.source)})
    for number, part in enumerate(parts):
        part["id"] = f"cell-{number}"
    return json.dumps({"cells": parts, "metadata": _KERNEL, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def _code_cell(cell: Cell) -> dict[str, Any]:
    hidden = {"jupyter": {"source_hidden": True, "outputs_hidden": True}} if cell.answer else {}
    source = cell.source.rstrip()
    return {"cell_type": "code", "metadata": hidden, "source": source, "outputs": [], "execution_count": None}


def executable(page: str, download: str) -> str:
    """Return a chapter as a text notebook, which myst-nb executes, with a link to the notebook after the title."""
    title, _, rest = page.partition("\n")
    link = f"Download this chapter as a {{download}}`notebook <{download}>`.\n"
    head = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
    parts = [head + f"{title}\n\n{link}", _text_cell(Cell(_SETUP, True), ["remove-cell"])]
    for cell in cells(rest):
        parts.append(_text_cell(cell, ["hide-cell"] if cell.answer else []) if cell.code else cell.source + "\n")
    return "\n".join(parts)


def _text_cell(cell: Cell, tags: list[str]) -> str:
    options = {"tags": tags} if tags else {}
    if cell.picture:
        options["mystnb"] = {"image": {"alt": cell.alt}}  # type: ignore[assignment]
    elif cell.answer:
        options["mystnb"] = {"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}  # type: ignore[assignment]
    lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in options.items())
    return "```{code-cell} python3\n" + (f"---\n{lines}---\n" if lines else "") + cell.source.rstrip() + "\n```\n"
