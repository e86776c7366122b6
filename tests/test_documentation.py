"""README and docs: every session and example is run and its output compared, every link and option checked.

Sessions run in one folder, the README's first, so that pages can use the files that it writes. A processor
with other instructions rounds differently, so numbers are compared with a tolerance:

- a percentage: 3 points;
- a number with a decimal point: 2 %, or 0.02; after a comment ``<!-- tolerance: 0.15 -->`` before the block, 0.15;
- a whole number: exact below 10, else 2 %, or 3;
- durations, speeds and numbers of threads are ignored, and so are progress lines;
- a line ``...`` on the page stands for any number of lines.

The chapters of the course are run as notebooks are: the blocks of a page share their names.

``UPDATE_PAGES=1 python -m pytest tests/test_documentation.py -k "sessions or chapter"`` writes the actual output, and
the pictures of the chapters, into the pages.
"""

import importlib.util
import itertools
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from cli import main
from corpora.catalogue import DATASETS

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
INDEX = ROOT / "docs/README.md"
COMMANDS = ROOT / "docs/reference/commands.md"
PAGES = [README, *sorted(ROOT.glob("docs/**/*.md"))]
CHAPTERS = sorted(ROOT.glob("docs/tutorials/[0-9]*.md"))
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOLERANCE = re.compile(r"<!-- tolerance: ([\d.]+) -->\s*\Z")
OUTSIDE = ("pip install", "git clone", "cd ", "make ", "eval ")
"""Commands that install or set up; `make` and `pip` have tests of their own."""
PROGRESS = re.compile(r"compiling .*|[\w ]+: +\d+ %, .*")
"""Lines that appear only with cold caches or on a slow machine."""
VARIABLE = re.compile(r"[\d.]+ [kM] tokens/s|(?<=in )[\d.]+ s\b|\d+ threads?")
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[-+]\d+)?(?: %)?")


@dataclass
class Step:
    """A command or Python example, its expected output (None: not shown), and where that is on the page."""

    source: str
    language: str
    expected: str | None
    span: tuple[int, int]
    tolerance: float = 0.02


def steps(text):
    """Yield what a reader would run, in order. Python with a prompt is left to doctest."""
    fences = list(FENCE.finditer(text))
    for fence, following in zip(fences, [*fences[1:], None], strict=False):
        language, body, start = fence[1], fence[2], fence.start(2)
        mark = TOLERANCE.search(text, 0, fence.start())
        tolerance = float(mark[1]) if mark else Step.tolerance
        if language == "console":
            starts = [found.start() for found in re.finditer(r"^\$ ", body, re.MULTILINE)]
            assert starts, "a console block starts with a command"
            assert starts[0] == 0, "a console block starts with a command"
            for first, last in zip(starts, [*starts[1:], len(body)], strict=True):
                command = re.match(r"\$ ((?:.*\\\n)*.*\n)", body[first:last])[0]
                output = first + len(command)
                source = command[2:].replace("\\\n", "").strip()
                if not source.startswith(OUTSIDE):
                    yield Step(source, language, body[output:last], (start + output, start + last), tolerance)
        elif language == "python" and not body.startswith(">>> "):
            shown = following if following and following[1] == "text" else None
            if shown and text[fence.end() : shown.start()].strip():
                shown = None
            yield Step(body, language, shown and shown[2], shown.span(2) if shown else (0, 0), tolerance)


def lines_of(output):
    """Lines without trailing blanks, progress and blank lines at the end."""
    lines = [line.rstrip() for line in output.replace("\r", "\n").splitlines()]
    lines = [line for line in lines if not PROGRESS.fullmatch(line)]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def close(expected, actual, tolerance):
    """Whether two numbers, as printed, agree within the tolerances above."""
    percent = expected.endswith("%")
    if percent != actual.endswith("%"):
        return False
    a, b = (float(each.strip(" %").replace(",", "")) for each in (expected, actual))
    if percent:
        return abs(a - b) <= 3
    if "." in expected or "." in actual:
        return abs(a - b) <= max(tolerance, 0.02 * abs(a))
    return a == b or (abs(a) >= 10 and abs(a - b) <= max(3, 0.02 * abs(a)))


def same_line(expected, actual, tolerance):
    expected, actual = (VARIABLE.sub("~", line) for line in (expected, actual))
    words, others = (" ".join(NUMBER.sub("#", line).split()) for line in (expected, actual))
    numbers = zip(NUMBER.findall(expected), NUMBER.findall(actual), strict=False)
    return words == others and all(close(a, b, tolerance) for a, b in numbers)


