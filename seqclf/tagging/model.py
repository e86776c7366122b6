"""A trained tagger: prediction and files, without scikit-learn."""

import itertools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from corpora.normalization import normalized
from seqclf.data.characters import Characters, take_characters
from seqclf.data.columns import column_of_table
from seqclf.data.spans import marks_spans, valid_transitions
from seqclf.data.subwords import Subwords, take_subwords
from seqclf.layers.batch_prediction import for_batches, workers_for
from seqclf.layers.batches import PackedBatch, pack, token_places
from seqclf.layers.character_encoder import CharacterShape
from seqclf.layers.parameters import EncoderShape, Workspace
from seqclf.layers.workers import Workers
from seqclf.model_file import (
    ENCODER_RULES,
    check_header,
    check_layers,
    check_tensors,
    header_rules,
    join_tokens,
    read_table,
    read_vocabulary,
    write_model,
)
from seqclf.tagging.features import Forms, encode_forms
from seqclf.tagging.network import TaggerNetwork, TaggerShape, tagger_shapes
from wordvec import FormatError, InputError, Vocabulary

CONSTRAINED = "constrained"
"""Key of a model's settings: the CRF predicts only valid transitions. Files of 0.2 and earlier lack it."""
_STRINGS = ("token_bytes", "token_offsets", "feature_bytes", "feature_offsets")


