"""Word embeddings: vocabulary, encoded corpora, phrases, CBOW and skip-gram, word vectors and their evaluation.

Names are imported on first use, so that ``import wordvec`` costs next to nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_HOME = {
    "CountVectorizer": "wordvec.document_vectors.estimators",
    "Cooccurrence": "wordvec.count_based.estimators",
    "Glove": "wordvec.count_based.estimators",
    "Ppmi": "wordvec.count_based.estimators",
    "Svd": "wordvec.count_based.estimators",
    "CooccurrenceSettings": "wordvec.count_based.settings",
    "count_cooccurrences": "wordvec.count_based.cooccurrence",
    "EncodedCorpus": "wordvec.encoding.corpus",
    "count_documents": "wordvec.document_vectors.matrices",
    "document_frequencies": "wordvec.document_vectors.matrices",
    "encode_corpus": "wordvec.encoding.corpus",
    "estimate_memory": "wordvec.word2vec.buffers",
    "train_count_based": "wordvec.count_based.models",
    "FastText": "wordvec.word2vec.estimator",
    "FormatError": "wordvec.errors",
    "GloveSettings": "wordvec.count_based.settings",
    "InputError": "wordvec.errors",
    "Phrases": "wordvec.phrases.estimator",
    "Progress": "wordvec.system.progress",
    "SparseWordVectors": "wordvec.vectors.sparse",
    "SvdSettings": "wordvec.count_based.settings",
    "TrainingCallback": "wordvec.word2vec.callbacks",
    "TrainingError": "wordvec.errors",
    "TfidfVectorizer": "wordvec.document_vectors.estimators",
    "UnknownTokenError": "wordvec.errors",
    "WordvecError": "wordvec.errors",
    "Vocabulary": "wordvec.vocabulary",
    "Word2Vec": "wordvec.word2vec.estimator",
    "Word2VecSettings": "wordvec.word2vec.settings",
    "WordVectors": "wordvec.vectors.dense",
    "evaluate_analogies": "wordvec.vectors.evaluation",
    "evaluate_file": "wordvec.vectors.evaluation",
    "evaluate_similarity": "wordvec.vectors.evaluation",
    "load_documents": "wordvec.formats.documents",
    "load_vectors": "wordvec.vectors.files",
    "load_vocabulary": "wordvec.formats.vocabulary",
    "save_documents": "wordvec.formats.documents",
    "save_vectors": "wordvec.vectors.files",
    "save_vocabulary": "wordvec.formats.vocabulary",
    "summarize": "wordvec.applications.summaries",
    "train_glove": "wordvec.count_based.glove",
    "truncated_svd": "wordvec.count_based.svd",
    "train_word2vec": "wordvec.word2vec.training",
    "weigh_documents": "wordvec.document_vectors.matrices",
    "association_matrix": "wordvec.count_based.association",
}

__all__ = sorted(_HOME)

_MOVED = {
    "describe": "wordvec.formats.registry",
    "inverse_document_frequency": "wordvec.document_vectors.matrices",
}
"""Names that were public until 0.2."""

_ELSEWHERE = {
    "KeyedVectors": "WordVectors, which wordvec.load_vectors(FILE) returns for every format",
    "FastTextKeyedVectors": "WordVectors, which wordvec.load_vectors(FILE) returns for every format",
    "LineSentence": "corpora.TextCorpus(FILE), whose lines are sentences",
    "PathLineSentences": "corpora.TextCorpus(FOLDER), which reads all files in it",
    "Text8Corpus": "corpora.TextCorpus(FILE), whose lines may have any length",
    "train_unsupervised": "FastText(...).fit(texts), or train-embeddings --subwords 3-6",
    "train_supervised": "seqclf.train_classifier(texts, labels), or classify-text train",
    "load_model": "wordvec.load_vectors(FILE) for vectors, seqclf.load_model(FILE) for classifiers",
}
"""Names of gensim and fastText, and what to use here."""


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:  # the message of an AttributeError would be lost in ``from wordvec import``
        raise ImportError(f"wordvec has no {name}; use {_ELSEWHERE[name]}")
    if name in _MOVED:
        import warnings

        warnings.warn(f"wordvec.{name} has moved; use {_MOVED[name]}.{name}", FutureWarning, stacklevel=2)
        return getattr(import_module(_MOVED[name]), name)
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'wordvec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
