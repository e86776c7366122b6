"""``wordvec evaluate``: evaluate vectors on word similarity, analogies, categories and outliers."""

from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import Command
from cli.shared.evaluations import Benchmark, check_coverage, comparison_tables, draw_scores, names_of, run
from cli.shared.pictures import check_picture
from cli.shared.reporting import percent, print_json, table
from cli.shared.unused import refuse_with, refuse_without

if TYPE_CHECKING:
    from wordvec.vectors.evaluation import AnalogyResult, SimilarityResult
    from wordvec.vectors.intervals import Interval

_PROTOCOLS = ("P30k", "Pfull", "Phyp")


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("vectors", type=options.INPUT, nargs=-1, required=True)
@click.option(
    "--similarity",
    "pair_files",
    type=options.INPUT,
    multiple=True,
    metavar="FILE",
    help="Word pairs: word, word, score; as published, with tabs, commas or spaces, with or without a header.",
)
@click.option(
    "--missing",
    type=click.Choice(["skip", "zero"]),
    default="skip",
    show_default=True,
    help="Pairs with an unknown word: skip them, or count their similarity as 0.",
)
@click.option(
    "--analogies",
    "question_files",
    type=options.INPUT,
    multiple=True,
    metavar="FILE",
    help="Analogy questions: four words per line.",
)
@click.option(
    "--protocol",
    type=click.Choice(_PROTOCOLS),
    multiple=True,
    default=("P30k",),
    show_default=True,
    help="Questions to score: with the 30,000 most frequent words; with known words; all, unknown words being errors. "
    "Can be repeated.",
)
@click.option(
    "--method",
    type=click.Choice(["add", "mul", "lrcos"]),
    default="add",
    show_default=True,
    help="Add vectors (3CosAdd), multiply cosines (3CosMul), or learn each section's class of answers (LRCos).",
)
@options.case_sensitive_option
@click.option(
    "--categories", "category_files", type=options.INPUT, multiple=True, metavar="FILE", help="Words and categories."
)
@click.option(
    "--outliers",
    "outlier_files",
    type=options.INPUT,
    multiple=True,
    metavar="FILE",
    help="Groups of words and their outliers, separated by empty lines (8-8-8 data set).",
)
@click.option("--intervals", is_flag=True, help="Print bootstrap confidence intervals (95 %).")
@click.option("--paired", is_flag=True, help="Print each file's difference to the first, its interval and p-value.")
@click.option(
    "--plot",
    type=options.OUTPUT,
    metavar="FILE",
    help="Draw the scores, with their --intervals, those of one file of analogies by section, to a .png, .svg or .pdf "
    "file.",
)
@options.subword_fallback_option
@options.json_option
def evaluate(
    vectors: tuple[str, ...],
    pair_files: tuple[str, ...],
    missing: Any,
    question_files: tuple[str, ...],
    protocol: tuple[str, ...],
    method: Any,
    case_sensitive: bool,
    category_files: tuple[str, ...],
    outlier_files: tuple[str, ...],
    intervals: bool,
    paired: bool,
    plot: str | None,
    subword_fallback: bool,
    as_json: bool,
) -> None:
    """Evaluate VECTORS against human similarity judgments, on analogies, categories or outliers.

    Similarity is Spearman's rank correlation over the pairs with both words in the vocabulary, or composed of n-grams.
    All options with FILE can be repeated. Several files of VECTORS are compared in one table; of those that differ only
    in the seed, the mean and the standard deviation follow.

    \b
    Examples:
      wordvec evaluate vectors.safetensors --similarity ws353.tsv --analogies questions-words.txt
      wordvec evaluate a.safetensors b.safetensors --similarity ws353.tsv --intervals --paired
    """
    if not (pair_files or question_files or category_files or outlier_files):
        raise click.UsageError("give --similarity FILE, --analogies FILE, --categories FILE or --outliers FILE")
    refuse_without("--analogies FILE", question_files, "protocol", "method", "case_sensitive")
    refuse_without("--similarity FILE", pair_files, "missing")
    refuse_with("--method lrcos", method == "lrcos", "case_sensitive")
    if paired and len(vectors) == 1:
        raise click.UsageError("--paired compares files with the first; give at least two")

    from wordvec import load_vectors

    check_picture(plot)
    benchmarks = [
        *(Benchmark("similarity", file, {"missing": missing}) for file in pair_files),
        *(
            Benchmark("analogies", file, {"protocol": each, "method": method, "case_sensitive": case_sensitive})
            for file in question_files
            for each in dict.fromkeys(protocol)
        ),
        *(Benchmark("categories", file, {}) for file in category_files),
        *(Benchmark("outliers", file, {}) for file in outlier_files),
    ]
    if len(vectors) > 1:
        comparison_tables(vectors, benchmarks, subword_fallback, intervals, paired, as_json, plot)
        return
    loaded = load_vectors(vectors[0], subword_fallback=subword_fallback)
    results = [run(loaded, benchmark) for benchmark in benchmarks]
    check_coverage(vectors, names_of(benchmarks, results), [results])
    bounds = _intervals(results) if intervals else [None] * len(results)
    if plot is not None:
        draw_scores(vectors, names_of(benchmarks, results), [results], [bounds], plot)
    by_kind: dict[str, list[tuple[Any, Interval | None]]] = {}
    for benchmark, result, bound in zip(benchmarks, results, bounds, strict=True):
        by_kind.setdefault(benchmark.kind, []).append((result, bound))
    if as_json:
        shown = {kind: [_summary(*found) for found in by_kind.get(kind, [])] for kind in ("similarity", "analogies")}
        others = {kind: [_summary(*found) for found in each] for kind, each in by_kind.items() if kind not in shown}
        print_json(shown | others)
        return
    texts = []
    if pairs := by_kind.get("similarity"):
        texts.append(similarity_table([result for result, _ in pairs], [bound for _, bound in pairs]))
    texts += [analogy_table(result, bound) for result, bound in by_kind.get("analogies", [])]
    if groups := by_kind.get("categories"):
        rows = [[each.name, f"{each.purity:.3f}", f"{each.covered:,} of {each.words:,}"] for each, _ in groups]
        texts.append(table(rows, ["categories", "purity", "words"]))
    if groups := by_kind.get("outliers"):
        rows = [
            [
                each.name,
                percent(each.accuracy),
                percent(each.position),
                f"{each.asked:,} of {each.questions:,}",
                shown_interval(bound, True),
            ]
            for each, bound in groups
        ]
        head = ["outliers", "accuracy", "position", "asked", "95 % interval"]
        texts.append(table([row[: 4 + intervals] for row in rows], head[: 4 + intervals]))
    click.echo("\n\n".join(texts))


