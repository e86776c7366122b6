"""``wordvec association``."""

import json

import pytest
from click.testing import CliRunner

from cli import main
from wordvec import load_vectors
from wordvec.vectors.bias import weat

LISTS = {"x": ["king", "man"], "y": ["queen", "woman"], "a": ["paris"], "b": ["Café", "london"]}


@pytest.fixture
def run(vectors_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, words in LISTS.items():
        (tmp_path / name).write_text("".join(f"{word}\n\n" for word in words), encoding="utf-8")
    command = ["association", str(vectors_file), "--targets", "x", "y", "--attributes", "a", "b"]
    return lambda *options: CliRunner().invoke(main.wordvec, [*command, *options])


@pytest.mark.parametrize(
    ("options", "settings"),
    [((), {}), (("--permutations", "3", "--seed", "2"), {"permutations": 3, "seed": 2})],
)
def test_association(vectors_file, run, options, settings):
    x, y, a, b = LISTS.values()
    expected = weat(load_vectors(vectors_file), (x, y), (a, b), **settings)
    assert json.loads(run(*options, "--json").stdout) == expected.summary()
    words = (
        f"effect size {expected.effect_size:.3f} p-value {expected.p_value:.4f} permutations {expected.permutations}"
    )
    assert run(*options).stdout.split() == words.split()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("y", "queen\nqeen\nwomann\n", "y: words without a vector: qeen, womann; remove them or choose others"),
        ("b", "\n", "b: no words; expected a word per line"),
        ("x", "king\n", "both lists of targets must have the same length, got 1 and 2"),
    ],
)
def test_bad_lists(run, tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    done = run()
    assert (done.exit_code, done.stderr) == (1, f"Error: {message}\n")
