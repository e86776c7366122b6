"""gensim's own tests, imported from the installed package, on our classes; skipped without gensim.

``gaps.py`` lists each case that does not pass, with its reason. An unlisted case that fails is a failure, and so is a
listed one that passes. Run them with ``make test-peers``.
"""

import importlib
from types import SimpleNamespace

import pytest

from tests.peers.gensim_suites import adapters

gensim = pytest.importorskip("gensim", reason="gensim is not installed: run make test-peers")
pytest.importorskip("testfixtures", reason="gensim's tests need testfixtures: run make test-peers")


def _missing(*arguments, **named):
    raise NotImplementedError("internals of gensim")


_KEYED_VECTORS = SimpleNamespace(
    KeyedVectors=adapters.KeyedVectors, _load_word2vec_format=adapters.load_word2vec_format
)
_FASTTEXT = SimpleNamespace(
    load_facebook_model=adapters.load_facebook_model,
    load_facebook_vectors=adapters.load_facebook_vectors,
    save_facebook_model=adapters.save_facebook_model,
)
_GENSIM = SimpleNamespace(
    models=SimpleNamespace(
        KeyedVectors=adapters.KeyedVectors,
        keyedvectors=_KEYED_VECTORS,
        fasttext=_FASTTEXT,
        _fasttext_bin=SimpleNamespace(_load_vocab=_missing, _fromfile=adapters.fromfile),
    ),
    test=importlib.import_module("gensim.test"),
    utils=gensim.utils,
)
_WORD2VEC = SimpleNamespace(
    Word2Vec=adapters.Word2Vec, LineSentence=adapters.LineSentence, PathLineSentences=adapters.LineSentence
)
SUITES = {
    "test_phrases": {
        "Phrases": adapters.Phrases,
        "FrozenPhrases": adapters.FrozenPhrases,
        "_PhrasesTransformation": adapters.PhrasesTransformation,
    },
    "test_fasttext": {
        "FT_gensim": adapters.FastText,
        "FastTextKeyedVectors": adapters.FastTextKeyedVectors,
        "KeyedVectors": adapters.KeyedVectors,
        "LineSentence": adapters.LineSentence,
        "gensim": _GENSIM,
        "_unpack": adapters.unpack,
        "compute_ngrams": adapters.compute_ngrams,
        "compute_ngrams_bytes": adapters.compute_ngrams_bytes,
        "ft_hash_bytes": adapters.ft_hash_bytes,
    },
    "test_word2vec": {"word2vec": _WORD2VEC, "keyedvectors": _KEYED_VECTORS},
    "test_keyedvectors": {"KeyedVectors": adapters.KeyedVectors, "gensim": _GENSIM},
    "test_similarities": {
        "KeyedVectors": adapters.KeyedVectors,
        "Word2Vec": adapters.Word2Vec,
        "WordEmbeddingSimilarityIndex": adapters.WordEmbeddingSimilarityIndex,
        "similarities": SimpleNamespace(
            WmdSimilarity=adapters.WmdSimilarity, Similarity=None, SparseMatrixSimilarity=()
        ),
    },
    "test_translation_matrix": {
        "KeyedVectors": adapters.KeyedVectors,
        "translation_matrix": SimpleNamespace(TranslationMatrix=adapters.TranslationMatrix),
    },
}
"""The names in each module of gensim's tests that stand for our classes."""


OTHER_MODELS = ("TestBackMappingTranslationMatrix",)
"""Test classes of models that have no counterpart here: paragraph vectors."""
ONLY = {"test_similarities": ("TestWmdSimilarity", "TestWordEmbeddingSimilarityIndex")}
"""The test classes of vectors in a module whose others test document indexes and term similarities without vectors."""


def _cases(name):
    """Return the tests of a module of gensim's, with its names replaced, but not those that it imports itself."""
    module = importlib.import_module(f"gensim.test.{name}")
    vars(module).update(SUITES[name])
    return {
        key: value
        for key, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__
        and key not in OTHER_MODELS
        and key in ONLY.get(name, (key,))
        and (
            key.startswith("test_") or (isinstance(value, type) and any(case.startswith("test") for case in dir(value)))
        )
    }


for _name in SUITES:
    globals().update(_cases(_name))
TestWmdSimilarity.__unittest_skip__ = False  # noqa: F821 - it inherits the mark of its abstract base class
