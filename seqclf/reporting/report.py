"""Content of a report on a classifier: model card, measures, calibration, coverage, mistakes and training history."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from seqclf.classification.evaluation import Evaluation
from seqclf.classification.set_evaluation import SetEvaluation
from seqclf.metrics import MultiLabelScore
from wordvec.formats.cards import ModelCard

_THRESHOLDS = [step / 20 for step in range(20)] + [0.98, 0.99]
_MISTAKES = 50


@dataclass(frozen=True)
class Rival:
    """A baseline: its name, measures, and the p-value of its difference to the model."""

    name: str
    accuracy: float
    macro_f1: float
    p_value: float


@dataclass(frozen=True)
class Report:
    """All that is known of a classifier and its evaluation.

    Attributes:
        name: of the model's file.
        card: its model card.
        evaluation: on the texts.
        texts: N of them.
        data: facts of the evaluation data by name, such as file and digest.
        history: a row of measures for each epoch of the training, none for a linear model.
        rivals: baselines on the same texts.
    """

    name: str
    card: ModelCard
    evaluation: Evaluation
    texts: Sequence[str]
    data: Mapping[str, str]
    history: Sequence[Mapping[str, Any]] = ()
    rivals: Sequence[Rival] = ()

    def average_precisions(self) -> dict[str, float]:
        """Return the average precision of each label of the model that some text has."""
        found = self.evaluation
        return {name: found.precision_recall(name).average_precision for name in found.names if name in found.truth}

    def mistakes(self) -> list[dict[str, Any]]:
        """Return the wrong predictions, at most 50, the most confident first."""
        found, rows = self.evaluation, self.evaluation.mistakes()[:_MISTAKES]
        return [
            {
                "text": self.texts[row],
                "label": found.truth[row],
                "predicted": found.predicted[row],
                "confidence": float(found.confidence[row]),
                "label_probability": float(found.own[row]),
            }
            for row in rows
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        coverage = [asdict(row) for row in self.evaluation.coverage(_THRESHOLDS)]
        return _values(self, [asdict(rival) for rival in self.rivals], coverage=coverage)


@dataclass(frozen=True)
class LabelSetReport:
    """All that is known of a multi-label classifier and its evaluation.

    Attributes:
        name, card, texts, data, history: as in :class:`Report`.
        evaluation: on the texts.
        rivals: the scores of baselines on the same texts, by name.
    """

    name: str
    card: ModelCard
    evaluation: SetEvaluation
    texts: Sequence[str]
    data: Mapping[str, str]
    history: Sequence[Mapping[str, Any]] = ()
    rivals: Mapping[str, MultiLabelScore] = field(default_factory=dict)

    def average_precisions(self) -> dict[str, float]:
        """Return the average precision of each label of the model that some text has."""
        found = self.evaluation
        names = [found.names[place] for place in np.flatnonzero(found.has.any(axis=0))]
        return {name: found.precision_recall(name).average_precision for name in names}

    def mistakes(self) -> list[dict[str, Any]]:
        """Return the texts with a wrong prediction, at most 50, the most confident first."""
        found, rows = self.evaluation, self.evaluation.mistakes()[:_MISTAKES]
        predicted = found.predicted
        return [
            {"text": self.texts[row], "labels": found.truth[row], "predicted": predicted[row], "confidence": confidence}
            for row, confidence in rows
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return _values(self, {name: scored.as_dict() for name, scored in self.rivals.items()})


def _values(report: Report | LabelSetReport, baselines: Any, **own: Any) -> dict[str, Any]:
    return {
        "name": report.name,
        "card": report.card.as_dict(),
        "data": dict(report.data),
        "evaluation": report.evaluation.as_dict(),
        "baselines": baselines,
        "average_precision": report.average_precisions(),
        "reliability": [asdict(row) for row in report.evaluation.reliability()],
        **own,
        "history": [dict(row) for row in report.history],
        "mistakes": report.mistakes(),
    }
