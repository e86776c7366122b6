"""The settings of a tagger."""

from dataclasses import dataclass
from typing import Self

from seqclf.layers.choices import HEADS
from seqclf.training.settings import NetworkSettings
from wordvec import check_choice, check_number, check_whole


@dataclass(frozen=True)
class TaggerSettings(NetworkSettings):
    """How a tagger is built and trained.

    Attributes:
        head: ``softmax`` chooses each token's tag alone; ``crf`` those of a sentence together, by the best path.
        feature_size: width of the learnt vectors of tokens' beginnings, endings and shapes.
        feature_min_count: rarer ones, counted by distinct tokens, are unknown.
        word_dropout: share of a batch's distinct tokens whose word is unknown in training, so that the net learns to
            tell tags by beginning, ending, shape and neighbours.

    All others: see ``NetworkSettings``, where texts are sentences. Shapes are those of tokens as written, whatever
    ``lowercase`` says.

    Example:
        >>> TaggerSettings(head="viterbi").validate()
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: head must be one of crf, softmax, got 'viterbi'
    """

    dropout: float = 0.33
    head: str = "softmax"
    feature_size: int = 64
    feature_min_count: int = 2
    word_dropout: float = 0.1

    def validate(self) -> Self:
        super().validate()
        check_choice("head", self.head, HEADS)
        for name in ("feature_size", "feature_min_count"):
            check_whole(name, getattr(self, name), 1)
        check_number("word_dropout", self.word_dropout, least=0, below=1)
        return self
