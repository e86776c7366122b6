"""Settings of sequence-to-sequence models."""

from seqclf.layers.choices import ATTENTIONS
from seqclf.training.settings import (
    NetworkSettings,
    cell_setting,
    freeze_setting,
    normalize_setting,
    optimizer_setting,
    patience_setting,
    reset_setting,
    schedule_setting,
    warmup_setting,
)
from wordvec import InputError
from wordvec.system.settings import Settings, setting, settings_class

UNITS = ("words", "characters", "spaces")
SCORES = ("loss", "exact", "edit")


@settings_class
class VectorTransducerSettings(Settings):
    """Settings of a decoder, and of its training on pairs of a vector and a target.

    Example:
        >>> VectorTransducerSettings(hidden_size=200, tied_embeddings=True)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: tied embeddings are as wide as the states, got target_vector_size 128 and \
hidden_size 200; set both alike, or untie them
    """

    cell: str = cell_setting()
    reset: str = reset_setting()
    layers: int = setting("Stacked recurrent layers, of the encoder and of the decoder.", default=1, least=1)
    hidden_size: int = setting(
        "H, the hidden units of the decoder, and of each direction of the encoder.", default=256, least=1
    )
    target_units: str = setting(
        "Units of a target: words (of the tokenizer words), characters, or what spaces separate.",
        default="characters",
        choices=UNITS,
    )
    target_vector_size: int = setting(
        "Dimensions of the embeddings of target units.", default=128, least=1, metavar="N"
    )
    input_feeding: bool = setting(
        "The decoder also reads its attentional state of the step before.",
        default=True,
        detail="Luong et al. 2015, section 3.3.",
        flags="--input-feeding/--no-input-feeding",
    )
    tied_embeddings: bool = setting(
        "Tie the target embeddings and the softmax weights; both then have H dimensions.",
        default=False,
        detail="Press & Wolf 2017.",
        flags="--tied-embeddings/--untied-embeddings",
    )
    label_smoothing: float = setting(
        "Share of the target distribution that is uniform over all units.",
        default=0.1,
        detail="Szegedy et al. 2016.",
        least=0,
        below=1,
    )
    scheduled_sampling: float = setting(
        "Probability, in the last step, that the decoder reads its own prediction instead of the unit before; it "
        "rises linearly from 0.",
        default=0.0,
        detail="Bengio et al. 2015; in two parallel passes (Mihaylova & Martins 2019).",
        least=0,
        below=1,
    )
    dropout: float = setting(
        "Dropout probability of the embeddings and of the softmax's inputs.",
        default=0.3,
        detail="Embeddings are dropped by distinct unit and batch; with 1,000 target units and more, 32 inputs of the "
        "softmax share a mask.",
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
    batch_size: int | None = setting(
        "Pairs per step.",
        default=None,
        least=1,
        none="16; 8 for fewer than 2,000 pairs, 32 from 20,000 on",
        metavar="N",
    )
    learning_rate: float = setting("Peak learning rate, reached after warmup_steps.", default=1e-3, above=0)
    warmup_steps: int = warmup_setting()
    epochs: int | None = setting(
        "Passes over the training data; the best epoch on the validation data is kept.",
        default=None,
        least=1,
        none="30; 60 for fewer than 2,000 pairs, 12 from 20,000 on",
        metavar="N",
    )
    patience: int | None = patience_setting()
    clip_norm: float = setting("Maximum global norm of a gradient.", default=5.0, above=0)
    optimizer: str = optimizer_setting()
    schedule: str = schedule_setting()
    freeze: str | None = freeze_setting()
    target_min_count: int = setting("Rarer units of the targets are unknown.", default=1, least=1)
    choose_by: str = setting(
        "What chooses the epoch on the validation data: the loss, the share of exact predictions, or the edit distance "
        "of greedy predictions.",
        default="edit",
        choices=SCORES,
    )
    validation_fraction: float = setting(
        "Share of the training data split off as validation data if none are given; 0 keeps the last epoch.",
        default=0.1,
        least=0,
        below=1,
    )
    seed: int = setting("Random seed; runs with the same seed are reproducible.", default=1, least=0)

    def _check(self) -> None:
        if self.tied_embeddings and self.target_vector_size != self.hidden_size:
            raise InputError(
                f"tied embeddings are as wide as the states, got target_vector_size {self.target_vector_size} and "
                f"hidden_size {self.hidden_size}; set both alike, or untie them"
            )


@settings_class
class TransducerSettings(VectorTransducerSettings, NetworkSettings):
    """Settings of a sequence-to-sequence model and of its training.

    The decoder has as many layers and units as one direction of the encoder.

    Example:
        >>> TransducerSettings(attention="dot")
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: dot attention compares states of the decoder and the encoder, which concatenates \
two directions; use attention general, or merge sum
    """

    source_units: str = setting(
        "Units of a source: words (of the tokenizer words), characters, or what spaces separate.",
        default="characters",
        choices=UNITS,
    )
    attention: str = setting(
        "Attention: general or dot (Luong et al. 2015), or additive (Bahdanau et al. 2015).",
        default="general",
        choices=ATTENTIONS,
    )
    vector_size: int = setting(
        "Dimensions of random embeddings of source units; pretrained vectors bring their own.", default=128, least=1
    )
    min_count: int = setting(
        "Rarer units of the sources are unknown, unless they have a pretrained vector.", default=1, least=1
    )
    lowercase: bool = setting("Lower-case the sources first.", default=False, flags="--lowercase/--keep-case")
    normalize: str = normalize_setting("NFD", detail="; NFD separates them, and the letters of Korean syllables")

    def _check(self) -> None:
        super()._check()
        if self.attention == "dot" and self.bidirectional and self.merge == "concatenate":
            raise InputError(
                "dot attention compares states of the decoder and the encoder, which concatenates two directions; "
                "use attention general, or merge sum"
            )
