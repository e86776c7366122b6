"""Settings of a sequence tagger."""

from seqclf.layers.choices import HEADS
from seqclf.training.settings import NetworkSettings, character_setting
from wordvec.system.settings import setting, settings_class


@settings_class
class TaggerSettings(NetworkSettings):
    """Settings of a sequence tagger and of its training.

    Token shapes are those of tokens as written, whatever ``lowercase`` is.

    Example:
        >>> TaggerSettings(head="viterbi")
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: head must be one of crf, softmax, got 'viterbi'
    """

    dropout: float = setting(
        "Dropout probability of the inputs and of the head's inputs.", default=0.33, least=0, below=1
    )
    head: str | None = setting(
        "Predict each tag on its own (softmax), or the best tag sequence (crf, a conditional random field).",
        default=None,
        choices=HEADS,
        none="crf for tags of spans (BIO, BIOES), else softmax",
    )
    invalid_tags: bool = setting(
        "Let a CRF predict invalid tag sequences of span schemes (BIO, BIOES), such as I-X after O.",
        default=False,
        detail="If the training tags have such transitions, they are valid for the model in any case.",
        added="0.3",
    )
    character_size: int = character_setting(0)
    feature_size: int = setting(
        "Dimensions of the learned vectors of a token's prefix, suffix and shape.", default=64, least=1
    )
    feature_min_count: int = setting(
        "Rarer prefixes, suffixes and shapes, counted by distinct tokens, are unknown.", default=2, least=1
    )
    word_dropout: float = setting(
        "Probability that a word is unknown in a training step.",
        default=0.1,
        detail="So that the network learns to tag by prefix, suffix, shape and context.",
        least=0,
        below=1,
    )
