"""The content of loaded files as JSON values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from seqclf import load_model
from tests.compatibility import runs
from wordvec import load_documents, load_vectors, load_vocabulary, train_glove, train_word2vec

QUESTIONS = ["Fire near the old village", "tea and cake, please", "an unheard-of word", ""]
SENTENCES = [["the", "old", "dog", "barks"], ["A", "zebra"], []]
SEQUENCES = [[0.5, -1.0, 2.0], [1.0]]


def vectors(path: Path) -> dict[str, Any]:
    """Dense word vectors."""
    loaded = load_vectors(path)
    sides = {"vectors": loaded.vectors.tolist()}
    if loaded.context_vectors is not None:
        sides["context_vectors"] = loaded.context_vectors.tolist()
    return {"class": type(loaded).__name__, **_words(loaded), **sides}


def sparse_vectors(path: Path) -> dict[str, Any]:
    loaded = load_vectors(path)
    return {"class": type(loaded).__name__, **_words(loaded), "matrix": loaded.matrix.toarray().tolist()}


def _words(loaded: Any) -> dict[str, Any]:
    neighbors = loaded.most_similar("king", top=3)
    return {
        "tokens": loaded.tokens,
        "counts": loaded.counts.tolist(),
        "tokenizer": loaded.tokenizer,
        "lowercase": loaded.lowercase,
        "neighbors": [token for token, _ in neighbors],
        "cosines": [float(score) for _, score in neighbors],
    }


def documents(path: Path) -> dict[str, Any]:
    loaded = load_documents(path)
    return {
        "features": loaded.vocabulary.tokens,
        "counts": loaded.vocabulary.counts.tolist(),
        "matrix": loaded.matrix.toarray().tolist(),
        "idf": None if loaded.idf is None else loaded.idf.tolist(),
        "ngram_range": list(loaded.settings["ngram_range"]),
    }


def vocabulary(path: Path) -> dict[str, Any]:
    loaded = load_vocabulary(path)
    return {"tokens": loaded.tokens, "counts": loaded.counts.tolist()}


def classifier(path: Path) -> dict[str, Any]:
    model = load_model(path)
    return {
        "labels": np.asarray(model.labels).tolist(),
        "probabilities": model.predict_proba(QUESTIONS, threads=1).tolist(),
        "predicted": np.asarray(model.predict(QUESTIONS, threads=1)).tolist(),
        "epochs": len(model.history),
    }


def multi_label(path: Path) -> dict[str, Any]:
    model = load_model(path, "multi-label model")
    return {
        "labels": np.asarray(model.labels).tolist(),
        "probabilities": model.predict_proba(QUESTIONS, threads=1).tolist(),
        "predicted": model.predict_labels(QUESTIONS, threads=1),
        "epochs": len(model.history),
    }


def regressor(path: Path) -> dict[str, Any]:
    return {"predicted": load_model(path, "regressor").predict(QUESTIONS, threads=1).tolist()}


def number_regressor(path: Path) -> dict[str, Any]:
    return {"predicted": load_model(path, "regressor").predict(SEQUENCES, threads=1).tolist()}


def tagger(path: Path) -> dict[str, Any]:
    model = load_model(path, "tagger")
    return {
        "labels": np.asarray(model.labels).tolist(),
        "predicted": model.predict(SENTENCES, threads=1),
        "probabilities": [table.tolist() for table in model.predict_proba(SENTENCES, threads=1)],
    }


def language_model(path: Path) -> dict[str, Any]:
    model = load_model(path, "language model")
    following = model.next_tokens("the old", top=4)
    measured = model.perplexity(["the old dog sleeps"], threads=1)
    return {
        "next": [token for token, _ in following],
        "probabilities": [float(probability) for _, probability in following],
        "perplexity": float(measured.perplexity),
    }


def forecaster(path: Path) -> dict[str, Any]:
    model = load_model(path, "forecaster")
    low, high = model.predict_interval(0.8)
    return {
        "names": model.names,
        "forecast": model.predict().tolist(),
        "another series": model.predict(series=runs.series()[:40] + 1).tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
    }


def word2vec_checkpoint(path: Path) -> dict[str, Any]:
    """Resume training; the checkpoint itself is copied, because it is overwritten."""
    with runs.temporary_copy(path) as copy:
        result = train_word2vec(
            runs.corpus(), runs.WORD2VEC, threads=1, checkpoint=copy, checkpoint_every=3600, resume=True
        )
    return {"vectors": result.vectors.vectors.tolist(), "losses": list(map(float, result.losses))}


def glove_checkpoint(path: Path) -> dict[str, Any]:
    """Resume training; the checkpoint itself is copied, because it is overwritten."""
    with runs.temporary_copy(path) as copy:
        result = train_glove(runs.cooccurrence(), runs.GLOVE, threads=1, checkpoint=copy, resume=True)
    return {"vectors": result.vectors.vectors.tolist(), "losses": list(map(float, result.losses))}


READERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "word2vec.safetensors": vectors,
    "glove.safetensors": vectors,
    "svd.safetensors": vectors,
    "ppmi.safetensors": sparse_vectors,
    "counts.npz": documents,
    "tfidf.npz": documents,
    "vocabulary.txt": vocabulary,
    "classifier.safetensors": classifier,
    "classifier-attention.safetensors": classifier,
    "multi-label.safetensors": multi_label,
    "regressor.safetensors": regressor,
    "number-regressor.safetensors": number_regressor,
    "tagger.safetensors": tagger,
    "tagger-crf.safetensors": tagger,
    "language-model.safetensors": language_model,
    "character-model.safetensors": language_model,
    "forecaster.safetensors": forecaster,
    "word2vec.checkpoint": word2vec_checkpoint,
    "glove.checkpoint": glove_checkpoint,
}
"""File name -> function that loads the file and returns its content."""
