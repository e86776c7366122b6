"""What decides the vectors: the settings of CBOW and skip-gram, their defaults and their limits."""

from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from wordvec.errors import InputError
from wordvec.system.validation import check_choice, check_number, check_whole

TILE = 4
"""Centres computed at once; the kernels' own number."""

MOST_LANES = 255
"""How many of them touch a row is counted in one byte."""

_RATES = {("skipgram", "sum"): 0.025, ("cbow", "sum"): 0.06, ("cbow", "mean"): 0.075}
_SHARED = {"skipgram": (16, 8), "cbow": (12, 4)}
_MIN_RATE = 1e-4


class _Preset(NamedTuple):
    """What another program does, where that changes the vectors."""

    rates: dict[str, float]
    """The learning rate at the start, by model."""
    least_share: float | None
    """The learning rate at the end as a part of that at the start; None: the usual number."""
    sentence_limit: int
    """Longer sentences are cut into pieces of so many tokens."""
    saturation: str
    """What becomes of a pair whose score lies beyond 6."""
    first_range: float
    """Vectors start uniform between plus and minus this, divided by D."""


# Read in word2vec.c (its MAX_SENTENCE_LENGTH, MAX_EXP, InitNet) and in gensim 4.4 (LineSentence, word2vec_inner.pyx,
# prep_vectors).
_PRESETS = {
    "gensim": _Preset(
        rates={"skipgram": 0.025, "cbow": 0.025},
        least_share=None,
        sentence_limit=10_000,
        saturation="skip",
        first_range=1.0,
    ),
    "word2vec.c": _Preset(
        rates={"skipgram": 0.025, "cbow": 0.05},
        least_share=1e-4,
        sentence_limit=1000,
        saturation="clip",
        first_range=0.5,
    ),
}

_WHOLE = {
    "vector_size": 1, "window": 1, "negatives": 1, "epochs": 1, "seed": 0, "shared_negatives": 1, "block_size": 1,
    "lanes": 1, "lane_tokens": 64,
}  # fmt: skip
"""The whole numbers among the settings, and the least that each may be."""


