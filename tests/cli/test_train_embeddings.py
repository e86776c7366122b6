"""``train-embeddings``: options, formats, inputs, summary and messages."""

import gzip
import hashlib
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from wordvec.kernels.simd import JIT_OFF

SENTENCES = "the old king saw the young queen\nthe young queen saw the old king\n" * 50
TINY = ("--vector-size", "8", "--epochs", "2", "--min-count", "1")


def train(*arguments, code=0, **kwargs):
    result = CliRunner().invoke(main.train_embeddings, [str(argument) for argument in arguments], **kwargs)
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("corpus.txt")
    path.write_text(SENTENCES)
    return path


def options_of(command):
    return {parameter.name: parameter for parameter in command.params}


def test_defaults_match_the_library():
    from wordvec import Word2VecSettings, encode_corpus

    defaults = main.train_embeddings.make_context("train-embeddings", ["corpus", "-o", "vectors"]).params
    settings = vars(Word2VecSettings())
    assert {name: defaults.get(name) for name in settings if name in defaults} == {
        name: value for name, value in settings.items() if name in defaults
    }
    assert set(settings) - set(defaults) == {"lanes", "lane_tokens"}
    assert defaults["min_count"] == inspect.signature(encode_corpus).parameters["min_count"].default


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("learning_rate", {("skipgram", "sum"): 0.04, ("cbow", "sum"): 0.06, ("cbow", "mean"): 0.075}),
        ("shared_negatives", {("skipgram", "sum"): 16, ("cbow", "sum"): 12}),
        ("block_size", {("skipgram", "sum"): 8, ("cbow", "sum"): 4}),
        ("min_learning_rate", {("skipgram", "sum"): 0.0001}),
    ],
)
def test_help_states_the_defaults_that_the_library_resolves(option, values):
    from wordvec import Word2VecSettings

    help_text = options_of(main.train_embeddings)[option].help
    for (model, gradient), value in values.items():
        assert getattr(Word2VecSettings(model=model, cbow_gradient=gradient).resolved(), option) == value
        assert str(value) in help_text


def test_choices_match_the_library():
    from corpora import TOKENIZERS

    options = options_of(main.train_embeddings)
    assert list(options["tokenizer"].type.choices) == list(TOKENIZERS)


def test_options_reach_the_library(corpus):
    train(
        *("corpus.txt", "-o", "v.safetensors", "--model", "cbow", "--vector-size", 12, "--window", 3, "--negatives", 4),
        *("--epochs", 3, "--learning-rate", 0.04, "--min-learning-rate", 0.001, "--subsample", 0.01, "--min-count", 2),
        *("--noise-exponent", 0.5, "--seed", 7, "--cbow-gradient", "mean", "--mode", "hogwild"),
        *(
            "--shared-negatives",
            12,
            "--block-size",
            4,
            "--window-weights",
            "sampled",
            "--threads",
            1,
            "--lowercase",
            "--tokenizer",
            "words",
        ),
        *("--summary", "s.json", "--max-vocabulary", 4),
    )
    summary = json.loads(Path("s.json").read_text())
    expected = {
        **{"model": "cbow", "vector_size": 12, "window": 3, "negatives": 4, "epochs": 3, "learning_rate": 0.04},
        **{"min_learning_rate": 0.001, "subsample": 0.01, "noise_exponent": 0.5, "seed": 7, "cbow_gradient": "mean"},
        **{"mode": "hogwild", "shared_negatives": 12, "block_size": 4, "window_weights": "sampled"},
    }
    assert expected.items() <= summary["settings"].items()
    assert (summary["types"], len(summary["losses"]), summary["threads"]) == (4, 3, 1)
    from wordvec import load_vectors

    vectors = load_vectors("v.safetensors")
    assert (vectors.tokenizer, vectors.lowercase, len(vectors), vectors.vector_size) == ("words", True, 4, 12)


