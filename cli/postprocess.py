"""``wordvec postprocess``: named steps from vectors to new vectors."""

import click

from cli.shared import options
from cli.shared.errors import Command, usage_errors
from cli.shared.reporting import log


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.option(
    "--step",
    "steps",
    multiple=True,
    required=True,
    metavar="NAME[=VALUE]",
    help="center, normalize, all-but-the-top[=N], pca=N, combine, retrofit=LEXICON or remove-direction=he:she,...; "
    "repeat it for several steps, done in this order.",
)
@options.output_option("Output vectors; the extension names the format.")
@options.quiet_option
def postprocess(vectors: str, steps: tuple[str, ...], output: str, quiet: bool) -> None:
    """Write VECTORS after some steps, such as centering or retrofitting to a lexicon.

    LEXICON has a word and its synonyms on each line. The new file has no context vectors and no n-grams.

    \b
    Examples:
      wordvec postprocess vectors.safetensors --step all-but-the-top=3 -o better.safetensors
      wordvec postprocess vectors.safetensors --step center --step normalize --step pca=50 -o small.safetensors
    """
    from wordvec import load_vectors
    from wordvec.formats.registry import output_format
    from wordvec.system.atomic_files import refuse_overwriting
    from wordvec.vectors.postprocessing import parse_step, postprocessed

    output_format(output)
    with usage_errors():
        lexicons = [step.partition("=")[2] for step in steps if step.startswith("retrofit=")]
        refuse_overwriting({"--output": output}, [("--step retrofit", path) for path in lexicons])
        for step in steps:
            parse_step(step)
    loaded = load_vectors(vectors)
    found = postprocessed(loaded, steps)
    found.save(output)
    left_out = " without n-grams" if loaded.table().subwords is not None else ""
    log(f"{output}: {len(found):,} words x {found.vector_size}{left_out}, after {', '.join(steps)}", quiet)
