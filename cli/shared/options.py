"""Options that several commands share, each written once."""

import re
from collections.abc import Callable
from typing import Any, ClassVar

import click

HELP = {"help_option_names": ["-h", "--help"]}
"""Context settings of every command."""

LEAST_1 = click.IntRange(min=1)


class Duration(click.ParamType):
    """Seconds, written 30s, 5m or 1h; with ``or_count`` also a whole number of something else, which stays an int."""

    name = "duration"
    _SECONDS: ClassVar = {"s": 1.0, "m": 60.0, "h": 3600.0}

    def __init__(self, or_count: str = "") -> None:
        self._count = or_count

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | int:
        if self._count and re.fullmatch(r"0*[1-9]\d*", str(value)):
            return int(value)
        found = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smh])", str(value))
        if found and float(found[1]) > 0:
            return float(found[1]) * self._SECONDS[found[2]]
        count = f"a number of {self._count}, or " if self._count else ""
        self.fail(f"{value!r} is not above 0 with its unit; write {count}a time such as 30s, 5m or 1h", param, ctx)


class Size(click.ParamType):
    """Bytes, written 500M, 2G or 1.5G."""

    name = "size"
    _BYTES: ClassVar = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d+\.?\d*|\.\d+)([KMG])", str(value))
        if found and float(found[1]) > 0:
            return int(float(found[1]) * self._BYTES[found[2]])
        self.fail(f"{value!r} is no size above 0 with its unit; write 500M or 2G", param, ctx)


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from wordvec import __version__

        click.echo(f"wordvec-seqclf {__version__}")
        ctx.exit()


version_option = click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)

seed_option = click.option(
    "--seed", type=int, default=1, show_default=True, help="Where chance starts; the same seed, the same result."
)
threads_option = click.option(
    "--threads", type=LEAST_1, metavar="N", help="Processor cores to use.  [default: all this process may use]"
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
top_option = click.option("--top", type=LEAST_1, default=10, show_default=True, metavar="N", help="How many answers.")
protocol_option = click.option(
    "--protocol",
    type=click.Choice(["P30k", "Pfull", "Phyp"]),
    default="P30k",
    show_default=True,
    help="Questions that count: of the 30,000 most frequent words; of known words; all, unknown ones being wrong.",
)
method_option = click.option(
    "--method",
    type=click.Choice(["add", "mul"]),
    default="add",
    show_default=True,
    help="Add the vectors (3CosAdd), or multiply the cosines (3CosMul).",
)
encoding_errors_option = click.option(
    "--encoding-errors",
    type=click.Choice(["strict", "replace"]),
    default="strict",
    show_default=True,
    help="Bytes that are not UTF-8: refuse them, or put U+FFFD in their place.",
)
_TOKENIZER = click.Choice(["whitespace", "words", "tweets"])
tokenizer_of_vectors_option = click.option(
    "--tokenizer", type=_TOKENIZER, help="How a text is cut.  [default: that of the vectors, or words]"
)
tokenizer_option = click.option(
    "--tokenizer",
    type=_TOKENIZER,
    default="whitespace",
    show_default=True,
    help="How a line is cut into tokens.",
)
lowercase_option = click.option("--lowercase", is_flag=True, help="Lower-case the text first.")


def columns_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--text-column`` and ``--label-column``, for tables with a header."""
    for which in ("label", "text"):
        command = click.option(f"--{which}-column", metavar="NAME", help=f"Its name in a table.  [default: {which}]")(
            command
        )
    return command


def output_option(what: str) -> Any:
    """``-o/--output FILE``, required."""
    return click.option("-o", "--output", type=click.Path(), required=True, help=what)


vectors_argument = click.argument("vectors", type=click.Path())


def _together(*several: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator; ``--help`` lists them in this order."""

    def decorate(command: Any) -> Any:
        for option in reversed(several):
            command = option(command)
        return command

    return decorate


vectors_options = _together(
    click.option("--vectors", type=click.Path(), metavar="FILE", help="Word vectors to start from.  [default: random]"),
    click.option("--vector-size", type=int, default=100, show_default=True, help="Numbers in a random vector."),
    click.option(
        "--freeze-vectors/--tune-vectors", default=False, help="Leave them, or train them too.  [default: tune]"
    ),
    click.option(
        "--keep-vectors",
        type=int,
        default=100_000,
        show_default=True,
        metavar="N",
        help="Vectors kept for words that are not in DATA, the most frequent first.",
    ),
)
"""The word vectors that a net starts from."""

cell_options = _together(
    click.option(
        "--cell", type=click.Choice(["rnn", "gru", "lstm"]), default="lstm", show_default=True, help="Recurrent cell."
    ),
    click.option(
        "--reset",
        type=click.Choice(["after", "before"]),
        default="after",
        show_default=True,
        help="Where a GRU's reset gate acts: after the product with its weights, or before.",
    ),
)
"""Which recurrent cell."""

layers_option = click.option(
    "--layers", type=int, default=1, show_default=True, help="Recurrent layers, one on the other."
)

recurrent_options = _together(
    cell_options,
    click.option(
        "--bidirectional/--one-way", default=True, show_default=True, help="Read from both ends, or from one."
    ),
    click.option(
        "--merge",
        type=click.Choice(["concatenate", "sum", "average", "multiply"]),
        default="concatenate",
        show_default=True,
        help="How both directions' states become one.",
    ),
    layers_option,
    click.option("--hidden-size", type=int, default=128, show_default=True, help="Units in each direction."),
)
"""The layers of a recurrent net."""


def training_options(*, dropout: float) -> Callable[[Any], Any]:
    """How a net is trained; ``dropout`` by default."""
    return _together(
        click.option("--dropout", type=float, default=dropout, show_default=True, help="Share dropped in training."),
        click.option(
            "--layer-dropout",
            type=float,
            default=0.0,
            show_default=True,
            help="Share of states dropped between layers.",
        ),
        click.option(
            "--locked-dropout/--free-dropout",
            default=True,
            show_default=True,
            help="Between layers: drop the same units in all steps of a text, or others in each.",
        ),
        click.option(
            "--weight-drop", type=float, default=0.0, show_default=True, help="Share of recurrent weights dropped."
        ),
        click.option(
            "--zoneout", type=float, default=0.0, show_default=True, help="Share of units that keep their state."
        ),
        click.option("--zoneout-cell", type=float, default=0.0, show_default=True, help="The same for an LSTM's cell."),
        click.option("--batch-size", type=int, default=16, show_default=True, help="Texts, or sentences, in a step."),
        click.option("--learning-rate", type=float, default=0.002, show_default=True, help="Adam's rate at its peak."),
        click.option("--epochs", type=int, default=10, show_default=True, help="Passes over DATA; the best is kept."),
        click.option(
            "--patience", type=int, metavar="N", help="Stop after N epochs without a better one.  [default: never]"
        ),
    )


tag_columns_options = _together(
    click.option("--token-column", type=LEAST_1, metavar="N", help="Where tokens stand.  [default: 1; .conllu: 2]"),
    click.option("--tag-column", type=LEAST_1, metavar="N", help="Where tags stand.  [default: 2; .conllu: 4]"),
)
"""Columns of tagged text, counted from 1."""