def test_subwords_reach_the_library(corpus):
    from wordvec import load_vectors

    result = train("corpus.txt", "-o", "v.safetensors", *TINY, "--subwords", "2-4", "--buckets", 100)
    assert re.search(r"training with n-grams takes about \d+\.\d MB of memory\n.*epoch 1/", result.stderr, re.DOTALL)
    vectors = load_vectors("v.safetensors")
    subwords = vectors.subwords
    assert (subwords.min_n, subwords.max_n, subwords.buckets) == (2, 4, 100)
    assert vectors.settings["learning_rate"] == 0.03  # because there are few words
    again = train("corpus.txt", "-o", "v.safetensors", *TINY, "--subwords", "2-4", "--buckets", 100, "--resume")
    assert "epoch" not in again.stderr
    result = train("corpus.txt", "-o", "v.safetensors", *TINY, "--buckets", 100, code=2)
    assert "--buckets has no effect without n-grams; needs --subwords" in result.stderr


def test_vocabulary_options(corpus):
    from wordvec import load_vectors

    Path("keep.txt").write_text("oddity\n")
    Path("drop.txt").write_text("the\n")
    corpus.write_text(SENTENCES + "\noddity\n")
    lists = ("--keep-words", "keep.txt", "--drop-words", "drop.txt")
    result = train("corpus.txt", "-o", "v.safetensors", *TINY, *lists, "--save-vocabulary", "words.txt")
    words = [line.split() for line in Path("words.txt").read_text().splitlines()]
    assert ["oddity", "1"] in words
    assert "the" not in dict(words)
    assert load_vectors("v.safetensors").tokens == list(dict(words))
    # Another text, with the same words and counts.
    Path("other.txt").write_text("the oddity\n" * 9 + SENTENCES)
    train("other.txt", "-o", "w.safetensors", *TINY[:4], "--vocabulary", "words.txt", "--save-vocabulary", "again.txt")
    assert Path("again.txt").read_text() == Path("words.txt").read_text()
    assert result.stdout == ""


def test_exceeding_max_types_in_memory_is_a_warning(corpus):
    corpus.write_text("a b c d\n" * 300 + "\n".join(f"x{k}" for k in range(100_000)))
    result = train("corpus.txt", "-o", "v.safetensors", *TINY, "--max-types-in-memory", 500)
    assert "Warning: more than --max-types-in-memory = 500 distinct words: counts may be" in result.stderr


@pytest.mark.parametrize("option", [("--min-count", 5), ("--drop-words", "words.txt"), ("--max-types-in-memory", 9)])
def test_vocabulary_excludes_options_that_filter_words(corpus, option):
    Path("words.txt").write_text("a 1\nb 1\n")
    result = train("corpus.txt", "-o", "v.safetensors", "--vocabulary", "words.txt", *option, code=2)
    assert f"--vocabulary already determines the words; leave out {option[0]}" in result.stderr


def test_summary_describes_the_run(corpus):
    result = train("corpus.txt", "-o", "v.safetensors", *TINY, "--summary", "s.json")
    summary = json.loads(Path("s.json").read_text())
    assert summary["raw_tokens"] == 700
    assert summary["types"] == 6
    assert all(0 < count <= 700 for count in summary["effective_tokens"])
    assert summary["seconds"] > 0
    (file,) = summary["corpus"]["files"]
    content = Path("corpus.txt").read_bytes()
    assert file == {
        "name": "corpus.txt",
        "bytes": len(content),
        "blake2b": hashlib.blake2b(content, digest_size=32).hexdigest(),
    }
    assert (summary["corpus"]["tokenizer"], summary["corpus"]["lowercase"]) == ("whitespace", False)
    assert (summary["raw_types"], summary["min_count"], summary["seed"]) == (6, 1, 1)
    assert summary["versions"]["numpy"] == np.__version__
    options = shlex.join(map(str, TINY))
    assert summary["command"] == f"train-embeddings corpus.txt -o v.safetensors {options} --summary s.json"
    assert "700 tokens, 6 types" in result.stderr
    assert "epoch 2/2: loss " in result.stderr
    assert len(summary["losses"]) == len(summary["loss_errors"]) == 2
    assert "v.safetensors: 6 words x 8; 700 tokens" in result.stderr
    assert result.stdout == ""


