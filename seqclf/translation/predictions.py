"""Predicted targets as texts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from seqclf.translation.data import UNKNOWN, join_units
from seqclf.translation.decoding import replace_unknown
from seqclf.translation.hypotheses import Hypothesis
from wordvec import Vocabulary


@dataclass(frozen=True)
class Prediction:
    """A predicted target.

    Attributes:
        text: the units joined as in training.
        units: T units.
        score: log-probability in nats, with the penalties.
        source: S units that the encoder read.
        attention: (T, S) float32, the attention's weights of the source's units for each unit.
        alternatives: the next best predictions, if more than one was asked for.
    """

    text: str
    units: list[str]
    score: float
    source: list[str]
    attention: np.ndarray
    alternatives: "list[Prediction]" = field(default_factory=list)


def predictions(
    found: Sequence[Hypothesis],
    source: list[str],
    vocabulary: Vocabulary,
    kind: str,
    replaces: bool = False,
    features: int = 0,
) -> Prediction:
    """Return the first hypothesis as a prediction, with the others as its alternatives.

    Args:
        found: hypotheses, the best first. source: S units.
        vocabulary: of the targets' units. kind: of the targets' units.
        replaces: put the most attended unit of the source in place of an unknown one.
        features: the first units of the source that are features, which replace none.
    """
    made = []
    for each in found:
        units = [vocabulary.tokens[unit] for unit in each.tokens]
        assert each.attention is not None
        attention = each.attention[:, : len(source)]
        if replaces:
            units = replace_unknown(units, UNKNOWN, source[features:], attention[:, features:])
        made.append(Prediction(join_units(units, kind), units, each.score, source, attention))
    made[0].alternatives.extend(made[1:])
    return made[0]
