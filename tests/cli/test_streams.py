"""Closed, full and badly encoded standard streams neither end the work nor print a stack trace."""

import os
import shutil

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")

TRAIN = "yes 'a b c d' | head -500 > t.txt; train-embeddings t.txt -o v.bin --epochs 1 --vector-size 4 --no-cache "
TAGS = "so\tX\n\N{GRINNING FACE}\tЖ\n\n" * 10


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_end_the_work(shell, tmp_path, closed):
    result = shell(TRAIN + closed)
    assert (result.returncode, "Traceback" in result.stderr) == (0, False)
    assert (tmp_path / "v.bin").read_bytes().startswith(b"4 4\n")


@pytest.mark.parametrize("command", ["wordvec corpora list", "wordvec --help", "wordvec --version"])
def test_results_for_a_closed_standard_output_are_dropped(shell, command):
    result = shell(f"{command} >&-")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_model_for_a_closed_standard_output_is_refused_before_any_work(shell):
    result = shell(f"{TRAIN.replace('v.bin', 'out.bin')} >&-".replace("train-e", "ln -s /dev/stdout out.bin; train-e"))
    assert (result.returncode, result.stderr) == (
        1,
        "Error: out.bin cannot be written: bad file descriptor; give a file name\n",
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_messages_that_cannot_be_written_do_not_end_the_work(shell, tmp_path):
    result = shell(TRAIN + "2> /dev/full")
    assert (result.returncode, (tmp_path / "v.bin").exists()) == (0, True)
    assert shell("wordvec info missing.bin 2> /dev/full").returncode == 1
    assert shell("wordvec info --wrong 2> /dev/full").returncode == 2
    result = shell(TRAIN.replace("v.bin", "w.bin") + "2>&1 | true; exit ${PIPESTATUS[1]}")
    assert (result.returncode, (tmp_path / "w.bin").exists()) == (0, True)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "cp1252:strict"])
def test_output_to_a_pipe_is_utf8(shell, tmp_path, encoding):
    (tmp_path / "tags.tsv").write_text(TAGS, encoding="utf-8")
    size = "--epochs 1 --hidden-size 4 --vector-size 4"
    result = shell(
        f"export PYTHONIOENCODING={encoding}; tag-text train tags.tsv -o t.safetensors -q {size} && "
        "tag-text predict t.safetensors 'so \N{GRINNING FACE}' && tag-text evaluate t.safetensors tags.tsv && "
        "tag-text predict t.safetensors 'so \N{GRINNING FACE}' --json"
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "\N{GRINNING FACE}\t" in result.stdout
    assert "\nЖ " in result.stdout


def test_bytes_of_an_argument_that_are_not_text_are_escaped(shell, tmp_path, model_file):
    (tmp_path / "tags.tsv").write_text(TAGS, encoding="utf-8")
    size = "--epochs 1 --hidden-size 4 --vector-size 4"
    result = shell(f"tag-text train tags.tsv -o t.safetensors -q {size}; tag-text predict t.safetensors $'so \\xff'")
    assert (result.returncode, result.stderr) == (0, "")
    assert "\\udcff\t" in result.stdout
    shutil.copy(model_file, tmp_path / "m.safetensors")
    result = shell("classify-text explain m.safetensors $'so \\xff' --html why.html")
    assert (result.returncode, result.stderr) == (0, "")
    assert "\\udcff" in (tmp_path / "why.html").read_text()
