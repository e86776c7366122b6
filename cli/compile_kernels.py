"""``wordvec compile``: compile and store the kernels of the models before their first use."""

import contextlib
import io
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Iterator

import click

from cli.shared import options
from cli.shared.compiling_together import compile_together, share_of_work, training_done
from cli.shared.errors import Command, Failure
from cli.shared.reporting import Progress, log

_TEXT = "the fire near the lake has spread to a town\na boy saw smoke over the lake , far away\n" * 20
_FILES = {
    "text.txt": _TEXT,
    "long.txt": _TEXT * 600,  # several blocks, for more than one thread
    "many.txt": "\n".join(map(str, range(70_000))),  # more types than a new table has room for
    "labeled.tsv": "".join(f"{'yes' if number % 3 else 'no'}\tfire {number} near town\n" for number in range(30)),
    "sets.tsv": "".join(f"{'a,b' if number % 3 else 'b'}\tfire {number} near town\n" for number in range(30)),
    "tagged.tsv": "the\tO\nold\tB-X\nboy\tI-X\nsaw\tO\n\n" * 20,
    "many-vectors.txt": "".join(f"w{word} {word % 9} 1\n" for word in range(12_000)),  # so many that rows are rounded
    "questions.txt": "w7 - w8\n" * 24,  # more questions than are answered before
    "series.csv": "value\n" + "".join(f"{number % 7 + number / 100}\n" for number in range(80)),
}
"""Training data by file name."""
_LARGE = "large-vectors.txt"
"""Vectors of so many bytes, most of them spaces, that a kernel parses them."""

_VECTORS = "train-embeddings text.txt -o vectors.safetensors --min-count 1 --vector-size 8 --quiet --model"
_COUNTS = "train-embeddings long.txt -o vectors.safetensors --min-count 1 --quiet --model"
_COUNTING = ("", "--subsample .01", "--contexts left --memory 100K", "--max-types-in-memory 9")
_WORD2VEC = (
    "",
    "--no-cache --max-types-in-memory 9",
    "--fresh-negatives",
    "--loss hierarchical",
    "--loss softmax",
    "--mode hogwild",
    "--subwords 2-3",
    "--subwords 2-3 --fresh-negatives",
    "--subwords 2-3 --loss hierarchical",
    "--subwords 2-3 --loss softmax",
)
_NETWORK = ("", "--cell gru", "--cell gru --reset before", "--cell rnn")
_POOLED = (
    *(_NETWORK), "--one-way --layers 2", "--merge sum", "--pooling attention", "--pooling mean", "--pooling last",
    "--layers 2 --layer-dropout .1 --free-dropout", "--zoneout .1", "--weight-drop .1", "--freeze-vectors",
)  # fmt: skip
_SMALL = "--hidden-size 4 --epochs 1 --quiet"

_RUNS: dict[str, list[str]] = {
    "skipgram": [f"{_VECTORS} skipgram {more}" for more in (*_WORD2VEC, "--shards 1")],
    "cbow": [f"{_VECTORS} cbow {more}" for more in (*_WORD2VEC, "--shards 1")],
    "glove": [f"{_COUNTS} glove --vector-size 8 {more}" for more in _COUNTING],
    "svd": [f"{_COUNTS} svd --vector-size 2 {more}" for more in _COUNTING],
    "ppmi": [f"{_COUNTS} ppmi {more}" for more in _COUNTING],
    "vectors": [
        "word-analogy many-vectors.txt --input questions.txt",
        f"convert {_LARGE} vectors.bin --quiet",
    ],
    "documents": [
        "documents count long.txt -o counts.npz --quiet --threads 2 --max-features 5",
        "documents count text.txt -o counts.npz --quiet --ngram-range 1 2",
        "documents count many.txt -o counts.npz --quiet",
        "documents tfidf text.txt -o weights.npz --quiet",
        "documents tfidf text.txt -o more.npz --quiet --like weights.npz",
    ],
    "classifier": [
        *(f"classify-text train labeled.tsv -o model.safetensors {_SMALL} {more}" for more in _POOLED),
        "classify-text predict model.safetensors fire",
        f"classify-text train sets.tsv -o model.safetensors --multi-label , {_SMALL}",
        "classify-text predict model.safetensors fire",
    ],
    "tagger": [
        *(f"tag-text train tagged.tsv -o model.safetensors {_SMALL} {more}"
          for more in (*_NETWORK, "--merge sum", "--head crf")),
        "tag-text predict model.safetensors fire",
    ],
    "transducer": [
        *(f"transduce train labeled.tsv -o model.safetensors {_SMALL} {more}"
          for more in (*_NETWORK, "--attention additive", "--attention dot --merge sum", "--layers 2")),
        "transduce predict model.safetensors fire",
    ],
    "language-model": [
        *(f"language-model train text.txt -o model.safetensors {_SMALL} {more}"
          for more in (*_NETWORK, "--samples 2", "--untied", "--optimizer sgd", "--unit character")),
        "language-model perplexity model.safetensors text.txt",
        "language-model generate model.safetensors fire --length 3",
    ],
    "forecaster": [
        *(f"forecast train series.csv -o model.safetensors {_SMALL} --method network --window 8 --horizon 2 {more}"
          for more in (*_NETWORK, "--huber 1", "--layers 2 --layer-dropout .1", "--dropout .1")),
        "forecast predict model.safetensors",
    ],
}  # fmt: skip
"""For each model, small trainings with every choice that has kernels of its own, and a prediction."""


