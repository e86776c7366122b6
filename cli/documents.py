"""``wordvec documents``: sparse count and TF-IDF matrices, one row per line of text."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import Command, Failure, Group, note_output, usage_errors
from cli.shared.reporting import Progress, log
from cli.shared.unused import refuse_with

if TYPE_CHECKING:
    from wordvec.formats.documents import DocumentMatrix


class _CountOrFraction(click.ParamType):  # type: ignore[type-arg]
    """A number of documents, or a fraction of them if written with a decimal point."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(value) if isinstance(value, float) or "." in str(value) else int(value)
        except ValueError:
            self.fail(f"{value!r} is not a number; write a number of documents as 5, a fraction as 0.5", param, ctx)


_OPTIONS = (
    click.argument("corpus", type=options.INPUT, nargs=-1, required=True),
    options.output_option("Output matrix with its features (.npz)."),
    click.option(
        "--ngram-range",
        type=(int, int),
        default=(1, 1),
        show_default=True,
        metavar="MIN MAX",
        help="Shortest and longest word n-grams to count.",
    ),
    click.option(
        "--min-count",
        type=options.LEAST_1,
        default=1,
        show_default=True,
        help="Ignore features with fewer occurrences.",
    ),
    click.option(
        "--min-df",
        type=_CountOrFraction(),
        default=1,
        show_default=True,
        help="Ignore features in fewer documents (5) or a smaller fraction of them (0.5).",
    ),
    click.option(
        "--max-df",
        type=_CountOrFraction(),
        default=1.0,
        show_default=True,
        help="Ignore features in more documents, or a larger fraction of them.",
    ),
    click.option(
        "--max-features", type=options.LEAST_1, metavar="N", help="Keep the N most frequent features.  [default: all]"
    ),
    click.option(
        "--drop-words",
        type=options.INPUT,
        metavar="FILE",
        help="Leave out the words of FILE, one per line, such as stop words; n-grams skip them.",
    ),
    click.option(
        "--order",
        type=click.Choice(["count", "name"]),
        default="count",
        show_default=True,
        help="Order of the columns: by descending count, or by name.",
    ),
    click.option("--binary", is_flag=True, help="Record presence (1) instead of counts."),
    options.tokenizer_option,
    options.lowercase_option,
    options.normalize_option,
    options.unit_option("What a document is"),
    options.encoding_options,
    click.option(
        "--vocabulary",
        type=options.INPUT,
        metavar="FILE",
        help="Use the words of FILE ('word count' per line) as columns.",
    ),
    click.option(
        "--like",
        type=options.INPUT,
        metavar="MATRIX",
        help="Reuse the features, weights and tokenization of MATRIX, written by this command.",
    ),
    click.option("--save-vocabulary", "words_file", type=options.OUTPUT, metavar="FILE", help="Save words and counts."),
    click.option("--compress", is_flag=True, help="Compress the output (slower)."),
    options.threads_option,
    options.quiet_option,
)

_CHOICE = ("min_count", "min_df", "max_df", "max_features")
_TAKEN = ("ngram_range", "binary", "drop_words", "tokenizer", "lowercase", "normalize")
_WEIGHTS = ("idf", "sublinear_tf", "norm")


def _counting_options(command: options.C) -> options.C:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _dtype_option(*names: str) -> options.Decorator:
    return click.option(
        "--dtype", type=click.Choice(names), default=names[0], show_default=True, help="Data type of the matrix."
    )


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def documents() -> None:
    """Build sparse document-term matrices: word counts or TF-IDF.

    CORPUS is one or more files, globs or folders, - for standard input, or sample:english; plain text or .gz, .bz2,
    .xz, .zst. Each line is a document, even an empty one, or each paragraph or file (--unit). scipy.sparse.load_npz
    reads the matrix; wordvec.load_documents also returns the features, the columns.

    \b
    Example:
      wordvec documents tfidf sample:english -o tfidf.npz
    """


@documents.command(cls=Command, context_settings=options.HELP)
@_counting_options
@_dtype_option("int64", "int32", "float32", "float64")
def count(**given: Any) -> None:
    """Count the words of each line of CORPUS.

    \b
    Example:
      wordvec documents count sample:english -o counts.npz
    """
    _make("count", given)


@documents.command(cls=Command, context_settings=options.HELP)
@_counting_options
@click.option(
    "--idf",
    type=click.Choice(["smooth", "plain", "textbook", "none"]),
    default="smooth",
    show_default=True,
    help="Inverse document frequency: ln((1 + N) / (1 + df)) + 1, ln(N / df) + 1, ln(N / df), or 1.",
)
@click.option("--sublinear-tf", is_flag=True, help="Use 1 + ln(count) as term frequency.")
@click.option(
    "--norm",
    type=click.Choice(["l2", "l1", "none"]),
    default="l2",
    show_default=True,
    help="Normalize each row by its Euclidean norm, by its sum, or not at all.",
)
@_dtype_option("float64", "float32")
def tfidf(**given: Any) -> None:
    """Weight the words of each line of CORPUS by TF-IDF: term frequency times inverse document frequency.

    \b
    Examples:
      wordvec documents tfidf train.txt -o train.npz --ngram-range 1 2 --min-df 2
      wordvec documents tfidf test.txt -o test.npz --like train.npz
    """
    _make("tfidf", given)