class TaggerModel:
    """A trained tagger: a tag for every token of a sentence.

    Args:
        network: the trained network.
        vocabulary: V words; the embedding table has one more row, for unknown words.
        features: the known features of tokens; their table also has one more row.
        frequent_tags: (V + 1,) int32, each word's most frequent tag in training, as an index of ``labels``; for
            unseen words, and in the last row, the most frequent tag overall.
        labels: C tags in the order of the probabilities' columns.
        settings: training settings; prediction uses ``lowercase`` and ``normalize``.
        metrics: results of training, such as ``dev_accuracy``.
        history: one row per epoch.
        subwords: compose words that the vocabulary lacks; None treats all of them alike.
        characters: those that the network reads, if any.

    Attributes:
        vocabulary, features, frequent_tags, labels, settings, metrics, history, subwords,
        characters: as given.
        origin: digests of the training data and the versions, as the commands record them in a file.

    Example:
        >>> from seqclf import TaggerSettings, train_tagger
        >>> settings = TaggerSettings(hidden_size=16, batch_size=2, learning_rate=0.02, validation_fraction=0)
        >>> sentences = [["the", "cat", "sleeps"], ["a", "dog", "barks"], ["the", "dog"]] * 4
        >>> tags = [["DET", "NOUN", "VERB"], ["DET", "NOUN", "VERB"], ["DET", "NOUN"]] * 4
        >>> model = train_tagger(sentences, tags, settings=settings, threads=1)
        >>> model.predict([["a", "cat", "barks"], []])
        [['DET', 'NOUN', 'VERB'], []]
    """

    def __init__(
        self,
        network: TaggerNetwork,
        vocabulary: Vocabulary,
        features: Vocabulary,
        frequent_tags: np.ndarray,
        *,
        labels: Sequence[Any],
        settings: Mapping[str, Any],
        metrics: Mapping[str, Any] | None = None,
        history: Sequence[Mapping[str, Any]] = (),
        subwords: Subwords | None = None,
        characters: Characters | None = None,
    ) -> None:
        self.network = network
        self.vocabulary, self.features, self.subwords = vocabulary, features, subwords
        self.characters = characters
        self.frequent_tags = frequent_tags
        self.labels = list(labels)
        self.settings = dict(settings)
        self.metrics = dict(metrics or {})
        self.origin: dict[str, Any] = {}
        self.history = [dict(row) for row in history]

    @property
    def lowercase(self) -> bool:
        """Whether words are lower-cased before they are looked up."""
        return bool(self.settings["lowercase"])

    @property
    def marks_entities(self) -> bool:
        """Whether the tags mark entities, as BIO, BIOES or BILOU."""
        return marks_spans(self.labels)

    def predict(self, sentences: Iterable[Sequence[str]], *, threads: int | None = None) -> list[list[Any]]:
        """Return a tag for every token.

        Args:
            sentences: S lists of tokens, which may be empty.
            threads: the largest number of threads; None uses all cores. Neither threads nor the other sentences change
                a tag.

        Raises:
            InputError: a sentence is not a list of tokens.
        """
        forms = self.forms(sentences)
        return self._tagged(predict_tags(self.network, forms, threads), forms.offsets)

    def predict_proba(self, sentences: Iterable[Sequence[str]], *, threads: int | None = None) -> list[np.ndarray]:
        """Return for each sentence every tag's probability for every token (T, C); of a CRF the marginals.

        Arguments as :meth:`predict`; columns are ``labels``. A CRF's best path may differ from the most probable tags.
        """
        forms = self.forms(sentences)
        found = np.empty((forms.ids.size, len(self.labels)), np.float32)
        with workers_for(forms.offsets.size - 1, threads) as workers:
            _for_tokens(
                lambda states, batch: [self.network.probabilities(states, batch)], self.network, forms, workers, [found]
            )
        return np.split(found, forms.offsets[1:-1]) if forms.offsets.size > 1 else []

    def most_frequent(self, sentences: Iterable[Sequence[str]]) -> list[list[Any]]:
        """Return the baseline: each word's most frequent training tag; for unknown words the most frequent overall."""
        forms = self.forms(sentences)
        words = np.minimum(forms.words[forms.ids], len(self.vocabulary))
        return self._tagged(self.frequent_tags[words], forms.offsets)

    def forms(self, sentences: Iterable[Sequence[str]]) -> Forms:
        """Return the distinct words of sentences as the network reads them."""
        tokens = as_sentences(sentences, normalize=str(self.settings.get("normalize", "none")))
        return encode_forms(tokens, self.vocabulary, self.features, self.lowercase, self.subwords, self.characters)

    def _tagged(self, tags: np.ndarray, offsets: np.ndarray) -> list[list[Any]]:
        named = [self.labels[tag] for tag in tags.tolist()]
        bounds = offsets.tolist()
        return [named[start:stop] for start, stop in itertools.pairwise(bounds)]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file with weights, words, features, tags and settings; equal models give equal bytes.

        Raises:
            InputError: ``path`` cannot be written; an existing file is kept.
        """
        shape = self.network.shape
        header = {
            **{name: getattr(shape.layers, name) for name in ENCODER_RULES},
            "head": shape.head,
            "lowercase": self.lowercase,
            "labels": self.labels,
            "settings": self.settings,
            "metrics": self.metrics,
            "history": self.history,
        }
        words, features = join_tokens(self.vocabulary.tokens), join_tokens(self.features.tokens, "feature")
        tensors = {**self.network.parameters(), **words, **features, "frequent_tags": self.frequent_tags}
        for part in (self.subwords, self.characters):
            if part is not None:
                header |= part.header()
                tensors |= part.tensors()
        write_model(path, tensors, header, kind="tagger", origin=self.origin)

    @classmethod
    def from_file(cls, name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> "TaggerModel":
        """Build the model from the content of a file, as ``read_model`` returns it, checking every shape and number.

        Raises:
            FormatError: the content is inconsistent.
        """
        subwords, tensors = take_subwords(name, tensors, header)
        characters, tensors = take_characters(name, tensors, header)
        shape = _shape(name, tensors, header, characters)
        expected = tagger_shapes(shape)
        check_tensors(name, tensors, expected, *_STRINGS, "frequent_tags")
        vocabulary = read_vocabulary(name, tensors, shape.words - 1)
        features = read_vocabulary(name, tensors, shape.features - 1, "feature")
        tags = tensors["frequent_tags"]
        if tags.dtype != np.int32 or tags.shape != (shape.words,) or not 0 <= tags.min() <= tags.max() < shape.labels:
            raise FormatError(f"{name} is damaged: frequent_tags must be int32, one of the labels for each word")
        labels = header["labels"]
        constrained = header["settings"].get(CONSTRAINED) is True and marks_spans(labels)
        valid = valid_transitions(labels) if constrained else None
        return cls(
            TaggerNetwork(shape, {key: tensors[key] for key in expected}, valid=valid),
            vocabulary,
            features,
            tags,
            labels=header["labels"],
            settings={**header["settings"], "lowercase": header["lowercase"]},
            metrics=header["metrics"],
            history=header["history"],
            subwords=subwords,
            characters=characters,
        )

    def __repr__(self) -> str:
        shape = self.network.shape
        way = "bidirectional" if shape.layers.bidirectional else "unidirectional"
        return (
            f"<TaggerModel: {way} {shape.layers.cell} of {shape.layers.hidden_size}, {shape.head} head, "
            f"{len(self.vocabulary):,} words, {len(self.labels)} tags>"
        )


def as_sentences(
    sentences: Iterable[Sequence[str]], what: str = "sentences", normalize: str = "none"
) -> list[list[str]]:
    """Return the sentences as lists of tokens in a Unicode normalization form.

    Raises:
        InputError: a sentence is not a list of tokens, or a token is empty.

    Example:
        >>> as_sentences(["a cat"])
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: sentences must be lists of tokens, got 'a cat' at position 0; pass text.split()
    """
    if isinstance(sentences, str | bytes) or not isinstance(sentences, Iterable):
        raise InputError(f"{what} must be a list of lists of tokens, got {sentences!r:.60}")
    found = []
    for row, sentence in enumerate(column_of_table(sentences, what)):
        if isinstance(sentence, str):
            raise InputError(
                f"{what} must be lists of tokens, got {sentence!r:.40} at position {row}; pass text.split()"
            )
        if not isinstance(sentence, Sequence | np.ndarray) or isinstance(sentence, bytes):
            raise InputError(f"{what} must be lists of tokens, got {sentence!r:.60} at position {row}")
        for token in sentence:
            if not isinstance(token, str) or not token:
                raise InputError(f"tokens must be nonempty strings, got {token!r:.60} in sentence {row}")
        found.append([normalized(str(token), normalize) for token in sentence])
    return found


def predict_tags(network: TaggerNetwork, forms: Forms, threads: int | None = None) -> np.ndarray:
    """Return each token's tag: (N,) int32."""
    tags = np.empty(forms.ids.size, np.int32)
    with workers_for(forms.offsets.size - 1, threads) as workers:
        _for_tokens(lambda states, batch: [network.head.predict(states, batch)], network, forms, workers, [tags])
    return tags


