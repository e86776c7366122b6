"""What decides the vectors: the settings of CBOW and skip-gram, their defaults and their limits."""

from dataclasses import replace
from typing import Any, NamedTuple

from wordvec.errors import InputError
from wordvec.system.settings import Settings, setting, settings_class

TILE = 4
"""Centres computed at once; the kernels' own number."""

MOST_LANES = 255
"""How many of them touch a row is counted in one byte."""

_EPOCHS, _MOST_EPOCHS = 5, 20
_EPOCH_TOKENS = 15_000_000
"""Tokens of all epochs up to which small texts are read more often; measured on 0.06 to 2 million tokens."""
_RATES = {("skipgram", "sum"): 0.04, ("cbow", "sum"): 0.06, ("cbow", "mean"): 0.075}
_TREE_RATE = 0.025
"""Of skip-gram with another loss than negative sampling."""
_SHARED = {"skipgram": (16, 8), "cbow": (12, 4)}
_SUBWORD_RATE, _MOST_SUBWORD_RATE, _SUBWORD_TREE_RATE = 0.03, 0.08, 0.05
_SUBWORD_TOKENS = 15_000_000
"""Tokens of all epochs from which on the rate of skip-gram with subwords suits a text; measured on 0.2, 1, 3 and 17
million tokens of Wikipedia. A text read more than five times needs no longer steps: the epochs of 20 count fourfold."""
_SUBWORD_TYPES = 2000
"""Vocabulary below which it stays: of 20 or 300 words drawn at random, longer steps diverge."""
_SUBWORD_SHARED = (16, 4)
"""Of skip-gram: words that share n-grams move with every sample, so that a sample serves fewer centers."""
_WORD_RATE = 2.0
"""Of skip-gram with subwords: what a word shares with others also learns from their contexts."""
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


_MOST_BUCKETS = 1 << 30


def ngram_lengths(subwords: str) -> tuple[int, int]:
    """Return the shortest and longest n-gram of a range as in ``3-6``.

    Raises:
        InputError: not two whole numbers from 1 to 100 in ascending order.

    Example:
        >>> ngram_lengths("3-6"), ngram_lengths("4")
        ((3, 6), (4, 4))
    """
    low, dash, high = str(subwords).partition("-")
    if low.isdecimal() and (high.isdecimal() or not dash):
        least, most = int(low), int(high if dash else low)
        if 1 <= least <= most <= 100:
            return least, most
    raise InputError(f"subwords must be a range of n-gram lengths such as 3-6, from 1 to 100, got {subwords!r}")


