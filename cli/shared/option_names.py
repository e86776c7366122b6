"""Names of parameters in messages of the libraries, and options of other programs, as options of the command line."""

import re
from collections.abc import Mapping, Sequence

import click

_NAME = re.compile(r"(?<![\w./'\"-])[a-z]+(?:_[a-z0-9]+)+(?![\w./'\"(])")
"""A parameter whose name has several words."""
_RULE = re.compile(r"^[a-z]+(?= must (?:be|name|leave) )|(?<= set )[a-z]+(?= to )|(?<= omit )[a-z]+(?= to )")
"""A parameter of one word, in a rule, ``epochs must be at least 1``, or in a remedy, ``set by to one of``."""
_ENCODING = re.compile(r"(?<=re-encode the file), or pass --encoding\b.*")
"""Advice for files that are not UTF-8, which not every command can follow."""
_ELSEWHERE = {"min_count": "--min-count", "skip_bad_rows": "wordvec convert --skip-bad-rows"}
"""Options of one command that messages of others name."""

_OTHER_OPTIONS = {
    "dim": "--vector-size",
    "size": "--vector-size",
    "ws": "--window",
    "lr": "--learning-rate",
    "epoch": "--epochs",
    "iter": "--epochs",
    "minCount": "--min-count",
    "minn": "--subwords",
    "maxn": "--subwords",
    "bucket": "--buckets",
    "neg": "--negatives",
    "negative": "--negatives",
    "sample": "--subsample",
    "thread": "--threads",
    "sg": "--model",
    "cbow": "--model",
    "hs": "--loss",
    "save-vocab": "--save-vocabulary",
    "read-vocab": "--vocabulary",
    "pretrainedVectors": "--continue-from",
}
"""Options of fastText and word2vec.c, written with one dash or two, and what they are called here."""


def as_options(message: str, names: Mapping[str, str] | None = None) -> str:
    """Return a message with the names of parameters, such as ``min_count``, as options, ``--min-count``.

    The parameters are those of the current command; ``names`` has other options for some. The advice to pass
    --encoding is left out for commands without it.
    """
    context = click.get_current_context(silent=True)
    options = {} if context is None else _options(context.command)
    if context is not None and "encoding" not in options:
        message = _ENCODING.sub(" as UTF-8", message)
    own = {**_ELSEWHERE, **options, **(names or {})}

    def replaced(match: re.Match[str]) -> str:
        return own.get(match[0], match[0])

    return _NAME.sub(replaced, _RULE.sub(replaced, message))


def _options(command: click.Command) -> dict[str, str]:
    options = [option for option in command.params if isinstance(option, click.Option)]
    return {option.name: max(option.opts, key=len) for option in options if option.name}


def renamed_option(command: click.Command, args: Sequence[str]) -> tuple[str, str] | None:
    """Return the first option of another program among ``args``, and that of ``command`` to use instead."""
    known = {name for option in command.params for name in option.opts}
    for arg in args:
        name = arg.partition("=")[0]
        ours = _OTHER_OPTIONS.get(name.lstrip("-")) if name.startswith("-") and name not in known else None
        if ours is not None and ours in known:
            return name, ours
    return None
