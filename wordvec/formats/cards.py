"""Model cards (Mitchell et al. 2019): a model's training data, settings, measures, intended use and limits."""

import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from wordvec.system.wording import some

Facts = dict[str, str]
"""Values by name, as a card shows them."""

_KINDS = {
    "model": "text classifier",
    "multi-label model": "multi-label text classifier",
    "vector classifier": "classifier of sequences of vectors",
    "regressor": "regressor",
    "tagger": "sequence tagger",
    "language model": "language model",
    "forecaster": "forecaster of time series",
    "transducer": "sequence-to-sequence model",
    "vector transducer": "decoder of vectors",
    "fastText classifier": "text classifier of fastText",
    "vectors": "word vectors",
    "sparse vectors": "sparse word vectors",
}
_USES = {
    "model": "Assign one of its labels to each text of the kind it was trained on.",
    "multi-label model": "Assign any number of its labels to each text of the kind it was trained on.",
    "fastText classifier": "Assign one of its labels to each text of the kind it was trained on.",
    "vector classifier": "Assign one of its labels to each sequence of vectors of the kind it was trained on.",
    "regressor": "Predict numbers for texts or sequences of the kind it was trained on.",
    "tagger": "Assign a tag to each token of sentences of the kind it was trained on.",
    "language model": "Estimate the probability of texts of the kind it was trained on, and generate such texts.",
    "forecaster": "Predict the next values of the series it was trained on, or of series of the same kind.",
    "transducer": "Map sequences of the kind it was trained on to sequences.",
    "vector transducer": "Map vectors of the kind it was trained on to sequences.",
    "vectors": "Input of models of language, and queries of similar words and analogies.",
    "phrases": "Join the words of phrases in texts of the kind they were learned from.",
    "sparse vectors": "Queries of similar words and analogies, and input of dimension reduction.",
}
_LIMITS = {
    "model": [
        "It always names one of its labels, also for texts in other languages or about other topics. The probability "
        "is an estimate; check on texts of your own from which one on to trust it.",
        "Measures on validation data that also selected the model are optimistic; evaluate it on other data.",
    ],
    "multi-label model": [
        "The probabilities of the labels are independent of each other; nested labels are not modeled.",
        "Measures on validation data that also selected the model are optimistic; evaluate it on other data.",
    ],
    "vector classifier": [
        "It always names one of its labels, also for sequences of another kind or scale. The probability is "
        "an estimate; check on sequences of your own from which one on to trust it.",
        "Measures on validation data that also selected the model are optimistic; evaluate it on other data.",
    ],
    "vectors": ["Each word has one vector for all of its senses."],
}
_LIMITS |= {"fastText classifier": _LIMITS["model"][:1], "sparse vectors": _LIMITS["vectors"]}
_ALWAYS = "It reflects the opinions, errors and gaps of its training data, also concerning groups of people."
_MEASURES = {"loss": "loss (nats)", "macro_f1": "macro-F1", "micro_f1": "micro-F1", "entity_f1": "entity F1"}
_SIZES = ("texts", "sequences", "sentences", "tokens", "documents", "pairs", "windows", "characters")
_WIDTH = 120
_INDENTED: Any = {"initial_indent": "  ", "subsequent_indent": "    ", "break_long_words": False}
_NOT_RECORDED = {"data": "not recorded in this file"}


@dataclass(frozen=True)
class ModelCard:
    """A model card.

    Attributes:
        title: the kind of model.
        model, training_data, settings, measures: values by name.
        intended_use, limits: sentences.
    """

    title: str
    model: Facts
    training_data: Facts
    settings: Facts
    measures: Facts
    intended_use: list[str]
    limits: list[str]

    def sections(self) -> dict[str, Facts | list[str]]:
        """Return the sections by heading, those without content left out."""
        parts: dict[str, Facts | list[str]] = {
            "Model": self.model,
            "Training data": self.training_data,
            "Settings": self.settings,
            "Measured": self.measures,
            "Intended use": self.intended_use,
            "Limits": self.limits,
        }
        return {heading: content for heading, content in parts.items() if content}

    def as_dict(self) -> dict[str, Any]:
        """Return the card as JSON values."""
        return asdict(self)

    def text(self) -> str:
        """Return the card as plain text."""
        parts = [self.title]
        for heading, content in self.sections().items():
            lines = [each for line in _lines(content) for each in textwrap.wrap(line, _WIDTH, **_INDENTED)]
            parts.append("\n".join([heading, *lines]))
        return "\n\n".join(parts)

    def markdown(self) -> str:
        """Return the card as Markdown, with a heading and a list for each section.

        Example:
            >>> print(ModelCard("Word vectors", {"words": "9"}, {}, {}, {}, ["Queries."], []).markdown())
            # Word vectors
            <BLANKLINE>
            ## Model
            <BLANKLINE>
            - words: 9
            <BLANKLINE>
            ## Intended use
            <BLANKLINE>
            - Queries.
        """
        parts = [f"# {self.title}"]
        for heading, content in self.sections().items():
            parts += [f"## {heading}", "\n".join(f"- {_escaped(line)}" for line in _lines(content))]
        return "\n\n".join(parts)


