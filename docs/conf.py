"""Sphinx's settings for the site; docs/build_site.py runs it."""

import os
import sys
import zlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from wordvec import __version__  # noqa: E402

# The kernels of the chapters find the packages of this checkout.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))

project = "wordvec-seqclf"
copyright = "the wordvec-seqclf maintainers"
version = release = __version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.intersphinx",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["notebooks/*", "examples/GALLERY_HEADER.rst", "examples/*.ipynb"]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb"}

myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_in_temp = True  # an empty folder, as the reader of a downloaded notebook may have
nb_merge_streams = True
nb_output_stderr = "remove"  # progress

# The examples; python docs/build_site.py --fast does not run them.
sphinx_gallery_conf = {
    "examples_dirs": str(HERE / "examples"),
    "gallery_dirs": "examples",
    "filename_pattern": r"\.py",
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("gallery",),
    "capture_repr": (),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "min_reported_time": 3600,
    "write_computation_times": False,
    "show_signature": False,
}

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]  # several names may share a line
nitpicky = True

# Names of other projects, from lists kept here: nothing is fetched.
intersphinx_mapping = {}
for listed in sorted((HERE / "inventories").glob("*.txt")):
    lines = listed.read_text(encoding="utf-8").split("\n")
    inventory = HERE.parent / "build" / "site" / "inventories" / f"{listed.stem}.inv"
    inventory.parent.mkdir(parents=True, exist_ok=True)
    head = f"# Sphinx inventory version 2\n# Project: {listed.stem}\n# Version: \n# compressed using zlib\n"
    inventory.write_bytes(head.encode() + zlib.compress("\n".join(lines[1:]).encode()))
    intersphinx_mapping[listed.stem] = (lines[0], str(inventory))


def escaped(app: object, context: object, lines: list[str]) -> None:
    """Escape what help texts have for people, and reStructuredText takes for markup."""
    lines[:] = [line.replace("*", r"\*") for line in lines]


def plain(app: object, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    """Keep what napoleon would take for the type of an attribute, and drop the docstring of dict."""
    if what in ("attribute", "property") and lines:
        lines[0] = lines[0].replace(": ", " – ")
    elif what == "data" and lines and lines[0].startswith("dict("):
        lines.clear()


def setup(app: Any) -> None:
    """Connect to autodoc, before napoleon, and to sphinx-click."""
    app.connect("autodoc-process-docstring", plain, priority=400)
    for part in ("description", "options", "arguments", "usage", "epilog"):
        app.connect(f"sphinx-click-process-{part}", escaped)


copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_line_continuation_character = "\\"

html_theme = "pydata_sphinx_theme"
html_title = "wordvec-seqclf"
html_show_sourcelink = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}
html_theme_options = {"show_toc_level": 2, "navbar_align": "left", "header_links_before_dropdown": 6}
