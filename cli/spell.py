"""``wordvec spell``: spelling correction of words and of running text."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from cli.shared import options
from cli.shared.errors import Command
from cli.shared.streaming import Arriving

if TYPE_CHECKING:
    from wordvec import WordVectors
    from wordvec.applications.spelling import SpellingCorrector


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option(
    "--corpus",
    type=options.INPUT,
    multiple=True,
    required=True,
    metavar="FILE",
    help="Text that has the correct words and their frequencies; may be repeated.",
)
@click.option(
    "--min-count",
    type=options.LEAST_1,
    default=1,
    show_default=True,
    metavar="N",
    help="Take words with at least N occurrences in the corpus as correct.",
)
@click.option("--text", type=options.INPUT, metavar="FILE", help="Correct the lines of FILE; - for standard input.")
@click.option(
    "--vectors",
    type=options.INPUT,
    metavar="FILE",
    help="With --text: choose corrections that also suit the surrounding words, by vectors of train-embeddings.",
)
@click.option(
    "--errors",
    type=options.INPUT,
    metavar="FILE",
    help="Learn the probabilities of misspellings from lines such as 'receive: recieve receve'.",
)
@options.encoding_options
@options.threads_option
@options.json_option
@options.quiet_option
def spell(
    words: tuple[str, ...],
    corpus: tuple[str, ...],
    min_count: int,
    text: str | None,
    vectors: str | None,
    errors: str | None,
    encoding: str,
    encoding_errors: str,
    threads: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Correct each WORD: print the word, a tab, and its correction; a single - reads words from standard input.

    Words of the corpus are correct, in any case. Others become the word of the corpus, at most two edits away, of the
    greatest frequency times probability of the misspelling, if there is one. With --text, prints the text with its
    unknown words corrected. With --json, each word's line is an object with its suggestions and their scores.

    \b
    Examples:
      wordvec spell --corpus big.txt speling korrectud
      wordvec spell --corpus big.txt --text letter.txt --vectors vectors.safetensors
    """
    if (text is None) == (not words):
        raise click.UsageError("give WORDS, or - for standard input, or --text FILE")
    if vectors is not None and text is None:
        raise click.UsageError("--vectors needs --text FILE: a single word has no context")
    if as_json and text is not None:
        raise click.UsageError("--json has no effect with --text; leave it out")

    from corpora import TextCorpus, iter_texts, read_lines
    from wordvec import encode_corpus, load_vectors
    from wordvec.applications.error_model import ENGLISH, ErrorModel, parse_errors
    from wordvec.applications.spelling import SpellingCorrector

    reading = {"encoding": encoding, "encoding_errors": encoding_errors}
    model = ENGLISH
    if errors is not None:
        model = ErrorModel.learned(parse_errors(read_lines(errors, **reading), errors))
    loaded = None if vectors is None else load_vectors(vectors)
    texts = TextCorpus(*corpus, tokenizer="words", lowercase=True, unit="paragraph", **reading)
    counted = encode_corpus(texts, min_count=min_count, threads=threads).vocabulary
    corrector = SpellingCorrector(counted, model)
    if text is not None:
        _correct_text(corrector, iter_texts(text, **reading), loaded)
    else:
        _correct_words(corrector, _split(iter_texts("-", **reading)) if words == ("-",) else words, as_json)


def _split(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield from line.split()


def _correct_text(corrector: "SpellingCorrector", lines: Iterable[str], vectors: "WordVectors | None") -> None:
    for batch in Arriving(lines):
        click.echo("\n".join(corrector.correct_texts(batch, vectors)))


def _correct_words(corrector: "SpellingCorrector", words: Iterable[str], as_json: bool) -> None:
    for batch in Arriving(words):
        corrected = corrector.correct_words(batch)
        lines = [f"{word}\t{best}" for word, best in zip(batch, corrected, strict=True)]
        if as_json:
            lines = []
            for word, best, found in zip(batch, corrected, corrector.suggestions_of(batch), strict=True):
                suggestions = [{"word": other, "score": score} for other, score in found]
                answer = {"word": word, "correction": best, "suggestions": suggestions}
                lines.append(json.dumps(answer, ensure_ascii=False))
        click.echo("\n".join(lines))