def test_quiet_prints_nothing(corpus):
    result = train("corpus.txt", "-o", "v.safetensors", *TINY, "--quiet")
    assert result.output == ""


@pytest.mark.parametrize("name", ["v.safetensors", "v.txt", "v.vec", "v.bin"])
def test_extension_selects_the_format(corpus, name):
    from wordvec import load_vectors
    from wordvec.formats.registry import describe

    train("corpus.txt", "-o", name, *TINY)
    formats = {".safetensors": "safetensors", ".txt": "text", ".vec": "text", ".bin": "binary"}
    assert describe(name)["format"] == formats[Path(name).suffix]
    assert load_vectors(name).tokens[0] == "the", "rows are in order of decreasing frequency"


def test_the_same_seed_gives_the_same_bytes(corpus):
    for name, threads, seed in [("a", 1, 3), ("b", 2, 3), ("c", 2, 4)]:
        train("corpus.txt", "-o", f"{name}.safetensors", *TINY, "--threads", threads, "--seed", seed)
    a, b, c = (Path(f"{name}.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_an_old_file_is_replaced(corpus):
    Path("v.txt").write_text("old")
    train("corpus.txt", "-o", "v.txt", *TINY)
    assert Path("v.txt").read_text().startswith("6 8\n")


@pytest.mark.parametrize("source", ["corpus.txt.gz", "c*.gz", "folder", "-"])
def test_sources_of_a_corpus(corpus, source):
    train("corpus.txt", "-o", "expected.txt", *TINY)
    Path("folder").mkdir()
    Path("folder/part.txt").write_text(SENTENCES)
    with gzip.open("corpus.txt.gz", "wt") as file:
        file.write(SENTENCES)
    train(source, "-o", "v.txt", *TINY, "--no-cache", input=SENTENCES if source == "-" else None)
    assert Path("v.txt").read_bytes() == Path("expected.txt").read_bytes()


def test_multiple_files_form_one_corpus(corpus):
    Path("more.txt").write_text("a new word\n")
    result = train("corpus.txt", "more.txt", "-o", "v.txt", *TINY)
    assert "703 tokens, 9 types" in result.stderr


def test_long_lines_are_not_truncated(corpus):
    Path("line.txt").write_text(" ".join(f"word{number * number % 997}" for number in range(50_000)))
    train("line.txt", "-o", "v.safetensors", *TINY, "--summary", "s.json", "--subsample", 0)
    summary = json.loads(Path("s.json").read_text())
    assert summary["raw_tokens"] == summary["effective_tokens"][0] == 50_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--window", "0"], "window must be at least 1, got 0"),
        (["--epochs", "0"], "epochs must be at least 1"),
        (["--learning-rate", "-1"], "--learning-rate must be above 0"),
        (["--min-count", "0"], "--min-count"),
        (["--max-vocabulary", "0"], "--max-vocabulary"),
        (["--threads", "0"], "--threads"),
        (["--vector-size", "many"], "not a valid integer"),
        (["--model", "fasttext"], "'fasttext' is not one of"),
        (["--tokenizer", "none"], "'none' is not one of"),
        (["--unknown"], "No such option"),
        (["--dim", "50"], "No such option '--dim'; use --vector-size"),
        (["-minCount", "3"], "No such option '-minCount'; use --min-count"),
        (["--epoch=3"], "No such option '--epoch'; use --epochs"),
    ],
)
def test_options_out_of_range_are_usage_errors(corpus, arguments, message):
    result = train("corpus.txt", "-o", "v.safetensors", *arguments, code=2)
    assert message in result.stderr
    assert not Path("v.safetensors").exists()


def test_output_is_required(corpus):
    assert "-o" in train("corpus.txt", code=2).stderr


# -- during training --------------------------------------------------------------------------------------------------


@pytest.fixture
def questions(corpus):
    Path("pairs.tsv").write_text("king\tqueen\t9\nking\tsaw\t1\nold\tyoung\t7\n")
    Path("analogies.txt").write_text(": all\nold king young queen\nold queen young king\n")
    return corpus