@click.command("compile", cls=Command, context_settings=options.HELP)
@click.option(
    "--model",
    "models",
    type=click.Choice(list(_RUNS)),
    multiple=True,
    help="Compile only the kernels of this model; can be repeated.",
)
@click.option("--all", "every", is_flag=True, help="Compile the kernels of all models.  [default without --model]")
@options.quiet_option
def compile_kernels(models: tuple[str, ...], every: bool, quiet: bool) -> None:
    """Compile and store all kernels, so that no later command compiles any on this kind of processor.

    Run it where the package is installed, such as at the end of an image's build: it trains tiny models, in one process
    per core. Kernels are stored in the folder $NUMBA_CACHE_DIR, else in the installation, else in the user's cache
    folder. It can be interrupted and run again.

    \b
    Examples:
      wordvec compile
      wordvec compile --model skipgram --model classifier
    """
    if models and every:
        raise click.UsageError("--all compiles the kernels of all models; leave out --model")
    from wordvec.system.compiled import compiled_kernels
    from wordvec.system.threads import available_cores

    chosen = list(dict.fromkeys(models)) or list(_RUNS)
    total, count = sum(len(_RUNS[model]) for model in chosen), min(available_cores(), len(chosen))
    with Progress("compiling", quiet) as progress, tempfile.TemporaryDirectory() as folder:
        if count > 1:
            kernels = compile_together(
                chosen, folder, lambda done: progress.update(done, total, f"{done} of {total} trainings"), count
            )
        else:
            done = 0
            for model in chosen:
                for run in _trained(model, folder):
                    done += 1
                    progress.update(done, total, run)
            kernels = Counter(compiled_kernels())
    if kernels[""]:
        raise Failure(f"{kernels['']} kernels could not be stored; set NUMBA_CACHE_DIR to a writable folder")
    for place, number in kernels.items():
        log(f"{place}: {number} kernels compiled and stored", quiet)
    if not kernels:
        log("all kernels had been compiled before", quiet)


def compile_share() -> None:
    """Compile the kernels of models that other processes leave; see ``compiling_together``."""
    with contextlib.suppress(KeyboardInterrupt):
        for model, folder in share_of_work():
            for _ in _trained(model, folder):
                training_done()


def _trained(model: str, folder: str) -> Iterator[str]:
    """Run the trainings of a model in a folder, and yield the command of each."""
    from cli.main import wordvec
    from wordvec.system.atomic_files import replacing

    runs = [run.split() for run in _RUNS[model]]
    with _quiet_trainings(folder):
        for name, text in _FILES.items():
            with replacing(os.path.join(folder, name)) as file:
                file.write(text.encode())
        if any(_LARGE in run for run in runs):
            with replacing(os.path.join(folder, _LARGE)) as file:
                for word in range(4):
                    file.write(b"w%d 1%s\n" % (word, b" " * (13 << 20)))
        for run in runs:
            run = [os.path.join(folder, word) if _is_file(word) else word for word in run]
            with wordvec.make_context("wordvec", run) as context:
                wordvec.invoke(context)
            yield run[0]


def _is_file(word: str) -> bool:
    return word.endswith((".txt", ".tsv", ".csv", ".npz", ".bin", ".safetensors"))


@contextlib.contextmanager
def _quiet_trainings(folder: str) -> Iterator[None]:
    """Print no results and messages of the commands within, cache encoded text in ``folder``, and start all threads."""
    before = dict(os.environ)
    os.environ.update(WORDVEC_CACHE=folder, WORDVEC_OVERSUBSCRIBE="1", WORDVEC_COMPILE_AHEAD="0")
    logging.disable()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
        os.environ.clear()
        os.environ.update(before)
