"""Options shared by several commands."""

import math
import re
from collections.abc import Callable
from typing import Any, ClassVar, Protocol, TypeVar

import click
import click.shell_completion

C = TypeVar("C", bound=Callable[..., Any])


class Decorator(Protocol):
    """A decorator of commands; it returns what it is given, with options added."""

    def __call__(self, command: C, /) -> C: ...


HELP = {"help_option_names": ["-h", "--help"]}
"""Context settings of every command."""

LEAST_1 = click.IntRange(min=1)


class FloatRange(click.FloatRange):
    """A range of numbers; ``nan``, which compares as neither below nor above a bound, is in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is not a finite number", param, ctx)
        return found


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A duration such as 30s, 5m or 1h, in seconds; with ``or_count``, alternatively a positive count, as an int."""

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
        self.fail(
            f"{value!r} is not a positive duration with a unit; write {count}a time such as 30s, 5m or 1h", param, ctx
        )


class Size(click.ParamType):  # type: ignore[type-arg]
    """A size such as 500M, 2G or 1.5G, in bytes."""

    name = "size"
    _BYTES: ClassVar = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d+\.?\d*|\.\d+)([KMG])", str(value))
        if found and float(found[1]) > 0:
            return int(float(found[1]) * self._BYTES[found[2]])
        self.fail(f"{value!r} is not a positive size with a unit; write 500M or 2G", param, ctx)


class File(click.ParamType):  # type: ignore[type-arg]
    """A file name, passed on unchanged."""

    name = "path"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        return [click.shell_completion.CompletionItem(incomplete, type="file")]


class OutputFile(File):
    """A file that the command writes; not ``-``, which would be a file of that name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "-":
            self.fail("- is no output; write /dev/stdout for standard output, ./- for a file of this name", param, ctx)
        return super().convert(value, param, ctx)


class Encoding(click.ParamType):  # type: ignore[type-arg]
    """Name of a text encoding."""

    name = "encoding"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from corpora.encodings import check_encoding
        from corpora.errors import InputError

        try:
            return check_encoding(value)
        except InputError as error:
            self.fail(str(error), param, ctx)


INPUT = File()
"""A file, folder, glob or other source that the command reads; no output may overwrite it."""
OUTPUT = OutputFile()


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from wordvec import __version__

        click.echo(f"wordvec-seqclf {__version__}")
        ctx.exit()


version_option = click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)

seed_option = click.option(
    "--seed", type=int, default=1, show_default=True, help="Random seed; runs with the same seed are reproducible."
)
threads_option = click.option(
    "--threads", type=LEAST_1, metavar="N", help="Number of CPU threads.  [default: all available cores]"
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print only errors.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print results as JSON.")
top_option = click.option("--top", type=LEAST_1, default=10, show_default=True, metavar="N", help="Number of results.")
protocol_option = click.option(
    "--protocol",
    type=click.Choice(["P30k", "Pfull", "Phyp"]),
    default="P30k",
    show_default=True,
    help="Questions to score: with the 30,000 most frequent words; with known words; all, unknown words being errors.",
)
method_option = click.option(
    "--method",
    type=click.Choice(["add", "mul"]),
    default="add",
    show_default=True,
    help="Add vectors (3CosAdd) or multiply cosines (3CosMul).",
)
case_sensitive_option = click.option(
    "--case-sensitive", is_flag=True, help="Treat words that differ only in case as different in analogy questions."
)
subword_fallback_option = click.option(
    "--no-subword-fallback",
    "subword_fallback",
    is_flag=True,
    default=True,
    flag_value=False,
    help="Do not compose vectors for words outside the vocabulary from n-grams.",
)
_TOKENIZER = click.Choice(["whitespace", "words", "words2", "tweets", "characters"])
tokenizer_option = click.option(
    "--tokenizer",
    type=_TOKENIZER,
    default="whitespace",
    show_default=True,
    help="Tokenizer for lines of text.",
)
lowercase_option = click.option("--lowercase", is_flag=True, help="Lowercase the text first.")
normalize_option = click.option(
    "--normalize",
    type=click.Choice(["none", "NFC", "NFKC"]),
    default="NFC",
    show_default=True,
    help="Unicode normalization: compose letters and accents (NFC), also replace ligatures and wide forms (NFKC).",
)


def unit_option(what: str) -> Decorator:
    """``--unit``, the part of the text that becomes a sentence or document."""
    return click.option(
        "--unit",
        type=click.Choice(["line", "paragraph", "file"]),
        default="line",
        show_default=True,
        help=f"{what}: a line, a paragraph (lines up to an empty one) or a file.",
    )


def columns_options(command: C) -> C:
    """``--text-column`` and ``--label-column``, for tables with a header."""
    for which in ("label", "text"):
        command = click.option(
            f"--{which}-column", metavar="NAME", help=f"Name of the {which} column.  [default: {which}]"
        )(command)
    return command


def output_option(what: str) -> Decorator:
    """``-o/--output FILE``, required."""
    return click.option("-o", "--output", type=OUTPUT, required=True, help=what)


vectors_argument = click.argument("vectors", type=INPUT)


def together(*several: Decorator) -> Decorator:
    """Return several options as one decorator; ``--help`` lists them in this order."""

    def decorate(command: C) -> C:
        for option in reversed(several):
            command = option(command)
        return command

    return decorate


encoding_option = click.option(
    "--encoding",
    type=Encoding(),
    default="utf-8",
    show_default=True,
    metavar="NAME",
    help="Encoding of the input, such as latin-1, cp1252 or utf-16.",
)
encoding_options = together(
    encoding_option,
    click.option(
        "--encoding-errors",
        type=click.Choice(["strict", "replace"]),
        default="strict",
        show_default=True,
        help="Invalid bytes: reject them, or replace them with U+FFFD.",
    ),
)

tag_columns_options = together(
    click.option("--token-column", type=LEAST_1, metavar="N", help="Column of the tokens.  [default: 1; CoNLL-U: 2]"),
    click.option("--tag-column", type=LEAST_1, metavar="N", help="Column of the tags.  [default: 2; CoNLL-U: 4]"),
)
"""Columns of tagged text, numbered from 1."""
