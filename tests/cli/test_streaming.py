"""``predict -``: answers as the input arrives, in order, in constant memory."""

import os
import subprocess
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from cli.shared.streaming import Arriving

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX pipes")


@pytest.fixture(scope="module")
def tagger_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tagger")
    (folder / "tags.tsv").write_text("the\tD\nking\tN\n\na\tD\nqueen\tN\n\n" * 10)
    small = ["--epochs", "1", "--hidden-size", "4", "--vector-size", "4", "-q"]
    result = CliRunner().invoke(
        main.tag_text, ["train", str(folder / "tags.tsv"), "-o", str(folder / "t.safetensors"), *small]
    )
    assert result.exit_code == 0, result.output
    return folder / "t.safetensors"


@pytest.fixture(scope="module")
def transducer_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("transducer")
    (folder / "pairs.tsv").write_text("ab\tba\ncab\tbac\n" * 10)
    small = ["--epochs", "1", "--hidden-size", "4", "--vector-size", "4", "--target-vector-size", "4", "-q"]
    model = str(folder / "m.safetensors")
    # The prediction compiles the kernels of a beam search.
    for arguments in (["train", str(folder / "pairs.tsv"), "-o", model, *small], ["predict", model, "ab"]):
        result = CliRunner().invoke(main.transduce, arguments)
        assert result.exit_code == 0, result.output
    return folder / "m.safetensors"


def start(command_folder, *arguments):
    return subprocess.Popen(
        [command_folder / arguments[0], *map(str, arguments[1:])],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "first", "answered"),
    [
        ("classify-text", b"the king of paris\n", 1),
        ("tag-text", b"the king\n", 3),
        ("tag-text", b"the\tX\n\n", 2),
        ("transduce", b"cab\n\n", 2),
    ],
)
def test_answers_do_not_wait_for_the_end_of_the_input(
    command_folder, model_file, tagger_file, transducer_file, command, first, answered
):
    model = {"classify-text": model_file, "tag-text": tagger_file, "transduce": transducer_file}[command]
    options = ["--token-column", "1"] if b"\t" in first else []
    process = start(command_folder, command, "predict", model, "--input", "-", *options)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        for _ in range(2):  # the second round finds the command waiting
            process.stdin.write(first)
            process.stdin.flush()
            found = [process.stdout.readline() for _ in range(answered)]
            assert all(line.endswith(b"\n") for line in found), process.stderr.read()
        rest, errors = process.communicate(timeout=60)
    finally:
        watchdog.cancel()
        process.kill()
    assert (process.returncode, rest, errors) == (0, b"", b"")


def test_the_command_ends_with_its_reader_while_the_input_pauses(command_folder, model_file):
    process = start(command_folder, "classify-text", "predict", model_file, "-")
    try:
        process.stdin.write(b"the king\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.stdin.close()


def test_a_stream_has_the_answers_of_a_file(tmp_path, command_folder, model_file):
    texts = [f"the {'king' if row % 3 else 'queen'} of {row} paris" for row in range(9000)]
    texts[5000] = ""
    content = "\n".join(texts) + "\n"
    Path(tmp_path / "texts.txt").write_text(content)
    arguments = ["classify-text", "predict", "-q", model_file, "--input"]
    streamed, errors = start(command_folder, *arguments, "-").communicate(content.encode(), timeout=120)
    from_file, _ = start(command_folder, *arguments, tmp_path / "texts.txt").communicate(timeout=120)
    assert errors == b""
    assert streamed.splitlines() == from_file.splitlines()
    assert len(streamed.splitlines()) == 9000


def test_answers_before_a_bad_line_are_kept(command_folder, model_file):
    content = b"the king\n" * 200_000 + b"\xff\n"
    out, errors = start(command_folder, "classify-text", "predict", "-q", model_file, "-").communicate(
        content, timeout=120
    )
    assert out.count(b"\n") >= 1
    assert errors.startswith(b"Error: standard input: byte 0xff at offset 1800000 is not UTF-8")
    assert errors.count(b"\n") == 1


def test_reading_ahead_is_bounded():
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield len(taken)

    batches = iter(Arriving(endless()))
    assert next(batches)[0] == 1
    assert next(batches)
    assert len(taken) <= 4 * 4096
