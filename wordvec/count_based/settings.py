"""Settings of the count-based models."""

from collections.abc import Mapping
from typing import Any, ClassVar

from wordvec.system.settings import Settings, setting, settings_class

MAX_WINDOW = (1 << 15) - 1
"""The largest window; a limit of the kernels."""

WEIGHTINGS = ("ppmi", "npmi", "log", "conditional", "count")
"""Association measures, see ``association_matrix``."""


@settings_class
class CooccurrenceSettings(Settings):
    """Settings of co-occurrence counting: together with the corpus they decide the counts, whatever the machine."""

    window: int = setting(
        "Maximum distance between a word and its context words.",
        default=15,
        detail="Windows end with the sentence.",
        least=1,
        most=MAX_WINDOW,
    )
    contexts: str = setting(
        "Context words on both sides (a symmetric matrix), or on one side.",
        default="both",
        choices=("both", "left", "right"),
    )
    window_weights: str = setting(
        "Weight of a context word at distance d: 1 / d, (window + 1 - d) / window, or 1.",
        default="harmonic",
        detail="Harmonic: Pennington et al. 2014, section 4.2; dynamic, the average of word2vec's random windows: Levy "
        "et al. 2015, section 3.1.",
        choices=("harmonic", "dynamic", "flat"),
    )
    subsample: float = setting(
        "Drop a token of relative frequency f with probability 1 - sqrt(t/f) - t/f; 0 keeps all.", default=0.0, least=0
    )
    subsample_mode: str = setting(
        "Drop subsampled tokens before windows are formed, which then reach further, or keep their places (clean).",
        default="dirty",
        detail="word2vec does the former (Levy et al. 2015, section 3.1).",
        choices=("dirty", "clean"),
    )
    seed: int = setting("Random seed of subsampling.", default=1, least=0)

    def file_record(self, model: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of vectors made from such counts, as their file holds them.

        Args:
            model: how they were made from the counts.
            chosen: the settings of that model.
        """
        return {"model": model, **chosen, "cooccurrence": self.record()}


@settings_class
class SvdSettings(Settings):
    """Settings of truncated SVD: together with the counts they decide the vectors, whatever the machine."""

    vector_size: int = setting("D, the number of dimensions.", default=100, least=1)
    weighting: str = setting("Association measure that replaces the counts.", default="ppmi", choices=WEIGHTINGS)
    smoothing: float | None = setting(
        "PPMI, NPMI: context counts are raised to this power.", default=None, none="0.75; NPMI 1"
    )
    shift: float = setting("PPMI: subtract the logarithm of this.", default=1.0)
    exponent: float = setting(
        "Vectors are U S^exponent.",
        default=0.5,
        detail="0.5 or 0 suit words better than 1, the singular values as they are (Levy, Goldberg & Dagan 2015, "
        "section 3.3).",
        least=0,
    )
    add_contexts: bool = setting("Sum a word's two vectors, w + c, instead of using its own only.", default=False)
    iterations: int = setting("Power iterations of the randomized decomposition.", default=3, least=0)
    oversampling: int = setting("Extra dimensions of the randomized decomposition.", default=10, least=0)
    seed: int = setting("Random seed of the decomposition.", default=1, least=0)
    model: ClassVar[str] = "svd"


@settings_class
class GloveSettings(Settings):
    """Settings of GloVe: together with the counts they decide the vectors, whatever the machine.

    The defaults are those of the authors' program, with the x_max that its example has for a text of 17 million words;
    the paper's 100 is for billions (on 100 MB of Wikipedia, 5 epochs: 27 % of the analogies with 10, 6 % with 100).
    """

    vector_size: int = setting("D, the number of dimensions.", default=100, least=1)
    epochs: int = setting("Passes over the counts.", default=25, least=1)
    learning_rate: float = setting(
        "AdaGrad's rate.",
        default=0.05,
        detail="A gradient times this is divided by the root of 1 + the sum of its squares so far.",
        above=0,
    )
    x_max: float = setting(
        "Counts from here on weigh 1, smaller ones (x / x_max)^alpha (eq. 9).", default=10.0, above=0
    )
    alpha: float = setting("Exponent of the weight of smaller counts (eq. 9).", default=0.75, least=0)
    add_contexts: bool = setting("Sum a word's two vectors, w + c, instead of using its own only.", default=True)
    seed: int = setting("Random seed of the initial vectors and of the order of the counts.", default=1, least=0)
    model: ClassVar[str] = "glove"