def same_output(expected, actual, tolerance=Step.tolerance):
    """Compare the output on a page with the actual one; one ``...`` line matches any number of lines."""
    expected, actual = lines_of(expected), lines_of(actual)
    if "..." in expected:
        head = expected.index("...")
        tail = len(expected) - head - 1
        if len(actual) < head + tail:
            return False
        actual = [*actual[:head], "...", *actual[len(actual) - tail :]]
    return len(expected) == len(actual) and all(map(same_line, expected, actual, itertools.repeat(tolerance)))


def updated(expected, actual):
    """Return the actual output, abbreviated where the page abbreviates it."""
    shown, lines = lines_of(expected), lines_of(actual)
    if "..." in shown:
        head = shown.index("...")
        tail = len(shown) - head - 1
        lines = [*lines[:head], "...", *lines[len(lines) - tail :]]
    return "".join(line + "\n" for line in lines)


def test_sessions_print_what_the_pages_show(shell, tmp_path):
    wrong = []
    for page in sorted(set(PAGES) - set(CHAPTERS), key=PAGES.index):
        text, replacements = TEXTS[page], []
        for step in steps(text):
            if step.language == "console":
                line = f"exec 2>&1\n{step.source}"
            else:
                code = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{step.source}"
                (tmp_path / "example.py").write_text(code, encoding="utf-8")
                line = f"{sys.executable} example.py 2>&1"
            result = shell(line, timeout=300)
            message = f"{page.relative_to(ROOT)}: {step.source}\n{result.stdout}"
            assert "Traceback" not in result.stdout, message
            fails = step.expected is not None and step.expected.startswith("Error: ")
            assert result.returncode == int(fails), message
            if step.expected is not None and not same_output(step.expected, result.stdout, step.tolerance):
                wrong.append(f"{message}\nexpected:\n{step.expected}")
                replacements.append((step.span, updated(step.expected, result.stdout)))
        if replacements and os.environ.get("UPDATE_PAGES"):
            for (first, last), output in reversed(replacements):
                text = text[:first] + output + text[last:]
            page.write_text(text, encoding="utf-8")
    assert not wrong, "\n\n".join(wrong)


@pytest.fixture(scope="module")
def chapters():
    spec = importlib.util.spec_from_file_location("chapters", ROOT / "docs/chapters.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["chapters"] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_chapter_prints_and_draws_what_it_shows(page, chapters, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    update, names, wrong, replacements = os.environ.get("UPDATE_PAGES"), {"__name__": "__main__"}, [], []
    for cell in chapters.cells(TEXTS[page]):
        if not cell.code or (cell.picture and not importlib.util.find_spec("matplotlib")):
            continue
        printed, figure = chapters.run(cell, names)
        assert (figure is None) == (not cell.picture), f"a figure is the last value of:\n{cell.source}"
        if figure is not None and update:
            from wordvec.plotting.style import save

            (page.parent / cell.picture).parent.mkdir(exist_ok=True)
            save(figure, page.parent / cell.picture)
        if not same_output(cell.output or "", printed):
            wrong.append(f"{cell.source}expected:\n{cell.output}\nfound:\n{printed}")
            block = updated(cell.output or "", printed)
            replacements.append((cell.span, f"\n\n```text\n{block}```" if cell.output is None else block))
    if replacements and update:
        text = TEXTS[page]
        for (first, last), output in reversed(replacements):
            text = text[:first] + output + text[last:]
        page.write_text(text, encoding="utf-8")
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_chapter_has_a_picture_and_an_exercise(page):
    figures = re.findall(r"!\[([^]]*)\]\(pictures/", TEXTS[page])
    assert figures
    assert all(len(alt) > 20 for alt in figures), "describe the picture"
    assert "## Exercises" in TEXTS[page]
    assert TEXTS[page].count("<details>") == TEXTS[page].count("</details>") >= 1


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("queen  0.9688\n", "queen     0.9702\n", True),
        ("queen  0.9688\n", "queen  0.9188\n", False),
        ("queen  0.9688\n", "king  0.9688\n", False),
        ("on -0.463\n", "on -0.471\n", True),
        ("on -0.463\n", "on -0.563\n", False),
        ("accuracy 80.9 %\n", "accuracy 78.2 %\n", True),
        ("accuracy 80.9 %\n", "accuracy 77.2 %\n", False),
        ("accuracy 80.9 %\n", "accuracy 0.809\n", False),
        ("epoch 1/5: loss 1.888, 5.14 M tokens/s\n", "epoch 1/5: loss 1.890, 860.2 k tokens/s\n", True),
        ("epoch 1/5: loss 1.888, 5.14 M tokens/s\n", "epoch 2/5: loss 1.888, 5.14 M tokens/s\n", False),
        ("in 1.1 s (2 threads)\n", "compiling kernels\nin 31 s (16 threads)\n", True),
        ("1,201,122 tokens\n", "1,190,122 tokens\n", True),
        ("1,201,122 tokens\n", "1,101,122 tokens\n", False),
        ("one\n...\nfour\n", "one\ntwo\nthree\nfour\n", True),
        ("one\n...\nfour\n", "one\nfour\n", True),
        ("one\n...\nfour\n", "one\ntwo\n", False),
        ("one\n...\n", "", False),
        ("", "one\n", False),
    ],
)
def test_output_is_compared_within_the_tolerance(expected, actual, same):
    assert same_output(expected, actual) is same
    assert same_output(updated(expected, actual), actual) or not same


