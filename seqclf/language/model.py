"""A trained language model: perplexity, next tokens, generation and files."""

import logging
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.language.cache import ContinuousCache, cached_log_probabilities
from seqclf.language.generation import check_sampling, choices, draw, repeating
from seqclf.language.kneser_ney import KneserNey
from seqclf.language.network import WINDOW, LanguageNetwork, LanguageShape, parameter_shapes
from seqclf.language.ngrams import bigram_log_probabilities, unigram_log_probabilities
from seqclf.language.settings import UNITS
from seqclf.language.text import UNKNOWN, encode_text, end_of_line, tokens_of
from seqclf.layers.batches import pack
from seqclf.layers.tape import States
from seqclf.layers.workers import Workers
from seqclf.model_file import (
    check_header,
    check_layers,
    check_tensors,
    header_rules,
    join_tokens,
    read_table,
    read_vocabulary,
    write_model,
)
from wordvec import FormatError, InputError, Vocabulary
from wordvec.system.validation import check_whole

_log = logging.getLogger(__name__)

KIND = "language model"


@dataclass(frozen=True)
class Perplexity:
    """The perplexity of a text.

    Attributes:
        tokens: words or characters, including line ends. unknown: how many the vocabulary lacks.
        loss: mean of -log p, in nats per token.
        unigram_loss, bigram_loss, kneser_ney_loss: the same for n-gram models of the training text, those of Kneser-Ney
            with at most 5 tokens; the last two are None without it.
        cache_loss: the same for the model with a continuous cache; None without one.
    """

    tokens: int
    unknown: int
    loss: float
    unigram_loss: float
    bigram_loss: float | None = None
    kneser_ney_loss: float | None = None
    cache_loss: float | None = None

    @property
    def perplexity(self) -> float:
        """exp(loss), infinite beyond the range of floating point."""
        return math.exp(self.loss) if self.loss < 709 else math.inf

    @property
    def bits(self) -> float:
        """Bits per token; for characters, the usual measure."""
        return self.loss / math.log(2)


