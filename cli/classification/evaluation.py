"""Tables of a classifier's evaluation, and the file of its mistakes."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cli.shared.errors import note_output
from cli.shared.reporting import one_line, percent, table
from cli.shared.supervised import class_table

if TYPE_CHECKING:
    from seqclf import Score
    from seqclf.classification.cross_validation import CurvePoint
    from seqclf.classification.evaluation import Evaluation
    from seqclf.classification.set_evaluation import SetEvaluation
    from seqclf.metrics import MultiLabelScore


def evaluation_table(evaluation: "Evaluation") -> str:
    """Return the measures with their intervals, the scores of the labels, and the confusion matrix."""
    scored = evaluation.score
    intervals = scored.intervals()
    most = max(row.support for row in scored.classes) / len(evaluation.truth)
    head = table(
        [
            ["texts", f"{len(evaluation.truth):,}"],
            ["accuracy", percent(scored.accuracy)],
            ["  95 % interval", _percents(intervals["accuracy"])],
            ["  of always predicting the most frequent label", percent(most)],
            ["macro-F1", f"{scored.macro_f1:.3f}"],
            ["  95 % interval", "{:.3f} - {:.3f}".format(*intervals["macro_f1"])],
            ["Matthews correlation", f"{scored.matthews:.3f}"],
            ["expected calibration error", f"{evaluation.calibration_error():.3f}"],
        ]
    )
    names = [str(label) for label in scored.labels]
    confusion = [[name, *map(str, row)] for name, row in zip(names, scored.confusion.tolist(), strict=True)]
    matrix = table(confusion, ["true label \\ predicted", *names])
    return "\n\n".join([head, class_table(scored, "label", "texts"), matrix])


def rival_table(title: str, evaluation: "Evaluation", rivals: Sequence[Any]) -> str:
    """Return the measures of a model and of baselines, each with the p-value of the difference to the model."""
    heads = ["accuracy", "95 % interval", "macro-F1"] + (["p-value"] if rivals else [])
    rows = [["this model", *_measures(evaluation.score), *([""] if rivals else [])]]
    for rival in rivals:
        p = rival.p_value(evaluation.correct)
        rows.append([rival.name, *_measures(rival.score), "< 0.001" if p < 0.001 else f"{p:.3f}"])
    return table(rows, [title, *heads])


def folds_table(evaluations: "Sequence[Evaluation]") -> str:
    """Return the measures of each fold, and their mean and standard deviation."""
    import statistics

    scores = [each.score for each in evaluations]
    measures = [[each.accuracy for each in scores], [each.macro_f1 for each in scores]]
    forms = (percent, "{:.3f}".format)
    rows = [
        [f"{fold}", f"{len(each.truth):,}", percent(each.score.accuracy), f"{each.score.macro_f1:.3f}"]
        for fold, each in enumerate(evaluations, 1)
    ]
    for name, summary in (("mean", statistics.mean), ("standard deviation", statistics.stdev)):
        rows.append([name, "", *(form(summary(values)) for form, values in zip(forms, measures, strict=True))])
    return table(rows, ["fold", "texts", "accuracy", "macro-F1"])


def learning_table(points: "Sequence[CurvePoint]") -> str:
    """Return the accuracies of a learning curve: a row for each number of training texts."""
    names = list(points[0].scores)
    rows = [[f"{point.texts:,}", *(percent(point.scores[name].accuracy) for name in names)] for point in points]
    return table(rows, ["training texts", *names])


def set_measures(result: "MultiLabelScore") -> dict[str, str]:
    """Return the measures of a multi-label classifier by name."""
    return {
        "micro-F1": f"{result.micro_f1:.3f}",
        "macro-F1": f"{result.macro_f1:.3f}",
        "subset accuracy": percent(result.subset_accuracy),
        "Hamming loss": f"{result.hamming_loss:.4f}",
    }


def set_table(evaluation: "SetEvaluation", truth: Sequence[Any]) -> str:
    """Return the measures of label sets, compared with a constant prediction, and label scores."""
    from seqclf import score_label_sets
    from wordvec.system.wording import counted

    result = evaluation.score
    classes = class_table(result, "label", "texts")
    sets = Counter(tuple(sorted(labels)) for labels in truth)
    constant = score_label_sets(truth, [sets.most_common(1)[0][0]] * len(truth))
    both = zip(set_measures(result).items(), set_measures(constant).values(), strict=True)
    rows = [[name, own, other] for (name, own), other in both]
    rows.append(["expected calibration error", f"{evaluation.calibration_error():.3f}", ""])
    head = table(rows, [counted(len(truth), "text"), "this model", "most frequent labels"])
    return f"{head}\n\n{classes}"


def write_mistakes(path: str, texts: Sequence[str], evaluation: Any, separator: str | None) -> None:
    """Write the wrongly classified texts, the most confident first, to a .jsonl file or else a .tsv file.

    In a .tsv file, white space within a text is a single space, and several labels are joined by the separator.

    Args:
        path: of the file. texts: N.
        evaluation: an ``Evaluation`` on them or, with a separator, a ``SetEvaluation``.
    """
    from wordvec.system.atomic_files import replacing

    heads: tuple[str, ...] = ("label", "predicted", "confidence", "label_probability", "text")
    rows: list[tuple[Any, ...]]
    if separator is not None:
        heads, predicted = ("labels", "predicted", "confidence", "text"), evaluation.predicted
        rows = [
            (evaluation.truth[row], predicted[row], confidence, texts[row]) for row, confidence in evaluation.mistakes()
        ]
    else:
        numbers = (evaluation.confidence.tolist(), evaluation.own.tolist())
        columns = (evaluation.truth, evaluation.predicted, *numbers, texts)
        rows = [tuple(column[row] for column in columns) for row in evaluation.mistakes()]
    if path.endswith(".jsonl"):
        lines = [json.dumps(dict(zip(heads, row, strict=True)), ensure_ascii=False) for row in rows]
    else:
        lines = ["\t".join(heads), *("\t".join(_cell(value, separator) for value in row) for row in rows)]
    with replacing(path) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    note_output(path)


def _cell(value: Any, separator: str | None) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return one_line(str(separator).join(value)) if isinstance(value, list) else " ".join(value.split())


def _measures(scored: "Score") -> list[str]:
    return [percent(scored.accuracy), _percents(scored.intervals()["accuracy"]), f"{scored.macro_f1:.3f}"]


def _percents(interval: tuple[float, float]) -> str:
    return "{:.1f} - {:.1f} %".format(*(100 * bound for bound in interval))
