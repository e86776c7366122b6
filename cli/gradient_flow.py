"""``wordvec gradient-flow``: gradient norms over time steps in each recurrent cell."""

import click

from cli.shared import options
from cli.shared.errors import Command, note_output
from cli.shared.pictures import check_picture
from cli.shared.reporting import print_json, table

_CELLS = {
    "rnn": ("rnn", 1.0),
    "rnn, weights x 0.5": ("rnn", 0.5),
    "rnn, weights x 2": ("rnn", 2.0),
    "gru": ("gru", 1.0),
    "lstm": ("lstm", 1.0),
}
"""By name: a cell, and the factor of its initial recurrent weights, which are orthogonal."""


@click.command("gradient-flow", cls=Command, context_settings=options.HELP)
@click.option("--length", type=options.LEAST_1, default=50, show_default=True, help="Sequence length.")
@click.option("--hidden-size", type=options.LEAST_1, default=32, show_default=True, help="Hidden units.")
@click.option("--steps", type=click.IntRange(min=0), default=0, show_default=True, help="Training steps first.")
@click.option(
    "-o", "--output", type=options.OUTPUT, metavar="FILE", help="Draw the norms to a .png, .svg or .pdf file."
)
@options.seed_option
@options.json_option
def gradient_flow(length: int, hidden_size: int, steps: int, output: str | None, seed: int, as_json: bool) -> None:
    """Show how gradients vanish or explode as they are backpropagated through a sequence.

    The task is to recall the first value of a noise sequence at its end. Prints the norm of d loss / d h at several
    steps before the end, relative to that at the end, for simple RNNs with orthogonal weights and with weights half and
    twice as large, a GRU and an LSTM; and the mean squared error (1 if nothing is learned).

    \b
    Examples:
      wordvec gradient-flow --length 50
      wordvec gradient-flow -o flow.svg
    """
    from seqclf import measure_gradient_flow
    from wordvec.plotting.charts import plot_lines

    check_picture(output)
    found = {
        name: measure_gradient_flow(cell, scale=scale, length=length, hidden_size=hidden_size, steps=steps, seed=seed)
        for name, (cell, scale) in _CELLS.items()
    }
    if output is not None:
        lines = {name: flow.norms / flow.norms[0] for name, flow in found.items() if flow.norms[0] > 0}
        plot_lines(lines, "steps back", "norm of the gradient", output, log=True)
        note_output(output)
    if as_json:
        print_json([{"name": name, "norms": flow.norms.tolist(), "loss": flow.loss} for name, flow in found.items()])
        return
    places = sorted({place for place in (0, 1, 5, 10, 20, 50, 100) if place < length} | {length - 1})
    rows = []
    for name, flow in found.items():
        ends = flow.norms[0]
        shares = [f"{flow.norms[place] / ends:.1e}" if ends > 0 else "-" for place in places]
        rows.append([name, *shares, f"{flow.loss:.3f}"])
    click.echo(table(rows, ["steps back", *map(str, places), "error"]))
