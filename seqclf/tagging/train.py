"""Training of a tagger, from tagged sentences to a model."""

import itertools
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.data.characters import Characters
from seqclf.data.columns import column_of_table
from seqclf.data.embeddings import build_embedding
from seqclf.data.labels import check_label, distinct_labels, encode_labels, of_one_type, plain_value
from seqclf.data.spans import all_valid, marks_spans, valid_transitions
from seqclf.data.splits import warn_if_few
from seqclf.data.texts import count_tokens
from seqclf.layers.batches import PackedBatch, pack, token_places
from seqclf.layers.character_encoder import CharacterShape
from seqclf.layers.parameters import EncoderShape
from seqclf.layers.tape import DropoutMasks
from seqclf.layers.workers import Workers
from seqclf.metrics import score_entities
from seqclf.tagging.features import Forms, count_features, encode_forms
from seqclf.tagging.model import CONSTRAINED, TaggerModel, as_sentences, evaluate_tags
from seqclf.tagging.network import TaggerNetwork, TaggerShape, initial_tagger
from seqclf.tagging.settings import TaggerSettings
from seqclf.training.dropout import (
    UNKNOWN,
    draw_dropout_masks,
    draw_mask,
    draw_output_mask,
    dropout_key,
    dropout_rates,
)
from seqclf.training.freezing import frozen_parameters
from seqclf.training.loop import steps_in_all, train_in_batches
from seqclf.training.optimizers import Optimizer
from seqclf.training.resolved import resolved
from seqclf.training.resuming import Resumption
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.settings import or_defaults
from wordvec.system.wording import counted

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)

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
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> TaggerModel:
    """Train a recurrent tagger.

    Args:
        sentences: lists of tokens, which may be empty.
        tags: for each sentence a list with one tag per token, strings or integers.
        settings: default: ``TaggerSettings()``.
        vectors: pretrained word vectors to start from; they also set the casing.
        dev: sentences and tags that choose the best epoch; None splits off ``settings.validation_fraction``.
        threads: the largest number of threads; None uses all cores. The result is the same at any number.
        on_progress: called a few times a second with a :class:`wordvec.Progress`.
        checkpoint: a file to save the training state to, at the end of each epoch, every ``checkpoint_every`` seconds
            within one, on Ctrl-C and when ``on_progress`` raises ``StopTraining``. Remove it once the model is saved.
        resume: continue from the checkpoint, if it exists; the model is bit-identical to that of an uninterrupted
            training.

    Returns:
        The model; its ``history`` has one row per epoch.

    Raises:
        InputError: not one tag per token, fewer than two different tags, or a setting out of range.
        InputError: an existing checkpoint without ``resume``, or a checkpoint of another training.
        TrainingError: the loss or a gradient is NaN or infinite.

    Example:
        >>> settings = TaggerSettings(hidden_size=16, batch_size=2, learning_rate=0.02, validation_fraction=0)
        >>> sentences, tags = [["the", "cat"], ["a", "dog", "barks"]] * 4, [["D", "N"], ["D", "N", "V"]] * 4
        >>> train_tagger(sentences, tags, settings=settings, threads=1).predict([["a", "cat", "barks"]])
        [['D', 'N', 'V']]
    """
    resumption = Resumption(checkpoint, checkpoint_every, resume)
    settings = or_defaults(settings, TaggerSettings)
    tokens, marks = check_tagged(sentences, tags, normalize=settings.normalize)
    settings = resolved(settings, vectors, tokens)
    labels = distinct_labels(
        [tag for row in marks for tag in row], "a tagger needs at least two different tags, got only one"
    )
    validation: Tagged = ([], [])
    if dev is not None:
        validation = check_tagged(*dev, what="validation sentences", normalize=settings.normalize)
    elif settings.validation_fraction > 0:
        rows, dev_rows = _split(tokens, settings)
        validation = [tokens[row] for row in dev_rows], [marks[row] for row in dev_rows]
        tokens, marks = [tokens[row] for row in rows], [marks[row] for row in rows]
        if len(dev_rows):
            logger.info(
                "no validation sentences given: %d of %d are split off to choose the epoch",
                len(dev_rows), len(dev_rows) + len(rows),
            )  # fmt: skip
    warn_if_few(len(validation[0]), "sentences")
    return _train((tokens, marks), validation, labels, settings, vectors, threads, on_progress, resumption)