def test_evaluation_during_training_selects_the_best_epoch(questions):
    from wordvec import evaluate_file, load_vectors

    options = ("corpus.txt", "-o", "v.safetensors", *TINY, "--epochs", 4, "--evaluate-on", "pairs.tsv")
    result = train(*options, "--evaluate-on", "analogies.txt", "--evaluate-every", 2, "--summary", "s.json")
    logged = [line for line in result.stderr.splitlines() if line.startswith("after ")]
    assert [line.split(":")[0] for line in logged] == ["after 2.00 epochs", "after 4.00 epochs"]
    summary = json.loads(Path("s.json").read_text())
    scores = summary["scores"]
    assert [score is None for score in scores] == [True, False, True, False]
    vectors = load_vectors("v.safetensors")
    kept = [evaluate_file(vectors, name).score for name in ("pairs.tsv", "analogies.txt")]
    assert scores[summary["kept_epoch"] - 1] == pytest.approx(np.mean(kept)) == max(filter(None, scores))
    assert f"pairs {kept[0]:.3f}, analogies {100 * kept[1]:.1f} %" in logged[summary["kept_epoch"] // 2 - 1]


def test_early_stopping(corpus, monkeypatch):
    from wordvec.word2vec import epoch as training

    losses = iter([2.0, 1.0, 1.5, 1.2, 0.1])
    monkeypatch.setattr(training.Trainer, "end_epoch", lambda self: training.EpochResult(next(losses), 0.1, 7))
    result = train("corpus.txt", "-o", "v.txt", *TINY, "--epochs", 9, "--early-stopping", 2)
    assert "stopping early: no improvement on epoch 2 in 2 epochs" in result.stderr
    assert "keeping the vectors of epoch 2, the best of 4" in result.stderr


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--evaluate-every", "2"], 2, "--evaluate-every needs --evaluate-on FILE"),
        (["--evaluate-on", "pairs.tsv", "--evaluate-every", "0"], 2, "write a number of epochs, or a time such as 30s"),
        (["--early-stopping", "0"], 2, "--early-stopping"),
        (["--evaluate-on", "nothere.txt"], 1, "nothere.txt: no such file"),
        (["--evaluate-on", "corpus.txt"], 1, "corpus.txt:1: expected 4 words"),
        (["--evaluate-on", "unknown.tsv"], 1, "unknown.tsv cannot be used for evaluation: too few of its words are in"),
        (["--continue-from", "nothere.safetensors"], 1, "nothere.safetensors: no such file"),
        (["--continue-from", "pairs.tsv"], 1, "rated word pairs, not vectors"),
    ],
)
def test_evaluation_and_continuation_errors(questions, options, code, message):
    Path("unknown.tsv").write_text("kaiser\tking\t9\nemperor\tsaw\t1\n")
    result = train("corpus.txt", "-o", "v.txt", *TINY, *options, code=code)
    assert message in " ".join(result.stderr.split())
    assert not Path("v.txt").exists()


def test_impossible_evaluation_is_reported_before_training(questions):
    Path("unknown.tsv").write_text("kaiser\tking\t9\nemperor\tsaw\t1\n")
    result = train("corpus.txt", "-o", "v.txt", *TINY, "--evaluate-on", "unknown.tsv", code=1)
    assert "epoch 1" not in result.stderr