@settings_class
class Word2VecSettings(Settings):
    """Settings of CBOW and skip-gram: together with the corpus they decide the vectors, whatever the machine."""

    model: str = setting(
        "Predict the context words from the center (skip-gram), or the center from its context (CBOW).",
        default="skipgram",
        detail="Mikolov et al. 2013, arXiv 1301.3781.",
        choices=("skipgram", "cbow"),
    )
    vector_size: int = setting("D, the number of dimensions.", default=100, least=1)
    window: int = setting("Maximum distance between a center and its context words.", default=5, least=1)
    window_weights: str | None = setting(
        "Weight of a context word by its distance: expected, sampled, or flat.",
        default=None,
        detail='"expected" weights a context word at distance d by 1 - (d - 1) / window, the probability that the '
        'random radius of word2vec.c reaches it; "sampled" draws that radius for each center, as word2vec.c does. '
        "CBOW does better with it: the mean of a small window says more than the weighted mean of a large one. "
        '"flat" gives all words of the window the weight 1.',
        choices=("expected", "sampled", "flat"),
        none="expected for skip-gram with shared negatives or full softmax, else sampled",
    )
    negatives: int = setting("K, the negative samples per pair (arXiv 1310.4546, eq. 4).", default=5, least=1)
    epochs: int | None = setting(
        "Passes over the corpus.",
        default=None,
        least=1,
        detail="A smaller text is read until 15 million tokens have been read, but at most 20 times: a text of a "
        "million tokens 15 times. Presets, shards and training that continues from existing vectors have 5 epochs.",
        none="5 for texts of 3 million tokens or more, up to 20 for smaller ones",
    )
    learning_rate: float | None = setting(
        "Initial learning rate; it falls linearly to min_learning_rate over all epochs.",
        default=None,
        above=0,
        detail="The default of skip-gram with subwords is 0.03 from 15 million tokens in all epochs on, and grows with "
        "the square root of how many times fewer there are, to 0.052 for five million and at most 0.08; more than five "
        "epochs count epochs / 5 times. With fewer than 2,000 types it is 0.03.",
        none="0.04 for skip-gram, 0.03 to 0.08 with subwords, by the number of tokens (with another loss 0.025, with "
        "subwords 0.05), 0.06 for CBOW, 0.075 for CBOW with cbow_gradient mean",
    )
    min_learning_rate: float | None = setting("Final learning rate.", default=None, none="0.0001")
    subsample: float = setting(
        "Keep a token of relative frequency f with probability sqrt(t/f) + t/f; 0 keeps all.", default=1e-3, least=0
    )
    noise_exponent: float = setting("Negative samples are drawn in proportion to count to this power.", default=0.75)
    cbow_gradient: str = setting(
        "CBOW: pass the whole gradient to each context word (sum), or its share, the true gradient (mean).",
        default="sum",
        detail="word2vec.c and gensim do the former.",
        choices=("sum", "mean"),
    )
    seed: int = setting("Random seed; runs with the same seed are reproducible.", default=1, least=0)
    mode: str = setting(
        "The same bits at any number of threads, or threads that do not wait for each other (hogwild).",
        default="reproducible",
        choices=("reproducible", "hogwild"),
    )
    shared_negatives: int | None = setting(
        "S, the negative samples that each center is scored with, weighted K/S.",
        default=None,
        least=1,
        none="16, for CBOW 12",
    )
    block_size: int | None = setting(
        "Centers that a shared negative sample serves before it is replaced.",
        default=None,
        least=1,
        none="8, for CBOW and skip-gram with subwords 4",
    )
    lanes: int = setting(
        "Maximum number of corpus parts trained side by side; more of them feed more threads.",
        default=8,
        detail="Small vocabularies and wide windows use fewer, see ``safe_round``.",
        least=1,
        most=MOST_LANES,
        command_line=False,
    )
    lane_tokens: int = setting(
        "Tokens that a lane trains on between two exchanges with the others.", default=128, least=64, command_line=False
    )
    loss: str = setting(
        "Negative sampling, hierarchical softmax, or full softmax (for small vocabularies).",
        default="negative",
        detail="Hierarchical softmax follows a Huffman tree (arXiv 1310.4546, section 2.1).",
        choices=("negative", "hierarchical", "softmax"),
    )
    fresh_negatives: bool | None = setting(
        "Draw new negative samples for every pair, as in the papers: slower.",
        default=None,
        none="no, but yes in a preset",
    )
    preset: str | None = setting(
        "Match that program's defaults; explicit options take precedence.",
        default=None,
        detail="Its learning rates, fresh negatives, a context word that predicts its center in skip-gram, scores "
        "beyond 6, long sentences and initial vectors. It does not choose the model.",
        choices=tuple(_PRESETS),
        none="none",
    )

    subwords: str | None = setting(
        "Compose each word's vector from those of its character n-grams, of these lengths, such as 3-6.",
        default=None,
        detail="As in fastText (Bojanowski et al. 2017, arXiv 1607.04606): words outside the vocabulary get vectors.",
        check=ngram_lengths,
        none="no",
        added="0.3",
    )
    buckets: int = setting(
        "Hash the n-grams of subwords to this many vectors.",
        default=2_000_000,
        least=1,
        most=_MOST_BUCKETS,
        added="0.3",
    )
    subword_hashes: int | None = setting(
        "Hash each n-gram and the word itself to this many of the buckets: 2 makes do with 50,000 buckets.",
        default=None,
        detail="As in floret: every word and n-gram is the sum of several rows, and words have no rows of their own.",
        least=1,
        most=4,
        none="one bucket for an n-gram and a vector for each word, as in fastText",
        added="0.3",
    )

    def resolved(self, tokens: int | None = None, types: int = 0) -> "Word2VecSettings":
        """Return the same settings with every None replaced by its default for this model.

        Args:
            tokens, types: of the corpus, if it is known and training starts from nothing: small ones take more epochs
                and larger steps.

        Raises:
            InputError: settings that contradict each other.

        Example:
            >>> Word2VecSettings(model="cbow").resolved().learning_rate
            0.06
            >>> small = Word2VecSettings(subwords="3-6").resolved(tokens=1_000_000, types=14_000)
            >>> small.epochs, small.learning_rate
            (15, 0.03)
        """
        with_subwords = self.subwords is not None and self.model == "skipgram"
        shared, block = _SUBWORD_SHARED if with_subwords else _SHARED[self.model]
        epochs = self._usual_epochs(tokens) if self.epochs is None else self.epochs
        rate = self._usual_rate(tokens, types, epochs) if self.learning_rate is None else self.learning_rate
        chosen = replace(
            self,
            epochs=epochs,
            window_weights=self._usual_weights() if self.window_weights is None else self.window_weights,
            learning_rate=rate,
            min_learning_rate=self._least_rate(rate) if self.min_learning_rate is None else self.min_learning_rate,
            shared_negatives=shared if self.shared_negatives is None else self.shared_negatives,
            block_size=block if self.block_size is None else self.block_size,
            fresh_negatives=self._draws_fresh(),
        )
        chosen._check_rates()
        chosen._check_block()
        if self.subwords is not None and self.mode != "reproducible":
            raise InputError(f"subwords need mode = reproducible, got {self.mode}")
        return chosen

    def _usual_weights(self) -> str:
        pair_by_pair = self.loss == "hierarchical" or self._draws_fresh()
        return "sampled" if pair_by_pair or self.preset is not None or self.model == "cbow" else "expected"

    def _usual_epochs(self, tokens: int | None) -> int:
        if tokens is None or self.preset is not None:
            return _EPOCHS
        return min(max(_EPOCH_TOKENS // max(tokens, 1), _EPOCHS), _MOST_EPOCHS)

    def _usual_rate(self, tokens: int | None, types: int, epochs: int) -> float:
        if self.preset is not None:
            return _PRESETS[self.preset].rates[self.model]
        if self.subwords is not None and self.model == "skipgram":
            known = None if types < _SUBWORD_TYPES else tokens
            return _subword_rate(known, epochs) if self.loss == "negative" else _SUBWORD_TREE_RATE
        if self.model == "skipgram" and self.loss != "negative":
            return _TREE_RATE
        return _RATES[self.model, self.cbow_gradient if self.model == "cbow" else "sum"]

    def _least_rate(self, rate: float) -> float:
        share = None if self.preset is None else _PRESETS[self.preset].least_share
        return _MIN_RATE if share is None else share * rate

    def _draws_fresh(self) -> bool:
        if self.fresh_negatives is None:
            return self.preset is not None and self.loss == "negative"
        if self.fresh_negatives and self.loss != "negative":
            raise InputError(f"fresh_negatives need loss = negative, got {self.loss}, which draws none")
        return self.fresh_negatives

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
        return self.resolved().record()

    @property
    def passes(self) -> int:
        """The number of epochs (of resolved settings)."""
        assert self.epochs is not None
        return self.epochs

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
    def contexts_are_inputs(self) -> bool:
        """Whether contexts are inputs of the model, or only centers (of resolved settings)."""
        pairs = self.loss == "hierarchical" or (bool(self.fresh_negatives) and self.context_predicts_center)
        return self.model == "cbow" or pairs

    @property
    def word_rate(self) -> float:
        """Learning rate of rows that only one word has, relative to those that words share (of resolved settings)."""
        return _WORD_RATE if self.preset is None and self.model == "skipgram" and self.negatives_are_shared else 1.0

    @property
    def context_weight(self) -> int:
        """The total weight of the contexts of a complete window, or its mean (of resolved settings)."""
        return 2 * self.window if self.window_weights == "flat" else self.window + 1

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
        """What becomes of a score beyond 6, with fresh negatives and hierarchical softmax, "exact", its logistic
        0 or 1 ("clip"), or no pair ("skip")."""
        if self.preset is None:
            return "exact"
        # Both programs skip it in hierarchical softmax.
        return _PRESETS[self.preset].saturation if self.loss == "negative" else "skip"


def _subword_rate(tokens: int | None, epochs: int) -> float:
    read = _SUBWORD_TOKENS if tokens is None else tokens * epochs * max(epochs / _EPOCHS, 1.0)
    fewer = max(_SUBWORD_TOKENS / max(read, 1.0), 1.0)
    return min(float(f"{_SUBWORD_RATE * fewer**0.5:.2g}"), _MOST_SUBWORD_RATE)


@settings_class
class ContinuationSettings(Settings):
    """How training continues from existing vectors."""

    initial_rate: float = setting(
        "Learning rate of the vectors that training continues from, relative to that of new words; 0 freezes them.",
        default=1.0,
        detail="Context vectors learn at the full rate.",
        least=0,
        most=1,
        added="0.3",
    )
    initial_counts: str = setting(
        "Draw negatives and drop frequent words by the counts of both texts (merged), the new text or the old one.",
        default="merged",
        detail='"old" needs vectors with counts; words that they lack are then never drawn, and never dropped.',
        choices=("merged", "new", "old"),
        added="0.3",
    )
