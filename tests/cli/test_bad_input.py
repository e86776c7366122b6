"""Bad input: one ``Error:`` line, exit code 1, and no file changed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main

SENTENCES = "the old king saw the young queen\nthe young queen saw the old king\n" * 50
TINY = ["--vector-size", "8", "--epochs", "1", "--min-count", "1", "--no-cache"]
OLD = b"previous content"


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def folder(tmp_path, monkeypatch, vectors_file, model_file):
    """The working directory: valid files, invalid files and existing targets."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(vectors_file, "good.safetensors")
    shutil.copy(model_file, "model.safetensors")
    Path("good.txt").write_text(SENTENCES)
    Path("good.tsv").write_text("yes\tthe old king\nno\tthe young queen\n" * 20)
    Path("empty.txt").write_bytes(b"")
    Path("empty.tsv").write_bytes(b"")
    Path("latin1.txt").write_bytes(b"the caf\xe9 is open\n" * 20)
    Path("latin1.tsv").write_bytes(b"yes\topen\nno\tcaf\xe9\n")
    Path("one-class.tsv").write_text("yes\tthe old king\nyes\tthe young queen\n" * 20)
    Path("short-line.tsv").write_text("yes\tthe old king\nno the young queen\nno\tthe old queen\n")
    Path("no-label.jsonl").write_text('{"text": "a", "label": "yes"}\n{"text": "b"}\n')
    Path("cut.safetensors").write_bytes(Path("good.safetensors").read_bytes()[:-20])
    Path("cut.txt").write_text("3 4\nking 1 2 3 4\nqueen 1 2 3")
    Path("cut.bin").write_bytes(b"2 4\nking " + np.ones(4, np.float32).tobytes() + b"\nqueen " + bytes(7))
    Path("cut-model.safetensors").write_bytes(Path("model.safetensors").read_bytes()[:-20])
    Path("random.safetensors").write_bytes(np.random.default_rng(1).bytes(4096))
    Path("empty.safetensors").write_bytes(b"")
    Path("lexicon.txt").write_text("glad happy\n")
    Path("outliers.txt").write_text("cat\ndog\n\ncar\n")
    Path("folder").mkdir()
    Path("target.safetensors").write_bytes(OLD)
    return tmp_path


