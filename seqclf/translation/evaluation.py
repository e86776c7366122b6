"""Evaluation of a sequence-to-sequence model on pairs, next to the baselines."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from seqclf.translation.data import join_units, target_units
from seqclf.translation.model import TransducerModel
from seqclf.translation.scores import SequenceScore, TranslationScore, score_sequences, score_translations
from wordvec import InputError
from wordvec.system.wording import counted

THIS_MODEL = "this model"


@dataclass(frozen=True)
class Evaluation:
    """Scores of a model and of the baselines.

    Attributes:
        scores: by name, the model first.
        translations: BLEU and chrF by the same names; empty if they were not asked for.
    """

    scores: dict[str, SequenceScore]
    translations: dict[str, TranslationScore]

    def as_dict(self) -> dict[str, Any]:
        """Return the model's scores as JSON values, and those of the baselines under ``baselines``."""
        rows = {
            name: score.as_dict() | (self.translations[name].as_dict() if name in self.translations else {})
            for name, score in self.scores.items()
        }
        return rows.pop(THIS_MODEL) | {"baselines": rows}


def evaluate_transducer(
    model: TransducerModel,
    sources: Iterable[str],
    targets: Iterable[str],
    *,
    features: Iterable[str] | None = None,
    bleu: str | None = None,
    **options: Any,
) -> Evaluation:
    """Predict the targets and compare them, as units, with the given ones.

    Args:
        model: a trained model.
        sources, targets, features: as in training.
        bleu: a tokenizer of ``score_translations``; None: no BLEU and chrF.
        options: of ``TransducerModel.predict``, such as ``beam``.

    Raises:
        InputError: as ``predict``; not one target per source; or sacrebleu is not installed and ``bleu`` is given.

    Example:
        >>> from seqclf.translation.settings import TransducerSettings
        >>> from seqclf.translation.train import train_transducer
        >>> settings = TransducerSettings(hidden_size=32, epochs=40, learning_rate=0.01, validation_fraction=0)
        >>> model = train_transducer(["ab", "ba", "aab"], ["AB", "BA", "AAB"], settings=settings, threads=1)
        >>> found = evaluate_transducer(model, ["ab", "ba"], ["AB", "BA"])
        >>> {name: score.exact_match for name, score in found.scores.items()}
        {'this model': 1.0, 'copy of the source': 0.0, 'most frequent target': 0.5, 'unit-by-unit dictionary': 1.0}
    """
    sources, kind = list(sources), model.settings.target_units
    references = target_units(targets, kind)
    if len(references) != len(sources):
        raise InputError(f"{counted(len(references), 'target')} for {counted(len(sources), 'source')}")
    found = [each.units for each in model.predict(sources, features=features, **options)]
    rows = {THIS_MODEL: found} | model.predict_baselines(sources)
    translations = {}
    if bleu is not None:
        texts = [join_units(units, kind) for units in references]
        for name, predicted in rows.items():
            joined = [join_units(units, kind) for units in predicted]
            translations[name] = score_translations(texts, joined, tokenizer=bleu)
    return Evaluation({name: score_sequences(references, units) for name, units in rows.items()}, translations)
