"""``wordvec plot``: maps of words, arrows of analogies, and heat maps of similarities."""

import click

from cli.shared import options
from cli.shared.errors import Command, note_output, usage_errors
from cli.shared.reporting import log
from cli.shared.unused import refuse_with


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.argument("words", nargs=-1, metavar="[WORD]...")
@options.output_option("Output picture (.png, .svg or .pdf).")
@click.option("--top", type=options.LEAST_1, metavar="N", help="Without WORDs: draw the first N words.  [default: 100]")
@click.option("--neighbors", type=options.LEAST_1, metavar="N", help="Also draw N nearest neighbors of each word.")
@click.option("--clusters", type=options.LEAST_1, metavar="K", help="Color the words by K clusters (k-means).")
@click.option("--analogies", is_flag=True, help="Draw an arrow from the first to the second of each two WORDs.")
@click.option("--heatmap", is_flag=True, help="Draw the similarities of all pairs of WORDs as a heat map.")
@click.option(
    "--method",
    type=click.Choice(["pca", "tsne", "umap"]),
    default="pca",
    show_default=True,
    help="Projection to the plane: principal components, t-SNE, or UMAP, which needs the extra umap.",
)
@options.seed_option
@options.subword_fallback_option
@options.quiet_option
def plot(
    vectors: str,
    words: tuple[str, ...],
    output: str,
    top: int | None,
    neighbors: int | None,
    clusters: int | None,
    analogies: bool,
    heatmap: bool,
    method: str,
    seed: int,
    subword_fallback: bool,
    quiet: bool,
) -> None:
    """Draw WORDs, or the most frequent words, as a picture: similar words are near each other.

    Needs matplotlib: pip install 'wordvec-seqclf[plotting]'.

    \b
    Examples:
      wordvec plot vectors.safetensors king paris happy --neighbors 10 -o map.png
      wordvec plot vectors.safetensors --top 300 --clusters 8 --method tsne -o map.pdf
      wordvec plot vectors.safetensors man king woman queen --analogies -o arrows.svg
      wordvec plot vectors.safetensors king queen man woman --heatmap -o similarities.png
    """
    if analogies and heatmap:
        raise click.UsageError("give --analogies or --heatmap, not both")
    special = "--analogies" if analogies else "--heatmap" if heatmap else None
    if special is not None and not words:
        raise click.UsageError(f"{special} needs WORDS")
    if analogies and len(words) % 2:
        raise click.UsageError(f"--analogies needs an even number of WORDS, two for each arrow, got {len(words)}")
    refuse_with(special or "--analogies", special, "neighbors", "clusters", "method", "seed", "top")
    refuse_with("WORDS", words or None, "top")

    from wordvec import load_vectors
    from wordvec.plotting.style import picture_format

    with usage_errors():
        picture_format(output)
    loaded = load_vectors(vectors, subword_fallback=subword_fallback)

    from wordvec.plotting.maps import plot_analogies, plot_similarities, plot_words

    chosen, around = words or loaded.tokens[: top or 100], ""
    if analogies:
        plot_analogies(loaded, list(zip(words[::2], words[1::2], strict=True)), output)
    elif heatmap:
        plot_similarities(loaded, words, output)
    else:
        plot_words(loaded, chosen, output, neighbors=neighbors or 0, n_clusters=clusters or 0, method=method, seed=seed)
        around = " and their neighbors" if neighbors else ""
    note_output(output)
    log(f"{output}: {len(chosen)} words{around}", quiet)
