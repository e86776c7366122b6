"""The option ``--report`` of ``classify-text train`` and ``evaluate``: a page and a JSON file in a folder."""

import json
import os
from collections.abc import Sequence
from typing import Any

import click

from cli.shared import options
from cli.shared.errors import check_files, note_output
from cli.shared.origins import origin_of
from cli.shared.reporting import finite, log

_PAGE, _VALUES = "report.html", "report.json"

report_option = click.option(
    "--report",
    "report",
    type=options.OUTPUT,
    metavar="FOLDER",
    help="Write report.html, a self-contained page, and report.json to FOLDER: scores, curves, calibration, mistakes "
    "and the model card.",
)


def check_report(folder: str) -> None:
    """Check the libraries and the files of a report, and make its folder, before any work."""
    from seqclf.reporting.page import check_libraries
    from wordvec.system.atomic_files import check_target

    check_libraries()
    check_files(**{f"--report {name}": os.path.join(folder, name) for name in (_PAGE, _VALUES)})
    if not os.path.isdir(folder):
        check_target(folder)
        os.mkdir(folder)
    for name in (_PAGE, _VALUES):
        check_target(os.path.join(folder, name))


def write_report(
    folder: str,
    model: Any,
    path: str,
    data: str,
    texts: Sequence[str],
    evaluation: Any,
    rivals: Sequence[Any] = (),
    quiet: bool = False,
) -> None:
    """Write the page and the JSON file.

    Args:
        folder: see :func:`check_report`.
        model, path: a classifier, and its file.
        data, texts: the evaluation data: the file and its texts.
        evaluation: of the model on them: an ``Evaluation`` or, of several labels per text, a ``SetEvaluation``.
        rivals: baselines.
    """
    from seqclf.reporting.page import html_page
    from seqclf.reporting.report import LabelSetReport, Report, Rival
    from wordvec.formats.cards import model_card
    from wordvec.formats.registry import describe
    from wordvec.system.atomic_files import replacing
    from wordvec.system.wording import counted

    with origin_of(data=data) as origin:
        facts = {"file": os.path.basename(data) or data}
    if "data_blake2b" in origin:
        facts["BLAKE2b"] = origin["data_blake2b"]
    name, card, history = os.path.basename(path), model_card(describe(path)), getattr(model, "history", [])
    report: Report | LabelSetReport
    if hasattr(model, "thresholds"):
        scores = {rival.name: rival.score for rival in rivals}
        report = LabelSetReport(name, card, evaluation, texts, facts, history, scores)
    else:
        own = [
            Rival(rival.name, rival.score.accuracy, rival.score.macro_f1, rival.p_value(evaluation.correct))
            for rival in rivals
        ]
        report = Report(name, card, evaluation, texts, facts, history, own)
    values = json.dumps(finite(report.as_dict()), indent=2, ensure_ascii=False) + "\n"
    for name, content in ((_PAGE, html_page(report)), (_VALUES, values)):
        output = os.path.join(folder, name)
        with replacing(output) as file:
            file.write(content.encode())
        note_output(output)
    log(f"{os.path.join(folder, _PAGE)}: report on {counted(len(texts), 'text')}", quiet)