def test_training_continues_with_new_words_and_existing_settings(corpus):
    from wordvec import load_vectors

    Path("new.txt").write_text("The new king saw a new castle\n" * 20)
    options = ("--vector-size", 12, "--model", "cbow", "--window", 3, "--lowercase", "--min-count", 1)
    train("corpus.txt", "-o", "old.safetensors", *options, "--epochs", 2)
    result = train("new.txt", "-o", "v.safetensors", "--continue-from", "old.safetensors", "--min-count", 1)
    assert "3 of 6 words continue from existing vectors" in result.stderr
    vectors = load_vectors("v.safetensors")
    assert vectors.lowercase
    assert set(vectors.tokens) == {*["the", "old", "king", "saw", "young", "queen", "new", "a", "castle"]}
    assert vectors.counts[vectors.token_id("king")] == 120
    expected = {"vector_size": 12, "model": "cbow", "window": 3, "epochs": 5, "learning_rate": 0.06}
    assert expected.items() <= vectors.settings.items()
    changed = ("--continue-from", "old.safetensors", "--window", 7, "--model", "skipgram", "--learning-rate", 0.01)
    train("new.txt", "-o", "w.safetensors", *changed)
    assert {"model": "skipgram", "window": 7, "learning_rate": 0.01}.items() <= load_vectors(
        "w.safetensors"
    ).settings.items()
    rejected = train("new.txt", "-o", "x.txt", "--continue-from", "old.safetensors", "--vector-size", 50, code=1)
    assert "--vector-size must be that of the vectors to continue from, 12, got 50" in rejected.stderr


def test_training_starts_from_vectors_of_another_program(corpus):
    """The size is that of the file; tokenizer and casing are those of the command."""
    from wordvec import load_vectors

    Path("bare.txt").write_text("2 3\nking 1 2 0\nzebra 2 1 .5\n")
    result = train("corpus.txt", "-o", "v.safetensors", "--continue-from", "bare.txt", "--lowercase", "--min-count", 1)
    assert "1 of 6 words continue from existing vectors; the output side of training starts at zero" in result.stderr
    vectors = load_vectors("v.safetensors")
    assert (vectors.vector_size, vectors.lowercase, vectors.normalize) == (3, True, "NFC")
    assert vectors["zebra"].tolist() == [2, 1, 0.5]


def test_initial_vectors_are_frozen(corpus):
    from wordvec import load_vectors

    Path("bare.txt").write_text("2 3\nking 1 2 0\nzebra 2 1 .5\n")
    options = ("corpus.txt", "-o", "v.safetensors", "--min-count", 1)
    train(*options, "--continue-from", "bare.txt", "--freeze-initial", "--resume")
    vectors = load_vectors("v.safetensors")
    assert vectors["king"].tolist() == [1, 2, 0]
    assert vectors.settings["initial_rate"] == 0
    again = train(*options, "--continue-from", "bare.txt", "--freeze-initial", "--resume")
    assert "already complete" in again.stderr
    other = train(*options, "--continue-from", "bare.txt", "--initial-rate", 0.5, "--resume", code=1)
    assert "--initial-rate was 0.0 and is now 0.5" in " ".join(other.stderr.split())
    train(*options, "--continue-from", "bare.txt", "--initial-rate", 0.5)
    assert load_vectors("v.safetensors")["king"].tolist() != [1, 2, 0]
    alone = train(*options, "--freeze-initial", code=2)
    assert "--freeze-initial has no effect without --continue-from" in alone.stderr


def test_training_continues_a_fasttext_model(corpus):
    """Its n-grams are those of the file, without any option."""
    from wordvec import load_vectors, save_vectors

    options = ("--min-count", 1, "--vector-size", 8, "--epochs", 1, "--subwords", "3-4", "--buckets", 300)
    train("corpus.txt", "-o", "old.safetensors", *options)
    old = load_vectors("old.safetensors")
    save_vectors(old, "old.bin", format="fasttext")
    result = train("corpus.txt", "-o", "v.safetensors", "--continue-from", "old.bin", "--min-count", 1, "--epochs", 1)
    assert f"{len(old)} of {len(old)} words continue from existing vectors\n" in result.stderr
    found = load_vectors("v.safetensors")
    expected = {"subwords": "3-4", "buckets": 300, "vector_size": 8, "learning_rate": 0.03}
    assert expected.items() <= found.settings.items()
    assert found["kingqueen"].shape == (8,)
    other = train("corpus.txt", "-o", "x.txt", "--continue-from", "old.bin", "--subwords", "3-6", code=1)
    assert "3-4 in 300 buckets, got 3-6 in 300 buckets" in other.stderr
    alone = train("corpus.txt", "-o", "x.txt", "--buckets", 300, code=2)
    assert "--buckets has no effect without n-grams; needs --subwords" in alone.stderr


