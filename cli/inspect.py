"""``wordvec inspect``: gate activations, cell and hidden states of a classifier on a text."""

from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import Command, note_output
from cli.shared.reporting import log, print_json, table

if TYPE_CHECKING:
    from seqclf.inspection.tracing import Trace


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("text")
@click.option(
    "-o", "--output", type=options.OUTPUT, metavar="FILE", help="Plot all units as heat maps (.png, .svg or .pdf)."
)
@options.json_option
@options.quiet_option
def inspect(model: str, text: str, output: str | None, as_json: bool, quiet: bool) -> None:
    """Show the gates and states of the classifier MODEL for each token of TEXT.

    Prints a table for each layer and direction: the mean of each gate over the units, the norms of the cell and hidden
    states, and the share of the pooled features taken from the token. Unknown tokens are marked with a ?. With --json,
    prints the values of every unit.

    \b
    Example:
      wordvec inspect model.safetensors "Forest fire near the village" -o gates.png
    """
    from seqclf import load_model, trace
    from seqclf.inspection.plotting import save_gate_heatmap
    from wordvec.system.atomic_files import check_target

    if output is not None:
        check_target(output)
    found = trace(load_model(model, "model"), text)
    if output is not None:
        save_gate_heatmap(found, output)
        note_output(output)
        log(f"{output}: {len(found.layers)} layer directions, {len(found.tokens)} tokens", quiet)
    if as_json:
        print_json(_values(found))
    else:
        click.echo("\n\n".join([_probabilities(found), *_tables(found)]))


def _probabilities(found: "Trace") -> str:
    ranked = sorted(zip(found.probabilities.tolist(), map(str, found.labels), strict=True), reverse=True)
    return table([[label, f"{probability:.4f}"] for probability, label in ranked])


def _tables(found: "Trace") -> list[str]:
    tables = []
    for layer in found.layers:
        lengths = {"|c|": layer.c, "|h|": layer.h}
        rows = []
        for place, token in enumerate(found.tokens):
            means = [f"{gate[place].mean():.3f}" for gate in layer.gates.values()]
            norms = [f"{(v[place] ** 2).sum() ** 0.5:.3f}" for v in lengths.values() if v is not None]
            shown = token if found.known[place] else f"{token} ?"
            rows.append([shown, *means, *norms, f"{100 * found.chosen[place]:.0f} %"])
        kept = [name for name, values in lengths.items() if values is not None]
        tables.append(table(rows, [f"layer {layer.layer + 1}, {layer.direction}", *layer.gates, *kept, "pooled"]))
    return tables


def _values(found: "Trace") -> dict[str, Any]:
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
    probabilities = dict(zip(map(str, found.labels), found.probabilities.tolist(), strict=True))
    return {
        "tokens": found.tokens,
        "known": found.known,
        "chosen": found.chosen.tolist(),
        "probabilities": probabilities,
        "layers": layers,
    }