def test_steps_are_commands_and_examples_with_their_output():
    text = "```console\n$ a \\\nb\nx\n$ c\n```\n```python\nprint(1)\n```\n\n```text\n1\n```\n```python\nd\n```\n"
    found = list(steps(text))
    assert [(step.source, step.expected) for step in found] == [
        ("a b", "x\n"),
        ("c", ""),
        ("print(1)\n", "1\n"),
        ("d\n", None),
    ]
    assert [text[slice(*step.span)] for step in found[:3]] == ["x\n", "", "1\n"]


def test_a_page_marks_a_block_with_a_wider_tolerance():
    block = "```console\n$ a\n-0.4\n```\n"
    found = list(steps(f"<!-- tolerance: 0.15 -->\n\n{block}\n{block}"))
    assert [step.tolerance for step in found] == [0.15, 0.02]
    assert [same_output(step.expected, "-0.5\n", step.tolerance) for step in found] == [True, False]


def test_readme_has_sessions_and_examples():
    found = [step.language for step in steps(TEXTS[README])]
    assert found.count("console") >= 4
    assert found.count("python") >= 1


@pytest.mark.parametrize("target", ["demo", "test"])
def test_readme_names_existing_make_targets(target):
    assert f"make {target}" in TEXTS[README]
    result = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_name_existing_data_sets(page):
    for name, part in re.findall(r"\bdata:([a-z][\w-]*)(?:/([\w-]+))?", TEXTS[page]):
        assert name in DATASETS, name
        assert not part or part in DATASETS[name].files, f"{name}/{part}"


def options_of(command):
    for child in command.commands.values() if isinstance(command, click.Group) else [command]:
        for parameter in child.params:
            if isinstance(parameter, click.Option):
                yield from parameter.opts + parameter.secondary_opts


def test_pages_document_every_training_option_and_no_other():
    context = click.Context(main.wordvec)
    commands = {name: main.wordvec.get_command(context, name) for name in main.COMMANDS}
    named = {option for text in TEXTS.values() for option in re.findall(r"`(--[a-z][a-z-]*)", text)}
    known = {option for command in commands.values() for option in options_of(command)}
    assert named - known - {"--help"} == set()
    documented = (
        "train-embeddings",
        "classify-text",
        "tag-text",
        "language-model",
        "forecast",
        "transduce",
        "documents",
    )
    wanted = {option for name in documented for option in options_of(commands[name])}
    assert {option for option in wanted if option.startswith("--")} - named - {"--version"} == set()
    assert set(main.COMMANDS) - set(re.findall(r"[a-z-]+", TEXTS[COMMANDS])) == set()


def test_no_row_of_commands_and_no_page_of_the_index_is_repeated():
    rows = re.findall(r"^\| (`.+?`) \|", TEXTS[COMMANDS], re.MULTILINE)
    assert len(rows) == len(set(rows))
    listed = [path for path, _ in links(INDEX)]
    assert len(listed) == len(set(listed)), "each page is listed once; the site's sections are read from it"


def test_the_settings_page_is_generated():
    done = subprocess.run(
        [sys.executable, "-c", "import settings_page; print(settings_page.page(), end='')"],
        cwd=ROOT / "docs", env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == TEXTS[ROOT / "docs/reference/settings.md"], "run python docs/settings_page.py"


def anchors(text):
    """Return the anchors of the headings as GitHub generates them: lower case, no punctuation, spaces as hyphens."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    """Yield the file and the anchor (or "") of every link within the repository."""
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", FENCE.sub("", TEXTS[page])):
        path, _, anchor = target.partition("#")
        yield (page.parent / path).resolve() if path else page, anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page):
    for path, anchor in links(page):
        assert path.exists(), path
        text = TEXTS.get(path) or (path.read_text(encoding="utf-8") if anchor else "")
        assert not anchor or anchor in anchors(text), f"{path}#{anchor}"


def test_index_links_to_every_page():
    assert set(PAGES) - {path for path, _ in links(INDEX)} == {INDEX}
    assert INDEX in {path for path, _ in links(README)}
