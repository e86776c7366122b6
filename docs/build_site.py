"""Builds the site: ``python docs/build_site.py``, or without running the chapters ``--fast``.

The pages are copied to ``build/site/source``, where the chapters become notebooks, and reference pages of the API are
added; Sphinx then writes ``build/site/html``, and click-man the manual pages ``build/site/man``. The pages themselves
stay plain Markdown.
"""

import argparse
import functools
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
"""Scripts that sphinx-gallery turns into pages, next to the staged sources."""
SITE = ROOT / "build" / "site"
SOURCE = SITE / "source"

OUTSIDE = {
    "README.md": "introduction.md",
    "CONTRIBUTING.md": "contributors/contributing.md",
    "CHANGELOG.md": "reference/changelog.md",
    "benchmarks/results/RESULTS.md": "explanation/results.md",
    "benchmarks/results/zen4/RESULTS.md": "explanation/results-zen4.md",
    "benchmarks/results/avx2/RESULTS.md": "explanation/results-avx2.md",
}
"""Pages outside ``docs`` and their places on the site."""
LEFT_OUT = {DOCS / "README.md": "index.rst"}
"""The index on Git hosts is replaced by that of the site, whose sections are read from it."""
SECTIONS: dict[str, tuple[str, list[str]]] = {
    "how-to": ("How-to guides", []),
    "reference": ("Reference", ["command-help", "api/wordvec", "api/seqclf", "api/corpora", "changelog"]),
    "explanation": ("Explanation", ["results", "results-zen4", "results-avx2"]),
    "contributors": ("Contributing", ["contributing", "architecture"]),
}
"""Title of each folder, and its pages that are not in the index on Git hosts."""
_LINK = re.compile(r"(?P<text>!?\[[^\]]*\])\((?!https?://|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)]*)?\)")
_NAME = re.compile(
    r"^(?:```|~~~).*?^(?:```|~~~)$|^#.*?$|\[[^\]]*\]\([^)]*\)|``.*?``|`(?P<name>[A-Za-z_][\w.]*)`",
    re.MULTILINE | re.DOTALL,
)
"""What keeps names as they are, or a name in code font."""
MODULES = {
    "wordvec": (
        "wordvec.count_based.models", "wordvec.vectors.alignment", "wordvec.vectors.comparison",
        "wordvec.vectors.distances", "wordvec.vectors.postprocessing", "wordvec.vectors.sentence",
        "wordvec.applications.spelling", "wordvec.applications.summaries", "wordvec.plotting.charts",
        "wordvec.plotting.curves", "wordvec.plotting.explore", "wordvec.plotting.maps", "wordvec.plotting.projection",
        "wordvec.system.progress",
    ),
    "seqclf": (
        "seqclf.explanation.explain", "seqclf.inspection.layer", "seqclf.language.generation",
        "seqclf.translation.model", "seqclf.translation.settings", "seqclf.translation.vector_model",
    ),
}  # fmt: skip
"""Documented modules besides the public names of their package."""
_OF_SKLEARN = ", ".join(
    [f"set_{name}_request" for name in ("fit", "partial_fit", "predict", "predict_proba", "score", "transform")]
    + ["get_metadata_routing", "get_params", "set_params", "set_output", "fit_transform"]
)
"""Methods of every estimator that scikit-learn documents."""
_MEMBERS = f"""
   :members:
   :inherited-members: Exception, ClassifierMixin, RegressorMixin
   :exclude-members: {_OF_SKLEARN}"""
_PACKAGES = {"wordvec": "Word vectors", "seqclf": "Recurrent networks", "corpora": "Text"}


def stage(execute: bool) -> None:
    """Write the sources of the site; files that would not change stay as they are, for Sphinx's cache."""
    import architecture

    wanted: dict[Path, str | bytes] = {}
    places = {page.resolve(): SOURCE / page.relative_to(DOCS) for page in DOCS.rglob("*.md")}
    places |= {ROOT / page: SOURCE / place for page, place in OUTSIDE.items()}
    places |= {page: SOURCE / place for page, place in LEFT_OUT.items()}
    for page, place in places.items():
        if page in LEFT_OUT:
            continue
        text = _relinked(page, place, places, wanted)
        if execute and page.parent.name == "tutorials" and page.name[0].isdigit():
            notebook = SOURCE / "notebooks" / page.with_suffix(".ipynb").name
            text, wanted[notebook] = _chapter(text, os.path.relpath(notebook, place.parent))
        wanted[place] = linked_names(text)
    for path in [*DOCS.rglob("*.rst"), *DOCS.rglob("*.svg"), *DOCS.rglob("*.png")]:
        if not path.is_relative_to(EXAMPLES):
            wanted[SOURCE / path.relative_to(DOCS)] = path.read_bytes()
    wanted |= {SOURCE / folder / "index.rst": section_index(folder) for folder in SECTIONS}
    contributors = SOURCE / "contributors"
    wanted[contributors / "architecture.md"] = architecture.page()
    for package in ("wordvec", "seqclf"):
        wanted[contributors / f"architecture-{package}.svg"] = architecture.drawing(architecture.arrows(package))
    for name, title in _PACKAGES.items():
        wanted[SOURCE / "reference" / "api" / f"{name}.rst"] = api_page(name, title)
    wanted[SOURCE / "reference" / "command-help.rst"] = _heading("Options of every command") + (
        ".. click:: cli.main:wordvec\n   :prog: wordvec\n   :nested: full\n"
    )
    for path in set(SOURCE.rglob("*.*")) - set(wanted):
        if path.is_file() and not path.is_relative_to(SOURCE / EXAMPLES.name):
            path.unlink()
    for path, content in wanted.items():
        data = content.encode() if isinstance(content, str) else content
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def section_index(folder: str) -> str:
    """Return the page of a section: its pages as in docs/README.md, those of a list item under its first words."""
    title, others = SECTIONS[folder]
    groups: dict[str, list[str]] = {}
    for item in re.split(r"\n(?=- |\n)", (DOCS / "README.md").read_text(encoding="utf-8")):
        start = re.match(r"- ([\w -]+): ", item)
        caption = start[1] if start else "Running" if item.startswith("- ") else ""
        for page in re.findall(rf"\]\({folder}/([^)]+)\.md\)", item):
            groups.setdefault(caption, []).append(page)
    if others:
        groups.setdefault("", []).extend(others)
    parts = [_heading(title)]
    for caption, pages in groups.items():
        options = f"   :caption: {caption}\n" if caption else ""
        listed = "".join(f"   {page}\n" for page in dict.fromkeys(pages))
        parts.append(f".. toctree::\n{options}   :maxdepth: 1\n\n{listed}")
    return "\n".join(parts)


