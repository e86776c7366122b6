"""Learning phrases with the options of a command."""

from typing import TYPE_CHECKING, Any

from cli.shared import options
from cli.shared.errors import usage_errors
from cli.shared.reporting import Progress
from wordvec.phrases.settings import PhraseSettings
from wordvec.system.settings import declaration_of

if TYPE_CHECKING:
    from corpora import TextCorpus
    from wordvec import Phrases

_DECLARED = declaration_of(PhraseSettings, "connector_words")

CONNECTOR_WORDS = {
    "type": options.INPUT,
    "default": None,
    "help": f"{_DECLARED.help} The word english stands for 15 articles, prepositions and conjunctions; else a file "
    "with one word per line.  [default: none]",
}
"""How the option of the connector words differs from that of other settings."""


def phrase_settings(connector_words: str | None, lowercase: bool, **given: Any) -> PhraseSettings:
    """Return the settings; ``connector_words`` is "english", or a file with one word per line.

    Raises:
        click.UsageError: a value is out of range.
    """
    from corpora import read_lines

    words: Any = () if connector_words is None else connector_words
    if connector_words not in (None, "english"):
        lines = [line.strip() for line in read_lines(connector_words)]
        words = [line.lower() if lowercase else line for line in lines if line]
    with usage_errors():
        return PhraseSettings(connector_words=words, **given)


def learn_phrases(
    texts: "TextCorpus", settings: PhraseSettings, *, cache: bool, threads: int | None, quiet: bool, **counting: Any
) -> "Phrases":
    """Return the phrases of a text; ``counting``: further arguments of ``encode_corpus``."""
    from wordvec import Phrases, encode_corpus

    with Progress("reading", quiet) as progress:
        encoded = encode_corpus(
            texts, min_count=1, cache=cache, threads=threads, on_progress=progress.bytes, **counting
        )
    found: Phrases = Phrases(**settings.record(), n_jobs=threads).fit(encoded)
    return found
