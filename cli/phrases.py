"""``wordvec phrases``: find phrases such as "new york", join them in text, and list them."""

import contextlib
import sys
from typing import Any

import click

from cli.shared import options
from cli.shared.errors import Command, Group, note_output
from cli.shared.phrase_options import CONNECTOR_WORDS, learn_phrases, phrase_settings
from cli.shared.reporting import Progress, log, print_json, short_number, table
from cli.shared.setting_options import all_setting_options
from wordvec.phrases.settings import PhraseSettings


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def phrases() -> None:
    """Find words that occur together more often than chance, such as "new york", and join them into new_york.

    CORPUS is one or more files, globs or folders, - for standard input, or sample:english; plain text or .gz, .bz2,
    .xz, .zst. Each line is a sentence.

    \b
    Examples:
      wordvec phrases learn sample:english -o phrases.safetensors
      wordvec phrases apply phrases.safetensors sample:english -o joined.txt
    """


@phrases.command(cls=Command, context_settings=options.HELP)
@click.argument("corpus", type=options.INPUT, nargs=-1, required=True)
@options.output_option("Output file of the phrases (.safetensors).")
@all_setting_options(PhraseSettings, connector_words=CONNECTOR_WORDS)
@options.tokenizer_option
@options.lowercase_option
@options.normalize_option
@options.unit_option("Text that phrases do not cross")
@options.encoding_options
@click.option("--no-cache", is_flag=True, help="Do not cache the encoded corpus.")
@options.threads_option
@options.quiet_option
def learn(
    corpus: tuple[str, ...],
    output: str,
    tokenizer: str,
    lowercase: bool,
    normalize: str,
    unit: str,
    encoding: str,
    encoding_errors: str,
    no_cache: bool,
    threads: int | None,
    quiet: bool,
    **given: Any,
) -> None:
    """Find the phrases of CORPUS and write them to a file.

    \b
    Examples:
      wordvec phrases learn news.txt -o phrases.safetensors --passes 2
      wordvec phrases learn news.txt -o phrases.safetensors --connector-words english --scoring npmi --threshold 0.5
    """
    from corpora import TextCorpus
    from wordvec.system.atomic_files import check_target
    from wordvec.system.wording import counted

    settings = phrase_settings(lowercase=lowercase, encoding=encoding, **given)
    check_target(output)
    texts = TextCorpus(
        *corpus,
        encoding=encoding,
        encoding_errors=encoding_errors,
        tokenizer=tokenizer,
        lowercase=lowercase,
        normalize=normalize,
        unit=unit,
    )
    found = learn_phrases(texts, settings, cache=not no_cache, threads=threads, quiet=quiet)
    found.save(output)
    note_output(output)
    log(f"{output}: {counted(len(found.phrases_), 'phrase')}", quiet)


@phrases.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("corpus", type=options.INPUT, nargs=-1, required=True)
@click.option("-o", "--output", type=options.OUTPUT, help="Output text.  [default: standard output]")
@options.encoding_options
@options.quiet_option
def apply(
    model: str, corpus: tuple[str, ...], output: str | None, encoding: str, encoding_errors: str, quiet: bool
) -> None:
    """Write the tokens of CORPUS with the phrases of MODEL joined, one line per line.

    The text is tokenized as the text that MODEL was learned from.

    \b
    Example:
      wordvec phrases apply phrases.safetensors news.txt -o joined.txt
    """
    from corpora import TextCorpus
    from wordvec import Phrases
    from wordvec.system.atomic_files import replacing

    found = Phrases.load(model)
    how = {"tokenizer": found.tokenizer_, "lowercase": found.lowercase_, "normalize": found.normalize_}
    texts = TextCorpus(*corpus, encoding=encoding, encoding_errors=encoding_errors, **how)
    target = contextlib.nullcontext(sys.stdout.buffer) if output is None else replacing(output)
    with Progress("joining", quiet) as progress, target as file:
        for block in found.transform(texts).blocks():
            file.write(block)
            progress.update(texts.bytes_read(), texts.size(), f"{short_number(texts.bytes_read())}B")
    if output is not None:
        note_output(output)


@phrases.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@options.top_option
@options.json_option
def show(model: str, top: int, as_json: bool) -> None:
    """Print the phrases of MODEL with their scores, the highest first.

    \b
    Example:
      wordvec phrases show phrases.safetensors --top 20
    """
    from wordvec import Phrases

    scores = Phrases.load(model).phrases_
    best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:top]
    if as_json:
        print_json([{"phrase": phrase, "score": score} for phrase, score in best])
    else:
        click.echo(table([[phrase, f"{score:.4g}"] for phrase, score in best]))
