"""Predictions for texts as a program reports them: labels, probabilities, abstention."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from seqclf.classification.model import MultiLabelModel
from wordvec.system.validation import check_number

if TYPE_CHECKING:
    from seqclf.classification.fasttext import FastTextClassifier
    from seqclf.classification.model import ClassifierModel


class Answer(NamedTuple):
    """The prediction for one text.

    Attributes:
        names: C labels as strings.
        probabilities: C of them.
        ranked: the C columns, the most probable first.
        chosen: the predicted labels: of a model of one label per text, one, or none if it abstains.
        separator: of the labels of a multi-label model; None of one label per text.
        unknown: the share of words that the model does not know, if asked for.
    """

    names: list[str]
    probabilities: list[float]
    ranked: list[int]
    chosen: list[str]
    separator: str | None
    unknown: float | None = None

    def best(self, count: int | None = None) -> list[tuple[str, float]]:
        """Return the most probable labels with their probabilities, all if ``count`` is None."""
        return [(self.names[label], self.probabilities[label]) for label in self.ranked[:count]]

    def abstaining(self, min_confidence: float | None) -> "Answer":
        """Return the answer without a label if that is less probable, unless there may be several."""
        low = min_confidence is not None and self.separator is None and self.best(1)[0][1] < min_confidence
        return self._replace(chosen=[]) if low else self

    def as_dict(self, top_k: int | None = None) -> dict[str, Any]:
        """Return the prediction as JSON values, with the probabilities of ``top_k`` labels, or of all."""
        found: dict[str, Any] = {"labels": self.chosen}
        if self.separator is None:
            found = {"label": self.chosen[0] if self.chosen else None, "probability": self.best(1)[0][1]}
        rows = zip(self.names, self.probabilities, strict=True)
        found["probabilities"] = dict(rows if top_k is None else self.best(top_k))
        return found if self.unknown is None else found | {"unknown_words": round(self.unknown, 4)}


def answers(
    model: "ClassifierModel | FastTextClassifier",
    texts: Sequence[str],
    *,
    min_confidence: float | None = None,
    threshold: float | None = None,
    unknown_words: bool = False,
    threads: int | None = None,
) -> list[Answer]:
    """Return the prediction for each text.

    Args:
        model: a classifier of any kind.
        texts, threads: see ``predict_proba``.
        min_confidence: the least probability of a predicted label; below, none is.
        threshold: of a multi-label model, the probability from which on labels are predicted; None: its own thresholds.
        unknown_words: also return the share of unknown words, where a model can tell.

    Raises:
        InputError: ``min_confidence`` or ``threshold`` is not from 0 to 1.

    Example:
        >>> from seqclf import ClassifierSettings, train_classifier
        >>> settings = ClassifierSettings(model="linear", validation_fraction=0)
        >>> model = train_classifier(["fire", "tea", "a fire", "some tea"], [1, 0, 1, 0], settings=settings)
        >>> [answer.chosen for answer in answers(model, ["a fire", "fire or tea"], min_confidence=0.6)]
        [['1'], []]
    """
    if min_confidence is not None:
        min_confidence = check_number("min_confidence", min_confidence, least=0, most=1)
    if threshold is not None:
        threshold = check_number("threshold", threshold, least=0, most=1)
    names = [str(label) for label in model.labels]
    separator = model.separator if isinstance(model, MultiLabelModel) else None
    found = model.predict_proba(texts, threads=threads)
    shares: Sequence[float | None] = [None] * len(found)
    if unknown_words and hasattr(model, "unknown_share"):
        shares = model.unknown_share(texts).tolist()
    ranking = model.ranking(found)
    if isinstance(model, MultiLabelModel):
        least = model.thresholds if threshold is None else threshold
        chosen = [[names[label] for label in np.flatnonzero(row >= least)] for row in found]
    else:  # no label if fastText knows nothing of the text
        best = zip(ranking[:, 0].tolist(), np.asarray(found.max(axis=1) > 0).tolist(), strict=True)
        chosen = [[names[label]] if known else [] for label, known in best]
    rows = zip(found.tolist(), ranking.tolist(), chosen, shares, strict=True)
    return [
        Answer(names, row, ranked, labels, separator, share).abstaining(min_confidence)
        for row, ranked, labels, share in rows
    ]
