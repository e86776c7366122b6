"""``wordvec inspect``: gate activations, cell and hidden states of a model on a text."""

from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import Command, note_output
from cli.shared.reporting import log, print_json, table

if TYPE_CHECKING:
    from seqclf.inspection.holding import Holder
    from seqclf.inspection.tracing import Activations, TokenTrace, Trace


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("text")
@click.option(
    "-o",
    "--output",
    type=options.OUTPUT,
    metavar="FILE",
    help="Plot all units as heat maps, or with --holds its cells (.png, .svg or .pdf).",
)
@click.option("--holds", metavar="WORD", help="Find the cells of an LSTM that hold WORD, a word of TEXT, to the end.")
@options.json_option
@options.quiet_option
def inspect(model: str, text: str, output: str | None, holds: str | None, as_json: bool, quiet: bool) -> None:
    """Show the gates and states of MODEL, a classifier, a tagger or a language model, for each token of TEXT.

    Prints a table for each layer and direction: the mean of each gate over the units, the norms of the cell and hidden
    states, and the share of a classifier's pooled features taken from the token, or the prediction at it. A ? marks
    unknown tokens. With --json, prints the values of every unit.

    \b
    Example:
      wordvec inspect model.safetensors "Forest fire near the village" -o gates.png
    """
    from seqclf import ClassifierModel, load_model, trace
    from seqclf.inspection.plotting import save_cell_plot, save_gate_heatmap
    from seqclf.inspection.tracing import Trace, trace_tokens
    from wordvec.system.atomic_files import check_target

    if output is not None:
        check_target(output)
    loaded = load_model(model, "model", "tagger", "language model")
    found = trace(loaded, text) if isinstance(loaded, ClassifierModel) else trace_tokens(loaded, text)
    holders = [] if holds is None else _holders(found, holds)
    if output is not None:
        if holders:
            save_cell_plot(found, holders, output)
        else:
            save_gate_heatmap(found, output)
        note_output(output)
        log(f"{output}: {len(found.layers)} layer directions, {len(found.tokens)} tokens", quiet)
    if as_json:
        print_json(_values(found) | ({"holders": [each._asdict() for each in holders]} if holders else {}))
    elif holders:
        click.echo(_holding(found, holders))
    elif isinstance(found, Trace):
        click.echo("\n\n".join([_probabilities(found), *_tables(found, _pooled(found))]))
    else:
        click.echo("\n\n".join(_tables(found, _predicted(found))))


def _holders(found: "Activations", word: str) -> list["Holder"]:
    from seqclf.inspection.holding import find_holders

    places = [place for place, token in enumerate(found.tokens) if token in (word, word.lower())]
    if not places:
        raise click.UsageError(f"--holds must be a word of TEXT, got {word!r}; its words are {' '.join(found.tokens)}")
    return find_holders(found, places[0])


def _holding(found: "Activations", holders: list["Holder"]) -> str:
    """Return a table of the cells' values over the tokens, below what they hold."""
    names = [f"{each.layer + 1}:{each.direction[0]}:{each.unit}" for each in holders]
    facts = [("written", "written"), ("left at the end", "left")]
    rows = [[label, *(f"{getattr(each, name):.3f}" for each in holders)] for label, name in facts]
    rows.append(["share of all words", *(f"{100 * each.share:.0f} %" for each in holders)])
    layers = {(each.layer, each.direction): each.c for each in found.layers}
    cells = [layers[each.layer, each.direction] for each in holders]
    values = [
        [token, *(f"{c[place, each.unit]:.3f}" for c, each in zip(cells, holders, strict=True) if c is not None)]
        for place, token in enumerate(found.tokens)
    ]
    return "\n\n".join([table(rows, ["layer:direction:unit", *names]), table(values, ["cell after", *names])])


def _probabilities(found: "Trace") -> str:
    ranked = sorted(zip(found.probabilities.tolist(), map(str, found.labels), strict=True), reverse=True)
    return table([[label, f"{probability:.4f}"] for probability, label in ranked])


def _pooled(found: "Trace") -> dict[str, list[str]]:
    return {"pooled": [f"{100 * share:.0f} %" for share in found.chosen]}


def _predicted(found: "TokenTrace") -> dict[str, list[str]]:
    return {"predicts": list(map(str, found.predictions)), "p": [f"{p:.3f}" for p in found.probabilities]}


def _tables(found: "Activations", more: dict[str, list[str]]) -> list[str]:
    tables = []
    for layer in found.layers:
        lengths = {"|c|": layer.c, "|h|": layer.h}
        rows = []
        for place, token in enumerate(found.tokens):
            means = [f"{gate[place].mean():.3f}" for gate in layer.gates.values()]
            norms = [f"{(v[place] ** 2).sum() ** 0.5:.3f}" for v in lengths.values() if v is not None]
            shown = token if found.known[place] else f"{token} ?"
            rows.append([shown, *means, *norms, *(column[place] for column in more.values())])
        kept = [name for name, values in lengths.items() if values is not None]
        tables.append(table(rows, [f"layer {layer.layer + 1}, {layer.direction}", *layer.gates, *kept, *more]))
    return tables


def _values(found: "Trace | TokenTrace") -> dict[str, Any]:
    from seqclf.inspection.tracing import Trace

    layers = [
        {
            "layer": layer.layer,
            "direction": layer.direction,
            "gates": {name: values.tolist() for name, values in layer.gates.items()},
            "c": None if layer.c is None else layer.c.tolist(),
            "h": layer.h.tolist(),
        }
        for layer in found.layers
    ]
    about: dict[str, Any] = {"tokens": found.tokens, "known": found.known}
    if isinstance(found, Trace):
        probabilities = dict(zip(map(str, found.labels), found.probabilities.tolist(), strict=True))
        about |= {"chosen": found.chosen.tolist(), "probabilities": probabilities}
    else:
        about |= {"predictions": list(map(str, found.predictions)), "probabilities": found.probabilities.tolist()}
    return about | {"layers": layers}