def _relinked(page: Path, place: Path, places: dict[Path, Path], wanted: dict[Path, str | bytes]) -> str:
    """Return a page with its links to other pages as they are on the site; pictures outside ``docs`` are copied."""

    def moved(link: re.Match[str]) -> str:
        target = (page.parent / link["path"]).resolve()
        if not target.exists():
            return link[0]  # code that looks like a link
        there = places.get(target, SOURCE / target.relative_to(DOCS) if target.is_relative_to(DOCS) else None)
        if there is None:
            if target.suffix not in (".svg", ".png"):
                return link["text"].strip("[]")
            there = SOURCE / "pictures" / target.name
            wanted[there] = target.read_bytes()
        return f"{link['text']}({os.path.relpath(there, place.parent)}{link['anchor'] or ''})"

    return _LINK.sub(moved, page.read_text(encoding="utf-8"))


def linked_names(text: str) -> str:
    """Return Markdown in which names in code font lead to their reference, outside headings, links and blocks.

    Names are those of modules, our public classes, and what the inventories of other projects list with its module.
    """

    def linked(found: re.Match[str]) -> str:
        name = found["name"] or ""
        target = _targets().get(name)
        return found[0] if target is None else f"{{py:obj}}`{'' if target == name else '~'}{target}`"

    return _NAME.sub(linked, text)


@functools.cache
def _targets() -> dict[str, str]:
    """Return by name as pages write it what Sphinx knows it by."""
    found = {name: name for names in MODULES.values() for name in names}
    for package in _PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, type) and value.__module__.partition(".")[0] == package:
                found[name] = f"{package}.{name}"
    for path in (DOCS / "inventories").glob("*.txt"):
        names = [line.split(" ")[0] for line in path.read_text(encoding="utf-8").splitlines()[1:]]
        found |= {name: name for name in names if "." in name}
    return found


def _chapter(text: str, notebook: str) -> tuple[str, str]:
    import chapters

    return chapters.executable(text, notebook), chapters.notebook(text)


def api_page(package: str, title: str) -> str:
    """Return the reference page of a package: every public name, from the module that defines it."""
    module = importlib.import_module(package)
    parts = [_heading(f"{title}: {package}") + f".. py:module:: {package}\n\n{module.__doc__}\n"]
    for name in module.__all__:
        value = getattr(module, name)
        if getattr(value, "__module__", package).partition(".")[0] != package:
            continue  # documented in the package that it comes from
        kind = "autoclass" if isinstance(value, type) else "autofunction" if callable(value) else "autodata"
        members = _MEMBERS if kind == "autoclass" else ""
        where, members = (module._HOME[name], "\n   :no-value:") if kind == "autodata" else (package, members)
        parts.append(f"{name}\n{'-' * len(name)}\n\n.. {kind}:: {where}.{name}{members}\n")
    for name in MODULES.get(package, ()):
        parts.append(f"{name}\n{'-' * len(name)}\n\n.. automodule:: {name}\n   :members:\n")
    return "\n".join(parts)


def _heading(title: str) -> str:
    return f"{title}\n{'=' * len(title)}\n\n"


def write_manual_pages(folder: Path) -> None:
    """Write a manual page of every command and subcommand; of those that are scripts, also by the script's name."""
    from importlib.metadata import distribution

    import click
    from click_man.core import write_man_pages

    from cli import main as commands
    from wordvec import __version__

    folder.mkdir(parents=True, exist_ok=True)
    write_man_pages("wordvec", commands.wordvec, version=__version__, target_dir=str(folder))
    group = click.Context(commands.wordvec, info_name="wordvec")
    scripts = distribution("wordvec-seqclf").entry_points.select(group="console_scripts").names
    for name in commands.COMMANDS:  # which the group imports on first use, so that click-man does not see them
        command = commands.wordvec.get_command(group, name)
        write_man_pages(name, command, parent_ctx=group, version=__version__, target_dir=str(folder))
        if name in scripts:
            write_man_pages(name, command, version=__version__, target_dir=str(folder))


def main() -> None:
    """Stage the sources and run Sphinx; a warning is an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="show the recorded outputs, run no chapter")
    arguments = parser.parse_args()
    stage(execute=not arguments.fast)
    html = SITE / ("fast" if arguments.fast else "html")
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "--keep-going", "-q", "-j", "auto", "-b", "html"]
    command += ["-D", f"plot_gallery={not arguments.fast}"]
    done = subprocess.run([*command, "-c", str(DOCS), "-d", f"{html}-cache", str(SOURCE), str(html)], cwd=ROOT)
    if done.returncode:
        sys.exit(done.returncode)
    write_manual_pages(SITE / "man")
    print(f"{html.relative_to(ROOT)}/index.html")


if __name__ == "__main__":
    main()