def check_tagged(
    sentences: Iterable[Sequence[str]],
    tags: Iterable[Sequence[Any]],
    what: str = "sentences",
    normalize: str = "none",
) -> Tagged:
    """Return sentences and tags as lists of Python values.

    Raises:
        InputError: there are no tokens, a sentence is not a list of tokens, or tags do not match tokens.

    Example:
        >>> check_tagged([["a", "cat"]], [["D"]])
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: sentence 0 has 2 tokens but 1 tag
    """
    tokens = as_sentences(sentences, what, normalize)
    if isinstance(tags, str | bytes) or not isinstance(tags, Iterable):
        raise InputError(f"tags must be a list of lists with one tag per token, got {tags!r:.60}")
    marks = []
    for row, given in enumerate(column_of_table(tags, "tags")):
        if isinstance(given, str | bytes) or not isinstance(given, Iterable):
            raise InputError(f"tags must be lists with one tag per token, got {given!r:.60} at position {row}")
        marks.append([plain_value(tag) for tag in given])
        for tag in marks[-1]:
            check_label(tag, "tags", f"in sentence {row}; leave it out")
    of_one_type([tag for row in marks for tag in row], "tags")
    if len(marks) != len(tokens):
        raise InputError(f"{len(marks):,} lists of tags for {len(tokens):,} {what}")
    for row, (sentence, given) in enumerate(zip(tokens, marks, strict=True)):
        if len(sentence) != len(given):
            raise InputError(f"sentence {row} has {counted(len(sentence), 'token')} but {counted(len(given), 'tag')}")
    if not any(tokens):
        raise InputError(f"no {what} with tokens, got {len(tokens)} without; at least one token is required")
    return tokens, marks


def _split(sentences: list[list[str]], settings: TaggerSettings) -> tuple[list[int], list[int]]:
    """Return training and validation sentences, both ascending; at least one with tokens is for training."""
    count = min(round(settings.validation_fraction * len(sentences)), sum(map(bool, sentences)) - 1)
    order = np.random.default_rng([settings.seed, 0x5711]).permutation(np.flatnonzero([bool(x) for x in sentences]))
    validation = sorted(order[:count].tolist())
    return sorted({*range(len(sentences))} - {*validation}), validation


def _train(
    training: Tagged,
    validation: Tagged,
    labels: list[Any],
    settings: TaggerSettings,
    vectors: "WordVectors | None",
    threads: int | None,
    on_progress: OnProgress | None,
    resumption: Resumption,
) -> TaggerModel:
    if settings.head is None:
        settings = replace(settings, head="crf" if marks_spans(labels) else "softmax")
    assert settings.head is not None
    random = np.random.default_rng([settings.seed, 0x7A66])
    lowercase = bool(settings.lowercase)
    words = [[token.lower() for token in row] if lowercase else row for row in training[0]]
    options = settings.embedding_options()
    vocabulary, table, trained_words, subwords = build_embedding(count_tokens(words), vectors, random=random, **options)
    features = count_features(training[0], settings.feature_min_count)
    characters, spelling = None, None
    if settings.character_size:
        characters = Characters.learn((token for row in training[0] for token in row), settings.character_size)
        spelling = CharacterShape(**characters.sizes())
    width = table.shape[1] + settings.feature_size
    appended = spelling.features if spelling else 0
    layers = EncoderShape(vocabulary=0, vector_size=width, appended=appended, **settings.encoder_options())
    shape = TaggerShape(
        words=len(table),
        word_size=table.shape[1],
        features=len(features) + 1,
        feature_size=settings.feature_size,
        labels=len(labels),
        head=settings.head,
        layers=layers,
        spelling=spelling,
    )
    constrained = (
        settings.head == "crf" and not settings.invalid_tags and marks_spans(labels) and all_valid(training[1], labels)
    )
    valid = valid_transitions(labels) if constrained else None
    network = TaggerNetwork(shape, initial_tagger(shape, table, random), valid=valid)

    def encoded(tagged: Tagged, what: str) -> tuple[Forms, np.ndarray]:
        targets = encode_labels([tag for row in tagged[1] for tag in row], labels, what)
        return encode_forms(tagged[0], vocabulary, features, lowercase, subwords, characters), targets

    forms, targets = encoded(training, "sentences")
    dev = encoded(validation, "validation sentences") if any(validation[0]) else None
    sizes = {"sentences": len(training[0]), "validation sentences": len(validation[0])}
    examples = [forms, dev[0]] if dev else [forms]
    data = [array for each in examples for array in each.arrays()]
    resumption.begin("tagger", settings, sizes, [*data, targets, *(dev[1:] if dev else ())], vectors)
    with Workers(threads) as workers:
        trainer = _Trainer(network, settings, forms, targets, tuned_words=trained_words, workers=workers)
        outcome = train_in_batches(
            trainer.learn,
            np.diff(forms.offsets),
            trainer.optimizer,
            settings,
            arrays=trainer.trained,
            unit="sentences",
            evaluate=None if dev is None else lambda: _evaluated(network, *dev, labels, workers),
            sizes=np.diff(forms.offsets),
            on_progress=on_progress,
            resumption=resumption,
        )
    metrics = outcome.metrics(
        sentences=len(training[0]),
        dev_sentences=len(validation[0]),
        tokens=int(forms.ids.size),
        trained_words=trained_words,
    )
    return TaggerModel(
        network,
        vocabulary,
        features,
        _frequent_tags(forms.words[forms.ids], targets, len(table)),
        labels=labels,
        settings=settings.record() | ({CONSTRAINED: True} if constrained else {}),
        metrics=metrics,
        history=outcome.history,
        subwords=subwords,
        characters=characters,
    )


