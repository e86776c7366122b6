"""Phrases and scores equal to gensim's, over several passes; skipped without gensim."""

import itertools

import numpy as np
import pytest

from corpora import english_sentences
from wordvec import Phrases

peer = pytest.importorskip("gensim.models.phrases")

SENTENCES = [sentence.split() for sentence in itertools.islice(english_sentences(), 3000)]
_draw = np.random.default_rng(1)
NUMBERS = [[f"{k}" for k in _draw.zipf(1.4, 30) % 60] for _ in range(400)]


@pytest.mark.parametrize("connectors", [(), ("the", "of", "a", "1", "3")], ids=["plain", "connectors"])
@pytest.mark.parametrize(
    ("sentences", "scoring", "threshold"),
    [(SENTENCES, "default", 10.0), (SENTENCES, "npmi", 0.3), (NUMBERS, "default", 0.02), (NUMBERS, "npmi", -0.1)],
    ids=["english", "english npmi", "numbers", "numbers npmi"],
)
def test_phrases_and_scores(sentences, connectors, scoring, threshold):
    given = {"min_count": 3, "threshold": threshold, "scoring": scoring}
    found = Phrases(passes=3, connector_words=connectors, **given).fit(sentences)
    assert found.passes_
    expected, joined = sentences, sentences
    for number, phrases in enumerate(found.passes_):
        model = peer.Phrases(expected, connector_words=frozenset(connectors), **given)
        scores = {parts: model.score_candidate(parts[0], parts[-1], list(parts[1:-1]))[1] for parts in phrases}
        assert phrases == pytest.approx(scores, rel=1e-9)
        if number == 0:
            assert {"_".join(parts): score for parts, score in phrases.items()} == pytest.approx(
                model.export_phrases(), rel=1e-9
            )
        expected = [model[sentence] for sentence in expected]
    joined = found.transform(sentences)
    assert joined == expected
