"""Extractive summaries: saturated coverage (Lin & Bilmes) and TextRank."""

import heapq
import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix

from corpora import get_tokenizer
from wordvec.applications.sentences import split_sentences
from wordvec.errors import InputError
from wordvec.system.validation import check_choice, check_kind, check_number

METHODS = ("coverage", "textrank")
"""Valid values of ``method``."""

_SECTION = 2000
"""Most sentences that are compared with each other; a longer text is summarized in sections of equal length."""

_LENGTH_EXPONENT = 0.3
"""How much a longer sentence must be better to be preferred; 0 ignores the length."""

_DAMPING, _ROUNDS, _TOLERANCE = 0.85, 100, 1e-6


@dataclass(frozen=True)
class SummarySentence:
    """A sentence of a summary."""

    number: int
    """Its place among the sentences of the text, from 1."""
    text: str
    words: int


def summarize(text: str, ratio: float = 0.2, *, method: str = "coverage") -> str:
    """Return the most representative sentences of a text, in their order, one a line.

    Together they have at most ``ratio`` of the words of the text; there is always at least one.

    Args:
        text: running text, such as an article or a book.
        ratio: share of the words that are kept, above 0, at most 1.
        method: ``"coverage"`` adds sentences that resemble many others which the summary does not cover yet
            (``summary_sentences``); ``"textrank"`` (Mihalcea & Tarau 2004), the usual baseline, takes those of the
            highest PageRank.

    Raises:
        InputError: the text has no words, or an argument is invalid.

    Example:
        >>> text = "Rain fell. The heavy rain flooded the old town. Cats sleep. The town called for help in the rain."
        >>> print(summarize(text, 0.4))
        The heavy rain flooded the old town.
    """
    return "\n".join(sentence.text for sentence in summary_sentences(text, ratio, method=method)[0])


def summary_sentences(text: str, ratio: float = 0.2, *, method: str = "coverage") -> tuple[list[SummarySentence], int]:
    """Return the sentences that :func:`summarize` joins, and the number of words of the text.

    ``"coverage"`` maximizes, by lazy greedy steps, the saturated coverage of Lin & Bilmes 2011 (equation 3): sum over
    the sentences i of min(sum over j in the summary of s_ij, a * sum over all j of s_ij), with s_ij the cosine of the
    TF-IDF vectors of two sentences, s_ii = 0, a twice the ratio, and gains divided by length^0.3.

    Arguments and errors as :func:`summarize`.

    Example:
        >>> found, words = summary_sentences("Cats sleep. The rain fell on the town. The town was wet.", 0.4)
        >>> [(sentence.number, sentence.words) for sentence in found], words
        ([(3, 4)], 12)
    """
    check_kind("text", text, str)
    ratio = check_number("ratio", ratio, above=0, most=1)
    check_choice("method", method, METHODS)
    tokenizer = get_tokenizer("words")
    sentences = split_sentences(text)
    tokens = [tokenizer.tokenize(sentence.lower()) for sentence in sentences]
    lengths = np.array([len(each) for each in tokens], np.int64)
    with_words = np.flatnonzero(lengths)
    if not len(with_words):
        raise InputError("the text has no words to summarize; give at least one sentence")
    choose = _by_coverage if method == "coverage" else _by_textrank
    chosen: list[int] = []
    parts = math.ceil(len(with_words) / _SECTION)
    edges = np.linspace(0, len(with_words), parts + 1).astype(int)
    for start, end in pairwise(edges.tolist()):
        rows = with_words[start:end]
        # Rounded, because 0.7 * 10 is a little less than 7.
        room = math.floor(round(ratio * int(lengths[with_words[:end]].sum()), 6)) - int(lengths[chosen].sum())
        chosen += rows[choose(_counts([tokens[row] for row in rows]), lengths[rows], room, ratio)].tolist()
    if not chosen:
        rows = with_words[: edges[1]]
        longest = int(lengths[rows].max())
        chosen = rows[choose(_counts([tokens[row] for row in rows]), lengths[rows], longest, ratio)[:1]].tolist()
    found = [SummarySentence(row + 1, sentences[row], int(lengths[row])) for row in sorted(chosen)]
    return found, int(lengths.sum())


def _counts(tokens: list[list[str]]) -> csr_matrix:
    """Return how often each sentence (rows) has each word (columns in order of appearance), (S, V) float64."""
    columns: dict[str, int] = {}
    ids = [columns.setdefault(token, len(columns)) for sentence in tokens for token in sentence]
    offsets = np.concatenate([[0], np.cumsum([len(sentence) for sentence in tokens])])
    matrix = csr_matrix((np.ones(len(ids)), ids, offsets), shape=(len(tokens), len(columns)))
    matrix.sum_duplicates()
    return matrix


def _by_coverage(counts: csr_matrix, lengths: np.ndarray, room: int, ratio: float) -> list[int]:
    """Return the sentences of greatest saturated coverage within ``room`` words, in the order in which they are added.

    Args:
        counts: (S, V). lengths: (S,) words.
    """
    frequencies = np.bincount(counts.indices, minlength=counts.shape[1])
    weighted = counts.multiply(np.log(counts.shape[0] / frequencies)[None]).tocsr()
    norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    units = csr_matrix(weighted.multiply((1 / np.where(norms == 0, 1, norms))[:, None]))
    cosines = (units @ units.T).toarray()
    np.fill_diagonal(cosines, 0)  # a sentence that resembles no other represents nothing
    limits = min(1.0, 2 * ratio) * cosines.sum(axis=1)
    covered = np.zeros(len(lengths))
    scale = lengths.astype(np.float64) ** _LENGTH_EXPONENT

    def gain(row: int) -> float:
        return float((np.minimum(covered + cosines[row], limits) - covered).sum() / scale[row])

    found: list[int] = []
    waiting = [(-gain(row), row) for row in range(len(lengths))]
    heapq.heapify(waiting)
    while waiting:
        _, row = heapq.heappop(waiting)
        if lengths[row] > room:
            continue
        now = (-gain(row), row)
        if waiting and now > waiting[0]:  # gains only fall: an outdated one is a bound
            heapq.heappush(waiting, now)
            continue
        found.append(row)
        room -= int(lengths[row])
        covered = np.minimum(covered + cosines[row], limits)
    return found


def _by_textrank(counts: csr_matrix, lengths: np.ndarray, room: int, ratio: float) -> list[int]:
    """Return the sentences of highest PageRank that fit into ``room`` words, the highest first.

    The weight of an edge is the number of words in common over the sum of the logarithms of both lengths.
    """
    kinds = csr_matrix((np.ones_like(counts.data), counts.indices, counts.indptr), shape=counts.shape)
    logs = np.log(lengths)
    sums = logs[:, None] + logs
    weights = np.divide((kinds @ kinds.T).toarray(), sums, out=np.zeros_like(sums), where=sums > 0)
    np.fill_diagonal(weights, 0)
    degrees = weights.sum(axis=1)
    share = weights / np.where(degrees == 0, 1, degrees)[:, None]
    ranks = np.full(len(lengths), 1 / len(lengths))
    for _ in range(_ROUNDS):
        before, ranks = ranks, (1 - _DAMPING) / len(lengths) + _DAMPING * np.einsum("i,ij->j", ranks, share)
        if np.abs(ranks - before).sum() < _TOLERANCE:
            break
    found = []
    for row in np.argsort(-ranks, kind="stable").tolist():
        if lengths[row] <= room:
            found.append(row)
            room -= int(lengths[row])
    return found
