"""Sources, predictions and scores of ``transduce``, as the command reads and prints them."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from cli.shared.errors import note_output
from cli.shared.reporting import finite, log, percent, table

if TYPE_CHECKING:
    from seqclf.translation.evaluation import Evaluation
    from seqclf.translation.model import TransducerModel
    from seqclf.translation.predictions import Prediction


def read_sources(
    model: "TransducerModel",
    source: str,
    source_column: str | None,
    features_column: str | None,
    encoding: str,
    encoding_errors: str,
) -> Iterator[tuple[str, str | None]]:
    """Yield the sources of a file, and their features if the model has any."""
    from corpora import iter_sources

    if features_column is not None and not model.features:
        raise click.UsageError("--features-column has no effect: the model was trained without features; leave it out")
    rows: Iterator[tuple[str, str | None]] = iter_sources(
        source, encoding=encoding, encoding_errors=encoding_errors, source_column=source_column,
        features_column=features_column, features=model.features,
    )  # fmt: skip
    return rows


def given_sources(sources: tuple[str, ...], features: str | None, has_features: bool) -> list[tuple[str, str | None]]:
    """Return sources given as arguments with their features."""
    if not has_features:
        if features is not None:
            raise click.UsageError("--features has no effect: the model was trained without features; leave it out")
        return [(source, None) for source in sources]
    rows: list[tuple[str, str | None]] = []
    for source in sources:
        text, tab, own = source.partition("\t")
        if not tab and features is None:
            raise click.UsageError(
                "the model was trained with features; give --features, or SOURCE, a tab and features"
            )
        rows.append((text, own if tab else features))
    return rows


def answers(
    model: "TransducerModel",
    batch: list[tuple[str, str | None]],
    done: int,
    name: str,
    search: dict[str, Any],
) -> Iterator[list["Prediction | None"]]:
    """Yield the predictions of a batch, None for blank sources: all at once, or those up to one that is invalid.

    Args:
        model: a model. batch: sources and their features.
        done: sources before this batch. name: of the input, for messages.
        search: options of ``predict``.

    Raises:
        InputError: a source is invalid; the message has its line.
    """
    from corpora import InputError

    def answer(rows: list[tuple[str, str | None]]) -> list["Prediction | None"]:
        present = [row for row in rows if row[0].strip()]
        own = [features or "" for _, features in present] if model.features else None
        found = iter(model.predict([text for text, _ in present], features=own, **search) if present else [])
        return [next(found) if text.strip() else None for text, _ in rows]

    try:
        yield answer(batch)
    except InputError:  # what comes before the invalid source is not lost
        for place, row in enumerate(batch, done + 1):
            try:
                yield answer([row])
            except InputError as error:
                raise InputError(f"{name}:{place}: {error}") from None


def text_line(found: "Prediction | None", scores: bool) -> str:
    if found is None:
        return ""
    if not scores:
        return found.text
    return "\t".join(f"{each.text}\t{each.score:.4f}" for each in [found, *found.alternatives])


def json_line(found: "Prediction | None") -> str:
    rows = [] if found is None else [found, *found.alternatives]
    answer = {"target": rows[0].text if rows else "", "targets": [{"text": r.text, "score": r.score} for r in rows]}
    return json.dumps(finite(answer), ensure_ascii=False)


def plot_attention(found: "Prediction | None", path: str) -> None:
    from seqclf.inspection.plotting import save_attention_heatmap

    if found is None:
        raise click.UsageError("--attention plots one source; give one that is not blank")
    save_attention_heatmap(found.source, found.units, found.attention, path)
    note_output(path)
    log(f"{path}: {len(found.units)} target units, {len(found.source)} source units")


def score_table(found: "Evaluation", head: str) -> str:
    rows = [
        [name, percent(score.exact_match), f"{score.edit_distance:.3f}", percent(score.error_rate)]
        for name, score in found.scores.items()
    ]
    header = [head, "exact match", "edit distance", "error rate"]
    for row, translation in zip(rows, found.translations.values(), strict=False):
        row += [f"{translation.bleu:.1f}", f"{translation.chrf:.1f}"]
    lines = [table(rows, [*header, "BLEU", "chrF"] if found.translations else header)]
    for translation in list(found.translations.values())[:1]:
        lines += ["", f"BLEU {translation.bleu_signature}", f"chrF {translation.chrf_signature}"]
    return "\n".join(lines)


def dev_measures(metrics: Mapping[str, float]) -> str:
    """Return the validation scores of an epoch, after a comma."""
    found = f", dev loss {metrics['dev_loss']:.3f}" if "dev_loss" in metrics else ""
    if "dev_exact" in metrics:
        found += f", dev exact match {percent(metrics['dev_exact'])}"
    return found


def training_summary(model: "TransducerModel") -> str:
    from wordvec.system.wording import counted

    metrics = model.metrics
    best = f"best epoch {metrics['best_epoch']} of {len(model.history)}{dev_measures(metrics)}"
    if metrics["dev_pairs"]:
        best += f" on {counted(metrics['dev_pairs'], 'pair')}"
    return (
        f"{best}; trained on {counted(metrics['pairs'], 'pair')}, {counted(metrics['source_units'], 'source unit')}, "
        f"{counted(metrics['target_units'], 'target unit')}"
    )