def _intervals(results: list[Any]) -> "list[Interval | None]":
    from wordvec.vectors.intervals import interval

    return [interval(each) if hasattr(each, "items") and each.score is not None else None for each in results]


def _summary(result: Any, bound: "Interval | None") -> dict[str, Any]:
    found: dict[str, Any] = result.summary()
    return found if bound is None else {**found, "interval": [bound.low, bound.high]}


def shown_interval(bound: "Interval | None", as_percent: bool = False) -> str:
    """Format the ends of an interval."""
    if bound is None:
        return "-"
    return f"{100 * bound.low:.1f}..{100 * bound.high:.1f} %" if as_percent else f"{bound.low:.3f}..{bound.high:.3f}"


def similarity_table(results: "list[SimilarityResult]", bounds: "list[Interval | None] | None" = None) -> str:
    """Return a table with the correlations and the number of covered pairs of each set."""
    rows, head = [], ["similarity", "Spearman", "Pearson", "pairs"]
    with_bounds = bounds is not None and any(bounds)
    for result, bound in zip(results, bounds or [None] * len(results), strict=True):
        numbers = ["-" if each is None else f"{each:.3f}" for each in (result.spearman, result.pearson)]
        row = [result.name, *numbers, f"{result.covered:,} of {result.pairs:,}"]
        rows.append([*row, *([shown_interval(bound)] if with_bounds else []), f"{result.composed:,}"])
    head += [*(["95 % interval"] if with_bounds else []), "composed"]
    shown = len(head) if any(result.composed for result in results) else len(head) - 1
    return table([row[:shown] for row in rows], head[:shown])


def analogy_table(result: "AnalogyResult", bound: "Interval | None" = None) -> str:
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
    if bound is not None:
        head += f", total {shown_interval(bound, True)} (95 % interval)"
    shown = 6 if result.total.composed else 5
    header = ["section", "accuracy", "correct", "asked", "questions", "composed"]
    return f"{head}\n{table([row[:shown] for row in rows], header[:shown])}"