def evaluate_tags(
    network: TaggerNetwork, forms: Forms, targets: np.ndarray, workers: Workers
) -> tuple[np.ndarray, float, float]:
    """Return each token's tag (N,) int32, the accuracy, and the mean -log p(target) in nats (of a CRF's marginals)."""
    tags, probabilities = np.empty(targets.size, np.int32), np.empty((targets.size, network.shape.labels), np.float32)

    def answer(states: np.ndarray, batch: PackedBatch) -> list[np.ndarray]:
        return [network.head.predict(states, batch), network.probabilities(states, batch)]

    _for_tokens(answer, network, forms, workers, [tags, probabilities])
    own = probabilities[np.arange(targets.size), targets].astype(np.float64)
    return tags, float((tags == targets).mean()), float(-np.log(np.maximum(own, 1.2e-38)).mean())


def _for_tokens(
    answer: Callable[[np.ndarray, PackedBatch], Sequence[np.ndarray]],
    network: TaggerNetwork,
    forms: Forms,
    workers: Workers,
    found: Sequence[np.ndarray],
) -> None:
    """Write the output of ``answer(states, batch)`` for each token to the arrays ``found`` (N, ...)."""

    def predict(members: np.ndarray, workspace: Workspace) -> None:
        batch = pack(forms.ids, forms.offsets, members)
        places = token_places(batch, forms.offsets, members)
        states = network.states(forms, batch, workspace)
        for array, part in zip(found, answer(states, batch), strict=True):
            array[places] = part

    for_batches(predict, np.diff(forms.offsets), workers, lambda: nullcontext(Workspace(network.dtype)))


def _shape(
    name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any], characters: Characters | None
) -> TaggerShape:
    check_header(name, header, header_rules(*ENCODER_RULES, "head", "lowercase", "labels"))
    check_layers(name, header["layers"], tensors)
    words, word_size = read_table(name, tensors).shape
    features, feature_size = read_table(name, tensors, "features").shape
    encoder = {key: header[key] for key in ENCODER_RULES}
    spelling = None if characters is None else CharacterShape(**characters.sizes())
    appended = spelling.features if spelling else 0
    return TaggerShape(
        words=words,
        word_size=word_size,
        features=features,
        feature_size=feature_size,
        labels=len(header["labels"]),
        head=header["head"],
        layers=EncoderShape(vocabulary=0, vector_size=word_size + feature_size, appended=appended, **encoder),
        spelling=spelling,
    )