def test_vocabulary_that_exceeds_memory_is_rejected(corpus, monkeypatch):
    from wordvec.word2vec import buffers as memory

    monkeypatch.setattr(memory, "available_memory", lambda: 2_000_000)
    result = train("corpus.txt", "-o", "v.txt", "--min-count", 1, "--vector-size", 4000, code=1)
    (*_, line) = result.stderr.splitlines()
    assert line.startswith("Error: training 6 words x 4000 needs ")
    assert "raise --min-count, or set --max-vocabulary" in line


@pytest.mark.skipif(JIT_OFF, reason="nothing is compiled")
def test_compilation_is_reported_only_if_kernels_are_not_cached(corpus, command_folder, tmp_path):
    command = [command_folder / "train-embeddings", "corpus.txt", "-o", "v.txt", *TINY, "--no-cache"]
    warm = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert warm.returncode == 0, warm.stderr
    warm = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "compiling" not in warm.stderr
    cold = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    )
    try:
        lines = []
        for line in cold.stderr:
            lines.append(line)
            if line.startswith(("compiling kernels (", "epoch 1")):
                break
    finally:
        cold.kill()
        cold.communicate()
    assert "compiling" in lines[-1], lines


# -- imports and progress ---------------------------------------------------------------------------------------------


def test_training_imports_neither_sklearn_nor_rich(corpus):
    code = f"""
import sys
from cli.main import train_embeddings
try:
    train_embeddings(["corpus.txt", "-o", "v.safetensors", *{TINY!r}])
except SystemExit as leaving:
    assert leaving.code == 0
print(sorted({{"sklearn", "rich", "seqclf"}} & set(sys.modules)))
"""
    root = Path(main.__file__).resolve().parents[1]
    result = subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{code}"],
                            capture_output=True, text=True)  # fmt: skip
    assert result.stdout == "[]\n", result.stdout + result.stderr


def test_progress_lines_are_throttled_without_a_terminal(monkeypatch, capsys):
    from cli.shared import reporting

    clock = [0.0]
    monkeypatch.setattr(reporting.time, "monotonic", lambda: clock[0])
    with reporting.Progress("training") as progress:
        for step in range(100):
            clock[0] = 0.5 * step
            progress.update(step, 100, "loss 2.0")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"training: {share} %, loss 2.0" for share in (20, 40, 60, 80)]


def test_vectors_of_the_sample_corpus_solve_analogies(tmp_path):
    """The quick start: train on the sample corpus and query king - man + woman."""
    vectors = tmp_path / "v.safetensors"
    train("sample:english", "-o", vectors, "--quiet")
    answers = CliRunner().invoke(main.word_analogy, [str(vectors), "king", "-", "man", "+", "woman", "--json"])
    assert json.loads(answers.stdout)["answers"][0]["token"] == "queen"
    asked = CliRunner().invoke(
        main.word_analogy, [str(vectors), "--questions", "sample:english-questions", "--json", "--protocol", "Pfull"]
    )
    assert json.loads(asked.stdout)["total"]["accuracy"] > 0.7
    assert np.isfinite(json.loads(asked.stdout)["semantic"]["accuracy"])


@pytest.mark.parametrize("model", ["skipgram", "ppmi"])
def test_the_file_records_where_its_vectors_come_from(corpus, model):
    from wordvec import load_vectors

    train("corpus.txt", "-o", "v.safetensors", "--min-count", 1, "--model", model)
    origin = load_vectors("v.safetensors").origin
    assert (origin["min_count"], origin["raw_tokens"], origin["raw_types"]) == (1, 700, 6)
    assert origin["corpus_blake2b"] == [hashlib.blake2b(Path("corpus.txt").read_bytes(), digest_size=32).hexdigest()]
    load_vectors("v.safetensors").save("again.safetensors")
    assert Path("again.safetensors").read_bytes() == Path("v.safetensors").read_bytes()
    info = CliRunner().invoke(main.wordvec, ["info", "v.safetensors"]).stdout
    assert "  origin:\n" in info
    assert f"      numpy: {np.__version__}\n" in info
