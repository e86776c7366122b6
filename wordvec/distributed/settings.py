"""Settings of training over shards of a corpus; together with the corpus they decide the vectors."""

from dataclasses import replace

from wordvec.errors import InputError
from wordvec.system.settings import Settings, setting, settings_class
from wordvec.word2vec.settings import Word2VecSettings

_TOKENS_PER_TYPE = 15
"""Tokens of a round per type: what 4 shards of Wikipedia lose nothing by (docs/explanation/beyond-one-machine.md)."""

_LEAST_ROUNDS = 4
"""Rounds per epoch, at least."""

_LEAST_ROUND = 10_000
"""Tokens of a round in spite of a small vocabulary, if there are as many."""

_LEAST_TOKENS = 1000
"""Tokens of a shard below which its rounds have hardly a slice for every lane."""

ENOUGH_TOKENS = 2_000_000
"""Tokens of a shard below which vectors lose quality: 16 shards of 1 M tokens lose a third of the analogies."""

_RATE_FACTORS, _RATE_EXPONENT = {"skipgram": 1.0, "cbow": 1.6}, 1 / 6
"""Of the learning rate at 2 or more shards, fitted to 4 and 8 shards of Wikipedia."""


@settings_class
class ShardSettings(Settings):
    """How a corpus is trained in shards, whose changes are combined after each round.

    In a round, every shard trains its next tokens from the same vectors; then the changes of all shards are combined
    row by row, in shard order, by adaptive summation (Maleki et al. 2020, arXiv 2006.02924).
    """

    shards: int | None = setting(
        "Train this many parts of the corpus side by side and combine their changes after each round.",
        default=None,
        detail="The number of threads, processes or machines that train them does not affect the vectors.",
        least=1,
        most=1 << 16,
        none="no parts",
        added="0.3",
    )
    round_tokens: int | None = setting(
        "Tokens that each shard trains on in a round.",
        default=None,
        detail="More of them exchange less, fewer of them lose less quality.",
        least=64,
        none="15 per word of the vocabulary, at most a quarter of the shard",
        added="0.3",
    )

    def resolved(self, tokens: int, types: int) -> "ShardSettings":
        """Return the same settings with the default tokens of a round for this corpus.

        Raises:
            InputError: there are more shards than the corpus has text for.

        Example:
            >>> ShardSettings(shards=4).resolved(17_000_000, 68_000).round_tokens
            1020000
        """
        shards = self.shards or 1
        if tokens < shards * _LEAST_TOKENS and shards > 1:
            raise InputError(
                f"each shard must have at least {_LEAST_TOKENS:,} tokens, got {tokens:,} tokens for shards = "
                f"{shards:,}; use at most {max(tokens // _LEAST_TOKENS, 1):,}, or one per {ENOUGH_TOKENS:,} tokens to "
                "keep quality"
            )
        quarter = -(-tokens // (shards * _LEAST_ROUNDS))
        usual = min(max(_TOKENS_PER_TYPE * types, _LEAST_ROUND), quarter)
        return replace(self, shards=shards, round_tokens=self.round_tokens or max(usual, 64))


def sharded(settings: Word2VecSettings, shards: int) -> Word2VecSettings:
    """Return resolved settings, whose default learning rate grows with S^(1/6) at S >= 2 shards.

    Adaptive summation adds what is orthogonal in the shards' changes and takes the mean of what is equal, so a round
    moves less than its tokens one after another would. A learning rate that was given stays.

    Raises:
        InputError: the mode is not reproducible.

    Example:
        >>> sharded(Word2VecSettings(), 4).learning_rate, sharded(Word2VecSettings(learning_rate=0.03), 4).learning_rate
        (0.0504, 0.03)
    """
    chosen = settings.resolved()
    if chosen.mode != "reproducible":
        raise InputError(f"shards need mode = reproducible, got {chosen.mode}")
    if settings.learning_rate is None and shards > 1:
        rate = (chosen.learning_rate or 0) * _RATE_FACTORS[chosen.model] * shards**_RATE_EXPONENT
        chosen = replace(settings, learning_rate=float(f"{rate:.3g}"))
    return chosen.resolved()