class TrainedLanguageModel:
    """A trained recurrent language model over words or characters.

    Args:
        network: the trained network.
        vocabulary: V tokens with the training text's counts, including ``<unk>`` and the line end.
        settings: training settings; ``unit``, ``tokenizer``, ``lowercase`` and ``normalize`` say how to tokenize.
        metrics: results of training, such as ``dev_loss``.
        history: one row per epoch.

    Attributes:
        vocabulary, settings, metrics, history: as given.
        origin: digests of the training data and the versions, as the commands record them in a file.

    Example:
        >>> from seqclf import LanguageModelSettings, train_language_model
        >>> settings = LanguageModelSettings(hidden_size=16, epochs=5, batch_size=2, window=8, learning_rate=0.02)
        >>> model = train_language_model(["the cat sat on the mat"] * 20, settings=settings, threads=1)
        >>> [word for word, probability in model.next_tokens("the cat", top=1)]
        ['sat']
        >>> model.generate("the", lines=1, temperature=0)
        'the cat sat on the mat\\n'
    """

    def __init__(
        self,
        network: LanguageNetwork,
        vocabulary: Vocabulary,
        *,
        settings: Mapping[str, Any],
        metrics: Mapping[str, Any] | None = None,
        history: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.network = network
        self.vocabulary = vocabulary
        self.settings = dict(settings)
        self.metrics = dict(metrics or {})
        self.origin: dict[str, Any] = {}
        self.history = [dict(row) for row in history]

    @property
    def unit(self) -> str:
        """``word`` or ``character``."""
        return str(self.settings["unit"])

    def encode(self, lines: Iterable[str]) -> np.ndarray:
        """Return the text as token ids (N + 1,) int32, preceded by a line end."""
        return encode_text(self._tokens(lines), self.vocabulary, self.unit)

    def _tokens(self, lines: Iterable[str]) -> Iterator[str]:
        how = self.settings["tokenizer"], self.settings["lowercase"], self.settings.get("normalize", "none")
        return tokens_of(lines, self.unit, *how)

    def perplexity(
        self,
        lines: Iterable[str],
        *,
        trained_on: Iterable[str] | None = None,
        cache: ContinuousCache | None = None,
        threads: int | None = None,
    ) -> Perplexity:
        """Return the perplexity of a text, whose lines are read as one sequence from a state of zeros.

        Args:
            lines: strings without line ends.
            trained_on: the training text, for the perplexity of bigrams and of Kneser-Ney 5-grams.
            cache: also measure the model with a continuous cache.
            threads: the largest number of threads; None uses all cores. They do not change the result.

        Raises:
            InputError: there are no lines, also of ``trained_on``, or a line is not a string.
        """
        ids = self.encode(lines)
        if ids.size == 1:
            raise InputError("no text to measure: 0 lines")
        counts = self.vocabulary.counts
        assert counts is not None
        with Workers(threads) as workers:
            loss = -float(self.network.log_probabilities(ids, workers).mean())
            cached = None if cache is None else cached_log_probabilities(self.network, ids, cache, workers)
        bigrams = kneser_ney = None
        if trained_on is not None:
            trained = self.encode(trained_on)
            if trained.size == 1:
                raise InputError("trained_on must be the text of the training, got 0 lines")
            bigrams = -float(bigram_log_probabilities(counts, trained, ids).mean())
            kneser_ney = -float(KneserNey(trained, len(self.vocabulary)).log_probabilities(ids).mean())
        return Perplexity(
            tokens=ids.size - 1,
            unknown=int(np.count_nonzero(ids[1:] == self.vocabulary.token_to_id[UNKNOWN])),
            loss=loss,
            unigram_loss=-float(unigram_log_probabilities(counts, ids).mean()),
            bigram_loss=bigrams,
            kneser_ney_loss=kneser_ney,
            cache_loss=None if cached is None else -float(cached.mean()),
        )

    def next_tokens(self, prompt: str = "", *, top: int = 10) -> list[tuple[str, float]]:
        """Return the most probable tokens after a prompt and their probabilities, without ``<unk>``.

        Args:
            prompt: the text so far; empty is the beginning of a line.
            top: the number of tokens.

        Raises:
            InputError: ``top`` is below 1.
        """
        check_whole("top", top, 1)
        probabilities, _ = self.after(self.prompt_ids(prompt), None)
        tokens, _ = choices(probabilities, top_k=top)
        return [(self.vocabulary.tokens[token], float(probabilities[token])) for token in tokens]

    def generate(
        self,
        prompt: str = "",
        *,
        length: int = 100,
        lines: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        nucleus: float | None = None,
        no_repeat: int | None = None,
        seed: int = 1,
    ) -> str:
        """Return a prompt and generated text that continues it; ``<unk>`` is never drawn.

        Args:
            prompt: the beginning of the text; empty is the beginning of a line.
            length: the largest number of words or characters to generate, including line ends.
            lines: stop after this many line ends; None does not stop there.
            temperature, top_k, nucleus: see :func:`seqclf.language.generation.choices`.
            no_repeat: never draw a token that ends a second copy of so many tokens in a row, line ends excepted; the
                text ends where no other token is left. None allows repetition.
            seed: the same seed gives the same text, on machines with the same probabilities.

        Raises:
            InputError: a value is out of range.
        """
        check_whole("length", length, 0)
        check_whole("seed", seed, 0)
        if lines is not None:
            check_whole("lines", lines, 1)
        if no_repeat is not None:
            check_whole("no_repeat", no_repeat, 1)
        check_sampling(temperature, top_k, nucleus)
        random = np.random.default_rng([seed, 0x6E2A])
        end = self.vocabulary.token_to_id[end_of_line(self.unit)]
        text, ended = prompt, 0
        ids, states = self.prompt_ids(prompt), None
        read = ids.tolist()
        for _ in range(length):
            probabilities, states = self.after(ids, states)
            if no_repeat is not None:
                banned = [token for token in repeating(read, no_repeat) if token != end]
                probabilities[banned] = 0
            if not probabilities.any():  # but <unk>, or banned tokens
                break
            token = draw(*choices(probabilities, temperature=temperature, top_k=top_k, nucleus=nucleus), random)
            text = self._joined(text, token, end)
            ended += token == end
            if ended == lines:
                break
            read.append(token)
            ids = np.array([token], np.int32)
        return text

    def prompt_tokens(self, prompt: str) -> list[str]:
        """Return the tokens of an unfinished text; those known in lower case only are lower-cased."""
        known = self.vocabulary.token_to_id
        tokens = list(self._tokens(prompt.split("\n")))[:-1]
        return [token.lower() if token not in known and token.lower() in known else token for token in tokens]

    def prompt_ids(self, prompt: str) -> np.ndarray:
        """Return the ids of an unfinished text, preceded by a line end; unknown tokens are logged."""
        known = self.vocabulary.token_to_id
        tokens = self.prompt_tokens(prompt)
        unknown = list(dict.fromkeys(token for token in tokens if token not in known))
        if unknown:
            count = sum(token not in known for token in tokens)
            total = sum(token != end_of_line(self.unit) for token in tokens)
            listed = ", ".join(unknown[:10]) + (", ..." if len(unknown) > 10 else "")
            _log.warning("%d of %d %ss of the prompt are unknown: %s", count, total, self.unit, listed)
        return encode_text(tokens, self.vocabulary, self.unit)

    def _joined(self, text: str, token: int, end: int) -> str:
        if token == end:
            return text + "\n"
        between = " " if self.unit == "word" and text and not text[-1].isspace() else ""
        return str(text + between + self.vocabulary.tokens[token])

    def after(self, ids: np.ndarray, states: States | None) -> tuple[np.ndarray, States]:
        """Return probabilities (V,) after some tokens, that of ``<unk>`` set to 0, and the state after them."""
        for start in range(0, ids.size, WINDOW):
            part = ids[start : start + WINDOW]
            rows, states = self.network.read(pack(part, np.array([0, part.size]), np.array([0])), states)
        assert states is not None
        probabilities = self.network.head.forward(rows[-1:])[0]
        probabilities[self.vocabulary.token_to_id[UNKNOWN]] = 0
        return probabilities, states

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file with weights, vocabulary, counts and settings; equal models give equal bytes.

        Raises:
            InputError: ``path`` cannot be written; an existing file is kept.
        """
        shape = self.network.shape
        header = {name: getattr(shape, name) for name in ("cell", "reset", "layers", "hidden_size", "tied")}
        header |= {name: self.settings[name] for name in ("unit", "tokenizer", "lowercase")}
        header |= {"cutoffs": list(shape.cutoffs)} if shape.cutoffs else {}
        header |= {"settings": self.settings, "metrics": self.metrics, "history": self.history}
        tensors = self.network.parameters() | join_tokens(self.vocabulary.tokens)
        assert self.vocabulary.counts is not None
        write_model(path, tensors | {"token_counts": self.vocabulary.counts}, header, kind=KIND, origin=self.origin)

    @classmethod
    def from_file(
        cls, name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]
    ) -> "TrainedLanguageModel":
        """Build the model from the content of a file, as ``read_model`` returns it, checking every shape and number.

        Raises:
            FormatError: the content is inconsistent.
        """
        check_header(name, header, _HEADER | (_CUTOFFS if "cutoffs" in header else {}))
        check_layers(name, header["layers"], tensors)
        table = read_table(name, tensors)
        if len(table) < 2:
            raise FormatError(f"{name} is damaged: a vocabulary must have at least 2 tokens, got {len(table)}")
        if header["tied"] and table.shape[1] != header["hidden_size"]:
            raise FormatError(f"{name} is damaged: tied embeddings must be as wide as the states, got {table.shape[1]}")
        cutoffs = tuple(header.get("cutoffs", ()))
        if cutoffs and (header["tied"] or sorted({0, *cutoffs, len(table) - 1}) != [0, *cutoffs, len(table) - 1]):
            raise FormatError(f"{name} is damaged: cutoffs must ascend in the vocabulary, untied, got {cutoffs!s:.40}")
        sizes = {key: header[key] for key in ("hidden_size", "cell", "reset", "layers", "tied")}
        words, width = table.shape
        shape = LanguageShape(words, width, **sizes, cutoffs=cutoffs)
        expected = parameter_shapes(shape)
        check_tensors(name, tensors, expected, "token_bytes", "token_offsets", "token_counts")
        vocabulary = read_vocabulary(name, tensors, shape.vocabulary)
        for token in (UNKNOWN, end_of_line(header["unit"])):
            if token not in vocabulary:
                raise FormatError(f"{name} is damaged: its vocabulary lacks {token!r}")
        settings = header["settings"] | {key: header[key] for key in ("unit", "tokenizer", "lowercase")}
        network = LanguageNetwork(shape, {key: tensors[key] for key in expected})
        return cls(network, vocabulary, settings=settings, metrics=header["metrics"], history=header["history"])

    def __repr__(self) -> str:
        shape = self.network.shape
        return (
            f"<TrainedLanguageModel: {len(self.vocabulary):,} {self.unit}s, {shape.layers} x {shape.cell} of "
            f"{shape.hidden_size}>"
        )


_HEADER = {
    **header_rules("cell", "reset", "layers", "hidden_size", "tied", "tokenizer", "lowercase"),
    "unit": (str, "one of character, word", UNITS.__contains__),
}
_CUTOFFS = {
    "cutoffs": (list, "a list of word numbers", lambda value: value and all(type(each) is int for each in value)),
}
