"""Write one small file of every kind, and its content as JSON, for compatibility tests of later releases.

Run this once per release that changes a file format, with that release, into a folder named after it:

    python -m tests.compatibility.write_files tests/compatibility/files-0.1

Files of older releases are never rewritten: ``test_old_files.py`` loads them and compares their content with
``expected.json`` in the same folder.
"""

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from seqclf import (
    ClassifierSettings,
    ForecasterSettings,
    LanguageModelSettings,
    RegressorSettings,
    TaggerSettings,
    backtest,
    train_classifier,
    train_forecaster,
    train_language_model,
    train_multi_label,
    train_regressor,
    train_tagger,
)
from tests.compatibility import runs
from tests.compatibility.readings import READERS
from wordvec import (
    CountVectorizer,
    GloveProgress,
    Progress,
    SvdSettings,
    TfidfVectorizer,
    Vocabulary,
    save_documents,
    save_vocabulary,
    train_glove,
    train_word2vec,
)
from wordvec.count_based.sparse_models import weighted_vectors
from wordvec.count_based.svd import train_svd
from wordvec.formats.documents import DocumentMatrix

TEXTS = ["Fire in the old hills", "tea and cake", "the river floods the village", "a calm evening"] * 5
LABELS = ["alarm", "calm", "alarm", "calm"] * 5
LABEL_SETS = [["fire", "alarm"], [], ["flood", "alarm"], ["calm"]] * 5
NUMBERS = [4.0, 1.0, 5.5, 0.5] * 5
TAGGED = [["the", "old", "dog", "barks"], ["a", "young", "queen"], ["rain", "falls"]] * 5
TAGS = [["D", "A", "N", "V"], ["D", "A", "N"], ["N", "V"]] * 5
TINY = {"hidden_size": 3, "vector_size": 4, "epochs": 3, "learning_rate": 0.05, "warmup_steps": 2, "seed": 7}


def word_vectors(folder: Path) -> None:
    train_word2vec(runs.corpus(), runs.WORD2VEC, threads=1).vectors.save(folder / "word2vec.safetensors")
    counted = runs.cooccurrence()
    train_glove(counted, runs.GLOVE, threads=1).vectors.save(folder / "glove.safetensors")
    train_svd(counted, SvdSettings(vector_size=4, seed=7), threads=1).vectors.save(folder / "svd.safetensors")
    weighted_vectors(counted, "ppmi").save(folder / "ppmi.safetensors")
    save_vocabulary(Vocabulary(["the", "café", "of", "-"], [9, 5, 5, 1]), folder / "vocabulary.txt")


def documents(folder: Path) -> None:
    for name, model in (
        ("counts", CountVectorizer(ngram_range=(1, 2), min_df=2)),
        ("tfidf", TfidfVectorizer(min_df=2)),
    ):
        matrix = model.fit_transform(runs.SENTENCES[:8])
        settings = {"tokenizer": "whitespace", "lowercase": False, "ngram_range": list(model.ngram_range)}
        found = DocumentMatrix(matrix, model.vocabulary_, getattr(model, "idf_", None), settings)
        save_documents(found, folder / f"{name}.npz", compress=True)


def classifiers(folder: Path) -> None:
    settings = ClassifierSettings(**TINY)
    train_classifier(TEXTS, LABELS, settings=settings, threads=1).save(folder / "classifier.safetensors")
    other = ClassifierSettings(**TINY, cell="gru", layers=2, bidirectional=False, pooling="attention")
    train_classifier(TEXTS, np.array([3, 7] * 10), settings=other, threads=1).save(
        folder / "classifier-attention.safetensors"
    )
    train_multi_label(
        TEXTS, LABEL_SETS, settings=settings, dev=(TEXTS[:8], LABEL_SETS[:8]), tune_thresholds=True, threads=1
    ).save(folder / "multi-label.safetensors")


def regressors(folder: Path) -> None:
    settings = RegressorSettings(**TINY)
    train_regressor(TEXTS, NUMBERS, settings=settings, threads=1).save(folder / "regressor.safetensors")
    random = np.random.default_rng(7)
    sequences = [random.normal(size=1 + k % 5) for k in range(20)]
    values = [[x.sum(), x[-1]] for x in sequences]
    train_regressor(sequences, values, settings=settings, threads=1).save(folder / "number-regressor.safetensors")


def taggers(folder: Path) -> None:
    for name, head in (("tagger", "softmax"), ("tagger-crf", "crf")):
        settings = TaggerSettings(**TINY, head=head, feature_size=3)
        train_tagger(TAGGED, TAGS, settings=settings, threads=1).save(folder / f"{name}.safetensors")


def language_models(folder: Path) -> None:
    for name, options in (
        ("language-model", {"tied": True}),
        ("character-model", {"unit": "character", "tied": False, "vector_size": 5}),
    ):
        settings = LanguageModelSettings(
            hidden_size=4, epochs=2, batch_size=2, window=6, warmup_steps=2, learning_rate=0.05, seed=7, **options
        )
        train_language_model(runs.SENTENCES, settings=settings, threads=1).save(folder / f"{name}.safetensors")


def forecasters(folder: Path) -> None:
    settings = ForecasterSettings(window=5, horizon=2, season=6, hidden_size=3, epochs=3, seed=7)
    series = runs.series()
    model = train_forecaster(series, settings=settings, names=["tide", "swell"], threads=1)
    model.calibrate(backtest(series, settings, 12, threads=1))
    model.save(folder / "forecaster.safetensors")


def checkpoints(folder: Path) -> None:
    """Interrupt training in the second epoch, for word2vec in the middle of it."""
    for name, train, reports in (("word2vec", _train_word2vec, 3), ("glove", _train_glove, 1)):
        path = folder / f"{name}.checkpoint"
        path.unlink(missing_ok=True)
        with contextlib.suppress(KeyboardInterrupt):
            train(path, _Interrupt(reports))
        if not path.exists():
            raise RuntimeError(f"the training of {path} was not interrupted")


class _Interrupt:
    """A callback that raises KeyboardInterrupt at some report of the second epoch."""

    def __init__(self, reports: int) -> None:
        self.left = reports

    def __call__(self, progress: Progress | GloveProgress) -> None:
        self.left -= progress.epoch == 1
        if self.left == 0:
            raise KeyboardInterrupt


def _train_word2vec(path: Path, on_progress: Callable[[Progress], None]) -> None:
    # If a checkpoint is always due, training reports after every round of the lanes.
    train_word2vec(
        runs.corpus(), runs.WORD2VEC, threads=1, checkpoint=path, checkpoint_every=1e-9, on_progress=on_progress
    )


def _train_glove(path: Path, on_progress: Callable[[GloveProgress], None]) -> None:
    train_glove(
        runs.cooccurrence(), runs.GLOVE, threads=1, checkpoint=path, checkpoint_every=3600, on_progress=on_progress
    )


WRITERS: list[Callable[[Path], None]] = [
    word_vectors, documents, classifiers, regressors, taggers, language_models, forecasters, checkpoints,
]  # fmt: skip


def rounded(value: Any) -> Any:
    """Round to nine significant digits, which distinguish any two float32 numbers."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for write in WRITERS:
        write(folder)
    expected = {name: rounded(read(folder / name)) for name, read in READERS.items()}
    lines = (f"{json.dumps(name)}: {json.dumps(facts, ensure_ascii=False)}" for name, facts in expected.items())
    (folder / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