def _evaluated(
    network: TaggerNetwork, forms: Forms, targets: np.ndarray, labels: list[Any], workers: Workers
) -> tuple[dict[str, Any], tuple[float, ...]]:
    """Return a row of the history, and the score that chooses the epoch.

    The score is accuracy, then loss; of tags that mark entities, F1 of the entities comes first.
    """
    tags, accuracy, loss = evaluate_tags(network, forms, targets, workers)
    row = {"dev_accuracy": accuracy, "dev_loss": loss}
    if not marks_spans(labels):
        return row, (accuracy, -loss)
    truth, found = ([labels[tag] for tag in each.tolist()] for each in (targets, tags))
    bounds = list(itertools.pairwise(forms.offsets.tolist()))
    f1 = score_entities(*([each[start:stop] for start, stop in bounds] for each in (truth, found))).f1
    return {"dev_entity_f1": f1} | row, (f1, accuracy, -loss)


def _frequent_tags(words: np.ndarray, targets: np.ndarray, rows: int) -> np.ndarray:
    """Return each word's most frequent tag (V + 1,) int32, ties to the first tag; for unseen words the overall one.

    Args:
        words: (N,) rows of the words. targets: (N,) their tags. rows: V + 1.
    """
    found = np.full(rows, np.bincount(targets).argmax(), np.int32)
    pairs, counts = np.unique(np.stack([words, targets]), axis=1, return_counts=True)
    # A word's most frequent pair is written last; among ties the first one, because the sort is stable and reversed.
    order = np.argsort(counts[::-1], kind="stable")
    found[pairs[0, ::-1][order]] = pairs[1, ::-1][order]
    found[-1] = np.bincount(targets).argmax()
    return found


class _Trainer:
    """A tagger's network, its optimizer, and their training steps."""

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
        # Kept vectors follow the tuned ones; the last row of each table is for unknown words or features.
        tables = [
            (network.words, tuned_words if settings.tune_vectors else 0),
            (network.features, len(network.features) - 1),
        ]
        steps = steps_in_all(forms.offsets.size - 1, settings)
        self.optimizer = Optimizer.from_settings(
            network.dense, settings, steps=steps, tables=tables, workers=workers,
            frozen=frozen_parameters(network, settings.freeze, ["words", "features"]),
        )  # fmt: skip
        self.trained = [network.dense, *(table[:rows] for table, rows in tables)]

    def learn(self, members: np.ndarray) -> float:
        """Update the network from some sentences and return their mean loss per token."""
        forms = self._forms
        batch = pack(forms.ids, forms.offsets, members)
        targets = self._targets[token_places(batch, forms.offsets, members)]
        noise, states_mask = self._noise(batch)
        tape = self.network.forward(forms, batch, self.workers, noise=noise, states_mask=states_mask)
        loss, *touched = self.network.backward(forms, tape, targets, self.workers)
        self.optimizer.step(loss, self.network.d_dense, *touched)
        return loss

    def _noise(self, batch: PackedBatch) -> tuple[DropoutMasks, np.ndarray | None]:
        """Return this step's masks for the encoder and for the states."""
        settings, encoder, step = self.settings, self.network.encoder, self.optimizer.done
        noise = draw_dropout_masks(encoder, batch, dropout_rates(settings), settings.seed, step)
        if settings.word_dropout > 0:
            forms, key = batch.token_ids.size, dropout_key(settings.seed, UNKNOWN, step)
            if noise.words is None:
                noise.words = np.ones((forms, encoder.columns), encoder.dtype)
            # An unknown word is all zeros; the other words are not scaled up.
            noise.words[:, : self.network.shape.word_size] *= draw_mask(
                forms, 4, settings.word_dropout, key, encoder.dtype, 1.0
            )[:, :1]
        return noise, draw_output_mask(encoder, int(batch.starts[-1]), settings.dropout, settings.seed, step)
