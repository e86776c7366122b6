"""Files written for spaCy and sentence-transformers, read by them; skipped where they are not installed."""

import subprocess
import sys

import numpy as np
import pytest

from wordvec import WordVectors, save_vectors


@pytest.fixture
def wv():
    rng = np.random.default_rng(6)
    return WordVectors(["the", "king", "sleeps"], rng.normal(size=(3, 4)), tokenizer="words", lowercase=True)


def test_spacy_reads_word2vec_text(wv, tmp_path):
    spacy = pytest.importorskip("spacy", reason="spaCy is not installed: pip install spacy")
    wv.save(tmp_path / "v.txt")
    command = [sys.executable, "-m", "spacy", "init", "vectors", "en", str(tmp_path / "v.txt"), str(tmp_path / "out")]
    subprocess.run(command, check=True, capture_output=True)
    vocabulary = spacy.load(tmp_path / "out").vocab
    np.testing.assert_array_equal([vocabulary[token].vector for token in wv.tokens], wv.vectors)


def test_sentence_transformers_reads_a_static_embedding(wv, tmp_path):
    library = pytest.importorskip("sentence_transformers", reason="pip install sentence-transformers")
    save_vectors(wv, tmp_path / "m", format="static")
    found = library.SentenceTransformer(str(tmp_path / "m"), device="cpu").encode(["The king sleeps.", "king zzz"])
    np.testing.assert_allclose(found, [wv.vectors.mean(axis=0), wv["king"] / 2], rtol=1e-6)
