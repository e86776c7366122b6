"""Contributions of the words of a text to a classifier's log-odds of a label.

The log-odds of two labels are a sum, weighted as in ``stacking.py``, of those of the recurrent network and of the
linear model. Of the linear model, a word's contribution is exact: its n-grams' features times the difference of their
weights. Of the network, it is that of integrated gradients (Sundararajan et al. 2017), from vectors of zeros to the
words'. A multi-label model has log-odds of each label against its absence.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seqclf.classification.linear import LinearPart
from seqclf.classification.model import ClassifierModel, MultiLabelModel
from seqclf.classification.network import Network
from seqclf.classification.ngrams import surface_forms
from seqclf.data.texts import Text, tokenize_texts
from seqclf.layers.batches import pack, pack_alone
from seqclf.layers.workers import Workers
from wordvec import InputError
from wordvec.system.validation import check_flag, check_kind, check_whole

_ROWS = 1 << 15
"""Tokens of the interpolated texts that are computed together."""


@dataclass(frozen=True)
class Explanation:
    """Why a classifier prefers one label of a text to another.

    Attributes:
        words: T words of the text, as written between white space.
        label, against: the two labels; of a multi-label model a label and ``not`` with its name. probability,
            other_probability: theirs.
        contributions: (T,) to ``log_odds``, positive for ``label``: the sum of ``network`` and ``linear``.
        network, linear: (T,) by part; zeros for a part that the model lacks.
        bias: the log-odds of a text without words, as far as its parts have any.
        log_odds: of ``label`` against ``against``; ``bias``, ``contributions`` and ``error`` add up to it.
        error: of the integration.
        occlusion: (T,) by how much the log-odds fall without the word, or None.
    """

    words: list[str]
    label: Any
    against: Any
    probability: float
    other_probability: float
    contributions: list[float]
    network: list[float]
    linear: list[float]
    bias: float
    log_odds: float
    error: float
    occlusion: list[float] | None

    @property
    def agreement(self) -> float | None:
        """Spearman's rank correlation of contributions and occlusion; None without, or if all are equal."""
        if self.occlusion is None or len(set(self.occlusion)) < 2 or len(set(self.contributions)) < 2:
            return None
        from scipy.stats import spearmanr

        return float(spearmanr(self.contributions, self.occlusion).statistic)

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation as JSON values."""
        return asdict(self) | {"agreement": self.agreement}


def explain(
    model: ClassifierModel,
    text: Text,
    *,
    label: Any = None,
    against: Any = None,
    steps: int = 64,
    occlusion: bool = False,
) -> Explanation:
    """Explain a prediction by the contribution of each word.

    Args:
        model: a classifier.
        text: a string, or tokens.
        label: None takes the most probable label. against: None takes the most probable of the others; a multi-label
            model takes none.
        steps: of the integration over the network's inputs.
        occlusion: also predict the text without each of its words, as a check.

    Raises:
        InputError: an unknown label, equal labels, ``against`` for a multi-label model, or ``steps`` below 1.

    Example:
        >>> from seqclf import ClassifierSettings, train_classifier
        >>> texts, labels = ["fire in the hills", "warm evening", "the fire spreads", "tea time"] * 4, [1, 0, 1, 0] * 4
        >>> settings = ClassifierSettings(model="linear", validation_fraction=0)
        >>> found = explain(train_classifier(texts, labels, settings=settings), "Fire at tea", label=1, occlusion=True)
        >>> found.words, found.label, found.against
        (['Fire', 'at', 'tea'], 1, 0)
        >>> [round(each) for each in np.sign(found.contributions)], found.agreement > 0.8
        ([1, 0, -1], True)
    """
    check_kind("model", model, ClassifierModel)
    steps = check_whole("steps", steps, 1)
    probabilities = model.predict_proba([text])[0]
    chosen, other = _labels(model, probabilities, label, against)
    (written,) = surface_forms([text], False, model.normalize)
    (form,) = surface_forms([text], model.lowercase, model.normalize)
    (tokens,) = tokenize_texts([text], model.tokenizer, model.lowercase, model.normalize)
    words = written.split()
    places = token_words(tokens, form)
    network, linear = np.zeros(len(words)), np.zeros(len(words))
    weights = np.array([1.0, 0.0]) if model.weights is None else model.weights
    bias = error = 0.0
    if weights[0]:
        own, start, gap = _integrated(model, tokens, chosen, other, steps)
        np.add.at(network, places, weights[0] * own)
        bias, error = bias + weights[0] * start, weights[0] * gap
    if weights[1]:
        assert model.linear is not None
        assert other is not None
        linear, start = _exact(model.linear, tokens, form, places, len(words), chosen, other)
        linear, bias = weights[1] * linear, bias + weights[1] * start
    sums = network + linear
    return Explanation(
        words=words,
        label=model.labels[chosen],
        against=f"not {model.labels[chosen]}" if other is None else model.labels[other],
        probability=float(probabilities[chosen]),
        other_probability=float(1 - probabilities[chosen] if other is None else probabilities[other]),
        contributions=sums.tolist(),
        network=network.tolist(),
        linear=linear.tolist(),
        bias=float(bias),
        log_odds=float(bias + sums.sum() + error),
        error=float(error),
        occlusion=_occluded(model, words, chosen, other) if check_flag("occlusion", occlusion) else None,
    )


def _labels(model: ClassifierModel, probabilities: np.ndarray, label: Any, against: Any) -> tuple[int, int | None]:
    """Return the columns of the two labels, which may be given as strings; None is the absence of the first."""
    names = [str(each) for each in model.labels]
    found = []
    for given in (label, against):
        if given is not None and str(given) not in names:
            raise InputError(f"label {given!r:.60} is not one of the model's: {', '.join(names[:20])}")
        found.append(None if given is None else names.index(str(given)))
    ranked = [int(column) for column in (-probabilities).argsort(kind="stable")]
    chosen = next(column for column in ranked if column != found[1]) if found[0] is None else found[0]
    if isinstance(model, MultiLabelModel):
        if against is not None:
            raise InputError("a multi-label model explains a label against its absence; leave out against")
        return chosen, None
    other = next(column for column in ranked if column != chosen) if found[1] is None else found[1]
    if chosen == other:
        raise InputError(f"label and against must be different, got {names[chosen]!r} twice")
    return chosen, other


def token_words(tokens: list[str], form: str) -> np.ndarray:
    """Return for each token the word of ``form``, split at white space, that contains it: (N,) int64.

    A token that the tokenizer has changed is a part of the word that follows the last one found.

    Example:
        >>> token_words(["don't", "stop", "now"], "don't--stop now!").tolist()
        [0, 0, 1]
    """
    starts, place = [], 0
    for word in form.split():
        place = form.index(word, place)
        starts.append(place)
        place += len(word)
    found, place = [], 0
    for token in tokens:
        at = form.find(token, place)
        if at >= 0:
            place = at + len(token)
            found.append(int(np.searchsorted(starts, at, side="right")) - 1)
        else:
            found.append(min(int(np.searchsorted(starts, place, side="left")), len(starts) - 1))
    return np.array(found, np.int64)


def _integrated(
    model: ClassifierModel, tokens: list[str], label: int, other: int | None, steps: int
) -> tuple[np.ndarray, float, float]:
    """Return the network's contributions (N,), its log-odds for vectors of zeros, and the error of the integration."""
    network = Network(model.network.shape, model.network.parameters())  # without the weights of labels in the loss
    words = model.encode([tokens])
    alone = pack_alone(words.ids)
    given = network.inputs(words, alone)
    inputs = (network.embedding[words.ids] if given is None else given)[:, : network.shape.encoder.inputs]
    inputs = inputs.astype(np.float64)
    ends = [_log_odds(network.predict(alone, inputs=share * inputs), label, other)[0] for share in (0.0, 1.0)]
    if not tokens:
        return np.zeros(0), float(ends[0]), 0.0
    shares = (np.arange(steps) + 0.5) / steps
    gradient = np.zeros_like(inputs)
    most = max(1, _ROWS // len(tokens))
    with Workers(1) as workers:
        for first in range(0, steps, most):
            part = shares[first : first + most]
            gradient += _gradients(network, part[:, None, None] * inputs, label, other, workers).sum(axis=0)
    found = (inputs * gradient / steps).sum(axis=1)
    return found, float(ends[0]), float(ends[1] - ends[0] - found.sum())


def _gradients(network: Network, inputs: np.ndarray, label: int, other: int | None, workers: Workers) -> np.ndarray:
    """Return the gradients (S, T, E) of the log-odds of texts, given as vectors (S, T, E).

    The loss of one label per text is -log p, a mean over the texts, so that the difference of the losses of the two
    labels has this gradient. Binary cross-entropy is a mean over texts and labels, and the losses with and without the
    label differ by its log-odds.
    """
    count, length, width = inputs.shape
    ids, offsets = np.arange(count * length, dtype=np.int32), np.arange(count + 1) * length
    batch = pack(ids, offsets, np.arange(count))
    found = np.zeros((count * length, width))
    of_labels: tuple[np.ndarray, np.ndarray]
    if other is None:
        absent = np.zeros((count, network.shape.classes), np.float32)
        present = absent.copy()
        present[:, label] = 1
        of_labels, terms = (present, absent), absent.size
    else:
        of_labels, terms = (np.full(count, label, np.int32), np.full(count, other, np.int32)), count
    for targets, sign in zip(of_labels, (-1.0, 1.0), strict=True):
        tape = network.forward(batch, workers, inputs=inputs.reshape(-1, width))
        _, d_rows = network.loss_and_backward(tape, targets, workers, tune_vectors=True)
        found += sign * terms * d_rows[:, :width]
    return found.reshape(inputs.shape)


def _log_odds(probabilities: np.ndarray, label: int, other: int | None) -> np.ndarray:
    """Return the log-odds (N,) of a label against another, or against its absence."""
    given = probabilities.astype(np.float64)
    pair = given[:, label], 1 - given[:, label] if other is None else given[:, other]
    least = 2.0**-25 if other is None else 1.2e-38  # a sigmoid is rounded to 1 beyond
    logs = [np.log(np.maximum(each, least)) for each in pair]
    return np.asarray(logs[0] - logs[1])


def _exact(
    part: LinearPart, tokens: list[str], form: str, places: np.ndarray, words: int, label: int, other: int
) -> tuple[np.ndarray, float]:
    """Return the linear model's contributions (T,), and its log-odds for no n-gram."""
    if part.weight.shape[1] == 1:
        weight, bias = part.weight[:, 0] * (label - other), float(part.bias[0]) * (label - other)
    else:
        weight, bias = part.weight[:, label] - part.weight[:, other], float(part.bias[label] - part.bias[other])
    rows = part.features.rows([tokens], [form])
    found = np.zeros(words)
    columns, of_characters, firsts, sizes = part.features.places(tokens, form)
    cells = np.searchsorted(rows.indices, columns)
    shares = rows.data * weight[rows.indices] / np.bincount(cells, minlength=len(rows.indices))
    for size in np.unique(sizes):
        own = sizes == size
        for word in range(size):  # an n-gram of several words is shared equally among them
            places_of = np.where(of_characters[own], firsts[own], places[(firsts[own] + word) % max(1, len(places))])
            np.add.at(found, places_of, shares[cells[own]] / size)
    return found, bias


def _occluded(model: ClassifierModel, words: list[str], label: int, other: int | None) -> list[float]:
    """Return by how much the log-odds fall without each word."""
    texts = [" ".join(words[:place] + words[place + 1 :]) for place in range(len(words))]
    odds = _log_odds(model.predict_proba([" ".join(words), *texts]), label, other)
    return [float(odds[0] - each) for each in odds[1:]]
