"""Our vectorizers with scikit-learn's defaults, its names of options, and its conventions, for its own tests.

Its ``vocabulary_`` is a dictionary, its ``use_idf`` and ``smooth_idf`` are our ``idf``, and it warns where we log.
"""

import logging
import warnings
from types import SimpleNamespace

import numpy as np

from wordvec import CountVectorizer as Counts
from wordvec import TfidfVectorizer as Tfidf
from wordvec.document_vectors.estimator import SCIKIT_LEARN
from wordvec.document_vectors.hashing.estimator import HashingVectorizer as Hashing

_HASHING = {name: value for name, value in SCIKIT_LEARN.items() if name != "order"}


class Warns(logging.Handler):
    """Warns of what is logged."""

    def emit(self, record):
        warnings.warn(record.getMessage(), UserWarning, stacklevel=2)


class _Dictionary(dict):
    """scikit-learn's ``vocabulary_``, from which ours can be read."""

    def __init__(self, vocabulary):
        super().__init__(vocabulary.token_to_id)
        self.tokens, self.counts = vocabulary.tokens, vocabulary.counts


class _Fitted:
    @property
    def fixed_vocabulary_(self):
        return self.vocabulary is not None

    def fit_transform(self, X, y=None):
        found = super().fit_transform(X, y)
        self.vocabulary_ = _Dictionary(self.vocabulary_)
        return found


def _with_defaults(kind, defaults):
    """Return a subclass of one of ours with other defaults, whose ``__init__`` is what scikit-learn inspects."""
    import inspect

    signature = inspect.signature(kind.__init__)
    parameters = [p.replace(default=defaults.get(p.name, p.default)) for p in signature.parameters.values()]

    def __init__(self, **given):
        kind.__init__(self, **(defaults | given))

    __init__.__signature__ = signature.replace(parameters=parameters)
    return __init__


class CountVectorizer(_Fitted, Counts, auto_wrap_output_keys=None):
    __init__ = _with_defaults(Counts, SCIKIT_LEARN)


class HashingVectorizer(Hashing, auto_wrap_output_keys=None):
    __init__ = _with_defaults(Hashing, _HASHING)


class TfidfVectorizer(_Fitted, Tfidf, auto_wrap_output_keys=None):
    def __init__(
        self, *, input="content", encoding="utf-8", decode_error="strict", strip_accents=None, lowercase=True,
        preprocessor=None, tokenizer=None, analyzer="word", stop_words=None, token_pattern=r"(?u)\b\w\w+\b",
        ngram_range=(1, 1), max_df=1.0, min_df=1, max_features=None, vocabulary=None, binary=False, dtype=np.float64,
        norm="l2", use_idf=True, smooth_idf=True, sublinear_tf=False,
    ):  # fmt: skip
        given = {name: value for name, value in locals().items() if name not in ("self", "use_idf", "smooth_idf")}
        given.pop("__class__", None)
        super().__init__(**given, normalize="none", order="name")
        self.use_idf, self.smooth_idf = use_idf, smooth_idf

    def fit_transform(self, X, y=None):
        self.idf = ("smooth" if self.smooth_idf else "plain") if self.use_idf else "none"
        return super().fit_transform(X, y)

    @property
    def _tfidf(self):
        fitted = self._weighting | {"use_idf": self.idf != "none", "smooth_idf": self.idf == "smooth"}
        return SimpleNamespace(idf_=self.idf_, **fitted)
