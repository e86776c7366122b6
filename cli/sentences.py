"""``wordvec sentences``: vectors of texts from those of their words."""

from typing import TYPE_CHECKING

import click

from cli.shared import options
from cli.shared.errors import Command, note_output
from cli.shared.reporting import log, print_json_line
from cli.shared.unused import refuse_with, refuse_without

if TYPE_CHECKING:
    import numpy as np


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.argument("texts", type=options.INPUT)
@click.option(
    "--method",
    type=click.Choice(["mean", "tfidf", "sif", "usif"]),
    default="mean",
    show_default=True,
    help="Weight of each word: equal, TF-IDF over TEXTS, or by its frequency (SIF, uSIF).",
)
@click.option(
    "--smoothing", type=float, default=1e-3, show_default=True, metavar="A", help="With --method sif: a of a / (a + p)."
)
@click.option(
    "--components",
    type=click.IntRange(min=0),
    metavar="N",
    help="Remove the first N principal components.  [default: sif 1, usif 5, else 0]",
)
@click.option("-o", "--output", type=options.OUTPUT, metavar="FILE", help="Write a NumPy array (.npy) instead of text.")
@options.subword_fallback_option
@options.json_option
@options.quiet_option
def sentences(
    vectors: str,
    texts: str,
    method: str,
    smoothing: float,
    components: int | None,
    output: str | None,
    subword_fallback: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print a vector for each line of TEXTS, or each record of a .csv, .tsv or .jsonl file; - is standard input.

    Each line has the numbers of one text, separated by spaces. A text without known words has zeros. With
    --json, each line is an object with the text and its exact vector.

    \b
    Examples:
      wordvec sentences vectors.safetensors texts.txt --method sif
      wordvec sentences vectors.safetensors texts.txt --method usif -o texts.npy
    """
    refuse_without("--method sif", method == "sif", "smoothing")
    refuse_with("--output", output is not None, "as_json")
    if output is not None and not output.endswith(".npy"):
        raise click.UsageError(f"--output must end in .npy, got {output}")

    from corpora import InputError, read_texts
    from wordvec import load_vectors
    from wordvec.system.wording import counted
    from wordvec.vectors.sentence import sentence_vectors

    loaded = load_vectors(vectors, subword_fallback=subword_fallback)
    given = read_texts(texts)
    if not given:
        raise InputError(f"{texts}: no texts; expected a text per line")
    found = sentence_vectors(loaded, given, method, smoothing=smoothing, components=components)
    if unknown := int((~found.any(axis=1)).sum()):
        log(f"{unknown:,} of {len(given):,} texts have no known word: their vectors are zeros", quiet)
    if as_json:
        for text, row in zip(given, found.tolist(), strict=True):
            print_json_line({"text": text, "vector": row})
    elif output is None:
        for row in found.tolist():
            click.echo(" ".join(f"{number:.6g}" for number in row))
    else:
        _save(found, output)
        log(f"{output}: {counted(len(found), 'text')} x {found.shape[1]}", quiet)


def _save(array: "np.ndarray", path: str) -> None:
    import numpy as np

    from wordvec.system.atomic_files import replacing

    with replacing(path) as file:
        np.save(file, array)
    note_output(path)
