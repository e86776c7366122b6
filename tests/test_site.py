"""The site of the documentation: its sources, notebooks, and pages in a browser."""

import ast
import importlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_SITES = sorted((ROOT / "build/site").glob("*/objects.inv"), key=lambda path: path.stat().st_mtime)
BUILT = _SITES[-1].parent if _SITES else None  # the last one built
CHAPTERS = sorted((ROOT / "docs/tutorials").glob("[0-9]*.md"))


def module(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"docs/{name}.py")
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found  # where dataclasses and build_site look for it
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return the staged sources of the site that runs the chapters."""
    module("architecture")
    module("chapters")
    site = module("build_site")
    site.SOURCE = tmp_path_factory.mktemp("site")
    site.stage(execute=True)
    return site.SOURCE


def test_every_page_is_on_the_site_and_links_stay_on_it(source):
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")} - {Path("README.md")}
    staged = {path.relative_to(source) for path in source.rglob("*.md")}
    assert pages <= staged
    assert {Path("introduction.md"), Path("contributors/contributing.md")} <= staged
    for page in staged:
        text = re.sub(r"^```.*?^```$", "", (source / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", text):
            assert (source / page.parent / target).exists() or target == "index.rst", f"{page}: {target}"


def test_names_lead_to_their_reference_except_in_headings_links_and_blocks(source):
    linked = module("build_site").linked_names
    assert linked("`WordVectors` and `scipy.sparse.load_npz`, `min_count`") == (
        "{py:obj}`~wordvec.WordVectors` and {py:obj}`scipy.sparse.load_npz`, `min_count`"
    )
    for text in ("# `WordVectors`", "[`WordVectors`](a.md)", "```\n`WordVectors`\n```", "``x `WordVectors` y``"):
        assert linked(text) == text
    assert not any("{py:obj}" in path.read_text(encoding="utf-8") for path in (source / "notebooks").iterdir())


def test_the_architecture_is_that_of_the_code(source):
    text = (source / "contributors/architecture.md").read_text(encoding="utf-8")
    drawing = (source / "contributors/architecture-wordvec.svg").read_text(encoding="utf-8")
    for folder in (path.parent.name for path in (ROOT / "wordvec").glob("*/__init__.py")):
        assert f"| `{folder}` |" in text
        assert f">{folder}</text>" in drawing
    assert re.search(r"\| `formats` \| \d+ \| .*system.*\|", text)
    assert "vectors" not in re.search(r"\| `formats` .*", text)[0]


@pytest.mark.parametrize("path", sorted((ROOT / "docs/examples").glob("*.py")), ids=lambda path: path.stem)
def test_an_example_has_a_title_public_names_and_a_described_figure(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    title, line = ast.get_docstring(tree).splitlines()[:2]
    assert line == "=" * len(title)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            found = importlib.import_module(node.module)
            assert all(hasattr(found, each.name) for each in node.names), ast.unparse(node)
    figure = tree.body[-1]
    assert isinstance(figure, ast.Assign), "the last statement makes the figure"
    assert figure.targets[0].id == "figure"
    alt = module("gallery")._ALT.search(text)
    assert 30 < len(alt[1]) < 250, "what is seen, for those who cannot"


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_a_chapter_is_a_notebook_with_all_its_code(source, page):
    notebook = json.loads((source / "notebooks" / f"{page.stem}.ipynb").read_text(encoding="utf-8"))
    code = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    text = page.read_text(encoding="utf-8")
    if importlib.util.find_spec("nbformat"):
        importlib.import_module("nbformat").validate(notebook)
    assert code[0].startswith("%matplotlib inline")
    assert [each.strip() for each in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)] == code[1:]
    hidden = [cell for cell in notebook["cells"] if cell["metadata"]]
    assert len(hidden) >= text.count("<details>") >= 1
    assert not any("<details>" in cell["source"] or "](" in cell["source"] for cell in notebook["cells"])
    executable = (source / "tutorials" / page.name).read_text(encoding="utf-8")
    fence = re.compile(r"^```\{code-cell\} python3\n(?:---\n.*?---\n)?(.*?)\n```$", re.MULTILINE | re.DOTALL)
    assert fence.findall(executable) == code, "what make docs runs"
    assert "```text" not in executable


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: no page is opened")
@pytest.mark.skipif(BUILT is None, reason="the site is not built: make docs-fast")
@pytest.mark.parametrize(
    "page",
    [
        "index",
        "introduction",
        "examples/index",
        "examples/attention",
        "tutorials/10-lstm",
        "how-to/classifiers",
        "reference/settings",
        "reference/api/wordvec",
    ],
)
def test_a_page_fits_desktop_and_telephone_without_errors(page, tmp_path):
    address = (BUILT / f"{page}.html").as_uri()
    frames = "".join(f'<iframe src="{address}" width="{width}" height="900"></iframe>' for width in (1280, 390))
    script = """addEventListener("load", () => setTimeout(() => {
        document.title = [...document.querySelectorAll("iframe")].map(frame =>
            frame.contentDocument.documentElement.scrollWidth - frame.clientWidth).join(" ")
    }, 500))"""
    probe = tmp_path / "probe.html"
    probe.write_text(f"<title></title><body>{frames}<script>{script}</script></body>", encoding="utf-8")
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
            *("--allow-file-access-from-files", "--virtual-time-budget=6000", "--window-size=1800,1000", "--dump-dom"),
            probe.as_uri(),
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not [line for line in console if "[PST]: " not in line], "all but what the theme logs"
    over = [int(each) for each in re.search("<title>(.*?)</title>", done.stdout)[1].split()]
    assert len(over) == 2
    assert max(over) <= 0, "the page scrolls sideways"
