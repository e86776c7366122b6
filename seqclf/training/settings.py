"""Settings that several tasks share; the defaults are what measured best."""

from typing import Any

from corpora import TOKENIZERS
from corpora.normalization import FORMS
from seqclf.layers.choices import CELLS, MERGES, POOLINGS, RESETS
from wordvec.system.settings import Settings, setting, settings_class

DEFAULT_TOKENIZER = "words"
OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("constant", "cosine", "linear", "plateau")


# Fields that the settings of every network have, also of those that are not ``NetworkSettings``.


def cell_setting() -> Any:
    return setting("Recurrent cell.", default="lstm", choices=CELLS)


def reset_setting() -> Any:
    return setting(
        "GRU: apply the reset gate after the product with the weights, or before.",
        default="after",
        detail="After: cuDNN, PyTorch; before: Cho et al. 2014.",
        choices=RESETS,
    )


def warmup_setting() -> Any:
    return setting("Steps of linear warm-up, at most a fifth of all.", default=50, least=0)


def optimizer_setting() -> Any:
    return setting(
        "Optimizer; sgd needs a much higher learning rate than adam.", default="adam", choices=OPTIMIZERS, added="0.3"
    )


def schedule_setting() -> Any:
    return setting(
        "After the warm-up the learning rate falls to 0 along a line or half a cosine wave, stays constant, or is "
        "divided by 4 after an epoch that is no better on the validation data (plateau).",
        default="linear",
        choices=SCHEDULES,
        added="0.3",
    )


def freeze_setting() -> Any:
    return setting(
        "Parameters that training leaves as they are: names that the summary lists, or their beginnings, such as "
        "layers.0, separated by commas.",
        default=None,
        none="none",
        metavar="NAMES",
        added="0.3",
    )


def normalize_setting(*more: str, detail: str = "") -> Any:
    return setting(
        "Unicode normalization of the text first.",
        default="NFC",
        choices=(*FORMS, *more),
        detail=f"NFC composes letters and accents; NFKC also replaces ligatures and wide forms{detail}.",
        earlier="none",
    )


def character_setting(default: int) -> Any:
    return setting(
        "Hidden units per direction of an LSTM over the characters of each word, whose last states are appended to the "
        "word's vector; 0 for none.",
        default=default,
        detail="For unknown and misspelled words; Lample et al. 2016.",
        least=0,
        added="0.3",
    )


def patience_setting() -> Any:
    return setting("Stop after N epochs without a better one.", default=None, least=1, none="never", metavar="N")


@settings_class
class NetworkSettings(Settings):
    """Settings of a recurrent network over words, and of its training."""

    cell: str = cell_setting()
    reset: str = reset_setting()
    bidirectional: bool = setting(
        "Read in both directions, or forward only.", default=True, flags="--bidirectional/--one-way"
    )
    merge: str = setting(
        "How the hidden states of the two directions are merged.", default="concatenate", choices=MERGES
    )
    layers: int = setting("Stacked recurrent layers.", default=1, least=1)
    hidden_size: int = setting("H, the hidden units per direction.", default=128, least=1)
    dropout: float = setting(
        "Dropout probability of the inputs and of the head's inputs.",
        default=0.5,
        detail="Inputs are dropped by distinct token and batch.",
        least=0,
        below=1,
    )
    layer_dropout: float = setting("Dropout probability between layers.", default=0.0, least=0, below=1)
    locked_dropout: bool = setting(
        "Between layers: drop the same units in all steps of a sequence, or others in each.",
        default=True,
        detail="Gal & Ghahramani 2016.",
        flags="--locked-dropout/--free-dropout",
    )
    weight_drop: float = setting(
        "Dropout probability of the recurrent weights.", default=0.0, detail="Merity et al. 2018.", least=0, below=1
    )
    zoneout: float = setting(
        "Zoneout probability of the hidden state.", default=0.0, detail="Krueger et al. 2017.", least=0, below=1
    )
    zoneout_cell: float = setting("Zoneout probability of an LSTM's cell.", default=0.0, least=0, below=1)
    batch_size: int = setting("Sequences per step.", default=16, least=1)
    learning_rate: float = setting("Peak learning rate, reached after warmup_steps.", default=2e-3, above=0)
    warmup_steps: int = warmup_setting()
    epochs: int = setting(
        "Passes over the training data; the best epoch on the validation data is kept.", default=10, least=1
    )
    patience: int | None = patience_setting()
    clip_norm: float = setting("Maximum global norm of a gradient.", default=5.0, above=0)
    optimizer: str = optimizer_setting()
    schedule: str = schedule_setting()
    freeze: str | None = freeze_setting()
    vector_size: int = setting(
        "Dimensions of random embeddings; pretrained vectors bring their own.", default=100, least=1
    )
    vector_scale: float = setting(
        "Standard deviation that pretrained vectors are scaled to; 0 keeps them as they are.",
        default=0.35,
        detail="Frozen random embeddings have it too; tuned ones start with 0.1, and at zero next to pretrained ones.",
        least=0,
    )
    tune_vectors: bool = setting(
        "Fine-tune the embeddings, or freeze them.", default=True, flags="--tune-vectors/--freeze-vectors"
    )
    keep_vectors: int = setting(
        "Pretrained vectors kept for words that are not in the training data, the most frequent first.",
        default=100_000,
        least=0,
        metavar="N",
    )
    keep_ngrams: int = setting(
        "N-grams kept of pretrained vectors that have any, those of most words first.",
        default=100_000,
        detail="Words without a vector, in training or at prediction, are composed of them.",
        least=0,
        metavar="N",
        added="0.3",
    )
    min_count: int = setting(
        "Rarer words of the training data are unknown, unless they have a pretrained vector.", default=1, least=1
    )
    validation_fraction: float = setting(
        "Share of the training data split off as validation data if none are given; 0 keeps the last epoch.",
        default=0.1,
        least=0,
        below=1,
    )
    lowercase: bool | None = setting(
        "Lower-case words before they are looked up.",
        default=None,
        none="as the vectors; yes without vectors",
        flags="--lowercase/--keep-case",
    )
    normalize: str = normalize_setting()
    seed: int = setting("Random seed; runs with the same seed are reproducible.", default=1, least=0)

    def encoder_options(self) -> dict[str, Any]:
        """Return what an ``EncoderShape`` needs besides the sizes of its inputs."""
        names = ("cell", "reset", "bidirectional", "merge", "layers", "hidden_size", "zoneout", "zoneout_cell")
        return {name: getattr(self, name) for name in names}

    def embedding_options(self) -> dict[str, Any]:
        """Return the keyword arguments of ``build_embedding``."""
        options = {"vector_size": self.vector_size, "scale": self.vector_scale}
        options |= {"min_count": self.min_count, "keep": self.keep_vectors, "keep_ngrams": self.keep_ngrams}
        return options | {"tuned": self.tune_vectors}


@settings_class
class PooledSettings(NetworkSettings):
    """Settings of a network that reads a sequence, pools its hidden states, and predicts from the pooled state."""

    pooling: str = setting(
        "Pooling over time: max, mean, the last state, or attention.",
        default="max",
        detail="Attention is a mean weighted by a small network of its own (Yang et al. 2016).",
        choices=POOLINGS,
    )
    tokenizer: str | None = setting(
        "Tokenizer.", default=None, choices=tuple(TOKENIZERS), none="that of the vectors; words without vectors"
    )
