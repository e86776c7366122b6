"""A report as one self-contained HTML page; needs Jinja2 and matplotlib, the extra ``report``."""

from collections import Counter
from typing import Any

from seqclf.classification.evaluation import Evaluation
from seqclf.classification.set_evaluation import SetEvaluation
from seqclf.reporting.charts import coverage_chart, history_chart, precision_chart, reliability_chart, threshold_chart
from seqclf.reporting.report import LabelSetReport, Report
from wordvec.system.optional import optional_module

_LARGEST = 30
"""Labels from which on the confusion matrix is a list of its largest cells."""
_CONFUSIONS = 40
_CURVES = 4
_RELIABILITY = {Evaluation: ("confidence", "accuracy"), SetEvaluation: ("probability", "share of texts with the label")}
"""Names of the axes."""


def check_libraries() -> None:
    """Check that Jinja2 and matplotlib are installed.

    Raises:
        InputError: one is not; the message has the command that installs both.
    """
    for name, library in (("jinja2", "Jinja2"), ("matplotlib", "matplotlib")):
        optional_module(name, f"reports need {library}", "report")


def html_page(report: Report | LabelSetReport) -> str:
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
    found = report.evaluation
    curves = {name: found.precision_recall(name) for name in _most_frequent(report)}
    charts = {
        "Training": history_chart(report.history) if report.history else "",
        "Reliability": reliability_chart(found.reliability(), *_RELIABILITY[type(found)]),
        "Precision": precision_chart(curves) if curves else "",
    }
    content = report.as_dict()
    if isinstance(report, LabelSetReport):
        charts["Thresholds"] = threshold_chart(curves, content["evaluation"]["thresholds"]) if curves else ""
        return environment.get_template("label_sets.html").render(
            content, sections=report.card.sections(), title=report.card.title, charts=charts,
            wrong=len(report.evaluation.mistakes()),
        )  # fmt: skip
    charts["Coverage"] = coverage_chart(report.evaluation.coverage([row["threshold"] for row in content["coverage"]]))
    return environment.get_template("report.html").render(
        content, sections=report.card.sections(), title=report.card.title, charts=charts,
        wrong=int((~report.evaluation.correct).sum()), **_confusion(report),
    )  # fmt: skip


def _most_frequent(report: Report | LabelSetReport) -> list[str]:
    """Return the labels with most texts, as many as a chart shows."""
    found = report.evaluation
    sets = found.truth if isinstance(found, SetEvaluation) else [[label] for label in found.truth]
    counts = Counter(label for own in sets for label in own)
    names = [name for name in found.names if counts[name]]
    return sorted(names, key=lambda name: -counts[name])[:_CURVES]


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
