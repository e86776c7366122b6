"""``wordvec association``: word embedding association test (WEAT)."""

import click

from cli.shared import options
from cli.shared.errors import Command
from cli.shared.reporting import print_json, table


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.option(
    "--targets",
    type=options.INPUT,
    nargs=2,
    required=True,
    metavar="FILE FILE",
    help="Two lists of as many words, such as names or professions; one word per line.",
)
@click.option(
    "--attributes",
    type=options.INPUT,
    nargs=2,
    required=True,
    metavar="FILE FILE",
    help="Two lists of words that the targets are associated with; one word per line.",
)
@click.option(
    "--permutations",
    type=options.LEAST_1,
    default=10_000,
    show_default=True,
    metavar="N",
    help="Partitions of the targets to try for the p-value; all, if there are at most N.",
)
@options.seed_option
@options.subword_fallback_option
@options.json_option
def association(
    vectors: str,
    targets: tuple[str, str],
    attributes: tuple[str, str],
    permutations: int,
    seed: int,
    subword_fallback: bool,
    as_json: bool,
) -> None:
    """Test whether two sets of target words are associated differently with two sets of attributes (WEAT).

    Prints the effect size, from -2 to 2, above 0 if the first targets are nearer to the first attributes than the
    second targets are, and the one-sided p-value of a permutation test.

    \b
    Example:
      wordvec association vectors.safetensors --targets science.txt arts.txt --attributes he.txt she.txt
    """
    from corpora import InputError, read_lines
    from wordvec import load_vectors
    from wordvec.vectors.bias import weat

    loaded = load_vectors(vectors, subword_fallback=subword_fallback)
    lists = []
    for file in (*targets, *attributes):
        words = [word for line in read_lines(file) if (word := line.strip())]
        if not words:
            raise InputError(f"{file}: no words; expected a word per line")
        if missing := [word for word in words if word not in loaded]:
            raise InputError(f"{file}: words without a vector: {', '.join(missing)}; remove them or choose others")
        lists.append(words)
    x, y, a, b = lists
    found = weat(loaded, (x, y), (a, b), permutations=permutations, seed=seed)
    if as_json:
        print_json(found.summary())
    else:
        rows = [
            ["effect size", f"{found.effect_size:.3f}"],
            ["p-value", f"{found.p_value:.4f}"],
            ["permutations", f"{found.permutations:,}"],
        ]
        click.echo(table(rows))
