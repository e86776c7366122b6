"""Every choice of a language model in one frozen record."""

from dataclasses import asdict, dataclass
from typing import Any

from corpora import get_tokenizer
from seqclf.layers.choices import CELLS, RESETS
from wordvec import InputError, check_choice, check_number, check_whole

UNITS = ("character", "word")
OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("constant", "linear", "plateau")


@dataclass(frozen=True)
class LanguageModelSettings:
    """How a language model is built and trained.

    Attributes:
        unit: what is predicted: the next ``word``, with ``<eos>`` at every line's end, or the next ``character``, line
            ends among them.
        cell, reset: as for a classifier: ``rnn``, ``gru`` or ``lstm``.
        layers: recurrent layers, each reading the states of the one below.
        hidden_size: H, units in each layer.
        tied: the embedding table serves as the softmax's weights, too (Press & Wolf 2017).
        vector_size: width of the embeddings; None: H, which tied weights need.
        samples: how many words a step of a sampled softmax draws; None computes the full softmax.
        dropout: share of the states dropped between layers and before the softmax; a sequence has one mask in all steps
            of a window (locked: Gal & Ghahramani 2016).
        embedding_dropout: share of the numbers of each word's vector dropped, the same wherever the word stands in the
            window.
        weight_drop: share of the recurrent weights dropped in a window (weight-drop: Merity et al. 2018).
        batch_size: into how many streams the text is cut, which are read side by side.
        window: steps between two updates. Gradients stop at its start (truncated backpropagation through time), the
            state is carried on.
        optimizer: ``adam`` or ``sgd``.
        learning_rate: at its peak; None: 0.003 for Adam, 20 for SGD (whose gradient is the mean over all tokens).
        schedule: after the warm-up the rate falls ``linear`` to 0, stays ``constant``, or is divided by 4 whenever an
            epoch is no better on the development text (``plateau``).
        warmup_steps: steps until the peak, though never more than a fifth of all.
        clip_norm: the largest global norm of a step's gradient.
        epochs: passes over the text; the one that is best on the development text is kept.
        patience: stop after so many epochs without a better one; None trains them all.
        min_count: rarer words count as ``<unk>``.
        max_vocabulary: keep the most frequent words alone; None keeps all.
        validation_fraction: share of the lines, the last ones, split off as development text where none is given; 0
            keeps the last epoch.
        tokenizer: how a line is cut into words, a name in ``corpora.TOKENIZERS``; characters need none.
        lowercase: lower-case the text first.
        seed: every random choice follows from it.

    Example:
        >>> LanguageModelSettings(hidden_size=200, vector_size=100).validate()
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: tied weights need vectors as wide as the states, got vector_size 100 and \
hidden_size 200; leave vector_size out, or untie them
    """

    unit: str = "word"
    cell: str = "lstm"
    reset: str = "after"
    layers: int = 1
    hidden_size: int = 256
    tied: bool = True
    vector_size: int | None = None
    samples: int | None = None
    dropout: float = 0.3
    embedding_dropout: float = 0.1
    weight_drop: float = 0.0
    batch_size: int = 20
    window: int = 35
    optimizer: str = "adam"
    learning_rate: float | None = None
    schedule: str = "linear"
    warmup_steps: int = 50
    clip_norm: float = 1.0
    epochs: int = 10
    patience: int | None = None
    min_count: int = 1
    max_vocabulary: int | None = None
    validation_fraction: float = 0.05
    tokenizer: str = "whitespace"
    lowercase: bool = False
    seed: int = 1

    @property
    def width(self) -> int:
        """E, the width of the embeddings."""
        return self.hidden_size if self.vector_size is None else self.vector_size

    @property
    def peak_rate(self) -> float:
        """The highest learning rate."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 0.003 if self.optimizer == "adam" else 20.0

    def validate(self) -> "LanguageModelSettings":
        """Return self.

        Raises:
            InputError: a value is outside its range; the message says the rule and the value.
        """
        choices = {"unit": UNITS, "cell": CELLS, "reset": RESETS, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
        for name, allowed in choices.items():
            check_choice(name, getattr(self, name), allowed)
        for name in ("layers", "hidden_size", "batch_size", "window", "epochs", "min_count"):
            check_whole(name, getattr(self, name), 1)
        for name in ("vector_size", "samples", "patience"):
            if getattr(self, name) is not None:
                check_whole(name, getattr(self, name), 1)
        for name in ("warmup_steps", "seed"):
            check_whole(name, getattr(self, name), 0)
        if self.max_vocabulary is not None:
            check_whole("max_vocabulary", self.max_vocabulary, 3)
        for name in ("peak_rate", "clip_norm"):
            value = getattr(self, name)
            check_number(name.replace("peak", "learning"), value, above=0)
        for name in ("dropout", "embedding_dropout", "weight_drop", "validation_fraction"):
            check_number(name, getattr(self, name), least=0, below=1)
        get_tokenizer(self.tokenizer)
        if self.tied and self.width != self.hidden_size:
            raise InputError(
                f"tied weights need vectors as wide as the states, got vector_size {self.width} and hidden_size "
                f"{self.hidden_size}; leave vector_size out, or untie them"
            )
        return self

    def as_dict(self) -> dict[str, Any]:
        """What JSON can write."""
        return {name: getattr(value, "item", lambda value=value: value)() for name, value in asdict(self).items()}
