"""Word embeddings: vocabulary, encoded corpora, CBOW and skip-gram training, word vectors and their evaluation.

Names are imported on first use, so that ``import wordvec`` costs next to nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "AnalogyCount": "wordvec.vectors.evaluation",
    "AnalogyResult": "wordvec.vectors.evaluation",
    "CountVectorizer": "wordvec.document_vectors.estimators",
    "DocumentMatrix": "wordvec.formats.documents",
    "Cooccurrence": "wordvec.count_based.estimators",
    "CooccurrenceCounts": "wordvec.count_based.cooccurrence",
    "Glove": "wordvec.count_based.estimators",
    "Ppmi": "wordvec.count_based.estimators",
    "Svd": "wordvec.count_based.estimators",
    "CooccurrenceSettings": "wordvec.count_based.settings",
    "count_cooccurrences": "wordvec.count_based.cooccurrence",
    "EncodedCorpus": "wordvec.encoding.corpus",
    "aligned": "wordvec.system.aligned_arrays",
    "available_cores": "wordvec.system.threads",
    "check_choice": "wordvec.system.validation",
    "check_counting": "wordvec.document_vectors.matrices",
    "check_number": "wordvec.system.validation",
    "check_target": "wordvec.system.atomic_files",
    "check_whole": "wordvec.system.validation",
    "count_documents": "wordvec.document_vectors.matrices",
    "describe": "wordvec.formats.registry",
    "document_frequencies": "wordvec.document_vectors.matrices",
    "encode_corpus": "wordvec.encoding.corpus",
    "estimate_memory": "wordvec.word2vec.buffers",
    "COUNT_BASED_MODELS": "wordvec.count_based.models",
    "count_based_options": "wordvec.count_based.models",
    "count_based_settings": "wordvec.count_based.models",
    "CountBasedResult": "wordvec.count_based.models",
    "CountBasedSettings": "wordvec.count_based.models",
    "training_pairs": "wordvec.word2vec.pairs",
    "train_count_based": "wordvec.count_based.models",
    "FormatError": "wordvec.errors",
    "GloveResult": "wordvec.count_based.glove",
    "GloveSettings": "wordvec.count_based.settings",
    "InputError": "wordvec.errors",
    "Progress": "wordvec.system.progress",
    "SimilarityResult": "wordvec.vectors.evaluation",
    "SparseWordVectors": "wordvec.vectors.sparse",
    "Training": "wordvec.word2vec.callbacks",
    "SvdResult": "wordvec.count_based.svd",
    "SvdSettings": "wordvec.count_based.settings",
    "TrainingCallback": "wordvec.word2vec.callbacks",
    "TrainingError": "wordvec.errors",
    "TfidfVectorizer": "wordvec.document_vectors.estimators",
    "UnknownTokenError": "wordvec.errors",
    "WordvecError": "wordvec.errors",
    "Vocabulary": "wordvec.vocabulary",
    "Word2Vec": "wordvec.word2vec.estimator",
    "Word2VecResult": "wordvec.word2vec.results",
    "Word2VecSettings": "wordvec.word2vec.settings",
    "WordVectors": "wordvec.vectors.dense",
    "evaluate_analogies": "wordvec.vectors.evaluation",
    "evaluate_file": "wordvec.vectors.evaluation",
    "evaluate_similarity": "wordvec.vectors.evaluation",
    "finished_training": "wordvec.checkpointing.finished",
    "inverse_document_frequency": "wordvec.document_vectors.matrices",
    "load_documents": "wordvec.formats.documents",
    "load_vectors": "wordvec.vectors.files",
    "load_vocabulary": "wordvec.formats.vocabulary",
    "one_hot": "wordvec.document_vectors.matrices",
    "output_format": "wordvec.formats.registry",
    "save_documents": "wordvec.formats.documents",
    "save_vectors": "wordvec.vectors.files",
    "save_vocabulary": "wordvec.formats.vocabulary",
    "replacing": "wordvec.system.atomic_files",
    "train_glove": "wordvec.count_based.glove",
    "train_svd": "wordvec.count_based.svd",
    "truncated_svd": "wordvec.count_based.svd",
    "train_word2vec": "wordvec.word2vec.training",
    "weigh_documents": "wordvec.document_vectors.matrices",
    "association_matrix": "wordvec.count_based.association",
    "weighted_vectors": "wordvec.count_based.sparse_models",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'wordvec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
