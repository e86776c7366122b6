"""The labeled texts that are most similar to a text, as a classifier reads them."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from seqclf.classification.model import ClassifierModel
from seqclf.classification.ngrams import surface_forms
from seqclf.data.texts import Text, as_texts, tokenize_texts
from seqclf.layers.batch_prediction import for_batches, workers_for
from seqclf.layers.batches import pack
from seqclf.layers.parameters import Workspace
from seqclf.layers.workers import Workers
from wordvec import InputError
from wordvec.system.validation import check_kind, check_whole


class Nearest(NamedTuple):
    """The position of a text, and its similarity, at most 1."""

    row: int
    similarity: float


def nearest_texts(
    model: ClassifierModel, text: Text, texts: Iterable[Text], *, count: int = 5, threads: int | None = None
) -> list[Nearest]:
    """Return the texts that a classifier sees as most similar to a text, the most similar first.

    The similarity is the cosine of the network's pooled states, after their mean over ``texts`` is subtracted, or of
    the linear model's features; of a blend, the mean of both.

    Args:
        model: a classifier of any kind.
        text: a string, or tokens.
        texts: to search, such as the training texts.
        count: the largest number of results.
        threads: the largest number of threads; None uses all cores.

    Raises:
        InputError: an invalid text, no texts, or ``count`` below 1.

    Example:
        >>> from seqclf import ClassifierSettings, train_classifier
        >>> texts = ["fire in the hills", "warm evening", "the fire spreads", "tea time"]
        >>> settings = ClassifierSettings(model="linear", validation_fraction=0)
        >>> model = train_classifier(texts, [1, 0, 1, 0], settings=settings)
        >>> [found.row for found in nearest_texts(model, "a fire in the town", texts, count=2)]
        [0, 2]
    """
    check_kind("model", model, ClassifierModel)
    count = check_whole("count", count, 1)
    every = [*as_texts([text]), *as_texts(texts)]
    if len(every) == 1:
        raise InputError("there are no texts to search; pass the training texts")
    tokens = tokenize_texts(every, model.tokenizer, model.lowercase, model.normalize)
    similarities = []
    if model.parts != "linear":
        with workers_for(len(every), threads) as workers:
            states = _pooled(model, tokens, workers)
        states -= states[1:].mean(axis=0)
        similarities.append(_cosines(states @ states[0], (states**2).sum(axis=1)))
    if model.linear is not None:
        rows = model.linear.features.rows(tokens, surface_forms(every, model.lowercase, model.normalize))
        own, query = np.repeat(np.arange(len(every)), np.diff(rows.indptr)), np.zeros(len(model.linear.features))
        query[rows.indices[own == 0]] = rows.data[own == 0]
        products, squares = (
            np.bincount(own, rows.data * each, len(every)) for each in (query[rows.indices], rows.data)
        )
        similarities.append(_cosines(products, squares))
    found = np.mean(similarities, axis=0)[1:]
    return [Nearest(int(row), float(found[row])) for row in np.argsort(-found, kind="stable")[:count]]


def _pooled(model: ClassifierModel, tokens: list[list[str]], workers: Workers) -> np.ndarray:
    """Return the pooled states (S, F) float64 of texts."""
    network, sequences = model.network, model.encode(tokens)
    found = np.empty((len(tokens), network.encoder.features))

    def read(members: np.ndarray, workspace: Workspace) -> None:
        batch = pack(sequences.ids, sequences.offsets, members)
        inputs = network.inputs(sequences, batch, workspace)
        encoded = network.encoder.forward(batch, inputs=inputs, keep=False, workspace=workspace)
        found[members[batch.order]] = network.pooling.forward(encoded)[0]

    for_batches(read, sequences.lengths, workers, network.spare_workspace)
    return found


def _cosines(products: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return cosines with the first row, given products with it (S,) and squares (S,); 0 for a row of zeros."""
    lengths = np.sqrt(squares * squares[0])
    return np.asarray(np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0))
