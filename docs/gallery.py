"""The figures of ``docs/examples``, for sphinx-gallery.

An example assigns a figure to ``figure``, and a comment before it, ``# Figure: ...``, is its alternative text.
"""

import re
from collections.abc import Callable
from typing import Any

_ALT = re.compile(r"^# Figure: (.*(?:\n# .*)*)", re.MULTILINE)


def figures(block: Any, variables: dict[str, Any], gallery: dict[str, Any]) -> str:
    """Save the figure that a block of an example has made, and return its reStructuredText."""
    from sphinx_gallery.scrapers import figure_rst

    from wordvec.plotting.style import save

    figure = variables["example_globals"].pop("figure", None)
    if figure is None:
        return ""
    alt = _ALT.search(block[1])
    if alt is None:
        raise ValueError(f"{variables['src_file']}: a figure needs a comment '# Figure: ...' that describes it")
    path = next(variables["image_path_iterator"])
    save(figure, path)
    return str(figure_rst([path], gallery["src_dir"], alt[1].replace("\n# ", " ")))


def _get_sg_image_scraper() -> Callable[..., str]:
    """Return what sphinx-gallery looks for."""
    return figures
