"""``classify-text export``: a classifier in a format of other programs."""

import click

from cli.classification.examples import load_classifier
from cli.shared import options
from cli.shared.errors import Command, Failure, note_output
from cli.shared.reporting import log


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@options.output_option("Output file (.onnx).")
@options.quiet_option
def export(model: str, output: str, quiet: bool) -> None:
    """Write MODEL as an ONNX graph, which onnxruntime and other programs run.

    The graph takes ids of tokens, and n-grams with their weights, and returns probabilities. In Python,
    seqclf.export.onnx_graph.onnx_inputs makes its inputs from texts. Labels, tokenizer and vocabulary are in its
    metadata.

    \b
    Example:
      classify-text export model.safetensors -o model.onnx
    """
    from seqclf import ClassifierModel
    from seqclf.export.onnx_graph import check_library, export_onnx
    from wordvec.system.atomic_files import check_target

    if not output.endswith(".onnx"):
        raise click.UsageError(f"--output {output} must end in .onnx")
    check_target(output)
    loaded = load_classifier(model)
    check_library()
    if not isinstance(loaded, ClassifierModel):
        raise Failure(f"{model} is a classifier of fastText; export takes a file of classify-text train")
    export_onnx(loaded, output)
    note_output(output)
    log(f"{output}: {loaded.parts}, {len(loaded.labels)} labels", quiet)
