"""From labelled texts to arrays: tokens, vocabulary, first embeddings, targets, and a stratified split."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from corpora import get_tokenizer
from wordvec import InputError, Vocabulary

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)

Text: TypeAlias = str | Sequence[str]
"""A text as a string, or as a list of its tokens."""

DEFAULT_TOKENIZER = "words"
RANDOM_SCALE = 0.1
"""The deviation random embeddings start with when they are tuned: smaller ones are learnt by heart less easily."""


def tokenize_texts(texts: Iterable[Text], tokenizer: str, lowercase: bool) -> list[list[str]]:
    """Every text's tokens. Strings are cut by the named tokeniser; lists are tokens already, lower-cased if asked.

    Raises:
        InputError: ``texts`` is one string, or holds what is neither a string nor a list of strings.

    Example:
        >>> tokenize_texts(["Fire downtown!", ["No", "Fire"]], "words", lowercase=True)
        [['fire', 'downtown'], ['no', 'fire']]
    """
    if isinstance(texts, str | bytes):
        raise InputError(f"texts must be a list of texts, got the single text {texts[:40]!r}; pass [text]")
    if not isinstance(texts, Iterable):
        raise InputError(f"texts must be a list of texts, got {type(texts).__name__}")
    split = get_tokenizer(tokenizer).tokenize
    tokens: list[list[str]] = []
    for row, text in enumerate(texts):
        if isinstance(text, str):
            tokens.append(split(text.lower() if lowercase else text))
        elif isinstance(text, Sequence | np.ndarray) and all(isinstance(token, str) for token in text):
            tokens.append([token.lower() for token in text] if lowercase else [str(token) for token in text])
        else:
            raise InputError(
                f"texts must be strings or lists of tokens, got {_describe(text)} at position {row}; "
                "numbers and missing values must be turned into text first"
            )
    return tokens


def _describe(value: Any) -> str:
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, bytes):
        return f"a {type(value).__name__} of {type(value[0]).__name__}" if len(value) else type(value).__name__
    return f"{value!r} ({type(value).__name__})"


def count_tokens(tokens: Iterable[Sequence[str]], min_count: int) -> list[tuple[str, int]]:
    """Distinct tokens with at least ``min_count`` occurrences: by falling count, equals by spelling.

    Example:
        >>> count_tokens([["b", "a"], ["c", "b"]], min_count=1)
        [('b', 2), ('a', 1), ('c', 1)]
    """
    counts = Counter(token for text in tokens for token in text)
    return sorted((pair for pair in counts.items() if pair[1] >= min_count), key=lambda pair: (-pair[1], pair[0]))


def encode(tokens: Sequence[Sequence[str]], vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """ids (N,) int32, offsets (S + 1,) int64; words as written, then lower-cased, else ``len(vocabulary)``: unknown.

    Example:
        >>> encode([["Fire", "now"], []], Vocabulary(["fire"]))
        (array([0, 1], dtype=int32), array([0, 2, 2]))
    """
    known, unknown = vocabulary.token_to_id, len(vocabulary)
    ids = []
    for text in tokens:
        for token in text:
            token_id = known.get(token)
            if token_id is None:
                token_id = known.get(token.lower(), unknown)
            ids.append(token_id)
    offsets = np.zeros(len(tokens) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in tokens], out=offsets[1:])
    return np.array(ids, dtype=np.int32), offsets


def build_embedding(
    counted: Sequence[tuple[str, int]],
    vectors: "WordVectors | None",
    *,
    vector_size: int,
    scale: float,
    keep: int,
    tuned: bool,
    random: np.random.Generator,
) -> tuple[Vocabulary, np.ndarray]:
    """The model's vocabulary and first embeddings: the texts' own words, then vectors kept for words they lack.

    Args:
        counted: the texts' words, as :func:`count_tokens` gives them.
        vectors: pretrained ones, or None for random rows alone.
        vector_size: width without ``vectors``.
        scale: standard deviation of pretrained rows, and of random ones that stay; 0 leaves pretrained ones alone.
        keep: at most so many words of ``vectors`` that the texts lack are kept, the first rows first.
        tuned: whether training will move the rows. If so, random rows are small, and beside pretrained ones words
            without a vector start as unknown words do, at zero: large random rows are learnt by heart and cost a point
            of accuracy. Frozen ones must be large enough to tell words apart.
        random: for random rows.

    Returns:
        The vocabulary of V words and the table (V + 1, E) float32, whose last row, zeros, is for unknown words.
    """
    words = [token for token, _ in counted]
    width = vector_size if vectors is None else vectors.vectors.shape[1]
    table = random.standard_normal((len(words), width), dtype=np.float32)
    table *= np.float32(RANDOM_SCALE if tuned else scale or 1.0)
    if vectors is None:
        return Vocabulary(words), np.concatenate([table, np.zeros((1, width), np.float32)])
    rows = np.array([vectors.vocabulary.lookup(word) for word in words], dtype=np.int64)
    found = rows >= 0
    if tuned:
        table[~found] = 0
    logger.info("%s of the %s words of the texts have a pretrained vector", f"{found.sum():,}", f"{len(words):,}")
    if words and not found.any():
        logger.warning("no word of the texts has a pretrained vector: are tokeniser and casing those of the vectors?")
    own = set(words)
    extra: list[int] = []
    for row, token in enumerate(vectors.tokens):
        if len(extra) >= keep:
            break
        if token not in own:
            extra.append(row)
    pretrained = vectors.vectors[rows[found]] if found.any() else vectors.vectors
    deviation = float(pretrained.std(dtype=np.float64))
    factor = np.float32(scale / deviation if scale and deviation else 1.0)
    table[found] = vectors.vectors[rows[found]] * factor
    kept = vectors.vectors[np.array(extra, dtype=np.int64)] * factor
    vocabulary = Vocabulary(words + [vectors.tokens[row] for row in extra])
    return vocabulary, np.concatenate([table, kept, np.zeros((1, width), np.float32)]).astype(np.float32, copy=False)


def check_labels(texts: Sized, labels: Sized, what: str = "texts") -> None:
    """Raise InputError unless there is one label a text, and at least one of each."""
    if len(labels) != len(texts):
        raise InputError(f"{len(labels):,} labels for {len(texts):,} {what}")
    if len(texts) == 0:
        raise InputError(f"there are no {what}: 0 given")


def distinct_labels(
    labels: Sequence[Any], problem: str = "a classifier needs at least two classes, got only one class"
) -> list[Any]:
    """The labels in sorted order, each once, as Python's own values; ``problem`` says what is wrong with a single one.

    Raises:
        InputError: there is only one, or they cannot be compared.
    """
    plain = {label.item() if hasattr(label, "item") else label for label in labels}
    if len(plain) < 2:
        raise InputError(f"{problem}: {next(iter(plain))!r}")
    return sorted_labels(plain)


def sorted_labels(labels: Iterable[Any]) -> list[Any]:
    """Distinct labels in order.

    Raises:
        InputError: they cannot be compared.
    """
    try:
        return sorted(labels)
    except TypeError:
        kinds = sorted({type(label).__name__ for label in labels})
        raise InputError(f"labels must be of one kind, got {' and '.join(kinds)}") from None


def encode_labels(labels: Sequence[Any], classes: Sequence[Any], what: str) -> np.ndarray:
    """Each label's place (N,) int32 in ``classes``.

    Raises:
        InputError: a label is not among them.
    """
    place = {label: row for row, label in enumerate(classes)}
    try:
        return np.array([place[label] for label in labels], dtype=np.int32)
    except KeyError as error:
        known = ", ".join(repr(label) for label in classes[:20])
        raise InputError(f"label {error.args[0]!r} of the {what} is not among the training texts': {known}") from None


def random_split(count: int, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows for training and rows held out, of ``count``, both in random order.

    Example:
        >>> train, held_out = random_split(10, 0.25, seed=1)
        >>> len(train), len(held_out)
        (8, 2)
    """
    order = np.random.default_rng([seed, 0x5911]).permutation(count)
    rows, held_out = np.split(order, [count - int(count * fraction)])
    return rows, held_out


