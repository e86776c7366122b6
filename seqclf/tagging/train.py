"""From tagged sentences to a tagger: the same road for Python, scikit-learn and the command line."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.data.embeddings import build_embedding
from seqclf.data.labels import distinct_labels, encode_labels
from seqclf.data.texts import count_tokens
from seqclf.layers.batches import PackedBatch, pack, token_places
from seqclf.layers.parameters import EncoderShape
from seqclf.layers.tape import DropoutMasks
from seqclf.layers.workers import Workers
from seqclf.tagging.features import Forms, count_features, encode_forms
from seqclf.tagging.model import TaggerModel, as_sentences, evaluate_tags
from seqclf.tagging.network import TaggerNetwork, TaggerShape, initial_tagger
from seqclf.tagging.settings import TaggerSettings
from seqclf.training.dropout import POOLED, draw_dropout_masks, draw_mask, dropout_key, dropout_rates
from seqclf.training.loop import Progress, steps_in_all, train_in_batches
from seqclf.training.optimizers import Optimizer
from wordvec import InputError

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)

_STATES, _UNKNOWN = POOLED, 7  # purposes of masks beside those of ``noise.py``

Tagged = tuple[list[list[str]], list[list[Any]]]
"""Sentences as lists of tokens, and a list of tags for each."""


def train_tagger(
    sentences: Iterable[Sequence[str]],
    tags: Iterable[Sequence[Any]],
    *,
    settings: TaggerSettings | None = None,
    vectors: "WordVectors | None" = None,
    dev: tuple[Iterable[Sequence[str]], Iterable[Sequence[Any]]] | None = None,
    threads: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> TaggerModel:
    """Train a recurrent tagger.

    Args:
        sentences: lists of tokens; empty ones are allowed.
        tags: for each sentence a list with a tag for each token: strings, or whole numbers.
        settings: default: the recipe, ``TaggerSettings()``.
        vectors: pretrained word vectors to start from; their casing is taken over.
        dev: sentences and tags to choose the best epoch by; None splits off ``settings.validation_fraction``.
        threads: at most so many; None takes the cores there are. The result is the same at any number.
        on_progress: called a few times a second with a :class:`seqclf.Progress`, whose texts are sentences.

    Returns:
        The model; its ``history`` has a row an epoch.

    Raises:
        InputError: not one tag a token, fewer than two different tags, settings outside their range.
        TrainingError: the loss is no longer a number.

    Example:
        >>> settings = TaggerSettings(hidden_size=16, batch_size=2, learning_rate=0.02, validation_fraction=0)
        >>> sentences, tags = [["the", "cat"], ["a", "dog", "barks"]] * 4, [["D", "N"], ["D", "N", "V"]] * 4
        >>> train_tagger(sentences, tags, settings=settings, threads=1).predict([["a", "cat", "barks"]])
        [['D', 'N', 'V']]
    """
    settings = _settled((settings or TaggerSettings()).validate(), vectors)
    tokens, marks = check_tagged(sentences, tags)
    labels = distinct_labels(
        [tag for row in marks for tag in row], "a tagger needs at least two different tags, got only one"
    )
    held: Tagged = ([], [])
    if dev is not None:
        held = check_tagged(*dev, what="development sentences")
    elif settings.validation_fraction > 0:
        rows, taken = _split(tokens, settings)
        held = [tokens[row] for row in taken], [marks[row] for row in taken]
        tokens, marks = [tokens[row] for row in rows], [marks[row] for row in rows]
        logger.info(
            "no development sentences given: %d of %d are split off to choose the epoch by",
            len(taken), len(taken) + len(rows),
        )  # fmt: skip
    return _train((tokens, marks), held, labels, settings, vectors, threads, on_progress)


def check_tagged(sentences: Iterable[Sequence[str]], tags: Iterable[Sequence[Any]], what: str = "sentences") -> Tagged:
    """Sentences and tags as lists of Python's own values.

    Raises:
        InputError: there is nothing, a sentence is no list of tokens, or tags do not match tokens.

    Example:
        >>> check_tagged([["a", "cat"]], [["D"]])
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: sentence 0 has 2 tokens but 1 tag
    """
    tokens = as_sentences(sentences, what)
    if isinstance(tags, str | bytes) or not isinstance(tags, Iterable):
        raise InputError(f"tags must be a list of lists, one tag for each token, got {tags!r:.60}")
    marks = []
    for row, given in enumerate(tags):
        if isinstance(given, str | bytes) or not isinstance(given, Iterable):
            raise InputError(f"tags must be lists, one tag for each token, got {given!r:.60} at position {row}")
        marks.append([tag.item() if hasattr(tag, "item") else tag for tag in given])
    if len(marks) != len(tokens):
        raise InputError(f"{len(marks):,} lists of tags for {len(tokens):,} {what}")
    for row, (sentence, given) in enumerate(zip(tokens, marks, strict=True)):
        if len(sentence) != len(given):
            counts = (f"{len(x)} {name}{'s' * (len(x) != 1)}" for x, name in ((sentence, "token"), (given, "tag")))
            raise InputError(f"sentence {row} has {' but '.join(counts)}")
    if not any(tokens):
        raise InputError(f"there are no {what} with tokens: {len(tokens)} given")
    return tokens, marks


def _settled(settings: TaggerSettings, vectors: "WordVectors | None") -> TaggerSettings:
    """The settings with casing and width as the vectors say where the user did not."""
    lowercase = settings.lowercase
    if vectors is not None:
        settings = replace(settings, vector_size=int(vectors.vectors.shape[1]))
        lowercase = vectors.lowercase if lowercase is None else lowercase
    return replace(settings, lowercase=True if lowercase is None else bool(lowercase))


def _split(sentences: list[list[str]], settings: TaggerSettings) -> tuple[list[int], list[int]]:
    """Sentences for training and those held out, both rising; at least one with tokens is for training."""
    count = min(round(settings.validation_fraction * len(sentences)), sum(map(bool, sentences)) - 1)
    order = np.random.default_rng([settings.seed, 0x5711]).permutation(np.flatnonzero([bool(x) for x in sentences]))
    taken = sorted(order[:count].tolist())
    return sorted({*range(len(sentences))} - {*taken}), taken


def _train(
    training: Tagged,
    held: Tagged,
    labels: list[Any],
    settings: TaggerSettings,
    vectors: "WordVectors | None",
    threads: int | None,
    on_progress: Callable[[Progress], None] | None,
) -> TaggerModel:
    random = np.random.default_rng([settings.seed, 0x7A66])
    lowercase = bool(settings.lowercase)
    words = [[token.lower() for token in row] if lowercase else row for row in training[0]]
    counted = count_tokens(words, settings.min_count)
    vocabulary, table = build_embedding(
        counted,
        vectors,
        vector_size=settings.vector_size,
        scale=settings.vector_scale,
        keep=settings.keep_vectors,
        tuned=settings.tune_vectors,
        random=random,
    )
    features = count_features(training[0], settings.feature_min_count)
    width = table.shape[1] + settings.feature_size
    layers = EncoderShape(vocabulary=0, vector_size=width, **settings.encoder_options())
    shape = TaggerShape(
        words=len(table),
        word_size=table.shape[1],
        features=len(features) + 1,
        feature_size=settings.feature_size,
        labels=len(labels),
        head=settings.head,
        layers=layers,
    )
    network = TaggerNetwork(shape, initial_tagger(shape, table, random))

    def encoded(tagged: Tagged, what: str) -> tuple[Forms, np.ndarray]:
        targets = encode_labels([tag for row in tagged[1] for tag in row], labels, what)
        return encode_forms(tagged[0], vocabulary, features, lowercase), targets

    forms, targets = encoded(training, "sentences")
    dev = encoded(held, "development sentences") if any(held[0]) else None
    with Workers(threads) as workers:
        trainer = _Trainer(network, settings, forms, targets, tuned_words=len(counted), workers=workers)
        outcome = train_in_batches(
            trainer.learn,
            np.diff(forms.offsets),
            trainer.optimizer,
            settings,
            arrays=trainer.trained,
            evaluate=None if dev is None else lambda: _judged(network, *dev, workers),
            sizes=np.diff(forms.offsets),
            on_progress=on_progress,
        )
    best = outcome.history[outcome.best_epoch - 1]
    metrics = {
        "best_epoch": outcome.best_epoch,
        "sentences": len(training[0]),
        "dev_sentences": len(held[0]),
        "tokens": int(forms.ids.size),
        "trained_words": len(counted),
        **{name: value for name, value in best.items() if name != "epoch"},
    }
    return TaggerModel(
        network,
        vocabulary,
        features,
        _frequent_tags(forms.words[forms.ids], targets, len(table)),
        labels=labels,
        settings=settings.as_dict(),
        metrics=metrics,
        history=outcome.history,
    )


def _judged(
    network: TaggerNetwork, forms: Forms, targets: np.ndarray, workers: Workers
) -> tuple[dict[str, Any], tuple[float, ...]]:
    """A row of the history, and what chooses the epoch: accuracy first, then loss."""
    accuracy, loss = evaluate_tags(network, forms, targets, workers)
    return {"dev_accuracy": accuracy, "dev_loss": loss}, (accuracy, -loss)


def _frequent_tags(words: np.ndarray, targets: np.ndarray, rows: int) -> np.ndarray:
    """Each word's most frequent tag (V + 1,) int32, of equals the first; the most frequent of all where there is none.

    Args:
        words: (N,) rows of the words. targets: (N,) their tags. rows: V + 1.
    """
    found = np.full(rows, np.bincount(targets).argmax(), np.int32)
    pairs, counts = np.unique(np.stack([words, targets]), axis=1, return_counts=True)
    # The most frequent pair of each word is written last; the first of equals, because the sort is stable and reversed.
    order = np.argsort(counts[::-1], kind="stable")
    found[pairs[0, ::-1][order]] = pairs[1, ::-1][order]
    found[-1] = np.bincount(targets).argmax()
    return found


class _Trainer:
    """A tagger's net, its optimiser, and the steps they take together."""

    def __init__(
        self,
        network: TaggerNetwork,
        settings: TaggerSettings,
        forms: Forms,
        targets: np.ndarray,
        *,
        tuned_words: int,
        workers: Workers,
    ) -> None:
        self.network, self.settings, self.workers = network, settings, workers
        self._forms, self._targets = forms, targets
        # Kept vectors stand behind the tuned ones; the last row of each table is for what is unknown.
        tables = [
            (network.words, tuned_words if settings.tune_vectors else 0),
            (network.features, len(network.features) - 1),
        ]
        self.optimizer = Optimizer(
            network.dense,
            learning_rate=settings.learning_rate,
            warmup_steps=settings.warmup_steps,
            clip_norm=settings.clip_norm,
            steps=steps_in_all(forms.offsets.size - 1, settings),
            tables=tables,
            workers=workers,
        )
        self.trained = [network.dense, *(table[:rows] for table, rows in tables)]

    def learn(self, members: np.ndarray) -> float:
        """One update from some sentences; their mean loss by token."""
        forms = self._forms
        batch = pack(forms.ids, forms.offsets, members)
        targets = self._targets[token_places(batch, forms.offsets, members)]
        noise, states_mask = self._noise(batch)
        tape = self.network.forward(forms, batch, self.workers, noise=noise, states_mask=states_mask)
        loss, *touched = self.network.backward(forms, tape, targets, self.workers)
        self.optimizer.step(loss, self.network.d_dense, *touched)
        return loss

    def _noise(self, batch: PackedBatch) -> tuple[DropoutMasks, np.ndarray | None]:
        """What this step multiplies into the encoder, and into the states."""
        settings, encoder, step = self.settings, self.network.encoder, self.optimizer.done
        noise = draw_dropout_masks(encoder, batch, dropout_rates(settings), settings.seed, step)
        if settings.word_dropout > 0:
            forms, key = batch.token_ids.size, dropout_key(settings.seed, _UNKNOWN, step)
            if noise.words is None:
                noise.words = np.ones((forms, encoder.columns), encoder.dtype)
            # An unknown word is all zeros: what is left of the others is not made larger for it.
            noise.words[:, : self.network.shape.word_size] *= draw_mask(
                forms, 4, settings.word_dropout, key, encoder.dtype, 1.0
            )[:, :1]
        if settings.dropout == 0:
            return noise, None
        key = dropout_key(settings.seed, _STATES, step)
        return noise, draw_mask(int(batch.starts[-1]), encoder.features, settings.dropout, key, encoder.dtype)


__all__: Sequence[str] = ["check_tagged", "train_tagger"]
