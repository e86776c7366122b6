"""Benchmarks of word vectors, and tables that compare several files on them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from cli.shared.errors import note_output
from cli.shared.reporting import log, print_json, table

if TYPE_CHECKING:
    from wordvec import WordVectors
    from wordvec.vectors.intervals import Interval

_SeedSpread: TypeAlias = tuple[list[int], list[float | None], list[float | None]]
"""The places of files that differ in the seed; the mean and the standard deviation of their scores, by benchmark."""


@dataclass(frozen=True)
class Benchmark:
    """A benchmark file and how it is evaluated."""

    kind: str
    """``similarity``, ``analogies``, ``categories`` or ``outliers``."""
    file: str
    arguments: Mapping[str, Any]


def run(vectors: "WordVectors", benchmark: Benchmark) -> Any:
    """Return the result of a benchmark."""
    from wordvec import evaluate_analogies, evaluate_similarity

    if benchmark.kind == "similarity":
        return evaluate_similarity(vectors, benchmark.file, missing=benchmark.arguments["missing"])
    if benchmark.kind == "analogies":
        arguments = dict(benchmark.arguments)
        if arguments["method"] == "lrcos":
            from wordvec.vectors.lrcos import evaluate_lrcos

            return evaluate_lrcos(vectors, benchmark.file, protocol=arguments["protocol"])
        return evaluate_analogies(vectors, benchmark.file, **arguments)
    from wordvec.vectors.categorization import evaluate_categorization, evaluate_outliers

    evaluate = evaluate_categorization if benchmark.kind == "categories" else evaluate_outliers
    return evaluate(vectors, benchmark.file)


def comparison_tables(
    files: Sequence[str],
    benchmarks: Sequence[Benchmark],
    subword_fallback: bool,
    intervals: bool,
    paired: bool,
    as_json: bool,
    picture: str | None,
) -> None:
    """Print the scores of several files: a row for each, then the mean and spread of those that differ in the seed."""
    from wordvec import load_vectors
    from wordvec.vectors.intervals import difference, interval

    results, groups = [], dict[str, list[int]]()
    for place, file in enumerate(files):
        loaded = load_vectors(file, subword_fallback=subword_fallback)
        results.append([run(loaded, benchmark) for benchmark in benchmarks])
        if "seed" in loaded.settings:
            rest = {name: value for name, value in loaded.settings.items() if name != "seed"}
            key = json.dumps([len(loaded), rest, loaded.origin.get("postprocessing")], sort_keys=True, default=str)
            groups.setdefault(key, []).append(place)
    names = names_of(benchmarks, results[0])
    check_coverage(files, names, results)
    bounds: list[list[Interval | None]] = [
        [interval(each) if intervals and _has_items(each) else None for each in row] for row in results
    ]
    gaps: list[list[Interval | None]] = [
        [difference(a, b) if _has_items(a) and _has_items(b) else None for a, b in zip(results[0], row, strict=True)]
        for row in (results[1:] if paired else [])
    ]
    spreads = _spreads(results, [places for places in groups.values() if len(places) > 1])
    if picture is not None:
        draw_scores(files, names, results, bounds, picture, spreads)
    if as_json:
        _print_json(files, results, bounds, gaps, spreads, names)
        return
    rows = [
        [file, *(_cell(each, bound) for each, bound in zip(row, limits, strict=True))]
        for file, row, limits in zip(files, results, bounds, strict=True)
    ]
    for places, means, deviations in spreads:
        numbers = [_spread(mean, sd, each) for mean, sd, each in zip(means, deviations, results[0], strict=True)]
        rows.append([_mean_of(places), *numbers])
    texts = [table(rows, ["vectors", *names])]
    if gaps:
        rows = [[file, *map(_gap, row, results[0])] for file, row in zip(files[1:], gaps, strict=True)]
        texts.append(table(rows, [f"minus {files[0]}", *names]))
    texts.append(table([[name, *coverage] for name, coverage in zip(names, _coverage(results), strict=True)],
                       ["items scored", *files]))  # fmt: skip
    click.echo("\n\n".join(texts))


def check_coverage(files: Sequence[str], names: Sequence[str], results: Sequence[Sequence[Any]]) -> None:
    """Warn of benchmarks of which a file has no item.

    Raises:
        InputError: no file has an item of any benchmark.
    """
    from corpora import InputError

    uncovered = [
        (file, name)
        for file, row in zip(files, results, strict=True)
        for name, result in zip(names, row, strict=True)
        if not _asked(result)
    ]
    if len(uncovered) == len(files) * len(names):
        raise InputError(
            f"no pair or question of {', '.join(names)} has vectors for all its words; "
            "give benchmarks in the language and case of the vectors"
        )
    for file, name in uncovered:
        log(f"Warning: {file} has no pair or question of {name} with vectors for all its words")


def draw_scores(
    files: Sequence[str],
    names: Sequence[str],
    results: Sequence[Sequence[Any]],
    bounds: "Sequence[Sequence[Interval | None]]",
    path: str,
    spreads: Sequence[_SeedSpread] = (),
) -> None:
    """Draw the scores of files on benchmarks, with their intervals, and the spread of seeds; analogies by section."""
    from wordvec.plotting.curves import plot_scores

    scores: dict[str, dict[str, list[float] | None]] = {}
    for file, row, limits in zip(files, results, bounds, strict=True):
        found = {name: (each.score, bound) for name, each, bound in zip(names, row, limits, strict=True)}
        if len(row) == 1 and hasattr(row[0], "sections"):
            columns = row[0].table_columns()
            found = {name: (share, None) for name, share in zip(columns["name"], columns["accuracy"], strict=True)}
            found["total"] = row[0].score, limits[0]
        scores[file] = {
            name: None if score is None else [score, *((bound.low, bound.high) if bound else ())]
            for name, (score, bound) in found.items()
        }
    by_section = len(names) == 1 and hasattr(results[0][0], "sections")
    for places, means, deviations in spreads:
        scores[f"{_mean_of(places)} of {files[places[0]]} ± standard deviation"] = {
            name: None if mean is None or sd is None else [mean, mean - sd, mean + sd]
            for name, mean, sd in zip(["total"] if by_section else names, means, deviations, strict=True)
        }
    plot_scores(scores, path, label=f"accuracy, {names[0]}" if by_section else "score")
    note_output(path)


def _mean_of(places: Sequence[int]) -> str:
    return f"mean of {len(places)} seeds"


def _has_items(result: Any) -> bool:
    return hasattr(result, "items") and result.score is not None


def names_of(benchmarks: Sequence[Benchmark], results: Sequence[Any]) -> list[str]:
    """Return the heading of each benchmark: its name, and the protocol and method of analogies; the file, too, of those
    that would have the same.

    Example:
        >>> from types import SimpleNamespace
        >>> pairs = [Benchmark("similarity", f"{folder}/pairs.tsv", {}) for folder in ("a", "b")]
        >>> names_of(pairs, [SimpleNamespace(name="pairs")] * 2)
        ['pairs (a/pairs.tsv)', 'pairs (b/pairs.tsv)']
    """
    names = []
    for benchmark, result in zip(benchmarks, results, strict=True):
        name = result.name
        if benchmark.kind == "analogies":
            name += f" {result.protocol}" + ("" if result.method == "add" else f" {result.method}")
        names.append(name)
    return [
        f"{name} ({benchmark.file})" if names.count(name) > 1 else name
        for name, benchmark in zip(names, benchmarks, strict=True)
    ]


def _spreads(results: Sequence[Sequence[Any]], groups: Sequence[list[int]]) -> list[_SeedSpread]:
    """Return the rows of each group, and the mean and the sample standard deviation of its scores."""
    from statistics import mean, stdev

    found = []
    for places in groups:
        columns = [[results[place][column].score for place in places] for column in range(len(results[0]))]
        known = [None not in scores for scores in columns]
        means = [mean(scores) if ok else None for scores, ok in zip(columns, known, strict=True)]
        deviations = [stdev(scores) if ok else None for scores, ok in zip(columns, known, strict=True)]
        found.append((places, means, deviations))
    return found


def _is_share(result: Any) -> bool:
    return hasattr(result, "accuracy")


def _number(value: float | None, result: Any) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.1f}" if _is_share(result) else f"{value:.3f}"


def _cell(result: Any, bound: "Interval | None") -> str:
    text = _number(result.score, result)
    return text if bound is None else f"{text} [{_number(bound.low, result)} {_number(bound.high, result)}]"


def _spread(mean: float | None, deviation: float | None, result: Any) -> str:
    return "-" if mean is None else f"{_number(mean, result)} ± {_number(deviation, result)}"


def _gap(gap: "Interval | None", result: Any) -> str:
    if gap is None:
        return "-"
    sign = "+" if gap.estimate >= 0 else ""
    low, high = _number(gap.low, result), _number(gap.high, result)
    return f"{sign}{_number(gap.estimate, result)} [{low} {high}] p={gap.p_value:.3f}"


def _coverage(results: Sequence[Sequence[Any]]) -> list[list[str]]:
    """Return for each benchmark the number of scored items of each file."""
    return [[f"{_asked(row[column]):,}" for row in results] for column in range(len(results[0]))]


def _asked(result: Any) -> int:
    if hasattr(result, "total"):
        return int(result.total.asked)
    if hasattr(result, "asked"):
        return int(result.asked)
    return int((result.items[:, 1] == result.items[:, 1]).sum()) if hasattr(result, "items") else int(result.covered)


def _print_json(
    files: Sequence[str],
    results: Sequence[Sequence[Any]],
    bounds: "Sequence[Sequence[Interval | None]]",
    gaps: "Sequence[Sequence[Interval | None]]",
    spreads: Sequence[_SeedSpread],
    names: Sequence[str],
) -> None:
    found = []
    for place, (file, row, limits) in enumerate(zip(files, results, bounds, strict=True)):
        entries: dict[str, Any] = {}
        for column, name in enumerate(names):
            entry, bound = row[column].summary(), limits[column]
            if bound is not None:
                entry["interval"] = [bound.low, bound.high]
            if gaps and place and (gap := gaps[place - 1][column]) is not None:
                entry["difference"] = {
                    "estimate": gap.estimate, "interval": [gap.low, gap.high], "p": gap.p_value, "items": gap.items,
                }  # fmt: skip
            entries[name] = entry
        found.append({"vectors": file, "results": entries})
    seeds = [
        {
            "vectors": [files[place] for place in places],
            "mean": dict(zip(names, means, strict=True)),
            "sd": dict(zip(names, deviations, strict=True)),
        }
        for places, means, deviations in spreads
    ]
    print_json({"files": found, "seeds": seeds})
