"""Settings of phrase detection: defaults and limits."""

from collections.abc import Mapping
from typing import Any, Self

from wordvec.errors import InputError
from wordvec.system.settings import Settings, setting, settings_class
from wordvec.system.validation import is_encodable, shown

ENGLISH_CONNECTOR_WORDS = (
    *("a", "an", "the"),
    *("for", "of", "with", "without", "at", "from", "to", "in", "on", "by"),
    *("and", "or"),
)
"""Articles, prepositions and conjunctions; gensim's list."""


def _check_delimiter(delimiter: Any) -> None:
    if not isinstance(delimiter, str) or not delimiter or delimiter.split() != [delimiter]:
        raise InputError(f"delimiter must be a string without white space, got {shown(delimiter)}")
    if not is_encodable(delimiter):
        raise InputError(f"delimiter must be text that UTF-8 can encode, got {shown(delimiter)}")


def _check_connector_words(words: Any) -> None:
    if isinstance(words, str) and words == "english":
        return
    if isinstance(words, str) or not hasattr(words, "__iter__"):
        raise InputError(f'connector_words must be "english" or a list of words, got {shown(words)}')
    for word in words:
        if not isinstance(word, str) or not word:
            raise InputError(f"connector_words contains {shown(word)}; a word must be a non-empty string")


_FUNCTION = "function"
"""What a file records of a function; the function itself is not stored."""


def _not_stored(*_counts: Any, **_totals: Any) -> Any:
    raise InputError("a file does not store the function that scored its phrases; set scoring before fitting again")


@settings_class
class PhraseSettings(Settings):
    """Settings of phrase detection (Mikolov et al. 2013, arXiv 1310.4546, section 4)."""

    min_count: int = setting(
        "Ignore pairs of words with fewer occurrences; also the discount in the score.", default=5, least=1
    )
    threshold: float = setting(
        "A pair whose score is above it is a phrase.",
        default=10.0,
        detail="The higher, the fewer phrases. With NPMI between -1 and 1.",
    )
    scoring: Any = setting(
        "word2phrase's score, (n_ab - min_count) V / (n_a n_b), or normalized pointwise mutual information.",
        default="default",
        detail="V is the number of distinct words and pairs, as in gensim. NPMI: Bouma 2009, ln(p_ab / (p_a p_b)) / "
        "-ln p_ab. In Python also a function, called once a pass with arrays as ``word2phrase_scores`` is.",
        choices=("default", "npmi"),
        function=True,
    )
    passes: int = setting(
        "Passes over the text; each joins the words and phrases of the one before.",
        default=1,
        detail="Two passes find phrases of up to four words.",
        least=1,
    )
    connector_words: Any = setting(
        "Words that may stand inside a phrase, as in bank_of_america, but neither start nor end it.",
        default=(),
        detail='A list of words, or "english" for 15 articles, prepositions and conjunctions.',
        check=_check_connector_words,
        none="none",
        metavar="FILE",
    )
    delimiter: str = setting("Joins the words of a phrase.", default="_", check=_check_delimiter)
    max_pairs_in_memory: int = setting(
        "Prune the rarest pairs if counting exceeds this many; a million takes 60 MB.",
        default=20_000_000,
        least=2,
        metavar="N",
    )

    def _check(self) -> None:
        if self.connector_words != "english":
            object.__setattr__(self, "connector_words", tuple(dict.fromkeys(self.connector_words)))
        if self.scoring == "default" and self.threshold <= 0:
            raise InputError(f"threshold must be above 0, got {self.threshold:g}")
        if self.scoring == "npmi" and not -1 <= self.threshold <= 1:
            raise InputError(f"threshold must be between -1 and 1 with scoring npmi, got {self.threshold:g}; try 0.5")

    def record(self) -> dict[str, Any]:
        """Return the settings by name, as JSON can hold them in a file's header."""
        words = self.connector_words
        return super().record() | {
            "connector_words": words if isinstance(words, str) else list(words),
            "scoring": _FUNCTION if callable(self.scoring) else self.scoring,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        given = {"scoring": _not_stored} if record.get("scoring") == _FUNCTION else {}
        return super().from_record({**record, **given})

    @property
    def connectors(self) -> tuple[str, ...]:
        """The connector words themselves."""
        return ENGLISH_CONNECTOR_WORDS if self.connector_words == "english" else self.connector_words