def _make(kind: str, given: dict[str, Any]) -> None:
    """Read, count, weight and write."""
    from corpora import TextCorpus, read_lines
    from wordvec import load_documents, load_vocabulary, save_documents, save_vocabulary
    from wordvec.document_vectors.matrices import check_counting
    from wordvec.system.atomic_files import check_target

    _check_conflicts(given)
    refuse_with("--binary", given["binary"], "sublinear_tf")
    with usage_errors():
        check_counting(given["ngram_range"], *(given[name] for name in _CHOICE))
    like, words_file, output, quiet = (given.pop(name) for name in ("like", "words_file", "output", "quiet"))
    if os.path.splitext(output)[1] not in (".npz", ""):
        raise click.UsageError(f"--output must end in .npz, got {output}")
    compress, words = given.pop("compress"), given.pop("vocabulary")
    for target in filter(None, (output, words_file)):
        check_target(target)
    known = None
    if given["drop_words"] is not None:
        lines = read_lines(given["drop_words"], encoding=("utf-8", given["encoding"]))
        given["drop_words"] = list(filter(None, map(str.strip, lines)))
    if like is not None:
        known = load_documents(like)
        given["normalize"] = "none"  # what matrices of earlier releases do not record
        given |= {
            name: known.settings[name] for name in (*_TAKEN, *_WEIGHTS) if name in given and name in known.settings
        }
        if kind == "tfidf" and known.idf is None:
            raise Failure(f"{like} has no IDF weights; pass a matrix written by 'wordvec documents tfidf'")
    if words_file is not None and given["ngram_range"][1] > 1:
        raise click.UsageError(
            "--save-vocabulary saves only single words; read n-grams from the matrix with load_documents"
        )
    corpus = TextCorpus(
        *given.pop("corpus"),
        encoding=given.pop("encoding"),
        encoding_errors=given.pop("encoding_errors"),
        tokenizer=given.pop("tokenizer"),
        lowercase=given.pop("lowercase"),
        normalize=given.pop("normalize"),
        unit=given.pop("unit"),
    )
    vocabulary = None if known is None else known.vocabulary
    if words is not None:
        vocabulary = load_vocabulary(words, encoding=corpus.encoding)
    with Progress("reading", quiet) as progress:
        result = _build(
            corpus,
            given,
            vocabulary,
            known,
            on_progress=progress.bytes,
        )
    save_documents(result, output, compress=compress)
    note_output(output)
    if words_file is not None:
        save_vocabulary(result.vocabulary, words_file)
        note_output(words_file)
    rows, columns = result.matrix.shape
    log(f"{output}: {rows:,} documents x {columns:,} features, {result.matrix.nnz:,} nonzero entries", quiet)


def _build(
    corpus: Any,
    given: dict[str, Any],
    vocabulary: Any,
    known: "DocumentMatrix | None",
    on_progress: Callable[..., None],
) -> "DocumentMatrix":
    from wordvec import (
        count_documents,
        document_frequencies,
        encode_corpus,
        weigh_documents,
    )
    from wordvec.document_vectors.matrices import inverse_document_frequency
    from wordvec.formats.documents import DocumentMatrix

    weights = {name: given.pop(name) for name in _WEIGHTS if name in given}
    settings = {name: given[name] for name in ("ngram_range", "binary")} | weights
    settings |= {"tokenizer": corpus.tokenizer, "lowercase": corpus.lowercase, "normalize": corpus.normalize}
    dtype, threads, dropped = (given.pop(name) for name in ("dtype", "threads", "drop_words"))
    if dropped is not None:
        settings["drop_words"] = dropped
        corpus = encode_corpus(
            corpus, min_count=1, drop_words=dropped, cache=False, threads=threads, on_progress=on_progress
        )
    counted = "int32" if weights else dtype
    counts, vocabulary = count_documents(
        corpus, vocabulary=vocabulary, dtype=counted, threads=threads, on_progress=on_progress, **given
    )
    if not weights:
        return DocumentMatrix(counts, vocabulary, None, settings)
    idf = None if known is None else known.idf
    if idf is None:
        idf = inverse_document_frequency(document_frequencies(counts), counts.shape[0], weights["idf"])
    norm = None if weights["norm"] == "none" else weights["norm"]
    matrix = weigh_documents(counts, idf, sublinear_tf=weights["sublinear_tf"], norm=norm, dtype=dtype, threads=threads)
    return DocumentMatrix(matrix, vocabulary, idf, settings)


def _check_conflicts(given: dict[str, Any]) -> None:
    """Raise a usage error if an option conflicts with ``--like`` or ``--vocabulary``."""
    context = click.get_current_context()
    conflicting: tuple[str, ...]
    if given["like"] is not None:
        source, conflicting = "--like", ("vocabulary", "order", *_CHOICE, *_TAKEN, *_WEIGHTS)
    elif given["vocabulary"] is not None:
        source, conflicting = "--vocabulary", (*_CHOICE, "order", "drop_words")
    else:
        return
    for name in conflicting:
        if name in given and context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            option = "--" + name.replace("_", "-")
            raise click.UsageError(f"{source} already determines the features; leave out {option}")
