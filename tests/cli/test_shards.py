"""``train-embeddings --shards``: options, output, resuming."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from wordvec import load_vectors

TINY = ("--vector-size", "8", "--epochs", "2", "--min-count", "1", "--subsample", "0")


def train(*arguments, code=0):
    result = CliRunner().invoke(main.train_embeddings, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    numbers = np.random.default_rng(4).zipf(1.4, 6_000) % 300
    path = Path("corpus.txt")
    path.write_text("\n".join(" ".join(f"w{number}" for number in line) for line in np.array_split(numbers, 400)))
    return path


def test_shards_at_any_number_of_threads(corpus, monkeypatch):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    result = train(corpus, "-o", "a.safetensors", *TINY, "--shards", 3, "--threads", 1, "--timings")
    assert "training skipgram, vector size 8, in 3 shards" in result.output
    assert "epoch 2/2: loss" in result.output
    assert re.search(r"^rounds: 8\n(.*_seconds: [\d.e-]+, [\d.e-]+ a round\n){4}", result.output, re.MULTILINE)
    train(corpus, "-o", "b.safetensors", *TINY, "--shards", 3, "--threads", 4)
    assert Path("a.safetensors").read_bytes() == Path("b.safetensors").read_bytes()
    vectors = load_vectors("a.safetensors")
    assert vectors.settings["shards"] == 3
    assert "corpus_blake2b" not in vectors.origin
    assert len(vectors.origin["encoded_blake2b"]) == 64


def test_a_finished_training_is_recognized(corpus):
    train(corpus, "-o", "a.safetensors", *TINY, "--shards", 3)
    again = train(corpus, "-o", "a.safetensors", *TINY, "--shards", 3, "--resume")
    assert "a.safetensors is already complete" in again.output
    other = train(corpus, "-o", "a.safetensors", *TINY, "--shards", 2, "--resume", code=1)
    assert "shards was 3 and is now 2" in other.output


def test_evaluates_stops_early_and_continues(corpus):
    Path("pairs.tsv").write_text("".join(f"w{number}\tw{number + 1}\t{number % 5}\n" for number in range(1, 9)))
    how = (*TINY, "--shards", 2, "--evaluate-on", "pairs.tsv")
    result = train(corpus, "-o", "a.safetensors", *how, "--early-stopping", 1, "--epochs", 6)
    assert "after 1.00 epochs: pairs" in result.output
    kept = load_vectors("a.safetensors")
    train(corpus, "-o", "b.safetensors", "--continue-from", "a.safetensors", "--shards", 3, "--freeze-initial")
    again = load_vectors("b.safetensors")
    assert (again.settings["shards"], again.settings["initial_rate"]) == (3, 0)
    assert again["w1"].tobytes() == kept["w1"].tobytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--shards", 0), "shards must be at least 1, got 0"),
        (("--shards", 9), "use at most 6, or one per 2,000,000 tokens to keep quality"),
        (("--round-tokens", 100), "--round-tokens has no effect without --shards; leave it out"),
        (("--timings",), "--timings has no effect without --shards"),
        (("--shards", 2, "--mode", "hogwild"), "shards need mode = reproducible, got hogwild"),
        (("--shards", 2, "--model", "glove"), "--shards does not apply to --model glove; leave it out"),
        (("--shards", 2, "--memory", "1G"), "--memory does not apply to --model skipgram"),
    ],
)
def test_bad_options(corpus, options, message):
    result = CliRunner().invoke(main.train_embeddings, [*map(str, (corpus, "-o", "v.bin", "--min-count", 1, *options))])
    assert result.exit_code in (1, 2)
    assert message in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scheduler", "tcp://127.0.0.1:1"), "--scheduler has no effect without --shards; leave it out"),
        (("--shards", 2, "--piece-size", "1M"), "--piece-size has no effect without --scheduler or --local-cluster"),
        (("--shards", 2, "--scheduler", "x", "--threads", 2), "--threads has no effect with --scheduler"),
        (("--shards", 2, "--scheduler", "x", "--local-cluster", 2), "--local-cluster has no effect with --scheduler"),
        (("--shards", 2, "--local-cluster", 1, "--phrases", 2), "--phrases has no effect with a cluster"),
        (("--shards", 2, "--scheduler", "tcp://127.0.0.1:1"), "no Dask scheduler answers at tcp://127.0.0.1:1"),
        (("--shards", 2, "--scheduler", "nonsense://x"), "must be such as tcp://host:8786, got 'nonsense://x'"),
    ],
)
def test_bad_options_of_clusters(corpus, options, message):
    pytest.importorskip("distributed")
    result = CliRunner().invoke(main.train_embeddings, [*map(str, (corpus, "-o", "v.bin", "--min-count", 1, *options))])
    assert result.exit_code in (1, 2), result.exception
    assert message in " ".join(result.output.split())


def test_dask_is_optional(corpus, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = train(corpus, "-o", "v.bin", "--shards", 2, "--local-cluster", 1, code=1)
    assert "a cluster needs Dask, which is not installed: pip install 'wordvec-seqclf[distributed]'" in result.output


def test_count_based_models_on_a_cluster(corpus):
    pytest.importorskip("distributed")
    made = ("--min-count", 1, "--model", "ppmi")
    train(corpus, "-o", "a.safetensors", *made)
    train(corpus, "-o", "b.safetensors", *made, "--local-cluster", 1)
    a, b = (load_vectors(name) for name in ("a.safetensors", "b.safetensors"))
    assert (a.matrix != b.matrix).nnz == 0
    assert a.settings == b.settings
    assert set(a.origin) - set(b.origin) == {"corpus_blake2b"}


def test_worker_processes_of_its_own(corpus):
    pytest.importorskip("distributed")
    train(corpus, "-o", "a.safetensors", *TINY, "--shards", 3, "--save-vocabulary", "a.txt")
    result = train(
        corpus, "-o", "b.safetensors", *TINY, "--shards", 3, "--save-vocabulary", "b.txt", "--local-cluster", 2,
        "--timings", "--piece-size", "4K",
    )  # fmt: skip
    assert "2 workers, 2 threads" in result.output
    assert "moved_bytes: " in result.output
    assert Path("a.safetensors").read_bytes() == Path("b.safetensors").read_bytes()
    assert Path("a.txt").read_bytes() == Path("b.txt").read_bytes()