TRAIN = ["train-embeddings", *TINY, "-o", "target.safetensors"]
CLASSIFY = [
    "classify-text",
    "train",
    "--epochs",
    "1",
    "--hidden-size",
    "8",
    "-o",
    "target.safetensors",
]
TRANSDUCE = ["transduce", "train", "--epochs", "1", "--hidden-size", "8", "-o", "target.safetensors"]
BAD = {
    "missing corpus": ([*TRAIN, "nothere.txt"], "nothere.txt: no such file"),
    "missing glob": ([*TRAIN, "nothere*.txt"], "no file matches"),
    "missing labelled": ([*CLASSIFY, "nothere.tsv"], "nothere.tsv: no such file"),
    "missing dev": ([*CLASSIFY, "good.tsv", "--dev", "nothere.tsv"], "nothere.tsv: no such file"),
    "missing vectors to start from": ([*CLASSIFY, "good.tsv", "--vectors", "nothere.txt"], "nothere.txt"),
    "missing vectors": (["word-analogy", "nothere.safetensors", "a", "b", "c"], "nothere.safetensors"),
    "missing questions": (["word-analogy", "good.safetensors", "--questions", "nothere.txt"], "nothere.txt"),
    "missing model": (["classify-text", "predict", "nothere.safetensors", "hello"], "nothere.safetensors"),
    "missing texts": (["classify-text", "predict", "model.safetensors", "--input", "nothere"], "nothere: no such file"),
    "missing similarity set": (["evaluate", "good.safetensors", "--similarity", "nothere.tsv"], "nothere.tsv"),
    "missing file to convert": (["convert", "nothere.txt", "target.safetensors"], "nothere.txt"),
    "missing file to describe": (["info", "nothere.safetensors"], "nothere.safetensors"),
    "empty corpus": ([*TRAIN, "empty.txt"], "the corpus has no token"),
    "empty labelled": ([*CLASSIFY, "empty.tsv"], "empty.tsv is empty"),
    "empty validation text": (
        ["language-model", "train", "good.txt", "--dev", "empty.txt", "-o", "target.safetensors"],
        "--dev must be a text of at least one line, got 0 lines",
    ),
    "frozen layer of another name": (
        ["language-model", "train", "good.txt", "--freeze", "layer.0", "-o", "target.safetensors"],
        "--freeze must name parameters or layers, such as embedding, layers.0, head",
    ),
    "empty pairs": ([*TRANSDUCE, "empty.tsv"], "empty.tsv contains no pairs"),
    "pairs with too few columns": ([*TRANSDUCE, "short-line.tsv"], "short-line.tsv:2: expected at least 2 columns"),
    "pairs not UTF-8": ([*TRANSDUCE, "latin1.tsv"], "is not UTF-8"),
    "directory as pairs": ([*TRANSDUCE, "folder"], "folder is a directory"),
    "a classifier as a transducer": (["transduce", "predict", "model.safetensors", "hello"], "model.safetensors"),
    "empty model to serve": (["classify-text", "serve", "empty.txt"], "empty.txt"),
    "empty model to export": (["classify-text", "export", "empty.txt", "-o", "m.onnx"], "empty.txt"),
    "empty table": (
        ["classify-text", "predict", "model.safetensors", "--input", "empty.tsv", "-o", "o.csv"],
        "is empty",
    ),
    "table not UTF-8": (
        ["classify-text", "predict", "model.safetensors", "--input", "latin1.tsv", "-o", "o.csv"],
        "is not UTF-8",
    ),
    "missing data to report on": (
        ["classify-text", "evaluate", "model.safetensors", "nothere.tsv", "--report", "folder"],
        "nothere.tsv: no such file",
    ),
    "a model cut short to describe": (["classify-text", "info", "cut-model.safetensors"], "cut-model.safetensors"),
    "missing model for a card": (["info", "nothere.safetensors", "--card"], "nothere.safetensors"),
    "a file as a folder of reports": (
        ["classify-text", "evaluate", "model.safetensors", "good.tsv", "--report", "good.txt"],
        "good.txt",
    ),
    "empty vectors": (
        ["neighbors", "empty.txt", "king"],
        "empty.txt: an empty file; train or convert the vectors again",
    ),
    "empty model": (["classify-text", "predict", "empty.txt", "hello"], "empty.txt"),
    "only one class": ([*CLASSIFY, "one-class.tsv"], "class"),
    "too few columns": ([*CLASSIFY, "short-line.tsv"], "short-line.tsv:2"),
    "no label": ([*CLASSIFY, "no-label.jsonl"], "no-label.jsonl:2"),
    "corpus not UTF-8": ([*TRAIN, "latin1.txt"], "byte 0xe9 at offset 7 is not UTF-8"),
    "labelled not UTF-8": ([*CLASSIFY, "latin1.tsv"], "is not UTF-8"),
    "texts not UTF-8": (["classify-text", "predict", "model.safetensors", "--input", "latin1.txt"], "is not UTF-8"),
    "vocabulary emptied": ([*TRAIN, "good.txt", "--min-count", "1000"], "--min-count"),
    "safetensors cut short": (["neighbors", "cut.safetensors", "king"], "cut.safetensors"),
    "text vectors cut short": (["neighbors", "cut.txt", "king"], "cut.txt"),
    "binary vectors cut short": (["neighbors", "cut.bin", "king"], "cut.bin"),
    "cut vectors to convert": (["convert", "cut.bin", "target.safetensors"], "cut.bin"),
    "cut vectors to start from": ([*CLASSIFY, "good.tsv", "--vectors", "cut.safetensors"], "cut.safetensors"),
    "model cut short": (["classify-text", "predict", "cut-model.safetensors", "hello"], "cut-model.safetensors"),
    "random bytes as a model": (["classify-text", "predict", "random.safetensors", "hello"], "random.safetensors"),
    "random bytes as vectors": (["neighbors", "random.safetensors", "king"], "random.safetensors"),
    "random bytes to describe": (["info", "random.safetensors"], "random.safetensors"),
    "vectors as a model": (["classify-text", "predict", "good.safetensors", "hello"], "good.safetensors"),
    "a model as vectors": (["neighbors", "model.safetensors", "king"], "model.safetensors"),
    "directory as vectors": (["neighbors", "folder", "king"], "folder is a directory"),
    "directory as a model": (["classify-text", "predict", "folder", "hello"], "folder is a directory"),
    "directory as labelled": ([*CLASSIFY, "folder"], "folder is a directory"),
    "directory as questions": (["word-analogy", "good.safetensors", "--questions", "folder"], "folder is a directory"),
    "directory as target": ([*TRAIN, "good.txt", "-o", "folder"], "folder is a directory"),
    "directory as model target": ([*CLASSIFY, "good.tsv", "-o", "folder"], "folder is a directory"),
    "directory as summary": ([*TRAIN, "good.txt", "--summary", "folder"], "folder is a directory"),
    "empty directory": ([*TRAIN, "folder"], "the directory folder contains no files"),
    "missing parent": ([*TRAIN, "good.txt", "-o", "nowhere/v.safetensors"], "the directory nowhere does not exist"),
    "missing parent of a model": ([*CLASSIFY, "good.tsv", "-o", "nowhere/m.safetensors"], "nowhere does not exist"),
    "unknown extension": ([*TRAIN, "good.txt", "-o", "vectors.doc"], ".doc"),
    "unknown extension to convert to": (["convert", "good.safetensors", "vectors.doc"], ".doc"),
    "unknown word": (["word-analogy", "good.safetensors", "king", "-", "mann", "+", "woman"], "did you mean"),
    "unknown word for neighbors": (["neighbors", "good.safetensors", "kingg"], "did you mean"),
    "empty safetensors file": (["similarity", "empty.safetensors", "a", "b"], "empty file; train or convert"),
    "lexicon without overlap": (
        ["postprocess", "good.safetensors", "--step", "retrofit=lexicon.txt", "-o", "target.safetensors"],
        "give a lexicon in the language and case of the vectors",
    ),
    "outliers without known words": (
        ["evaluate", "good.safetensors", "--outliers", "outliers.txt"],
        "give groups in the language and case of the vectors",
    ),
    "unknown word for similarity": (["similarity", "good.safetensors", "king", "qeen"], "did you mean"),
    "two words for odd-one-out": (["odd-one-out", "good.safetensors", "king", "queen"], "at least 3 words"),
    "unknown data set": (["corpora", "path", "nothere"], "nothere"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_a_one_line_error_and_changes_no_file(folder, case):
    arguments, message = BAD[case]
    before = snapshot(folder)
    result = CliRunner().invoke(main.wordvec, arguments)
    assert result.exit_code == 1, (result.output, result.exception)
    *progress, line = result.stderr.splitlines()
    assert line.startswith("Error: "), result.stderr
    assert not [other for other in progress if other.startswith("Error")]
    assert message in line
    assert result.stdout == ""
    assert snapshot(folder) == before


def test_invalid_utf8_can_be_replaced(folder):
    result = CliRunner().invoke(main.wordvec, [*TRAIN, "latin1.txt", "--encoding-errors", "replace"])
    assert result.exit_code == 0, result.output
    found = CliRunner().invoke(main.wordvec, ["neighbors", "target.safetensors", "caf\ufffd"])
    assert "open" in found.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_unwritable_target(folder):
    os.chmod("folder", 0o555)
    try:
        if os.access("folder", os.W_OK):
            pytest.skip("this user can write anywhere")
        result = CliRunner().invoke(main.wordvec, [*TRAIN, "good.txt", "-o", "folder/v.safetensors"])
    finally:
        os.chmod("folder", 0o755)
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert not list(Path("folder").iterdir())


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that even root cannot write to")
def test_target_unwritable_even_for_root(folder):
    result = CliRunner().invoke(main.wordvec, [*TRAIN, "good.txt", "-o", "/proc/self/v.safetensors"])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "/proc/self" in result.stderr
    assert "cannot be written" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX resource limits")
@pytest.mark.parametrize("old", [OLD, None])
def test_full_disk(folder, old):
    """A file size limit simulates a full disk: writing fails midway."""
    if old is None:
        Path("target.safetensors").unlink()
    before = snapshot(folder)
    code = """
import resource, sys
from cli import main
import wordvec
vectors = wordvec.load_vectors("good.safetensors")
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
main.wordvec(["convert", "good.safetensors", "target.safetensors"])
"""
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(main.__file__).parent.parent)},
        timeout=60,
    )
    assert result.returncode == 1, result.stderr
    assert result.stderr.startswith("Error: target.safetensors cannot be written")
    assert len(result.stderr.splitlines()) == 1
    assert snapshot(folder) == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_disk_on_standard_output(shell):
    result = shell("wordvec corpora list > /dev/full")
    assert result.returncode == 1
    assert result.stderr == "Error: standard output: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("mode", ["reproducible", "hogwild"])
def test_interrupted_training_leaves_the_target_unchanged(folder, command_folder, mode):
    Path("long.txt").write_text(SENTENCES * 2000)
    before = snapshot(folder)
    process = subprocess.Popen(
        [
            *(command_folder / "train-embeddings", "long.txt", "-o", "target.safetensors", "--no-cache"),
            *("--epochs", "1000", "--mode", mode),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []
    try:
        for line in process.stderr:  # until training has started
            lines.append(line)
            if "training" in line:
                break
        time.sleep(1)
        assert process.poll() is None, lines
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=90)  # a running compilation is not interrupted
    finally:
        process.kill()
    assert process.returncode == 130, rest
    assert rest.splitlines()[-1] == "Interrupted; no output was written."
    assert "Traceback" not in rest
    assert snapshot(folder) == before
