"""A trained sequence-to-sequence model: prediction and files, without scikit-learn."""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from seqclf.data.subwords import Subwords, take_subwords
from seqclf.data.texts import encode
from seqclf.layers.batches import Sequences
from seqclf.layers.decoder_parameters import DecoderShape
from seqclf.layers.parameters import EncoderShape
from seqclf.model_file import (
    ENCODER_RULES,
    check_header,
    check_layers,
    check_tensors,
    header_rules,
    join_tokens,
    read_settings,
    read_table,
    read_vocabulary,
    write_model,
)
from seqclf.translation.baselines import COPY, Baselines
from seqclf.translation.data import as_lines, feature_units, source_units, split_units
from seqclf.translation.network import TransducerNetwork, TransducerShape, transducer_shapes
from seqclf.translation.predictions import Prediction, predictions
from seqclf.translation.searching import Search, search_targets
from seqclf.translation.settings import TransducerSettings
from wordvec import FormatError, InputError, Vocabulary
from wordvec.system.wording import counted

logger = logging.getLogger(__name__)

_STRINGS = ("token_bytes", "token_offsets", "target_bytes", "target_offsets", "target_counts", "dictionary")


class TransducerModel:
    """A trained sequence-to-sequence model.

    Args:
        network: the trained network.
        source_vocabulary: units of the sources; the embedding table has one more row, for unknown ones.
        target_vocabulary: V units of the targets: the end, the unknown one, and all others.
        settings: training settings.
        metrics: results of training, such as ``dev_loss``.
        history: one row per epoch.
        subwords: compose units that the source vocabulary lacks; None treats all of them alike.
        baselines: what they learned from the training pairs; None: nothing.

    Attributes:
        network, source_vocabulary, target_vocabulary, settings, metrics, history, subwords, baselines: as given.
        origin: digests of the training data and the versions, as the commands record them in a file.

    Example:
        >>> from seqclf.translation.settings import TransducerSettings
        >>> from seqclf.translation.train import train_transducer
        >>> settings = TransducerSettings(hidden_size=32, epochs=40, learning_rate=0.01, validation_fraction=0)
        >>> model = train_transducer(["ab", "ba", "aab"], ["AB", "BA", "AAB"], settings=settings, threads=1)
        >>> [prediction.text for prediction in model.predict(["ab", "ba"])]
        ['AB', 'BA']
    """

    def __init__(
        self,
        network: TransducerNetwork,
        source_vocabulary: Vocabulary,
        target_vocabulary: Vocabulary,
        *,
        settings: TransducerSettings,
        features: bool = False,
        metrics: Mapping[str, Any] | None = None,
        history: Sequence[Mapping[str, Any]] = (),
        subwords: Subwords | None = None,
        baselines: Baselines | None = None,
    ) -> None:
        self.network = network
        self.baselines = Baselines([], {}) if baselines is None else baselines
        self.source_vocabulary, self.target_vocabulary, self.subwords = source_vocabulary, target_vocabulary, subwords
        self.settings, self.features = settings, features
        self.metrics = dict(metrics or {})
        self.origin: dict[str, Any] = {}
        self.history = [dict(row) for row in history]

    def predict(
        self,
        sources: Iterable[str],
        *,
        features: Iterable[str] | None = None,
        beam: int = 5,
        n_best: int = 1,
        max_length: int | None = None,
        length_penalty: float = 1.0,
        coverage_penalty: float = 0.0,
        no_repeat: int = 0,
        replace_unknown: bool = False,
        temperature: float | None = None,
        seed: int = 1,
        threads: int | None = None,
    ) -> list[Prediction]:
        """Predict the target of each source.

        Args:
            sources: texts. features: one string of features for each, if the model was trained with features.
            beam: hypotheses that a beam search keeps; 1 is greedy decoding.
            n_best: hypotheses to return, at most ``beam``.
            max_length: the largest number of units; None is three times the source's, or 20 if that is more.
            length_penalty, coverage_penalty, no_repeat: see ``beam_search``.
            replace_unknown: put the most attended unit of the source in place of an unknown one.
            temperature: draw ``n_best`` samples at this temperature instead of searching.
            seed: of the samples.
            threads: the largest number of threads; None uses all cores. Neither threads nor the other sources change a
                prediction.

        Raises:
            InputError: a source that is not a string or has no units, features that the model needs or does not know,
                or an option out of range.
        """
        search = Search(
            beam, n_best, max_length, length_penalty, coverage_penalty, no_repeat, temperature=temperature, seed=seed
        )
        search.check()
        features = None if features is None else as_lines(features, "features")
        units = self._source_units(sources, features)
        leads = [0] * len(units) if features is None else [len(feature_units(each)) for each in features]
        encoded = Sequences(*encode(units, self.source_vocabulary, self.subwords))
        found = search_targets(self.network, encoded, search, threads)
        return [
            predictions(hypotheses, source, self.target_vocabulary, self.settings.target_units, replace_unknown, lead)
            for hypotheses, source, lead in zip(found, units, leads, strict=True)
        ]

    def predict_baselines(self, sources: Iterable[str]) -> dict[str, list[list[str]]]:
        """Return the units that each baseline predicts, by its name; features play no part.

        Raises:
            InputError: a source that is not a string or has no units.
        """
        texts, kind = list(sources), self.settings.target_units
        found = self.baselines.predict(self._split(texts, None))
        if kind != "spaces":
            found[COPY] = [split_units(text, kind) for text in texts]
        return found

    def _source_units(self, sources: Iterable[str], features: Iterable[str] | None) -> list[list[str]]:
        if self.features != (features is not None):
            raise InputError(
                "the model was trained with features; pass features=, one string for each source"
                if self.features
                else "the model was trained without features; leave features out"
            )
        found = self._split(sources, features)
        if self.subwords is None:
            seen = {unit for units in found for unit in units}
            unknown = sorted(unit for unit in seen if self.source_vocabulary.lookup(unit) < 0)
            if unknown:
                shown = ", ".join(map(repr, unknown[:5])) + (f" and {len(unknown) - 5:,} more" if unknown[5:] else "")
                logger.warning("units that the training data lack are read as unknown: %s", shown)
        return found

    def _split(self, sources: Iterable[str], features: Iterable[str] | None) -> list[list[str]]:
        settings = self.settings
        return source_units(
            sources, features, settings.source_units, lowercase=settings.lowercase, normalize=settings.normalize
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file with weights, units and settings; equal models give equal bytes.

        Raises:
            InputError: ``path`` cannot be written; an existing file is kept.
        """
        header = {
            **{name: getattr(self.network.shape.encoder, name) for name in ENCODER_RULES},
            "features": self.features,
            "frequent_target": self.baselines.frequent,
            "settings": self.settings.record(),
            "metrics": self.metrics,
            "history": self.history,
        }
        source, target = (
            join_tokens(self.source_vocabulary.tokens),
            join_tokens(self.target_vocabulary.tokens, "target"),
        )
        counts = {"target_counts": np.asarray(self.target_vocabulary.counts, np.int64)}
        dictionary = {"dictionary": self.baselines.as_ids(self.source_vocabulary, self.target_vocabulary)}
        tensors = {**self.network.parameters(), **source, **target, **counts, **dictionary}
        if self.subwords is not None:
            header |= self.subwords.header()
            tensors |= self.subwords.tensors()
        write_model(path, tensors, header, kind="transducer", origin=self.origin)

    @classmethod
    def from_file(cls, name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> "TransducerModel":
        """Build the model from the content of a file, as ``read_model`` returns it, checking every shape and number.

        Raises:
            FormatError: the content is inconsistent.
        """
        subwords, tensors = take_subwords(name, tensors, header)
        check_header(name, header, header_rules(*ENCODER_RULES))
        check_layers(name, header["layers"], tensors)
        settings = read_settings(name, TransducerSettings, header["settings"])
        rows, vector_size = read_table(name, tensors).shape
        units, target_size = read_table(name, tensors, "target_embedding").shape
        encoder = EncoderShape(rows, vector_size, **{key: header[key] for key in ENCODER_RULES})
        if units < 3 or rows < 1:
            raise FormatError(f"{name} is damaged: its embedding tables have {rows:,} and {units:,} rows")
        shape = transducer_shape(encoder, units, target_size, settings)
        expected = transducer_shapes(shape)
        check_tensors(name, tensors, expected, *_STRINGS)
        source = read_vocabulary(name, tensors, rows - 1)
        target = read_vocabulary(name, tensors, shape.units, "target")
        return cls(
            TransducerNetwork(shape, {key: tensors[key] for key in expected}),
            source,
            target,
            settings=settings,
            features=header.get("features") is True,
            metrics=header["metrics"],
            history=header["history"],
            subwords=subwords,
            baselines=read_baselines(name, tensors, header, source, target),
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "TransducerModel":
        """Read a file that :meth:`save` wrote.

        Raises:
            FormatError: not such a file, or damaged.
            InputError: the file is missing or a directory.
        """
        from seqclf.model_file import read_model

        tensors, header = read_model(path, ["transducer"])
        model = cls.from_file(str(path), tensors, header)
        model.origin = header.get("origin", {})
        return model

    def summary(self) -> str:
        """Return sizes and options in one line."""
        encoder, decoder = self.network.shape.encoder, self.network.shape.decoder
        assert encoder is not None
        way = "bidirectional" if encoder.bidirectional else "unidirectional"
        return (
            f"{way} {encoder.cell} encoder, {decoder.cell} decoder of {decoder.hidden_size}, {decoder.attention} "
            f"attention, {counted(encoder.layers, 'layer')}, {len(self.source_vocabulary):,} source "
            f"and {self.network.shape.units:,} target units"
        )

    def __repr__(self) -> str:
        return f"<TransducerModel: {self.summary()}>"


def read_baselines(
    name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any], source: Vocabulary, target: Vocabulary
) -> Baselines:
    """Return the baselines of a file.

    Raises:
        FormatError: they do not fit to the vocabularies.
    """
    ids, frequent = tensors["dictionary"], header.get("frequent_target")
    if ids.dtype != np.int32 or ids.shape != (len(source),) or (ids >= len(target)).any():
        raise FormatError(f"{name} is damaged: dictionary must be int32, a target unit or -1 for each source unit")
    if not isinstance(frequent, list) or not all(isinstance(unit, str) for unit in frequent):
        raise FormatError(f"{name} is damaged: frequent_target must be a list of units")
    return Baselines.of_ids(frequent, ids, source, target)


def transducer_shape(
    encoder: EncoderShape, rows: int, target_size: int, settings: TransducerSettings
) -> TransducerShape:
    """Return the network's shape, given the encoder's and the rows and dimensions of the target embedding."""
    decoder = DecoderShape(
        vocabulary=rows,
        vector_size=target_size,
        hidden_size=encoder.hidden_size,
        source_size=encoder.hidden_size,
        source_parts=encoder.parts,
        cell=encoder.cell,
        reset=encoder.reset,
        layers=encoder.layers,
        attention=settings.attention,
        input_feeding=settings.input_feeding,
        zoneout=encoder.zoneout,
        zoneout_cell=encoder.zoneout_cell,
    )
    return TransducerShape(encoder, decoder, settings.tied_embeddings)
