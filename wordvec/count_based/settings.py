"""Settings of the count-based models."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from wordvec.errors import InputError
from wordvec.system.validation import check_choice, check_number, check_whole

MOST_REACH = (1 << 15) - 1
"""A window reaches no further; the kernels' own number."""


@dataclass(frozen=True)
class CooccurrenceSettings:
    """What is counted. Nothing here depends on the machine.

    Attributes:
        window: contexts stand at most so far from their word, and in its sentence.
        contexts: "both" sides of the word, which makes the matrix symmetric, or the "left" or "right" one alone.
        window_weights: what a context at distance d counts: "harmonic" 1 / d (Pennington et al. 2014, section 4.2),
            "flat" 1, or "dynamic" (window + 1 - d) / window, as word2vec's random windows do on average (Levy et al.
            2015, section 3.1).
        subsample: frequent tokens are dropped as in word2vec, with probability 1 - sqrt(t/f) - t/f; 0 drops none.
        subsample_mode: "dirty" drops them before windows are made, which then reach further, as word2vec does; "clean"
            leaves their places (Levy et al. 2015, section 3.1).
        seed: of the draws of subsampling.
    """

    window: int = 15
    contexts: str = "both"
    window_weights: str = "harmonic"
    subsample: float = 0.0
    subsample_mode: str = "dirty"
    seed: int = 1

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            InputError: one is out of range.
        """
        check_choice("contexts", self.contexts, ("both", "left", "right"))
        check_choice("window_weights", self.window_weights, ("harmonic", "flat", "dynamic"))
        check_choice("subsample_mode", self.subsample_mode, ("dirty", "clean"))
        for name, least in (("window", 1), ("seed", 0)):
            object.__setattr__(self, name, check_whole(name, getattr(self, name), least))
        object.__setattr__(self, "subsample", check_number("subsample", self.subsample, least=0))
        if self.window > MOST_REACH:
            raise InputError(f"window must be at most {MOST_REACH:,}, got {self.window:,}")

    def record(self, model: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """How vectors are made of such counts, as their file says it: by which model, with what ``chosen`` for it."""
        return {"model": model, **chosen, "cooccurrence": asdict(self)}


@dataclass(frozen=True)
class SvdSettings:
    """What decides the vectors, given the counts. Nothing here depends on the machine.

    Attributes:
        vector_size: D.
        weighting, smoothing, shift: what the counts are replaced by before, see ``association_matrix``.
        exponent: vectors are U S^exponent: 0.5 or 0 serve words better than 1, the singular values as they are (Levy,
            Goldberg & Dagan 2015, section 3.3).
        add_contexts: whether a word's vector is the sum of its two sides, w + c, or its own side alone.
        iterations, oversampling: of the decomposition, see ``truncated_svd``.
        seed: of the decomposition.
    """

    vector_size: int = 100
    weighting: str = "ppmi"
    smoothing: float | None = None
    shift: float = 1.0
    exponent: float = 0.5
    add_contexts: bool = False
    iterations: int = 3
    oversampling: int = 10
    seed: int = 1
    model: ClassVar[str] = "svd"

    def __post_init__(self) -> None:
        """Check every setting but those of the weighting, which ``association_matrix`` knows.

        Raises:
            InputError: one is out of range.
        """
        for name, least in (("vector_size", 1), ("iterations", 0), ("oversampling", 0), ("seed", 0)):
            object.__setattr__(self, name, check_whole(name, getattr(self, name), least))
        object.__setattr__(self, "exponent", check_number("exponent", self.exponent, least=0))
        if self.add_contexts not in (True, False):
            raise InputError(f"add_contexts must be True or False, got {self.add_contexts!r}")


@dataclass(frozen=True)
class GloveSettings:
    """What decides the vectors, given the counts. Nothing here depends on the machine.

    The defaults are those of the authors' program, with the x_max that its example has for a text of 17 million words;
    the paper's 100 is for billions (on 100 MB of Wikipedia, 5 epochs: 27 % of the analogies with 10, 6 % with 100).

    Attributes:
        vector_size: D.
        epochs: times all counts are gone through.
        learning_rate: AdaGrad's; a gradient times this is divided by the root of 1 + the sum of their squares so far.
        x_max: counts from here on weigh 1, smaller ones (x / x_max)^alpha (eq. 9).
        alpha: see there.
        add_contexts: whether a word's vector is the sum of its two sides, w + c, or its own side alone.
        seed: of the first vectors and of the order of the counts.
    """

    vector_size: int = 100
    epochs: int = 25
    learning_rate: float = 0.05
    x_max: float = 10.0
    alpha: float = 0.75
    add_contexts: bool = True
    seed: int = 1
    model: ClassVar[str] = "glove"

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            InputError: one is out of range.
        """
        for name, least in (("vector_size", 1), ("epochs", 1), ("seed", 0)):
            object.__setattr__(self, name, check_whole(name, getattr(self, name), least))
        for name in ("learning_rate", "x_max"):
            object.__setattr__(self, name, check_number(name, getattr(self, name), above=0))
        object.__setattr__(self, "alpha", check_number("alpha", self.alpha, least=0))
        if self.add_contexts not in (True, False):
            raise InputError(f"add_contexts must be True or False, got {self.add_contexts!r}")
