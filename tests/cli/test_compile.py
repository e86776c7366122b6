"""``wordvec compile``: afterwards no command compiles a kernel."""

import os

import pytest
from click.testing import CliRunner

from cli import main
from cli.compile_kernels import _RUNS
from seqclf import SequenceClassifier
from wordvec import CountVectorizer, Word2Vec
from wordvec.kernels.simd import JIT_OFF
from wordvec.system.compiled import compiled_kernels

pytestmark = pytest.mark.skipif(JIT_OFF, reason="nothing is compiled")

LINES = "the fire near the lake spread\nsmoke over a town , seen by a boy\n" * 30
VARIED = [
    "train-embeddings {0}/text.txt -o {0}/v.safetensors --vector-size 20 --window 3 --min-count 2 --epochs 2 --resume",
    "train-embeddings {0}/text.txt -o {0}/w.txt --model cbow --preset gensim --min-count 1 --tokenizer words",
    "train-embeddings {0}/text.txt -o {0}/x.safetensors --min-count 1 --continue-from {0}/v.safetensors "
    "--freeze-initial",
    "train-embeddings {0}/text.txt -o {0}/y.safetensors --subwords 3-6 --buckets 99 --loss hierarchical --min-count 1",
    "train-embeddings {0}/text.txt -o {0}/z.safetensors --min-count 1 --continue-from {0}/y.safetensors "
    "--initial-rate .1",
    "train-embeddings {0}/text.txt -o {0}/g.safetensors --model glove --epochs 3 --min-count 1 --subsample .1",
    "train-embeddings {0}/text.txt -o {0}/s.safetensors --model svd --min-count 1 --vector-size 4 --contexts left",
    "train-embeddings {0}/text.txt -o {0}/p.safetensors --model ppmi --min-count 1 --memory 20K",
    "wordvec neighbors {0}/v.safetensors fire",
    "word-analogy {0}/many.txt --input {0}/questions.txt",
    "wordvec documents count {0}/text.txt -o {0}/c.npz --ngram-range 1 3 --min-df 2 --binary --lowercase",
    "wordvec documents tfidf {0}/text.txt -o {0}/t.npz --sublinear-tf --norm l1",
    "classify-text train sample:disasters -o {0}/m.safetensors --vectors {0}/v.safetensors --epochs 1 --hidden-size 8 "
    "--pooling attention --cell gru --zoneout .1 --class-weight balanced --test sample:disasters-test",
    "classify-text evaluate {0}/m.safetensors sample:disasters-test",
    "classify-text predict {0}/m.safetensors fire",
    "wordvec inspect {0}/m.safetensors fire",
    "tag-text train sample:tags -o {0}/n.safetensors --epochs 1 --hidden-size 8 --head crf --layers 2 "
    "--vectors {0}/v.safetensors",
    "tag-text evaluate {0}/n.safetensors sample:tags-test",
    "language-model train {0}/text.txt -o {0}/l.safetensors --hidden-size 8 --epochs 1 --layers 2 --cell gru "
    "--weight-drop .2",
    "language-model generate {0}/l.safetensors fire --length 4",
    "language-model next {0}/l.safetensors fire",
    "forecast train {0}/series.csv -o {0}/f.safetensors --epochs 1 --window 9 --horizon 3 --season 7 --log --test 12",
    "forecast predict {0}/f.safetensors --steps 2 --level 0.5",
]  # fmt: skip


def run(line):
    script, *arguments = line.split()
    words = arguments if script == "wordvec" else [script, *arguments]
    result = CliRunner().invoke(main.wordvec, words)
    assert result.exit_code == 0, (line, result.output)
    return result


def test_after_compiling_all_kernels_no_command_needs_another(tmp_path, monkeypatch):
    monkeypatch.setenv("WORDVEC_CACHE", str(tmp_path / "cache"))
    (tmp_path / "text.txt").write_text(LINES)
    (tmp_path / "series.csv").write_text("value\n" + "".join(f"{2 + number % 7}\n" for number in range(120)))
    (tmp_path / "many.txt").write_text("".join(f"w{word} {word % 7} 1 2\n" for word in range(11_000)))
    (tmp_path / "questions.txt").write_text("w3 - w5\n" * 30)
    output = run("wordvec compile").stderr
    assert "kernels compiled and stored" in output or "all kernels had been compiled before" in output
    before = compiled_kernels()
    for line in VARIED:
        run(line.format(tmp_path))
        assert compiled_kernels() == before, line
    texts, labels = LINES.splitlines(), [number % 2 for number in range(60)]
    SequenceClassifier(epochs=1, hidden_size=8).fit(texts, labels).predict(texts)
    Word2Vec(vector_size=8, min_count=1, epochs=1).fit([text.split() for text in texts])
    CountVectorizer().fit_transform(texts)
    assert compiled_kernels() == before, "estimators"


@pytest.mark.parametrize(
    "line",
    [
        "train-embeddings empty.txt -o o.bin",
        "train-embeddings blank.txt -o o.bin --model glove",
        "wordvec documents count blank.txt -o o.npz",
        "wordvec phrases learn blank.txt -o o.safetensors",
        "language-model train empty.txt -o o.bin",
        "classify-text train empty.txt -o o.bin",
        "tag-text train blank.txt -o o.bin",
        "forecast train empty.txt -o o.bin",
    ],
)
def test_nothing_is_compiled_for_a_file_without_text(shell, tmp_path, line):
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "blank.txt").write_text(" \n\n\t\n")
    result = shell(f"NUMBA_CACHE_DIR={tmp_path / 'kernels'} WORDVEC_CACHE={tmp_path / 'cache'} {line}")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1), result.stderr
    assert not list(tmp_path.glob("kernels/**/*.nbc"))


def test_compiled_kernels_are_stored_in_the_folder_named(shell, tmp_path):
    places = f"NUMBA_CACHE_DIR={tmp_path / 'kernels'} WORDVEC_CACHE={tmp_path / 'cache'}"
    first = shell(f"{places} wordvec compile --model documents")
    assert first.returncode == 0, first.stderr
    assert f"{tmp_path / 'kernels'}{os.sep}" in first.stderr
    assert "kernels compiled and stored" in first.stderr
    assert not (tmp_path / "cache").exists()
    assert shell(f"{places} wordvec compile --model documents -q").stderr == ""
    again = shell(f"{places} wordvec compile --model documents")
    assert again.stderr.endswith("all kernels had been compiled before\n")


def test_a_folder_that_cannot_be_written_is_an_error(monkeypatch):
    monkeypatch.setattr("wordvec.system.compiled.compiled_kernels", lambda: {"": 3})
    monkeypatch.setitem(_RUNS, "svd", [])
    result = CliRunner().invoke(main.wordvec, ["compile", "--model", "svd"])
    assert result.exit_code == 1
    assert result.stderr == "Error: 3 kernels could not be stored; set NUMBA_CACHE_DIR to a writable folder\n"


def test_all_models_or_some():
    result = CliRunner().invoke(main.wordvec, ["compile", "--all", "--model", "svd"])
    assert result.exit_code == 2
    assert "--all compiles the kernels of all models; leave out --model" in result.stderr
