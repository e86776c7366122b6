"""Settings that several tasks share, as frozen dataclasses; the defaults are what measured best."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from corpora import get_tokenizer
from seqclf.layers.choices import CELLS, MERGES, POOLINGS, RESETS
from wordvec import InputError, check_choice, check_number, check_whole


@dataclass(frozen=True)
class NetworkSettings:
    """How a recurrent net over words is built and trained; what a classifier and a tagger have in common.

    Attributes:
        cell: the recurrent cell: ``rnn``, ``gru`` or ``lstm``.
        reset: where a GRU's reset gate acts: ``after`` the product with the weights (cuDNN, PyTorch) or ``before`` it
            (Cho et al. 2014).
        bidirectional: read every text from both ends.
        merge: how two directions become one state: ``concatenate``, ``sum``, ``average`` or ``multiply``.
        layers: recurrent layers, each reading the states of the one below.
        hidden_size: units in each direction.
        dropout: share of the inputs (by distinct token and batch) and of what the head sees, dropped in training.
        layer_dropout: share of a layer's states that the next layer does not see in training.
        locked_dropout: drop the same units of a text in all its steps, or others in each.
        weight_drop: share of the recurrent weights that is dropped in a training step (Merity et al. 2017).
        zoneout: chance of a unit to keep its state in a step of training (Krueger et al. 2017).
        zoneout_cell: the same for an LSTM's cell.
        batch_size: texts a step.
        learning_rate: Adam's rate at its peak: reached after ``warmup_steps``, then falling linearly to 0.
        warmup_steps: steps until the peak, though never more than a fifth of all.
        epochs: passes over the texts; the one with the best accuracy on the development texts is kept.
        patience: stop after so many epochs without a better one; None trains them all.
        clip_norm: the largest global norm of a step's gradient.
        vector_size: width of random embeddings; pretrained vectors bring their own.
        vector_scale: the standard deviation pretrained vectors are scaled to; 0 keeps them as they are. Random
            embeddings have it when frozen; tuned ones start with 0.1, and at zero beside pretrained ones.
        tune_vectors: train the embeddings along; False freezes them.
        keep_vectors: how many pretrained vectors of words that training never saw are kept for prediction, the first
            rows first.
        min_count: rarer words of the training texts count as unknown, unless they have a pretrained vector.
        validation_fraction: share of the texts split off to choose the epoch by, where no development texts are given;
            0 keeps the last epoch.
        lowercase: lower-case words before they are looked up; None does as the vectors did, or yes without vectors.
        seed: every random choice follows from it.
    """

    cell: str = "lstm"
    reset: str = "after"
    bidirectional: bool = True
    merge: str = "concatenate"
    layers: int = 1
    hidden_size: int = 128
    dropout: float = 0.5
    layer_dropout: float = 0.0
    locked_dropout: bool = True
    weight_drop: float = 0.0
    zoneout: float = 0.0
    zoneout_cell: float = 0.0
    batch_size: int = 16
    learning_rate: float = 2e-3
    warmup_steps: int = 50
    epochs: int = 10
    patience: int | None = None
    clip_norm: float = 5.0
    vector_size: int = 100
    vector_scale: float = 0.35
    tune_vectors: bool = True
    keep_vectors: int = 100_000
    min_count: int = 1
    validation_fraction: float = 0.1
    lowercase: bool | None = None
    seed: int = 1

    def validate(self) -> Self:
        """Return self.

        Raises:
            InputError: a value is outside its range; the message says the rule and the value.
        """
        for name, choices in (("cell", CELLS), ("reset", RESETS), ("merge", MERGES)):
            check_choice(name, getattr(self, name), choices)
        for name in ("layers", "hidden_size", "batch_size", "epochs", "vector_size", "min_count"):
            check_whole(name, getattr(self, name), 1)
        for name in ("warmup_steps", "keep_vectors", "seed"):
            check_whole(name, getattr(self, name), 0)
        if self.patience is not None:
            check_whole("patience", self.patience, 1)
        for name in ("learning_rate", "clip_norm"):
            check_number(name, getattr(self, name), above=0)
        check_number("vector_scale", self.vector_scale, least=0)
        shares = ("dropout", "layer_dropout", "weight_drop", "zoneout", "zoneout_cell", "validation_fraction")
        for name in shares:
            check_number(name, getattr(self, name), least=0, below=1)
        for name in ("bidirectional", "locked_dropout", "tune_vectors"):
            if getattr(self, name) not in (True, False):
                raise InputError(f"{name} must be True or False, got {getattr(self, name)!r}")
        if self.lowercase not in (None, True, False):
            raise InputError(f"lowercase must be None, True or False, got {self.lowercase!r}")
        return self

    def encoder_options(self) -> dict[str, Any]:
        """What an ``EncoderShape`` asks besides the sizes of its inputs."""
        names = ("cell", "reset", "bidirectional", "merge", "layers", "hidden_size")
        shares = {name: float(getattr(self, name)) for name in ("zoneout", "zoneout_cell")}
        return {name: getattr(self, name) for name in names} | shares

    def as_dict(self) -> dict[str, Any]:
        """What JSON can write."""
        return {name: plain_value(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class PooledSettings(NetworkSettings):
    """How a network that pools a text's states is built and trained; shared by classifiers and regressors.

    Attributes:
        pooling: what stands for a text: the ``max`` or ``mean`` of its states, each direction's ``last``, or their mean
            weighted by ``attention``, a small net of its own (Yang et al. 2016).
        tokenizer: a name in ``corpora.TOKENIZERS``; None takes the vectors' own, or ``words`` without vectors.

    All others: see ``NetworkSettings``. Dropout is that of the embeddings and of the pooled state.
    """

    pooling: str = "max"
    tokenizer: str | None = None

    def validate(self) -> Self:
        super().validate()
        check_choice("pooling", self.pooling, POOLINGS)
        if self.tokenizer is not None:
            get_tokenizer(self.tokenizer)
        return self


def plain_value(value: Any) -> Any:
    """Return a NumPy scalar as a Python number, and everything else unchanged."""
    return value.item() if hasattr(value, "item") else value
