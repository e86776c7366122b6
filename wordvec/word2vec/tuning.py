"""Search for the settings of skip-gram and CBOW whose vectors have the best score on a benchmark."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from wordvec.checkpointing.checkpoint import digest
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.system.progress import OnProgress
from wordvec.system.tuning import Outcome, Range, Space, Trial, Tuned, tune
from wordvec.vectors.dense import WordVectors
from wordvec.word2vec.results import Word2VecResult
from wordvec.word2vec.settings import Word2VecSettings
from wordvec.word2vec.training import train_word2vec

SPACE: Space = {
    "model": ("skipgram", "cbow"),
    "window": Range(2, 15, log=True, whole=True),
    "negatives": Range(2, 20, log=True, whole=True),
    "epochs": Range(2, 20, log=True, whole=True),
    "learning_rate": Range(0.01, 0.15, log=True),
    "subsample": Range(1e-5, 1e-2, log=True),
}
"""What is tried, unless it is fixed."""


def tune_word2vec(
    corpus: EncodedCorpus,
    evaluate: Callable[[WordVectors], float],
    seconds: float,
    log: str | os.PathLike[str],
    *,
    fixed: Mapping[str, Any],
    about: Mapping[str, Any],
    threads: int | None = None,
    seed: int = 1,
    resume: bool = False,
    on_best: Callable[[Word2VecResult, Outcome], None] | None = None,
    on_trial: Callable[[Outcome], None] | None = None,
    on_progress: OnProgress | None = None,
) -> Tuned:
    """Train with different settings until the time is used up; see :func:`wordvec.system.tuning.tune`.

    The first trial has the default settings. Scores are those of the vectors at the end of a training.

    Args:
        corpus: the training data.
        evaluate: the score of vectors, the larger, the better.
        seconds, log, seed, resume, on_trial: as of ``tune``.
        fixed: settings that are not tried, such as the vector size.
        about: what identifies the benchmark; JSON-serializable.
        threads: of each training; they do not change the vectors.
        on_best: called with each training better than all before.
        on_progress: called a few times a second during a training.

    Raises:
        InputError: as of ``tune`` and ``train_word2vec``.
        TrainingError: all trainings diverged.

    Example:
        >>> from wordvec import encode_corpus
        >>> corpus = encode_corpus(["the cat sat", "the dog sat"] * 50, min_count=1)
        >>> found = tune_word2vec(  # doctest: +SKIP
        ...     corpus, lambda wv: wv.similarity("cat", "dog"), 10, "log.jsonl", fixed={"vector_size": 16}, about={}
        ... )
        >>> found.best.settings["window"]  # doctest: +SKIP
        3
    """
    start = Word2VecSettings(**fixed).resolved(corpus.raw_tokens, len(corpus.vocabulary))
    negative = start.loss == "negative"
    space = {name: each for name, each in SPACE.items() if name not in fixed and (name != "negatives" or negative)}
    trained: Word2VecResult

    def objective(trial: Trial) -> float:
        nonlocal trained
        settings = Word2VecSettings(**{**fixed, **trial.settings})
        trained = train_word2vec(corpus, settings, threads=threads, on_progress=on_progress)
        return evaluate(trained.vectors)

    return tune(
        objective,
        space,
        {name: getattr(start, name) for name in space},
        seconds,
        log,
        about={**about, "corpus": digest(corpus.ids, corpus.offsets), "fixed settings": dict(fixed)},
        seed=seed,
        resume=resume,
        on_best=None if on_best is None else lambda outcome: on_best(trained, outcome),
        on_trial=on_trial,
    )