@dataclass(frozen=True)
class Word2VecSettings:
    """What decides the vectors, given the corpus. Nothing here depends on the machine.

    Attributes:
        model: "skipgram" or "cbow" (Mikolov et al. 2013, arXiv 1301.3781).
        vector_size: D.
        window: contexts stand at most so far from their centre.
        window_weights: "expected" counts a context at distance d by 1 - (d - 1) / window, the probability that the
            random radius of word2vec.c reaches it; "sampled" draws that radius for each centre, as word2vec.c does.
            None: "expected" for skip-gram with shared negatives or full softmax, "sampled" otherwise: CBOW's mean of a
            small window says more of a word than the weighted mean of a large one.
        negatives: K of the objective (arXiv 1310.4546, eq. 4).
        epochs: times the corpus is gone through.
        learning_rate, min_learning_rate: it falls linearly from the first to the second over all epochs. None: 0.025
            for skip-gram, 0.06 for CBOW, 0.075 for CBOW with the mean's gradient; and 0.0001.
        subsample: frequent tokens are kept with probability sqrt(t/f) + t/f; 0 keeps all.
        noise_exponent: negatives are drawn by count to this power.
        cbow_gradient: "sum" passes the gradient of the averaged contexts on to each of them by its weight, as
            word2vec.c and gensim do; "mean" divides it by the sum of the weights, the true gradient.
        seed: of every random draw.
        mode: "reproducible", the same bits at any number of threads, or "hogwild", threads that do not wait.
        shared_negatives: S negatives that a centre is scored with, each weighted K/S. None: 16, for CBOW 12.
        block_size: centres that a negative serves before a new one takes its place. None: 8, for CBOW 4.
        lanes: parts of the corpus trained side by side, at most, and 255 at most; more of them feed more threads. A
            small vocabulary bears fewer, see ``safe_lanes``.
        lane_tokens: tokens of a lane between two exchanges with the others.
        loss: how a word is told from all others. "negative" sampling; "hierarchical" softmax, over the turns on the way
            down a Huffman tree (arXiv 1310.4546, section 2.1); or full "softmax", over all words of a small vocabulary.
        fresh_negatives: K new negatives for every pair, one pair after another, as the papers have it: slower. None:
            no, but yes in a preset.
        preset: "gensim" or "word2vec.c", to train as that program does: its learning rates, fresh negatives, a
            context that predicts its centre in skip-gram, scores beyond 6, long sentences, first vectors. What is
            given beside it stands. It does not choose the model.
    """

    model: str = "skipgram"
    vector_size: int = 100
    window: int = 5
    window_weights: str | None = None
    negatives: int = 5
    epochs: int = 5
    learning_rate: float | None = None
    min_learning_rate: float | None = None
    subsample: float = 1e-3
    noise_exponent: float = 0.75
    cbow_gradient: str = "sum"
    seed: int = 1
    mode: str = "reproducible"
    shared_negatives: int | None = None
    block_size: int | None = None
    lanes: int = 8
    lane_tokens: int = 128
    loss: str = "negative"
    fresh_negatives: bool | None = None
    preset: str | None = None

    def resolved(self) -> "Word2VecSettings":
        """The same settings with every None replaced by what it stands for, checked.

        Raises:
            InputError: a setting out of range.

        Example:
            >>> Word2VecSettings(model="cbow").resolved().learning_rate
            0.06
        """
        check_choice("model", self.model, ("skipgram", "cbow"))
        if self.window_weights is not None:
            check_choice("window_weights", self.window_weights, ("expected", "sampled"))
        check_choice("cbow_gradient", self.cbow_gradient, ("sum", "mean"))
        check_choice("mode", self.mode, ("reproducible", "hogwild"))
        check_choice("loss", self.loss, ("negative", "hierarchical", "softmax"))
        if self.preset is not None:
            check_choice("preset", self.preset, tuple(_PRESETS))
        shared, block = _SHARED[self.model]
        rate = self._usual_rate() if self.learning_rate is None else self.learning_rate
        rate = check_number("learning_rate", rate, above=0)
        chosen = replace(
            self,
            window_weights=self._usual_weights() if self.window_weights is None else self.window_weights,
            learning_rate=rate,
            min_learning_rate=self._least_rate(rate) if self.min_learning_rate is None else self.min_learning_rate,
            shared_negatives=shared if self.shared_negatives is None else self.shared_negatives,
            block_size=block if self.block_size is None else self.block_size,
            fresh_negatives=self._draws_fresh(),
        )
        whole: dict[str, Any] = {
            name: check_whole(name, getattr(chosen, name), least) for name, least in _WHOLE.items()
        }
        chosen = replace(
            chosen,
            **whole,
            min_learning_rate=check_number("min_learning_rate", chosen.min_learning_rate),
            subsample=check_number("subsample", chosen.subsample, least=0),
            noise_exponent=check_number("noise_exponent", chosen.noise_exponent),
        )
        if chosen.lanes > MOST_LANES:
            raise InputError(f"lanes must be at most {MOST_LANES}, got {chosen.lanes}")
        chosen._check_rates()
        chosen._check_block()
        return chosen

    def _usual_weights(self) -> str:
        pair_by_pair = self.loss == "hierarchical" or self._draws_fresh()
        return "sampled" if pair_by_pair or self.preset is not None or self.model == "cbow" else "expected"

    def _usual_rate(self) -> float:
        if self.preset is not None:
            return _PRESETS[self.preset].rates[self.model]
        return _RATES[self.model, self.cbow_gradient if self.model == "cbow" else "sum"]

    def _least_rate(self, rate: float) -> float:
        share = None if self.preset is None else _PRESETS[self.preset].least_share
        return _MIN_RATE if share is None else share * rate

    def _draws_fresh(self) -> bool:
        if self.fresh_negatives is None:
            return self.preset is not None and self.loss == "negative"
        if self.fresh_negatives not in (True, False):
            raise InputError(f"fresh_negatives must be True, False or None, got {self.fresh_negatives!r}")
        if self.fresh_negatives and self.loss != "negative":
            raise InputError(f"fresh_negatives need loss = negative, got {self.loss}, which draws none")
        return bool(self.fresh_negatives)

    def _check_rates(self) -> None:
        rate = self.learning_rate or 0.0
        if not 0 <= (self.min_learning_rate or 0.0) <= rate:
            raise InputError(
                f"min_learning_rate must lie between 0 and learning_rate = {rate}, got {self.min_learning_rate}"
            )

    def _check_block(self) -> None:
        shared, block = self.shared_negatives or 0, self.block_size or 0
        if shared < TILE or shared % TILE:
            raise InputError(f"shared_negatives must be a multiple of {TILE}, got {shared}")
        if block < TILE or shared * TILE % block:
            raise InputError(
                f"block_size must be at least {TILE} and divide {TILE} x shared_negatives = {TILE * shared}, "
                f"got {block}"
            )

    def file_record(self) -> dict[str, Any]:
        """Return all settings by name, resolved, as a file of the vectors holds them."""
        return asdict(self.resolved())

    @property
    def negatives_are_shared(self) -> bool:
        """Whether centres share their negatives, of resolved settings."""
        return self.loss == "negative" and not self.fresh_negatives

    @property
    def negatives_per_tile(self) -> int:
        """New negatives for every four centres that share theirs (of resolved settings)."""
        return (self.shared_negatives or 0) * TILE // (self.block_size or 1)

    @property
    def context_predicts_center(self) -> bool:
        """Which of the two is the input of skip-gram with fresh negatives."""
        return self.preset is not None

    @property
    def sentence_limit(self) -> int | None:
        """Longer sentences are cut into pieces of so many tokens."""
        return None if self.preset is None else _PRESETS[self.preset].sentence_limit

    @property
    def first_range(self) -> float:
        """Vectors start uniform between plus and minus this, divided by D."""
        return 0.5 if self.preset is None else _PRESETS[self.preset].first_range

    @property
    def saturation(self) -> str:
        """What becomes of a score beyond 6, with fresh negatives and hierarchical softmax: it is "exact", its logistic
        is 0 or 1 ("clip"), or it is no pair ("skip")."""
        if self.preset is None:
            return "exact"
        # Both programs skip it in hierarchical softmax.
        return _PRESETS[self.preset].saturation if self.loss == "negative" else "skip"
