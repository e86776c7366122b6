"""Commands on two spaces: compare, align, translate."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from wordvec import WordVectors, load_vectors


def invoke(*arguments, code=0):
    result = CliRunner().invoke(main.wordvec, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spaces")
    rng = np.random.default_rng(7)
    rows, turn = rng.normal(size=(40, 5)), np.linalg.qr(rng.normal(size=(5, 5)))[0]
    WordVectors([f"w{k}" for k in range(40)], rows).save(folder / "a.vec")
    WordVectors([f"v{k}" for k in range(40)], rows @ turn).save(folder / "b.vec")
    WordVectors([f"w{k}" for k in range(40)], np.concatenate([-rows[:1], rows[1:]])).save(folder / "c.vec")
    (folder / "train.txt").write_text("".join(f"w{k} v{k}\n" for k in range(10)))
    (folder / "test.txt").write_text("".join(f"w{k}\tv{k}\n" for k in range(10, 45)))
    return folder


def test_compare(files):
    output = invoke("compare", files / "a.vec", files / "c.vec", "--top", 1, "--neighbors", 3).stdout
    assert "shared words" in output
    assert output.splitlines()[6].startswith("w0  common 0.00  cosine -")
    found = json.loads(invoke("compare", files / "a.vec", files / "c.vec", "w5", "W0", "--json").stdout)
    assert (found["compared"], [each["word"] for each in found["words"]]) == (40, ["w5", "w0"])
    assert (
        "no effect with WORDS" in invoke("compare", files / "a.vec", files / "c.vec", "w5", "--top", 2, code=2).stderr
    )
    failed = invoke("compare", files / "a.vec", files / "c.vec", "nope", code=2).stderr
    assert "'nope' is not among the 40 compared words of 40 that both have\n" in failed
    some = ("compare", files / "a.vec", files / "c.vec", "nope", "--restrict", 20)
    assert "20 compared words of 40 that both have; set --restrict to 40 to compare all" in invoke(*some, code=2).stderr


def test_align(files, tmp_path):
    options = ["--dictionary", files / "train.txt", "-o", tmp_path / "x.vec", "--output-target", tmp_path / "y.bin"]
    done = invoke("align", files / "a.vec", files / "b.vec", *options)
    assert done.stderr == f"{tmp_path / 'x.vec'}: 40 words x 5, by 10 pairs\n"
    np.testing.assert_allclose(
        load_vectors(tmp_path / "x.vec").vectors, load_vectors(tmp_path / "y.bin").vectors, atol=1e-5
    )
    assert "extension" in invoke("align", files / "a.vec", files / "b.vec", "-o", tmp_path / "x.pdf", code=1).stderr


def test_translate(files):
    options = [files / "a.vec", files / "b.vec", "--dictionary", files / "train.txt"]
    assert invoke("translate", *options, "w33", "--top", 1).stdout.split()[0] == "v33"
    assert invoke("translate", *options, "w33", "w9", "--top", 1).stdout.startswith("w33:\nv33")
    [found] = json.loads(invoke("translate", *options, "w33", "--json", "--method", "cosine").stdout)
    assert found["translations"][0] == {"token": "v33", "score": pytest.approx(1, abs=1e-5)}
    output = invoke("translate", *options, "--test", files / "test.txt").stdout
    assert output.startswith("30 of 35 words\nprecision at 1   100.0 %\n")
    assert json.loads(invoke("translate", *options, "--test", files / "test.txt", "--json").stdout)["asked"] == 30
    assert "not both" in invoke("translate", *options, code=2).stderr
    assert (
        "--top has no effect with --test FILE"
        in invoke("translate", *options, "--test", "x", "--top", 3, code=2).stderr
    )
    assert "no pair has its source word" in invoke("translate", files / "a.vec", files / "b.vec", "w1", code=1).stderr
