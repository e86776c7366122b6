"""``wordvec convert``: convert vectors between file formats."""

from typing import Any

import click

from cli.shared import options
from cli.shared.errors import Command, check_files
from cli.shared.reporting import log

FORMATS = ("safetensors", "text", "binary", "glove", "fasttext", "floret", "projector", "npz", "parquet", "static")


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("source", type=options.INPUT)
@click.argument("target", type=options.OUTPUT)
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    help="Format of TARGET: glove has no header, projector a second file, metadata.tsv; static is a folder that "
    "sentence-transformers loads.  [default: by extension]",
)
@click.option("--input-format", type=click.Choice(FORMATS), help="Format of SOURCE.  [default: by content]")
@click.option("--limit", type=options.LEAST_1, metavar="N", help="Keep the first N words.  [default: all]")
@click.option(
    "--words", "words_file", type=options.INPUT, metavar="FILE", help="Keep the words that start the lines of FILE."
)
@click.option(
    "--storage",
    type=click.Choice(["float32", "float16", "int8"]),
    default="float32",
    show_default=True,
    help="Type of the numbers in .safetensors files; the smaller ones leave out context vectors and n-grams.",
)
@click.option("--skip-bad-rows", is_flag=True, help="Skip invalid rows (NaN, wrong length) and count them.")
@click.option(
    "--no-subword-fallback",
    "subword_fallback",
    is_flag=True,
    default=True,
    flag_value=False,
    help="Leave out n-grams: words outside the vocabulary have no vector.",
)
@options.encoding_option
@options.quiet_option
def convert(
    source: str,
    target: str,
    format: str | None,
    input_format: str | None,
    words_file: str | None,
    storage: str,
    quiet: bool,
    **reading: Any,
) -> None:
    """Convert the vectors in SOURCE, in any supported format, to TARGET, whose extension names the format.

    TARGET is compressed if it ends in .gz.

    \b
    Examples:
      wordvec convert vectors.safetensors vectors.bin
      wordvec convert vectors.safetensors glove.txt --format glove
      wordvec convert vectors.safetensors vectors.tsv --format projector
    """
    from wordvec import load_vectors, save_vectors
    from wordvec.formats.registry import WITH_NGRAMS, output_format, second_output

    if metadata := second_output(target, format):
        check_files(metadata=str(metadata))
    if storage != "float32" and output_format(target, format) != "safetensors":
        raise click.UsageError(f"--storage {storage} needs a .safetensors file, got {target}")
    words = None if words_file is None else _words(words_file, reading["encoding"])
    vectors = load_vectors(source, format=input_format, words=words, **reading)
    if words is not None and (missing := len(words - set(vectors.tokens))):
        log(f"{missing:,} of {len(words):,} words are not in {source}", quiet)
    save_vectors(vectors, target, format=format, storage=storage)
    written, written_as = f"{len(vectors):,} words x {vectors.vector_size}", output_format(target, format)
    if (subwords := vectors.table().subwords) is not None:
        kept = written_as in WITH_NGRAMS and storage == "float32"
        written += f", {'with' if kept else 'without'} their {len(subwords.ngram_vectors):,} n-grams"
        if written_as == "floret":
            written = f"{subwords.buckets:,} buckets x {vectors.vector_size}, without the {len(vectors):,} words"
    log(f"{target}: {written}", quiet)


def _words(path: str, encoding: str) -> set[str]:
    """Return the first words of the lines of a file, such as one of words or of words and counts.

    ``encoding``: of the file, if it is not UTF-8.
    """
    from corpora import InputError, read_lines

    words = {line.split()[0] for line in read_lines(path, encoding=("utf-8", encoding)) if line.strip()}
    if not words:
        raise InputError(f"{path}: no words")
    return words
