"""``wordvec evaluate``: evaluate vectors on word similarity and analogies."""

from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import Command
from cli.shared.reporting import percent, print_json, table
from cli.shared.unused import refuse_without

if TYPE_CHECKING:
    from wordvec.vectors.evaluation import AnalogyResult, SimilarityResult


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.option(
    "--similarity",
    "pair_files",
    type=options.INPUT,
    multiple=True,
    metavar="FILE",
    help="Word pairs: word, word, score; as published, with tabs, commas or spaces, with or without a header.",
)
@click.option(
    "--analogies",
    "question_files",
    type=options.INPUT,
    multiple=True,
    metavar="FILE",
    help="Analogy questions: four words per line.",
)
@options.protocol_option
@options.method_option
@options.case_sensitive_option
@options.subword_fallback_option
@options.json_option
def evaluate(
    vectors: str,
    pair_files: tuple[str, ...],
    question_files: tuple[str, ...],
    protocol: str,
    method: Any,
    case_sensitive: bool,
    subword_fallback: bool,
    as_json: bool,
) -> None:
    """Evaluate VECTORS against human similarity judgments and on analogies.

    Similarity is Spearman's rank correlation over the pairs with both words in the vocabulary, or composed of n-grams.
    Both options can be repeated.

    \b
    Example:
      wordvec evaluate vectors.safetensors --similarity ws353.tsv --analogies questions-words.txt
    """
    if not pair_files and not question_files:
        raise click.UsageError("give --similarity FILE or --analogies FILE, or both")

    refuse_without("--analogies FILE", question_files, "protocol", "method", "case_sensitive")

    from wordvec import evaluate_analogies, evaluate_similarity, load_vectors

    loaded = load_vectors(vectors, subword_fallback=subword_fallback)
    pairs = [evaluate_similarity(loaded, file) for file in pair_files]
    analogies = [
        evaluate_analogies(loaded, file, protocol=protocol, method=method, case_sensitive=case_sensitive)
        for file in question_files
    ]
    if as_json:
        print_json({"similarity": [s.summary() for s in pairs], "analogies": [a.summary() for a in analogies]})
        return
    texts = [similarity_table(pairs)] if pairs else []
    click.echo("\n\n".join(texts + [analogy_table(result) for result in analogies]))


def similarity_table(results: "list[SimilarityResult]") -> str:
    """Return a table with the correlation and the number of covered pairs of each set."""
    rows = []
    for result in results:
        correlation = "-" if result.spearman is None else f"{result.spearman:.3f}"
        rows.append([result.name, correlation, f"{result.covered:,} of {result.pairs:,}", f"{result.composed:,}"])
    shown = 4 if any(result.composed for result in results) else 3
    return table([row[:shown] for row in rows], ["similarity", "Spearman", "pairs", "composed"][:shown])


def analogy_table(result: "AnalogyResult") -> str:
    """Return a table with the accuracy of each section and the totals, headed by the protocol."""
    sums = [part for part in (result.semantic, result.syntactic, result.total) if part is not None]
    rows = [
        [count.name, percent(count.accuracy)]
        + [f"{number:,}" for number in (count.right, count.asked, count.questions, count.composed)]
        for count in [*result.sections, *sums]
    ]
    head = f"{result.name}, protocol {result.protocol}, method {result.method}"
    if result.case_sensitive:
        head += ", case-sensitive"
    shown = 6 if result.total.composed else 5
    header = ["section", "accuracy", "correct", "asked", "questions", "composed"]
    return f"{head}\n{table([row[:shown] for row in rows], header[:shown])}"
