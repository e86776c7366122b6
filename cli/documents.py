"""``wordvec documents``: text in, a sparse matrix out, a row for each line."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import Command, Failure, Group, usage_errors, written
from cli.shared.reporting import Progress, say

if TYPE_CHECKING:
    from wordvec import DocumentMatrix


class _Share(click.ParamType):
    """A whole number of documents, or with a point a share of them."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(value) if isinstance(value, float) or "." in str(value) else int(value)
        except ValueError:
            self.fail(f"{value!r} is no number; write documents as 5, or a share of them as 0.5", param, ctx)


_OPTIONS = (
    click.argument("corpus", nargs=-1, required=True),
    options.output_option("Where the matrix goes (.npz); its features are in it, too."),
    click.option(
        "--ngram-range",
        type=(int, int),
        default=(1, 1),
        show_default=True,
        metavar="MIN MAX",
        help="Features of so many words.",
    ),
    click.option(
        "--min-count", type=options.LEAST_1, default=1, show_default=True, help="Leave out features seen less often."
    ),
    click.option(
        "--min-df",
        type=_Share(),
        default=1,
        show_default=True,
        help="Leave out features of fewer documents.",
    ),
    click.option("--max-df", type=_Share(), default=1.0, show_default=True, help="Of more; 0.5: half of all."),
    click.option(
        "--max-features", type=options.LEAST_1, metavar="N", help="Keep the N most frequent features.  [default: all]"
    ),
    click.option("--binary", is_flag=True, help="Count 1 for every feature that is there."),
    options.tokenizer_option,
    options.lowercase_option,
    options.encoding_errors_option,
    click.option(
        "--vocabulary",
        type=click.Path(),
        metavar="FILE",
        help="The words of FILE are the columns, 'word count' a line.",
    ),
    click.option(
        "--like",
        type=click.Path(),
        metavar="MATRIX",
        help="Take features, weights and how texts are cut from MATRIX, which this command wrote.",
    ),
    click.option("--save-vocabulary", "words_file", type=click.Path(), metavar="FILE", help="Write words and counts."),
    click.option("--compress", is_flag=True, help="Write a smaller file, slowly."),
    options.threads_option,
    options.quiet_option,
)

_CHOICE = ("min_count", "min_df", "max_df", "max_features")
_TAKEN = ("ngram_range", "binary", "tokenizer", "lowercase")
_WEIGHTS = ("idf", "sublinear_tf", "norm")


def _counting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _dtype_option(*names: str) -> Any:
    return click.option(
        "--dtype", type=click.Choice(names), default=names[0], show_default=True, help="Of the numbers."
    )


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def documents() -> None:
    """Turn lines of text into rows of a sparse matrix: counts of their words, or TF-IDF.

    CORPUS is a file, several, a glob, a folder, - for standard input, or sample:english; plain text or .gz, .bz2, .xz,
    .zst. A line is a document, also an empty one. The matrix is what scipy.sparse.load_npz reads;
    wordvec.load_documents also gives the features, which are the columns by falling count.
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
    help="ln((1 + N) / (1 + df)) + 1, ln(N / df) + 1, ln(N / df), or 1.",
)
@click.option("--sublinear-tf", is_flag=True, help="1 + ln(count) instead of the count.")
@click.option(
    "--norm",
    type=click.Choice(["l2", "l1", "none"]),
    default="l2",
    show_default=True,
    help="Divide rows by the root of their sum of squares, by their sum, or not at all.",
)
@_dtype_option("float64", "float32")
def tfidf(**given: Any) -> None:
    """Weigh the words of each line of CORPUS by TF-IDF: their count there, times idf, which is more for words of few
    documents.

    \b
    Examples:
      wordvec documents tfidf train.txt -o train.npz --ngram-range 1 2 --min-df 2
      wordvec documents tfidf test.txt -o test.npz --like train.npz
    """
    _make("tfidf", given)


def _make(kind: str, given: dict[str, Any]) -> None:
    """Read, count, weigh, write."""
    from corpora import TextCorpus
    from wordvec import check_counting, check_target, load_documents, load_vocabulary, save_documents, save_vocabulary

    _check_alone(given)
    with usage_errors():
        check_counting(given["ngram_range"], *(given[name] for name in _CHOICE))
    like, words_file, output, quiet = (given.pop(name) for name in ("like", "words_file", "output", "quiet"))
    compress, words = given.pop("compress"), given.pop("vocabulary")
    for target in filter(None, (output, words_file)):
        check_target(target)
    known = None
    if like is not None:
        known = load_documents(like)
        given |= {
            name: known.settings[name] for name in (*_TAKEN, *_WEIGHTS) if name in given and name in known.settings
        }
        if kind == "tfidf" and known.idf is None:
            raise Failure(f"{like} has no weights; name a matrix that 'wordvec documents tfidf' wrote")
    if words_file is not None and given["ngram_range"][1] > 1:
        raise click.UsageError("--save-vocabulary writes single words; n-grams are in the matrix: load_documents")
    corpus = TextCorpus(
        *given.pop("corpus"),
        encoding_errors=given.pop("encoding_errors"),
        tokenizer=given.pop("tokenizer"),
        lowercase=given.pop("lowercase"),
    )
    vocabulary = load_vocabulary(words) if words is not None else None if known is None else known.vocabulary
    with Progress("reading", quiet) as progress:
        made = _made(
            corpus,
            given,
            vocabulary,
            known,
            on_progress=progress.bytes,
        )
    save_documents(made, output, compress=compress)
    written(output)
    if words_file is not None:
        save_vocabulary(made.vocabulary, words_file)
        written(words_file)
    rows, columns = made.matrix.shape
    say(f"{output}: {rows:,} documents x {columns:,} features, {made.matrix.nnz:,} entries that are not 0", quiet)


def _made(
    corpus: Any,
    given: dict[str, Any],
    vocabulary: Any,
    known: "DocumentMatrix | None",
    on_progress: Callable[..., None],
) -> "DocumentMatrix":
    from wordvec import (
        DocumentMatrix,
        count_documents,
        document_frequencies,
        inverse_document_frequency,
        weigh_documents,
    )

    weights = {name: given.pop(name) for name in _WEIGHTS if name in given}
    settings = {name: given[name] for name in ("ngram_range", "binary")} | weights
    settings |= {"tokenizer": corpus.tokenizer, "lowercase": corpus.lowercase}
    dtype, threads = given.pop("dtype"), given.pop("threads")
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


def _check_alone(given: dict[str, Any]) -> None:
    """Raise a usage error where options say twice what the columns are."""
    context = click.get_current_context()
    beside: tuple[str, ...]
    if given["like"] is not None:
        source, beside = "--like", ("vocabulary", *_CHOICE, *_TAKEN, *_WEIGHTS)
    elif given["vocabulary"] is not None:
        source, beside = "--vocabulary", _CHOICE
    else:
        return
    for name in beside:
        if name in given and context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            option = "--" + name.replace("_", "-")
            raise click.UsageError(f"{source} says which features there are and how; leave out {option}")
