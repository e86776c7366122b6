"""``classify-text explain``: which words speak for a label, and which against it."""

from typing import TYPE_CHECKING, Any

import click

from cli.classification.examples import read_examples
from cli.shared import options
from cli.shared.errors import Command, note_output
from cli.shared.reporting import one_line, print_json, table

if TYPE_CHECKING:
    from seqclf import ClassifierModel
    from seqclf.explanation.explain import Explanation

_STRONG = 1 / 3
"""Share of the largest contribution from which on a word is printed in bold."""


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("text")
@click.option("--label", metavar="NAME", help="The label to explain.  [default: the most probable]")
@click.option(
    "--against",
    metavar="NAME",
    help="The label to compare it with.  [default: the most probable other; of a multi-label model its absence]",
)
@click.option("--occlusion", is_flag=True, help="Also predict TEXT without each of its words, as a check.")
@click.option(
    "--nearest",
    type=options.INPUT,
    metavar="DATA",
    help="Also show the texts of labeled DATA, such as the training data, that MODEL sees as most similar.",
)
@click.option("--html", type=options.OUTPUT, metavar="FILE", help="Write a self-contained page.")
@options.top_option
@options.json_option
def explain(
    model: str,
    text: str,
    label: str | None,
    against: str | None,
    occlusion: bool,
    nearest: str | None,
    html: str | None,
    top: int,
    as_json: bool,
) -> None:
    """Show which words of TEXT speak for the label that MODEL predicts, and which against it.

    Prints the text, on a terminal with words for the label in green and others in red, and the largest contributions to
    the log-odds of the label against the next. Contributions of the linear model are exact, those of the network are
    integrated gradients. Quote TEXT.

    \b
    Example:
      classify-text explain model.safetensors "Forest fire near the village" --html why.html
    """
    from seqclf import load_model
    from seqclf.explanation.explain import explain
    from seqclf.explanation.page import html_page
    from wordvec.system.atomic_files import check_target, replacing

    if html is not None:
        check_target(html)
    loaded = load_model(model, "model", "multi-label model")
    found = explain(loaded, text, label=label, against=against, occlusion=occlusion)
    similar = [] if nearest is None else _similar(loaded, text, nearest)
    if html is not None:
        with replacing(html) as file:
            file.write(html_page(found, similar).encode(errors="backslashreplace"))
        note_output(html)
    if as_json:
        print_json(found.as_dict() | ({} if nearest is None else {"nearest": similar}))
        return
    click.echo(_report(found, top))
    if similar:
        lines = [
            f"{each['similarity']:.3f}  {one_line(each['label'])}  {' '.join(each['text'].split())}" for each in similar
        ]
        click.echo("\n" + "\n".join(["most similar texts, with their labels:", *lines]))


def _similar(model: "ClassifierModel", text: str, data: str) -> list[dict[str, Any]]:
    """Return the labels, similarities and texts of the nearest examples."""
    from seqclf.explanation.nearest import nearest_texts

    separator = getattr(model, "separator", None)
    _, texts, labels = read_examples(data, separator)
    if separator is not None:
        labels = [separator.join(each) for each in labels]
    return [
        {"label": labels[row], "similarity": similarity, "text": texts[row]}
        for row, similarity in nearest_texts(model, text, texts)
    ]


def _report(found: "Explanation", top: int) -> str:
    """Return the colored text, the largest contributions and their sum."""
    largest = max(map(abs, found.contributions), default=0.0)
    words = [
        click.style(word, fg="green" if value > 0 else "red", bold=abs(value) > _STRONG * largest) if value else word
        for word, value in zip(found.words, found.contributions, strict=True)
    ]
    heads, columns = ["word", "contribution"], [found.contributions]
    if any(found.network) and any(found.linear):
        heads, columns = [*heads, "network", "linear model"], [*columns, found.network, found.linear]
    if found.occlusion is not None:
        heads, columns = [*heads, "without the word"], [*columns, found.occlusion]
    order = sorted(range(len(words)), key=lambda row: -abs(found.contributions[row]))
    rows = [[found.words[row], *(f"{values[row]:+.3f}" for values in columns)] for row in order[:top]]
    rest = sum(found.contributions[row] for row in order[top:])
    left = len(order) - top
    more = [[f"{left:,} more word{'s' if left > 1 else ''}", f"{rest:+.3f}"]] if left > 0 else []
    sums = table(
        [*more, ["no words", f"{found.bias:+.3f}"], ["log-odds", f"{found.log_odds:+.3f}"]],
    )
    label, against = one_line(str(found.label)), one_line(str(found.against))
    head = f"{label} {found.probability:.4f}, against {against} {found.other_probability:.4f}"
    agreement = found.agreement
    checked = [] if agreement is None else [f"rank correlation of contributions and occlusion: {agreement:.2f}"]
    return "\n\n".join([head, *([" ".join(words), table(rows, heads)] if words else []), sums, *checked])
