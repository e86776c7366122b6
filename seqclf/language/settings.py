"""Settings of a language model."""

from corpora import TOKENIZERS
from seqclf.training.settings import (
    OPTIMIZERS,
    SCHEDULES,
    cell_setting,
    freeze_setting,
    normalize_setting,
    patience_setting,
    reset_setting,
    warmup_setting,
)
from wordvec import InputError
from wordvec.system.settings import Settings, setting, settings_class

UNITS = ("character", "word")
SOFTMAXES = ("full", "adaptive")


@settings_class
class LanguageModelSettings(Settings):
    """Settings of a language model and of its training.

    Example:
        >>> LanguageModelSettings(hidden_size=200, vector_size=100, tied=True)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: tied weights need vectors as wide as the states, got vector_size 100 and \
hidden_size 200; leave vector_size out, or untie them
    """

    unit: str = setting(
        "What is predicted: words, with <eos> at each line's end, or characters.", default="word", choices=UNITS
    )
    cell: str = cell_setting()
    reset: str = reset_setting()
    layers: int = setting("Stacked recurrent layers.", default=1, least=1)
    hidden_size: int | None = setting(
        "H, the hidden units per layer.",
        default=None,
        least=1,
        none="256 for texts of at least 200,000 tokens, else 128",
        metavar="N",
    )
    tied: bool | None = setting(
        "Tie the input embeddings and the softmax weights.",
        default=None,
        detail="Press & Wolf 2017.",
        none="tied for texts of at least 200,000 tokens",
        flags="--tied/--untied",
    )
    vector_size: int | None = setting(
        "Dimensions of the embeddings; tied weights need as many as hidden units.",
        default=None,
        least=1,
        none="hidden_size",
        metavar="N",
    )
    samples: int | None = setting(
        "Sampled softmax over N words per step.", default=None, least=1, none="the full softmax", metavar="N"
    )
    softmax: str | None = setting(
        "Softmax over all words at once (full), or adaptive: rare words in clusters of fewer dimensions.",
        default=None,
        detail="Grave et al. 2017; words by frequency, untied weights.",
        choices=SOFTMAXES,
        none="full; adaptive for vocabularies above 30,000 words",
        added="0.3",
    )
    dropout: float | None = setting(
        "Dropout probability between layers and before the softmax.",
        default=None,
        detail="A stream has one mask in all steps of a window (Gal & Ghahramani 2016).",
        least=0,
        below=1,
        none="0.3; 0.1 for vocabularies below 1,000",
        metavar="RATE",
    )
    embedding_dropout: float | None = setting(
        "Dropout probability of the embeddings.",
        default=None,
        detail="The mask of a word is the same throughout a window.",
        least=0,
        below=1,
        none="0.1; 0 for vocabularies below 1,000",
        metavar="RATE",
    )
    weight_drop: float = setting(
        "Dropout probability of the recurrent weights.", default=0.0, detail="Merity et al. 2018.", least=0, below=1
    )
    batch_size: int | None = setting(
        "Streams that the text is cut into and that are read in parallel.",
        default=None,
        least=1,
        none="1 for each 1,500 tokens, at most 20",
        metavar="N",
    )
    window: int = setting(
        "Steps of truncated backpropagation through time; the state carries over to the next window.",
        default=35,
        least=1,
    )
    optimizer: str = setting("Optimizer.", default="adam", choices=OPTIMIZERS)
    learning_rate: float | None = setting(
        "Peak learning rate.",
        default=None,
        detail="The gradient is the mean over all tokens.",
        above=0,
        none="0.003 for texts of at least 200,000 tokens, else 0.005; sgd: 20",
        metavar="RATE",
    )
    schedule: str = setting(
        "After the warm-up the rate falls to 0 along a line or half a cosine wave, stays constant, or is divided by 4 "
        "after an epoch that is no better on the validation text (plateau).",
        default="linear",
        choices=SCHEDULES,
    )
    freeze: str | None = freeze_setting()
    warmup_steps: int = warmup_setting()
    clip_norm: float = setting("Maximum global norm of a gradient.", default=1.0, above=0)
    epochs: int = setting("Passes over the text; the best epoch on the validation text is kept.", default=10, least=1)
    patience: int | None = patience_setting()
    min_count: int = setting("Rarer tokens count as <unk>.", default=1, least=1)
    max_vocabulary: int | None = setting(
        "Keep the N most frequent tokens only.", default=None, least=3, none="all", metavar="N"
    )
    validation_fraction: float = setting(
        "Share of the lines, the last ones, split off as validation text if none is given; 0 keeps the last epoch.",
        default=0.05,
        least=0,
        below=1,
    )
    tokenizer: str = setting("Tokenizer; characters need none.", default="whitespace", choices=tuple(TOKENIZERS))
    lowercase: bool = setting("Lower-case the text first.", default=False, flags="--lowercase")
    normalize: str = normalize_setting()
    seed: int = setting("Random seed; runs with the same seed are reproducible.", default=1, least=0)

    @staticmethod
    def training_lines(lines: int, held_out: float) -> int:
        """Return how many of the lines, the first ones, are left for training if a share is held out.

        Example:
            >>> LanguageModelSettings.training_lines(60, 0.05)
            57
        """
        return lines - round(held_out * lines)

    def _check(self) -> None:
        if self.softmax == "adaptive" and self.tied:
            raise InputError(
                "an adaptive softmax cannot be tied to the embeddings; use softmax full, or untied weights"
            )
        if self.softmax == "adaptive" and self.samples is not None:
            raise InputError(f"softmax must be full to sample words, got adaptive and samples {self.samples}")
        if self.tied and self.hidden_size and self.vector_size not in (None, self.hidden_size):
            raise InputError(
                f"tied weights need vectors as wide as the states, got vector_size {self.vector_size} and hidden_size "
                f"{self.hidden_size}; leave vector_size out, or untie them"
            )
