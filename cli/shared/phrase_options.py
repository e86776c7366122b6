"""Options for phrases, and learning them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import note_output, usage_errors
from cli.shared.option_names import as_options
from cli.shared.reporting import Progress, log
from cli.shared.setting_options import setting_option
from cli.shared.unused import refuse_without
from wordvec.phrases.settings import PhraseSettings
from wordvec.system.settings import declaration_of

if TYPE_CHECKING:
    from corpora import TextCorpus
    from wordvec import Phrases, WordVectors

_DECLARED = declaration_of(PhraseSettings, "connector_words")

CONNECTOR_WORDS = {
    "type": options.INPUT,
    "default": None,
    "help": f"{_DECLARED.help} The word english stands for 15 articles, prepositions and conjunctions; else a file "
    "with one word per line.  [default: none]",
}
"""How the option of the connector words differs from that of other settings."""


def _training_option(name: str, setting: str) -> options.Decorator:
    """Return the option of a setting as a training has it, where ``--min-count`` is the vocabulary's."""
    changed = CONNECTOR_WORDS if setting == "connector_words" else {}
    return setting_option(PhraseSettings, setting, flags=f"--{name.replace('_', '-')}", parameter=name, **changed)


def phrase_settings(
    connector_words: str | None,
    lowercase: bool,
    encoding: str,
    names: Mapping[str, str] | None = None,
    **given: Any,
) -> PhraseSettings:
    """Return the settings; ``connector_words`` is "english", or a file with one word per line.

    ``encoding``: of the file, if it is not UTF-8. ``names``: the options of settings, where their names differ.

    Raises:
        click.UsageError: a value is out of range.
    """
    from corpora import read_lines

    words: Any = () if connector_words is None else connector_words
    if connector_words not in (None, "english"):
        lines = [line.strip() for line in read_lines(connector_words, encoding=("utf-8", encoding))]
        words = [line.lower() if lowercase else line for line in lines if line]
    with usage_errors(names):
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


_SETTINGS = {
    "phrase_threshold": "threshold",
    "phrase_min_count": "min_count",
    "phrase_scoring": "scoring",
    "phrase_connectors": "connector_words",
}
"""Option of a training -> setting."""

_NAMES = {setting: f"--{name.replace('_', '-')}" for name, setting in _SETTINGS.items()}

phrase_options = options.together(
    click.option(
        "--phrases",
        "passes",
        type=options.LEAST_1,
        metavar="PASSES",
        help="Find phrases such as new_york in the text in so many passes, and join them.  [default: 0]",
    ),
    *(_training_option(name, setting) for name, setting in _SETTINGS.items()),
    click.option(
        "--phrases-from",
        type=options.INPUT,
        metavar="MODEL",
        help="Join the phrases of MODEL, written by --save-phrases or 'wordvec phrases learn'.",
    ),
    click.option("--save-phrases", type=options.OUTPUT, metavar="FILE", help="Save the phrases (.safetensors)."),
)


@dataclass
class PhraseStep:
    """Joining phrases before a training; does nothing without ``--phrases`` and ``--phrases-from``.

    Attributes:
        settings: how phrases are found, or None.
        source, target: files to read them from and to write them to, or None.
        record: the settings of the phrases that were joined, for the file of the vectors; None if there are none.
    """

    settings: PhraseSettings | None
    source: str | None
    target: str | None
    record: dict[str, Any] | None = None

    @classmethod
    def taken_from(cls, given: dict[str, Any], lowercase: bool, encoding: str) -> "PhraseStep":
        """Remove the options from ``given``.

        Raises:
            click.UsageError: options that contradict each other, or have no effect.
        """
        passes, source, target = (given.pop(name) for name in ("passes", "phrases_from", "save_phrases"))
        refuse_without("--phrases PASSES", passes, *_SETTINGS, "save_phrases")
        if passes is not None and source is not None:
            raise click.UsageError("--phrases finds phrases and --phrases-from reads them; leave one out")
        chosen = {setting: given.pop(name) for name, setting in _SETTINGS.items()}
        if passes is None:
            return cls(None, source, target)
        settings = phrase_settings(lowercase=lowercase, encoding=encoding, names=_NAMES, passes=passes, **chosen)
        return cls(settings, source, target)

    def joined(
        self, texts: "TextCorpus", *, cache: bool, threads: int | None, quiet: bool, **counting: Any
    ) -> "TextCorpus":
        """Return the text with its phrases joined.

        Raises:
            InputError: the text has no phrases, or the file to read them from is invalid or of another tokenizer.
        """
        if self.settings is None and self.source is None:
            return texts
        from wordvec import InputError, Phrases

        if self.settings is not None:
            try:
                found = learn_phrases(texts, self.settings, cache=cache, threads=threads, quiet=quiet, **counting)
            except InputError as error:
                raise InputError(as_options(str(error), _NAMES)) from None
        else:
            found = Phrases.load(str(self.source))
        how = [
            f"{tokenizer}{', lower-cased' if lowercase else ''}{'' if form == 'none' else f', {form}'}"
            for tokenizer, lowercase, form in (
                (found.tokenizer_, found.lowercase_, found.normalize_),
                (texts.tokenizer, texts.lowercase, texts.normalize),
            )
        ]
        if how[0] != how[1]:
            raise InputError(
                f"the phrases of {self.source} were found in text with tokenizer {how[0]}, but this text has {how[1]}; "
                "use the same --tokenizer, --lowercase and --normalize"
            )
        self.record = found.checked_settings().record()
        if self.target is not None:
            found.save(self.target)
            note_output(self.target)
        return found.transform(texts)

    def inherit(self, initial: "WordVectors", path: str, quiet: bool) -> None:
        """Keep the record of vectors that training continues from, where this training joins no phrases."""
        kept = initial.settings.get("phrases")
        if kept and self.settings is None and self.source is None:
            self.record = kept
            log(f"Note: {path} was trained with phrases; to join them here too, pass --phrases-from MODEL", quiet)
