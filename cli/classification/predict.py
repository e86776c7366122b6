"""``classify-text predict``: predictions for texts on the command line, of a file or a stream, or of many files."""

import functools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cli.classification.examples import load_classifier
from cli.shared import options
from cli.shared.errors import Command
from cli.shared.map_options import MapStep, map_options
from cli.shared.streaming import Arriving
from cli.shared.supervised import source_to_predict

if TYPE_CHECKING:
    import numpy as np

    from seqclf import ClassifierModel
    from seqclf.classification.fasttext import FastTextClassifier


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--input", "source", type=options.INPUT, metavar="FILE", help="Read texts from FILE; - for standard input."
)
@click.option("--text-column", metavar="NAME", help="With --input: name of the text column.  [default: text]")
@click.option(
    "-k",
    "--top-k",
    type=options.LEAST_1,
    metavar="K",
    help="Print the K most probable labels.  [default: 1; multi-label: all]",
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    metavar="P",
    help="Abstain from texts whose most probable label is less probable: print an empty label, or null with --json.",
)
@click.option(
    "--files",
    type=options.INPUT,
    metavar="FILES",
    help="Read texts from all files of a folder or glob, and write one file for each to --output-folder.",
)
@click.option("--output-folder", type=options.OUTPUT, metavar="FOLDER", help="Where --files writes NAME.predictions.")
@map_options
@options.encoding_options
@options.threads_option
@options.json_option
def predict(
    model: str,
    texts: tuple[str, ...],
    source: str | None,
    files: str | None,
    output_folder: str | None,
    text_column: str | None,
    top_k: int | None,
    min_confidence: float | None,
    encoding: str,
    encoding_errors: str,
    threads: int | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Print one line per TEXT: the predicted label, a tab, and its probability; with -k K, K of these pairs.

    MODEL is a file of classify-text train, or a supervised model of fastText (.bin or .ftz), whose labels are printed
    without __label__.

    For a multi-label MODEL: the predicted labels, a tab, and all labels with their probabilities, most probable first.

    --input reads tables by their extension, with or without labels: one text per record of a .csv, .tsv or .jsonl file,
    and one per line, including blank lines, of other files and of standard input, which a single - instead of TEXT
    names. Answers come in order, and as soon as the input pauses. With --json, each line is an object with the
    probabilities of all labels, or of K. Put -- before a TEXT of a single word that starts with a dash.

    \b
    Examples:
      classify-text predict model.safetensors "Forest fire near the village"
      classify-text predict model.safetensors --input texts.txt
      classify-text predict model.safetensors --files 'news/*.txt' --output-folder labels --local-cluster 4
    """
    mapped = MapStep(given, files, output_folder, [*texts, *filter(None, [source])])
    if files is not None:
        predict_file = _FilePrediction(
            os.path.abspath(model), text_column, top_k, min_confidence, encoding, encoding_errors, as_json
        )
        mapped.run(predict_file, threads)
        return
    source = source_to_predict(texts, source, "TEXT", ("--text-column", text_column))

    from corpora import iter_texts

    loaded = load_classifier(model)
    if min_confidence is not None and hasattr(loaded, "thresholds"):
        raise click.UsageError(f"--min-confidence needs a model of one label per text; {model} has several")
    asked = (
        texts
        if source is None
        else iter_texts(source, encoding=encoding, encoding_errors=encoding_errors, text_column=text_column)
    )
    for batch in Arriving(asked):
        click.echo("\n".join(_lines(loaded, batch, top_k, min_confidence, as_json, threads)))


def _lines(
    model: "ClassifierModel | FastTextClassifier",
    texts: Sequence[str],
    top_k: int | None,
    min_confidence: float | None,
    as_json: bool,
    threads: int | None,
) -> list[str]:
    """Return a line for the prediction of each text."""
    names = [str(label) for label in model.labels]
    lines = []
    found = model.predict_proba(texts, threads=threads)
    for row, ranked in zip(found, model.ranking(found), strict=True):
        answer, line = _answer(model, names, row, ranked, top_k, min_confidence)
        if as_json:
            chosen = range(len(names)) if top_k is None else ranked[:top_k].tolist()
            answer["probabilities"] = {names[label]: float(row[label]) for label in chosen}
            line = json.dumps(answer, ensure_ascii=False)
        lines.append(line)
    return lines


@dataclass(frozen=True)
class _FilePrediction:
    """The predictions for the texts of a file, wherever they are computed."""

    model: str
    text_column: str | None
    top_k: int | None
    min_confidence: float | None
    encoding: str
    encoding_errors: str
    as_json: bool

    def __call__(self, name: str) -> bytes:
        from corpora import read_texts

        texts = read_texts(
            name, encoding=self.encoding, encoding_errors=self.encoding_errors, text_column=self.text_column
        )
        if not texts:
            return b""
        model = _loaded(self.model)
        lines = _lines(model, texts, self.top_k, self.min_confidence, self.as_json, threads=1)
        return "".join(f"{line}\n" for line in lines).encode()


_loaded = functools.lru_cache(maxsize=1)(load_classifier)
"""For a process that predicts many files."""


def _answer(
    model: "ClassifierModel | FastTextClassifier",
    names: list[str],
    probabilities: "np.ndarray",
    ranked: "np.ndarray",
    top_k: int | None,
    least: float | None,
) -> tuple[dict[str, Any], str]:
    """Return the prediction for a text as a JSON object and as a line, with the ``top_k`` most probable labels."""
    from seqclf import MultiLabelModel

    if not isinstance(model, MultiLabelModel):
        if not probabilities.any():  # fastText knows nothing of the text
            return {"label": None, "probability": 0.0}, "\t0.0000"
        best, *others = [(names[label], float(probabilities[label])) for label in ranked[: top_k or 1].tolist()]
        if least is not None and best[1] < least:
            best = "", best[1]
        line = "\t".join(f"{label}\t{probability:.4f}" for label, probability in (best, *others))
        return {"label": best[0] or None, "probability": best[1]}, line
    chosen = [name for name, above in zip(names, probabilities >= model.thresholds, strict=True) if above]
    listed = ", ".join(f"{names[label]} {probabilities[label]:.4f}" for label in ranked[:top_k])
    return {"labels": chosen}, f"{model.separator.join(chosen)}\t{listed}"
