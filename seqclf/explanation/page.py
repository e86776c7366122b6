"""An explanation as a self-contained HTML page."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from seqclf.explanation.explain import Explanation

_STYLE = (
    "body{font:16px/1.7 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}h1{font-size:1.3rem}.text span{padding:.15em .1em;border-radius:.2em}"
    "table{border-collapse:collapse;font-size:.9rem}td,th{padding:.15rem .8rem .15rem 0;text-align:right}"
    "td:first-child,th:first-child{text-align:left;overflow-wrap:break-word;min-width:5rem;max-width:20rem}.scroll{overflow-x:auto}"
    "h2{font-size:1.1rem}td.similar,th:nth-child(3):last-child{text-align:left;overflow-wrap:anywhere}"
)
_FOR, _AGAINST = "0,130,70", "200,40,40"
_STRONGEST = 0.55
"""Opacity of the color of the largest contribution."""


def html_page(explanation: Explanation, nearest: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return a page with the text, colored by contribution, a table of the words, and one of similar texts.

    Args:
        explanation: of a prediction.
        nearest: ``label``, ``similarity`` and ``text`` of each similar text.

    Example:
        >>> found = Explanation(["<good>"], "yes", "no", 0.9, 0.1, [2.0], [2.0], [0.0], 0.2, 2.2, 0.0, None)
        >>> page = html_page(found)
        >>> "&lt;good&gt;" in page, "<good>" in page
        (True, False)
    """
    label, against = escape(str(explanation.label)), escape(str(explanation.against))
    top = max(map(abs, explanation.contributions), default=0.0) or 1.0
    spans = []
    for word, value in zip(explanation.words, explanation.contributions, strict=True):
        color = f"rgba({_FOR if value > 0 else _AGAINST},{_STRONGEST * abs(value) / top:.2f})"
        spans.append(f'<span style="background:{color}" title="{value:+.3f}">{escape(word)}</span>')
    columns = [("contribution", explanation.contributions)]
    columns += [("network", explanation.network), ("linear model", explanation.linear)]
    if explanation.occlusion is not None:
        columns.append(("without the word", explanation.occlusion))
    heads = "".join(f"<th>{name}</th>" for name in ("word", *(name for name, _ in columns)))
    order = sorted(range(len(explanation.words)), key=lambda row: -abs(explanation.contributions[row]))
    rows = "".join(
        f"<tr><td>{escape(explanation.words[row])}</td>"
        + "".join(f"<td>{values[row]:+.3f}</td>" for _, values in columns)
        + "</tr>\n"
        for row in order
    )
    similar = "".join(
        f"<tr><td>{escape(str(each['label']))}</td><td>{each['similarity']:.3f}</td>"
        f'<td class="similar">{escape(each["text"])}</td></tr>\n'
        for each in nearest
    )
    if similar:
        heading = "<h2>Most similar texts</h2>\n<table><tr><th>label</th><th>similarity</th><th>text</th></tr>\n"
        similar = f"{heading}{similar}</table>\n"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Why {label}?</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{label} ({100 * explanation.probability:.1f} %) rather than "
        f"{against} ({100 * explanation.other_probability:.1f} %)</h1>\n"
        f'<p class="text">{" ".join(spans)}</p>\n'
        f"<p>Green words speak for {label}, red ones for {against}. Contributions are parts of the log-odds, "
        f"{explanation.log_odds:+.3f}, of which {explanation.bias:+.3f} are those of a text without words.</p>\n"
        f'<div class="scroll"><table><tr>{heads}</tr>\n{rows}</table></div>\n{similar}</body></html>\n'
    )
