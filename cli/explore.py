"""``wordvec explore``: an interactive map of words as one HTML page."""

import click

from cli.shared import options
from cli.shared.errors import Command, note_output
from cli.shared.reporting import log


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@options.output_option("Output page (.html).")
@click.option(
    "--top", type=click.IntRange(2, 20_000), default=1000, show_default=True, metavar="N", help="Number of words."
)
@click.option(
    "--neighbors", type=options.LEAST_1, default=10, show_default=True, metavar="N", help="Neighbors of each word."
)
@click.option(
    "--clusters",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="K",
    help="Color the words by K clusters (k-means); 0: none.",
)
@click.option(
    "--method",
    type=click.Choice(["pca", "tsne", "umap"]),
    default="tsne",
    show_default=True,
    help="Projection to the plane: principal components, t-SNE, or UMAP, which needs the extra umap.",
)
@options.seed_option
@options.quiet_option
def explore(
    vectors: str, output: str, top: int, neighbors: int, clusters: int, method: str, seed: int, quiet: bool
) -> None:
    """Write a page with an interactive map of the most frequent words: zoom, search, neighbors, and a table.

    The page contains its scripts and data: it needs no network, and no request leaves it. Needs Bokeh: pip install
    'wordvec-seqclf[explore]'.

    \b
    Example:
      wordvec explore vectors.safetensors -o map.html
    """
    from wordvec import load_vectors
    from wordvec.plotting.explore import check_bokeh, explore_words
    from wordvec.system.atomic_files import check_target

    check_bokeh()
    check_target(output)
    words = explore_words(
        load_vectors(vectors), output, top=top, neighbors=neighbors, n_clusters=clusters, method=method, seed=seed
    )
    note_output(output)
    log(f"{output}: {words:,} words", quiet)
