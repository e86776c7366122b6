"""Sentence vectors against slow versions of the published formulas."""

import numpy as np
import pytest

from wordvec import InputError, Vocabulary, WordVectors
from wordvec.vectors.sentence import METHODS, SentenceEncoder, sentence_vectors

TEXTS = ["a b c", "b b d x", "", "unknown", "d c", "a d d d e", "e a", "c e b a d"]
COUNTS = np.array([50, 20, 15, 10, 5])


@pytest.fixture(scope="module")
def wv():
    rows = np.random.default_rng(3).normal(size=(5, 8)).astype(np.float32)
    return WordVectors(Vocabulary(list("abcde"), COUNTS), rows)


def known(wv, text):
    return [token for token in text.split() if token in wv]


def without_components(found, n, weighted):
    """Remove the first n right singular vectors, as scikit-learn's TruncatedSVD finds them."""
    _, lengths, axes = np.linalg.svd(found, full_matrices=False)
    shares = lengths[:n] ** 2 / (lengths[:n] ** 2).sum() if weighted else np.ones(n)
    for share, axis in zip(shares, axes[:n], strict=True):
        found = found - share * np.outer(found @ axis, axis)
    return found


def slow_sif(wv, a=1e-3):
    """Arora et al. 2017, algorithm 1."""
    share = dict(zip(wv.tokens, COUNTS / COUNTS.sum(), strict=True))
    rows = np.zeros((len(TEXTS), 8))
    for place, text in enumerate(TEXTS):
        words = known(wv, text)
        if words:
            rows[place] = sum(a / (a + share[word]) * wv[word].astype(float) for word in words) / len(words)
    return without_components(rows, 1, False)


def slow_usif(wv):
    """Ethayarajh 2018, as in the author's code, with the mean length of the texts."""
    shares = COUNTS / COUNTS.sum()
    length = np.mean([len(text.split()) for text in TEXTS])
    frequent = np.mean(shares > 1 - (1 - 1 / 5) ** length)
    a = (1 - frequent) / (frequent * 0.5 * 5)
    weight = dict(zip(wv.tokens, a / (0.5 * a + shares), strict=True))
    rows = np.zeros((len(TEXTS), 8))
    for place, text in enumerate(TEXTS):
        words = known(wv, text)
        if words:
            found = np.array([wv[word] for word in words], float)
            found = found / np.linalg.norm(found, axis=0)
            rows[place] = np.mean([weight[word] * row for word, row in zip(words, found, strict=True)], axis=0)
    return without_components(rows, 5, True)


def slow_tfidf(wv):
    rows = np.zeros((len(TEXTS), 8))
    for place, text in enumerate(TEXTS):
        words = known(wv, text)
        if words:
            df = {word: sum(word in other.split() for other in TEXTS) for word in words}
            weights = [np.log((1 + len(TEXTS)) / (1 + df[word])) + 1 for word in words]
            rows[place] = np.average(wv[words], axis=0, weights=weights)
    return rows


def slow_mean(wv):
    return np.array([wv[words].mean(axis=0) if (words := known(wv, text)) else np.zeros(8) for text in TEXTS])


@pytest.mark.parametrize("method", METHODS)
def test_methods_equal_slow_versions(wv, method):
    expected = {"mean": slow_mean, "tfidf": slow_tfidf, "sif": slow_sif, "usif": slow_usif}[method](wv)
    found = sentence_vectors(wv, TEXTS, method)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_other_texts_are_encoded_like_the_fitted_ones(wv):
    encoder = SentenceEncoder(wv, "sif").fit(TEXTS)
    np.testing.assert_allclose(encoder.encode(TEXTS[3:]), sentence_vectors(wv, TEXTS, "sif")[3:], atol=1e-6)
    assert encoder.encode([]).shape == (0, 8)
    many = TEXTS * 300
    np.testing.assert_allclose(SentenceEncoder(wv).encode(many), np.tile(slow_mean(wv), (300, 1)), atol=1e-6)


def test_words_of_vectors_without_counts_are_counted(wv):
    plain = WordVectors(wv.tokens, wv.vectors)
    counted = WordVectors(Vocabulary(list("dabce"), [6, 4, 4, 3, 3]), wv[list("dabce")])
    found = sentence_vectors(plain, [text.replace("x", "").replace("unknown", "") for text in TEXTS], "sif")
    shares = dict(zip("dabce", [6, 4, 4, 3, 3], strict=True))
    assert shares == {token: sum(text.split().count(token) for text in TEXTS) for token in "dabce"}
    np.testing.assert_allclose(found, sentence_vectors(counted, TEXTS, "sif"), atol=1e-5)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda wv: SentenceEncoder(wv, "sif").encode(["a"]), r"method 'sif' learns from texts: call fit\(texts\)"),
        (lambda wv: SentenceEncoder(wv, "bow"), "method must be one of mean, tfidf, sif, usif, got 'bow'"),
        (lambda wv: SentenceEncoder(wv).encode("a b"), "texts must be a list of strings, got 'a b'"),
        (lambda wv: sentence_vectors(wv, ["x"], "sif"), "none of the 1 texts has a word with a vector"),
        (lambda wv: sentence_vectors(wv, []), "at least one text"),
        (lambda wv: SentenceEncoder(wv, components=9), "components must be at most 8, got 9"),
        (lambda wv: SentenceEncoder(wv, smoothing=0), "smoothing must be above 0"),
    ],
)
def test_invalid_arguments(wv, ask, message):
    with pytest.raises(InputError, match=message):
        ask(wv)
