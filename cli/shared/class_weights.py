"""The option ``--class-weight``: balanced, or numbers by label."""

import math
from typing import Any

import click


class ClassWeight(click.ParamType):  # type: ignore[type-arg]
    """``balanced``, or ``LABEL=WEIGHT`` pairs that commas separate, as a dictionary; a label may hold commas, too.

    Example:
        >>> ClassWeight().convert("spam=5,bars, pubs=0.5", None, None)
        {'spam': 5.0, 'bars, pubs': 0.5}
    """

    name = "weights"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str) or value == "balanced":
            return value
        weights, pieces, begun = {}, value.split(","), ""
        for place, piece in enumerate(pieces, 1):
            pair = begun + piece
            if piece and "=" not in piece and place < len(pieces):  # the label goes on after the comma
                begun = f"{pair},"
                continue
            begun = ""
            label, equals, number = pair.rpartition("=")
            try:
                weights[label] = float(number)
            except ValueError:
                equals = ""
            if not (equals and label and 0 < weights[label] < math.inf):
                self.fail(f"{pair!r} is not LABEL=WEIGHT with a weight above 0; or write balanced", param, ctx)
        return weights
