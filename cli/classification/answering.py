"""What is printed of a prediction: a line, a JSON object, or the cells of a table."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.shared.reporting import one_line

if TYPE_CHECKING:
    from seqclf.classification.answers import Answer

PREDICTED, PROBABILITY, PROBABILITIES = "predicted", "probability", "probabilities"


@dataclass(frozen=True)
class Asked:
    """What the options ask for.

    Attributes:
        top_k: labels that are printed; None: one, or all of a multi-label model.
        min_confidence, threshold: see ``seqclf.classification.answers``.
        as_json: lines are JSON objects.
    """

    top_k: int | None
    min_confidence: float | None
    as_json: bool = False
    threshold: float | None = None

    def line(self, answer: "Answer") -> str:
        """Return the line of an answer; tabs and line breaks in labels are spaces, except in JSON."""
        if self.as_json:
            return json.dumps(answer.as_dict(self.top_k), ensure_ascii=False)
        if answer.separator is not None:
            listed = ", ".join(f"{label} {probability:.4f}" for label, probability in answer.best(self.top_k))
            return f"{one_line(answer.separator.join(answer.chosen))}\t{one_line(listed)}"
        best, *others = answer.best(self.top_k or 1)
        if best[1] == 0:  # fastText knows nothing of the text
            return "\t0.0000"
        pairs = ["".join(answer.chosen), best[1]], *others
        return "\t".join(f"{one_line(str(label))}\t{probability:.4f}" for label, probability in pairs)

    def columns(self, several: bool) -> dict[str, type]:
        """Return the names and types of the columns of predictions; ``several`` labels per text, or one."""
        found: dict[str, type] = {PREDICTED: list} if several else {PREDICTED: str, PROBABILITY: float}
        return found | ({} if self.top_k is None else {PROBABILITIES: str})

    def values(self, answer: "Answer", format: str) -> dict[str, Any]:
        """Return the values of these columns in a table of a format."""
        found: dict[str, Any] = {PREDICTED: answer.chosen}
        if answer.separator is not None and format in ("csv", "tsv"):
            found[PREDICTED] = answer.separator.join(answer.chosen)
        if answer.separator is None:
            found = {PREDICTED: answer.chosen[0] if answer.chosen else None, PROBABILITY: answer.best(1)[0][1]}
        if self.top_k is not None:
            best = dict(answer.best(self.top_k))
            found[PROBABILITIES] = best if format == "jsonl" else json.dumps(best, ensure_ascii=False)
        return found
