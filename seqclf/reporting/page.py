"""A report as one self-contained HTML page; needs Jinja2 and matplotlib, the extra ``report``."""

from typing import Any

from seqclf.reporting.charts import coverage_chart, history_chart, precision_chart, reliability_chart
from seqclf.reporting.report import Report
from wordvec.system.optional import optional_module

_LARGEST = 30
"""Labels from which on the confusion matrix is a list of its largest cells."""
_CONFUSIONS = 40
_CURVES = 4


def check_libraries() -> None:
    """Check that Jinja2 and matplotlib are installed.

    Raises:
        InputError: one is not; the message has the command that installs both.
    """
    for name, library in (("jinja2", "Jinja2"), ("matplotlib", "matplotlib")):
        optional_module(name, f"reports need {library}", "report")


def html_page(report: Report) -> str:
    """Return the page; equal reports give equal pages.

    Raises:
        InputError: Jinja2 or matplotlib is not installed.
    """
    check_libraries()
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("seqclf.reporting", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters["percent"] = lambda share: f"{100 * share:.1f} %"
    content = report.as_dict()
    charts = {
        "Training": history_chart(report.history) if report.history else "",
        "Reliability": reliability_chart(report.evaluation.reliability()),
        "Precision": precision_chart(_curves(report)),
        "Coverage": coverage_chart(report.evaluation.coverage([row["threshold"] for row in content["coverage"]])),
    }
    return environment.get_template("report.html").render(
        content, sections=report.card.sections(), title=report.card.title, charts=charts,
        wrong=int((~report.evaluation.correct).sum()), **_confusion(report),
    )  # fmt: skip


def _curves(report: Report) -> dict[str, tuple[Any, Any]]:
    """Return precision and recall of the labels with most texts, as many as a chart shows."""
    found = report.evaluation
    names = [name for name in found.names if name in found.truth]
    names.sort(key=lambda name: -found.truth.count(name))
    return {name: found.precision_recall(name) for name in names[:_CURVES]}


def _confusion(report: Report) -> dict[str, Any]:
    """Return the confusion matrix as rows of counts with the share of their row, or its largest errors."""
    scored = report.evaluation.score
    names, counts = [str(label) for label in scored.labels], scored.confusion
    totals = counts.sum(axis=1, keepdims=True).clip(1)
    if len(names) <= _LARGEST:
        rows = zip(names, counts.tolist(), (counts / totals).tolist(), strict=True)
        cells = [(name, list(zip(own, shares, strict=True))) for name, own, shares in rows]
        return {"names": names, "matrix": cells, "confusions": []}
    wrong = counts.copy()
    wrong[range(len(names)), range(len(names))] = 0
    largest = (-wrong).ravel().argsort(kind="stable")[:_CONFUSIONS]
    pairs = [divmod(int(cell), len(names)) for cell in largest]
    found = [(names[row], names[column], int(wrong[row, column])) for row, column in pairs if wrong[row, column]]
    return {"names": names, "matrix": [], "confusions": found}
