"""Precision-recall curves of a classifier, as a file of numbers."""

from collections.abc import Sequence
from typing import Any

from cli.shared.errors import note_output
from cli.shared.reporting import one_line, table


def write_curves(
    path: str, model: Any, texts: Sequence[str], labels: Sequence[Any], threads: int | None
) -> dict[str, Any]:
    """Write each label's precision and recall at every threshold of its probability, and return average precisions.

    Args:
        path: of the file. model: a classifier. texts: to predict. labels: of each text, one or a list.
        threads: of the prediction.
    """
    from seqclf.classification.curves import precision_recall
    from wordvec.system.atomic_files import replacing

    probabilities = model.predict_proba(texts, threads=threads)
    sets = [{str(label) for label in (each if isinstance(each, list) else [each])} for each in labels]
    lines, averages = ["label\tthreshold\tprecision\trecall"], {}
    for column, name in enumerate(map(str, model.labels)):
        truth = [name in each for each in sets]
        if any(truth):  # of a label that no text has, the recall is undefined
            curve = precision_recall(truth, probabilities[:, column])
            averages[name] = curve.average_precision
            for row in zip(*(each.tolist() for each in curve), strict=True):
                lines.append("\t".join([one_line(name), *(f"{value:.6f}" for value in row)]))
    with replacing(path) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    note_output(path)
    return {"average_precision": averages}


def curves_table(measured: dict[str, Any]) -> str:
    """Return the average precisions as a table after other output; nothing without them."""
    rows = [[name, f"{value:.3f}"] for name, value in measured.get("average_precision", {}).items()]
    return "\n\n" + table(rows, ["label", "average precision"]) if rows else ""
