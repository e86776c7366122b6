"""Scores of predicted sequences: exact match, edit distance, error rate, BLEU and chrF."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from wordvec import InputError
from wordvec.system.optional import optional_module
from wordvec.system.validation import check_choice

BLEU_TOKENIZERS = ("none", "13a", "intl", "char", "zh")
"""Tokenizers of sacrebleu that need no further packages."""


@dataclass(frozen=True)
class SequenceScore:
    """Scores of predicted sequences.

    Attributes:
        exact_match: the fraction of predictions that equal their reference; 1 minus it is the word error rate of
            pronunciations.
        edit_distance: the mean number of insertions, deletions and substitutions.
        normalized_edit_distance: the mean of each distance divided by the length of the longer sequence.
        error_rate: all edits divided by all units of the references: the character, phone or word error rate.
        count: of sequences.
    """

    exact_match: float
    edit_distance: float
    normalized_edit_distance: float
    error_rate: float
    count: int

    def as_dict(self) -> dict[str, Any]:
        """Return the scores as JSON values."""
        return asdict(self)


def edit_distance(a: Sequence[Any], b: Sequence[Any]) -> int:
    """Return the Levenshtein distance: the fewest insertions, deletions and substitutions from one to the other.

    The bit-parallel algorithm of Hyyrö 2003: one column of the table is a number, with a bit for each unit of ``a``.

    Example:
        >>> edit_distance("kitten", "sitting"), edit_distance(["a", "b"], [])
        (3, 2)
    """
    if not a:
        return len(b)
    places: dict[Any, int] = {}
    for place, unit in enumerate(a):
        places[unit] = places.get(unit, 0) | 1 << place
    full, last = (1 << len(a)) - 1, 1 << (len(a) - 1)
    rising, falling, distance = full, 0, len(a)
    for unit in b:
        match = places.get(unit, 0)
        diagonal = ((((match & rising) + rising) ^ rising) | match | falling) & full
        up, down = falling | (full & ~(diagonal | rising)), rising & diagonal
        distance += bool(up & last) - bool(down & last)
        up = up << 1 | 1
        rising, falling = (down << 1 | (full & ~(diagonal | up))) & full, up & diagonal
    return distance


def score_sequences(references: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]]) -> SequenceScore:
    """Score predictions against their references, each a sequence of units.

    Raises:
        InputError: the two differ in number, or there are none.

    Example:
        >>> score = score_sequences(["cat", "dogs"], ["cat", "dog"])
        >>> score.exact_match, score.edit_distance, score.normalized_edit_distance, round(score.error_rate, 3)
        (0.5, 0.5, 0.125, 0.143)
    """
    if len(references) != len(predictions):
        raise InputError(f"{len(predictions):,} predictions for {len(references):,} references")
    if not references:
        raise InputError("nothing to score: 0 references")
    pairs = list(zip(references, predictions, strict=True))
    distances = [edit_distance(*pair) for pair in pairs]
    shares = [distance / max(*map(len, pair), 1) for distance, pair in zip(distances, pairs, strict=True)]
    count = len(pairs)
    return SequenceScore(
        exact_match=distances.count(0) / count,
        edit_distance=sum(distances) / count,
        normalized_edit_distance=sum(shares) / count,
        error_rate=sum(distances) / max(sum(map(len, references)), 1),
        count=count,
    )


@dataclass(frozen=True)
class TranslationScore:
    """BLEU and chrF of a corpus, 0 to 100, with the signatures that state how sacrebleu computed them."""

    bleu: float
    bleu_signature: str
    chrf: float
    chrf_signature: str

    def as_dict(self) -> dict[str, Any]:
        """Return the scores as JSON values."""
        return asdict(self)


def score_translations(
    references: Sequence[str], predictions: Sequence[str], *, tokenizer: str = "13a"
) -> TranslationScore:
    """Return BLEU (Papineni et al. 2002) and chrF (Popović 2015), by sacrebleu.

    Args:
        references, predictions: one text each.
        tokenizer: how sacrebleu tokenizes for BLEU, one of ``BLEU_TOKENIZERS``; ``none`` for tokenized text.

    Raises:
        InputError: sacrebleu is not installed, another tokenizer, or the texts differ in number.

    Example:
        >>> score = score_translations(["a b c d e"], ["a b c d e"], tokenizer="none")
        >>> round(score.bleu), round(score.chrf), score.bleu_signature.split("|")[3]
        (100, 100, 'tok:none')
    """
    check_choice("tokenizer", tokenizer, BLEU_TOKENIZERS)
    metrics = optional_module("sacrebleu.metrics", "BLEU and chrF need sacrebleu", "translation")
    if len(references) != len(predictions):
        raise InputError(f"{len(predictions):,} predictions for {len(references):,} references")
    # The texts may be tokenized on purpose: sacrebleu would warn of every one that ends in a period.
    bleu, chrf = metrics.BLEU(tokenize=tokenizer, force=True), metrics.CHRF()
    found = [metric.corpus_score(list(predictions), [list(references)]).score for metric in (bleu, chrf)]
    return TranslationScore(found[0], str(bleu.get_signature()), found[1], str(chrf.get_signature()))