def stratified_split(targets: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows for training and rows held out, both rising; every class gives its share, but keeps one for training.

    The held-out rows number ``round(fraction * N)`` as closely as that allows: classes give whole rows, and those with
    the largest remainders one more.

    Example:
        >>> train, held_out = stratified_split(np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1]), 0.5, seed=1)
        >>> len(held_out), int(np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1])[held_out].sum())
        (5, 2)
    """
    counts = np.bincount(targets)
    shares = counts * fraction
    given = np.minimum(np.floor(shares).astype(np.int64), np.maximum(counts - 1, 0))
    for row in np.argsort(given - shares, kind="stable"):
        if given.sum() >= round(fraction * targets.size):
            break
        if given[row] < min(np.ceil(shares[row]), counts[row] - 1):
            given[row] += 1
    random = np.random.default_rng([seed, 0x5711])
    held_out = []
    for row, count in enumerate(given):
        members = random.permutation(np.flatnonzero(targets == row))
        held_out.append(members[:count])
    taken = np.sort(np.concatenate(held_out))
    rest = np.setdiff1d(np.arange(targets.size), taken)
    return rest, taken


def class_weights(targets: np.ndarray, classes: Sequence[Any], choice: str | Mapping[Any, float] | None) -> np.ndarray:
    """A weight (C,) float64 for each class: 1, inverse to frequency (``balanced``), or as given.

    Raises:
        InputError: a label with a weight is not among ``classes``.

    Example:
        >>> class_weights(np.array([0, 0, 0, 1]), ["ham", "spam"], "balanced").round(3)
        array([0.667, 2.   ])
    """
    if choice is None:
        return np.ones(len(classes))
    if isinstance(choice, str):
        counts = np.bincount(targets, minlength=len(classes))
        return targets.size / (len(classes) * np.maximum(counts, 1))
    known = set(classes)
    for label in choice:
        if label not in known:
            raise InputError(f"class_weight names the label {label!r}, but the texts have {sorted(known)}")
    return np.array([float(choice.get(label, 1.0)) for label in classes])
