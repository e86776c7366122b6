"""``transduce``: train, predict, evaluate."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main

WORDS = ["".join(letters) for size in (1, 2, 3) for letters in itertools.product("abc", repeat=size)]
PAIRS = "".join(f"{word}\t{' '.join(word.upper())}\n" for word in WORDS)
FORMS = "".join(f"{word}\t{tag}\t{word}{'s' if tag == 'N;PL' else ''}\n" for word in WORDS for tag in ("N;PL", "N;SG"))
LEARNING = ("--hidden-size", 24, "--vector-size", 12, "--target-vector-size", 12, "--learning-rate", 0.02)
LEARNING += ("--batch-size", 8, "--dropout", 0, "--validation-fraction", 0, "--target-units", "spaces", "--quiet")
TINY = ("--hidden-size", 8, "--vector-size", 8, "--target-vector-size", 8, "--epochs", 2)


def invoke(*arguments, code=0, **kwargs):
    result = CliRunner().invoke(main.transduce, [str(argument) for argument in arguments], **kwargs)
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data.tsv").write_text(PAIRS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("transducer")


@pytest.fixture(scope="module")
def speller(folder):
    (folder / "data.tsv").write_text(PAIRS)
    invoke("train", folder / "data.tsv", "-o", folder / "m.safetensors", *LEARNING, "--epochs", 25)
    return folder / "m.safetensors"


@pytest.fixture(scope="module")
def inflector(folder):
    (folder / "forms.tsv").write_text(FORMS)
    columns = ("--target-column", 3, "--features-column", 2, "--target-units", "characters")
    invoke("train", folder / "forms.tsv", "-o", folder / "f.safetensors", *LEARNING, *columns, "--epochs", 20)
    return folder / "f.safetensors"


# -- train ------------------------------------------------------------------------------------------------------------


def test_defaults_match_the_library():
    from seqclf.translation.settings import TransducerSettings

    defaults = main.transduce.commands["train"].make_context("train", ["data", "-o", "model"]).params
    settings = vars(TransducerSettings())
    assert {name: defaults[name] for name in settings} == settings


def test_options_reach_the_library(data):
    from seqclf import load_model

    invoke(
        *("train", "data.tsv", "-o", "m.safetensors", "--dev", "data.tsv", "--one-way", "--cell", "gru"),
        *("--hidden-size", 12, "--source-units", "characters", "--target-units", "spaces", "--attention", "additive"),
        *("--no-input-feeding", "--label-smoothing", 0.2, "--epochs", 1, "--seed", 5, "--choose-by", "exact", "-q"),
    )
    model = load_model("m.safetensors", "transducer")
    expected = {"cell": "gru", "bidirectional": False, "hidden_size": 12, "target_units": "spaces", "seed": 5}
    expected |= {"attention": "additive", "input_feeding": False, "label_smoothing": 0.2, "choose_by": "exact"}
    assert expected.items() <= vars(model.settings).items()
    assert model.metrics["dev_pairs"] == len(WORDS)


def test_progress_messages_of_training(data):
    result = invoke("train", "data.tsv", "-o", "m.safetensors", *TINY)
    assert "3 of 39 are split off" in result.stderr
    assert "epoch 2/2: loss " in result.stderr
    assert result.stderr.count(", dev loss ") == 3
    assert "trained on 36 pairs, 3 source units, 6 target units" in result.stderr
    assert result.stdout == ""
    assert invoke("train", "data.tsv", "-o", "m.safetensors", *TINY, "--quiet").output == ""


def test_test_data_are_compared_with_the_baselines(data):
    Path("test.tsv").write_text("ab\tA B\ncd\tC D\n")
    result = invoke("train", "data.tsv", "-o", "m.safetensors", *TINY, "--test", "test.tsv", "--beam", 2)
    rows = [line.split("  ")[0] for line in result.stdout.splitlines()]
    names = ["this model", "copy of the source", "most frequent target", "unit-by-unit dictionary"]
    assert rows == ["on test.tsv", *names]
    assert "Warning: units that the training data lack are read as unknown: 'd'" in result.stderr
    assert "is also in data.tsv" in invoke("train", "data.tsv", "-o", "m", *TINY, "--test", "data.tsv").stderr


def test_two_aligned_files(data):
    Path("a.txt").write_text("".join(f"{word}\n" for word in WORDS))
    Path("b.txt").write_text("".join(f"{' '.join(word.upper())}\n" for word in WORDS))
    two = ("--dev", "a.txt", "--dev", "b.txt", "--test", "a.txt", "--test", "b.txt")
    result = invoke("train", "a.txt", "b.txt", "-o", "two.safetensors", *TINY, *two)
    assert "on a.txt and b.txt" in result.stdout
    invoke("train", "data.tsv", "-o", "one.safetensors", *TINY, "--dev", "data.tsv")
    outputs = [invoke("evaluate", name, "data.tsv").stdout for name in ("one.safetensors", "two.safetensors")]
    assert outputs[0] == outputs[1]
    Path("b.txt").write_text("A\n")
    result = invoke("train", "a.txt", "b.txt", "-o", "new.safetensors", *TINY, code=1)
    assert "a.txt has 39 lines but b.txt has 1 line" in result.stderr
    result = invoke("train", "a.txt", "b.txt", "data.tsv", "-o", "new.safetensors", code=2)
    assert "give one file with sources and targets, or one of each, got 3 files" in result.stderr
    assert not Path("new.safetensors").exists()


def test_the_same_seed_gives_the_same_bytes(data):
    for name, threads, seed in [("a", 1, 3), ("b", 2, 3), ("c", 2, 4)]:
        invoke("train", "data.tsv", "-o", f"{name}.safetensors", *TINY, "--threads", threads, "--seed", seed)
    a, b, c = (Path(f"{name}.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--label-smoothing", "1"], "--label-smoothing must be at least 0 and below 1"),
        (["--target-units", "letters"], "'letters' is not one of"),
        (["--beam", "3"], "--beam has no effect without --test FILE"),
        (["--attension", "dot"], "No such option '--attension'"),
    ],
)
def test_bad_options_are_usage_errors(data, arguments, message):
    result = invoke("train", "data.tsv", "-o", "m.safetensors", *arguments, code=2)
    assert message in result.stderr
    assert not Path("m.safetensors").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "bad.tsv contains no pairs; expected a source, a tab and a target on each line"),
        ("a\tb\nc\n", "bad.tsv:2: expected at least 2 columns, found 1 separated by tabs"),
        ("a\tb\nc\t\n", "bad.tsv:2: the target is empty"),
        ("a\tb\n" + 20_000 * "x" + "\tb\n", "at most 10,000 units each, got 20,000"),
        ("a\tb\nb\t" + 20_000 * "x" + "\n", "targets must have at most 10,000 units each, got 20,000"),
    ],
)
def test_bad_pairs_are_one_line(data, content, message):
    Path("bad.tsv").write_text(content)
    result = invoke("train", "bad.tsv", "-o", "m.safetensors", *TINY, code=1)
    assert message in result.stderr.splitlines()[-1]
    assert not Path("m.safetensors").exists()


def test_one_pair_is_enough(data):
    Path("one.tsv").write_text("a\tb\n")
    trained = invoke("train", "one.tsv", "-o", "m.safetensors", *TINY, "--epochs", 40, "--learning-rate", 0.05)
    assert "trained on 1 pair, 1 source unit, 3 target units" in trained.stderr
    assert invoke("predict", "m.safetensors", "a").stdout == "b\n"


# -- predict ----------------------------------------------------------------------------------------------------------


def test_predict_prints_one_line_for_each_source(speller):
    expected = "A B\n\nC A B\n"
    assert invoke("predict", speller, "ab", "", "cab").stdout == expected
    for arguments in (["-"], ["--input", "-"]):
        assert invoke("predict", speller, *arguments, input="ab\tignored\n  \ncab\n").stdout == expected
    assert invoke("predict", speller, "-", input="").stdout == ""
    assert invoke("predict", speller, "--input", "-", "--source-column", 2, input="x\tab\n").stdout == "A B\n"


def test_n_best_targets_come_with_their_scores(speller):
    cells = invoke("predict", speller, "ab", "--n-best", 3).stdout.rstrip("\n").split("\t")
    assert (len(cells), cells[0]) == (6, "A B")
    scores = [float(cell) for cell in cells[1::2]]
    assert scores == sorted(scores, reverse=True)
    assert len(set(cells[::2])) == 3
    answer, blank = map(json.loads, invoke("predict", speller, "ab", "", "--n-best", 3, "--json").stdout.splitlines())
    assert answer["target"] == "A B"
    assert [row["text"] for row in answer["targets"]] == cells[::2]
    assert blank == {"target": "", "targets": []}


def test_samples_depend_on_the_seed(speller):
    def sampled(seed):
        drawing = ("--temperature", 3, "--n-best", 9, "--seed", seed)
        return invoke("predict", speller, "ab", *drawing).stdout

    assert sampled(1) == sampled(1) != sampled(2)


def test_unknown_characters_are_named(speller):
    result = invoke("predict", speller, "aßb")
    assert result.stderr == "Warning: units that the training data lack are read as unknown: 'ß'\n"
    assert len(result.stdout.splitlines()) == 1


def test_answers_before_an_invalid_source_are_not_lost(speller):
    result = invoke("predict", speller, "-", input=f"ab\n\n{'a' * 100_000}\nca\n", code=1)
    assert result.stdout == "A B\n\n"
    assert "Error: standard input:3: sources must have at most 10,000 units each, got 100,000" in result.stderr


def test_attention_is_plotted(speller, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "attention.png"
    result = invoke("predict", speller, "abc", "--attention", path)
    assert path.stat().st_size > 1000
    assert result.stderr == f"{path}: 3 target units, 3 source units\n"
    for sources in (["ab", "ba"], ["--input", "x"]):
        assert "give exactly one SOURCE" in invoke("predict", speller, *sources, "--attention", path, code=2).stderr
    assert "not blank" in invoke("predict", speller, " ", "--attention", path, code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give SOURCE, or --input FILE, or - for standard input"),
        (["a", "--source-column", "2"], "--source-column needs --input FILE"),
        (["a", "--features-column", "2"], "--features-column has no effect without --input FILE"),
        (["--input", "x", "--features", "V"], "with --input or -, features are a column, --features-column"),
        (["a", "--features", "V"], "--features has no effect: the model was trained without features"),
        (["-", "--features-column", "2"], "--features-column has no effect: the model was trained without features"),
        (["a", "--beam", "2", "--n-best", "3"], "--n-best must be at most --beam, 2, got 3"),
        (["a", "--temperature", "0"], "0.0 is not in the range x>0"),
        (["a", "--temperature", "1", "--beam", "2"], "--beam has no effect with --temperature"),
        (["a", "--seed", "2"], "--seed has no effect without --temperature"),
        (["a", "--length-penalty", "-1"], "-1.0 is not in the range x>=0"),
    ],
)
def test_bad_options_of_predict(speller, arguments, message):
    assert message in invoke("predict", speller, *arguments, code=2).stderr


def test_features_follow_the_source(inflector):
    assert invoke("predict", inflector, "ab\tN;PL", "ab\tN;SG", "cc\tN;PL").stdout == "abs\nab\nccs\n"
    assert invoke("predict", inflector, "ab", "ca", "--features", "N;PL").stdout == "abs\ncas\n"
    assert invoke("predict", inflector, "-", input="ab\tN;PL\n\nab\tN;SG\tx\n").stdout == "abs\n\nab\n"
    columns = ("--source-column", 2, "--features-column", 1)
    assert invoke("predict", inflector, "-", *columns, input="N;PL\tab\n").stdout == "abs\n"
    assert "the model was trained with features" in invoke("predict", inflector, "ab", code=2).stderr
    assert (
        "standard input:1: expected at least 2 columns"
        in invoke("predict", inflector, "-", input="ab\n", code=1).stderr
    )


def test_search_options_change_the_prediction(speller):
    assert invoke("predict", speller, "aaa").stdout == "A A A\n"
    assert "A A" not in invoke("predict", speller, "aaa", "--no-repeat", 1).stdout
    assert len(invoke("predict", speller, "abc", "--max-length", 2).stdout.split()) == 2


# -- evaluate ---------------------------------------------------------------------------------------------------------


def test_evaluate_compares_with_the_baselines(speller, folder):
    rows = [line.split() for line in invoke("evaluate", speller, folder / "data.tsv").stdout.splitlines()]
    assert rows[0][-5:] == ["exact", "match", "edit", "distance", "error", "rate"][1:]
    assert rows[1] == ["this", "model", "100.0", "%", "0.000", "0.0", "%"]
    assert rows[4] == ["unit-by-unit", "dictionary", "100.0", "%", "0.000", "0.0", "%"]
    found = json.loads(invoke("evaluate", speller, folder / "data.tsv", "--json", "--beam", 1).stdout)
    assert (found["pairs"], found["exact_match"], found["error_rate"]) == (39, 1.0, 0.0)
    assert found["baselines"]["copy of the source"]["exact_match"] == 0.0


def test_evaluate_prints_bleu_and_its_signature(speller, folder, monkeypatch):
    lines = invoke("evaluate", speller, folder / "data.tsv", "--bleu", "none").stdout.splitlines()
    assert lines[0].split()[-2:] == ["BLEU", "chrF"]
    assert lines[-2].startswith("BLEU nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:")
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    result = invoke("evaluate", speller, folder / "data.tsv", "--bleu", "none", code=1)
    assert "pip install 'wordvec-seqclf[translation]'" in result.stderr


def test_evaluate_with_features(inflector, folder):
    columns = ("--target-column", 3, "--features-column", 2)
    found = json.loads(invoke("evaluate", inflector, folder / "forms.tsv", *columns, "--json").stdout)
    assert found["exact_match"] == 1.0
    assert found["baselines"]["copy of the source"]["exact_match"] == 0.5
    result = invoke("evaluate", inflector, folder / "forms.tsv", code=1)
    assert "the model was trained with features" in result.stderr


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_another_file_is_no_model(command, data):
    assert "data.tsv" in invoke(command, "data.tsv", "data.tsv", code=1).stderr


def test_the_module_and_the_group_have_the_command(speller):
    run = [sys.executable, "-m", "wordvec", "transduce", "predict", speller, "ab"]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "A B\n"