def model_card(facts: Mapping[str, Any]) -> ModelCard:
    """Return the card of a file.

    Args:
        facts: as :func:`wordvec.formats.registry.describe` returns them.

    Example:
        >>> card = model_card({"format": "text", "kind": "vectors", "bytes": 900, "tokens": 20, "vector_size": 4})
        >>> card.title, card.model["words"], card.training_data
        ('Word vectors', '20', {'data': 'not recorded in this file'})
    """
    kind, about = str(facts["kind"]), _mapping(facts.get("about"))
    metrics, settings = _mapping(about.get("metrics")), _mapping(about.get("settings"))
    title = _KINDS.get(kind, kind)
    return ModelCard(
        title[:1].upper() + title[1:],
        _model(facts, about, metrics),
        _training_data(about, metrics),
        {name.replace("_", " "): _shown(value) for name, value in settings.items()},
        _measures(metrics),
        [_USES[kind]] if kind in _USES else [],
        [*_LIMITS.get(kind, []), _ALWAYS],
    )


def _model(facts: Mapping[str, Any], about: Mapping[str, Any], metrics: Mapping[str, Any]) -> Facts:
    found: dict[str, Any] = {"kept": metrics.get("model")}
    if facts["kind"] == "forecaster":
        found |= {"method": _mapping(metrics.get("choice")).get("forecast", "network"), "series": about.get("names")}
    labels = about.get("labels", facts.get("labels"))
    found |= {"labels": f"{len(labels):,}: {_shown(labels)}" if isinstance(labels, list) else labels}
    found |= {"words": facts.get("tokens"), "vector size": facts.get("vector_size")}
    found |= {name: about.get(name) for name in ("tokenizer", "lowercase", "normalize")}
    found |= {"file format": facts.get("format"), "bytes": facts.get("bytes")}
    return {name: _shown(value) for name, value in found.items() if value is not None}


def _training_data(about: Mapping[str, Any], metrics: Mapping[str, Any]) -> Facts:
    origin = _mapping(about.get("origin"))
    found = {name: _shown(metrics[name]) for name in _SIZES if name in metrics}
    for name, value in origin.items():
        if name.endswith("_blake2b"):
            found[f"{name.removesuffix('_blake2b')} (BLAKE2b)"] = _shown(value)
        elif name != "versions":
            found[name.replace("_", " ")] = _shown(value)
    versions = _mapping(origin.get("versions"))
    if versions:
        found["versions"] = ", ".join(f"{name} {version}" for name, version in versions.items())
    return found or _NOT_RECORDED


def _measures(metrics: Mapping[str, Any]) -> Facts:
    found = {}
    for name, value in metrics.items():
        short = name.removeprefix("dev_")
        if short != name and isinstance(value, int | float):
            found[f"validation {_MEASURES.get(short, short.replace('_', ' '))}"] = _shown(value)
    if "best_epoch" in metrics:
        found["best epoch"] = _shown(metrics["best_epoch"])
    return found


def _lines(content: Facts | list[str]) -> list[str]:
    return content if isinstance(content, list) else [f"{name}: {value}" for name, value in content.items()]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return some([f"{each!s:.80}" for each in value], 20)
    return str(value)


def _escaped(line: str) -> str:
    """Return a line whose letters are none of Markdown's marks."""
    return "".join(f"\\{letter}" if letter in "\\`*_<>[]#|" else letter for letter in " ".join(line.split()))
