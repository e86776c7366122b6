"""Commands on vectors with n-grams: words outside the vocabulary are composed, unless --no-subword-fallback."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from wordvec import load_vectors, save_vectors
from wordvec.formats.table import SubwordTable
from wordvec.vectors.subwords import SubwordVectors

WORDS = ["king", "kings", "queen", "queens", "town"]


@pytest.fixture(scope="module", params=["safetensors", "fasttext"])
def subwords_file(request, tmp_path_factory):
    random = np.random.default_rng(3)
    rows, ngrams = random.standard_normal((5, 4), np.float32), random.standard_normal((50, 4), np.float32)
    path = tmp_path_factory.mktemp("subwords") / f"v.{'bin' if request.param == 'fasttext' else 'safetensors'}"
    save_vectors(SubwordVectors(WORDS, SubwordTable(2, 3, 50, rows, ngrams)), path, format=request.param)
    return path


def invoke(*arguments, code=0):
    result = CliRunner().invoke(main.wordvec, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.mark.parametrize(
    "query",
    [
        ("neighbors", "kingly"),
        ("similarity", "kingly", "king"),
        ("odd-one-out", "kingly", "king", "town"),
        ("word-analogy", "king", "kingly", "queen"),
        ("word-analogy", "kingly", "-", "king"),
    ],
)
def test_unknown_words_are_composed(subwords_file, query):
    command, *words = query
    result = invoke(command, subwords_file, *words)
    assert result.stderr == "Note: 'kingly' is not in the vocabulary; its vector is composed of its n-grams\n"
    refused = invoke(command, subwords_file, "--no-subword-fallback", *words, code=1)
    assert "'kingly' is not in the vocabulary" in refused.stderr.replace('"', "'")
    assert not refused.stdout


def test_evaluate_reports_composed_pairs_and_questions(subwords_file, tmp_path):
    pairs, questions = tmp_path / "pairs.tsv", tmp_path / "questions.txt"
    pairs.write_text("king\tkings\t9\nking\tkingly\t6\nkingly\ttown\t1\ntown\tqueen\t0\n")
    questions.write_text("king kings queen queens\nking kings queenly queens\nking kings town towns\n")
    arguments = [subwords_file, "--similarity", pairs, "--analogies", questions, "--protocol", "Pfull"]
    table = invoke("evaluate", *arguments).stdout.splitlines()
    assert table[0].split()[-1] == "composed"
    assert table[1].split()[3:] == ["4", "of", "4", "2"]
    assert table[-1].split()[-1] == "1"
    report = json.loads(invoke("evaluate", *arguments, "--json").stdout)
    assert report["similarity"][0]["composed"] == 2
    total = report["analogies"][0]["total"]
    assert (total["asked"], total["questions"], total["composed"]) == (2, 3, 1)
    plain = invoke("evaluate", *arguments, "--no-subword-fallback")
    assert "composed" not in plain.stdout
    assert "2 of 4" in plain.stdout


def test_convert_keeps_or_leaves_out_the_ngrams(subwords_file, tmp_path):
    target = tmp_path / "copy.bin"
    result = invoke("convert", subwords_file, target, "--format", "fasttext")
    assert result.stderr.endswith("5 words x 4, with their 50 n-grams\n")
    np.testing.assert_array_equal(load_vectors(target)["kingly"], load_vectors(subwords_file)["kingly"])
    assert invoke("convert", subwords_file, target).stderr.endswith("5 words x 4, without their 50 n-grams\n")
    small = tmp_path / "small.safetensors"
    assert invoke("convert", subwords_file, small, "--no-subword-fallback").stderr.endswith("5 words x 4\n")
    assert "kingly" not in load_vectors(small)


def test_info_prints_the_ngrams(subwords_file):
    facts = json.loads(invoke("info", subwords_file, "--json").stdout)
    subwords = facts["subwords"] if facts["format"] == "fasttext" else facts["about"]["subwords"]
    assert (facts["tokens"], facts["vector_size"], subwords["min_n"], subwords["buckets"]) == (5, 4, 2, 50)
    assert "  buckets: 50" in invoke("info", subwords_file).stdout


def test_training_with_subwords(tmp_path):
    corpus, output = tmp_path / "corpus.txt", tmp_path / "v.safetensors"
    corpus.write_text("the king rules the land\nthe queen rules the land\n" * 20)
    arguments = ["train-embeddings", corpus, "-o", output, "--vector-size", 4, "--epochs", 1]
    invoke(*arguments, "--subwords", "3-4", "--buckets", 100)
    subwords = load_vectors(output).table().subwords
    assert (subwords.min_n, subwords.max_n, subwords.buckets) == (3, 4, 100)
    assert (
        "--buckets has no effect without n-grams; needs --subwords" in invoke(*arguments, "--buckets", 9, code=2).stderr
    )


def test_training_compact_subwords(tmp_path):
    corpus, output = tmp_path / "corpus.txt", tmp_path / "v.safetensors"
    corpus.write_text("the king rules the land\nthe queen rules the land\n" * 20)
    arguments = ["train-embeddings", corpus, "--vector-size", 4, "--epochs", 1, "--subword-hashes", 2]
    invoke(*arguments, "-o", output, "--subwords", "3-4", "--buckets", 40)
    assert load_vectors(output).subwords.hashes == 2
    result = invoke("convert", output, tmp_path / "v.floret")
    assert result.stderr.endswith("v.floret: 40 buckets x 4, without the 5 words\n")
    np.testing.assert_allclose(load_vectors(tmp_path / "v.floret")["king"], load_vectors(output)["king"], rtol=1e-6)
    assert "hashes: 2" in invoke("info", tmp_path / "v.floret").stdout
    refused = invoke(*arguments[:-2], "-o", tmp_path / "w.floret", code=2).stderr
    assert "w.floret holds hashed words: it needs --subwords and --subword-hashes; or rename it" in refused
    message = "--subword-hashes has no effect without n-grams; needs --subwords"
    assert message in invoke(*arguments, "-o", output, code=2).stderr
    data, model = tmp_path / "data.tsv", tmp_path / "m.safetensors"
    data.write_text("yes\tking kings\nno\tqueen queens\n" * 10)
    train = ["classify-text", "train", data, "-o", model, "--hidden-size", 4, "--epochs", 1]
    invoke(*train, "--vectors", output)
    assert json.loads(invoke("info", model, "--json").stdout)["about"]["subwords"]["hashes"] == 2
    invoke("classify-text", "predict", model, data)


def test_networks_compose_words(subwords_file, tmp_path):
    data, output = tmp_path / "data.tsv", tmp_path / "m.safetensors"
    data.write_text("yes\tking kings\nno\tqueen queens\n" * 10)
    train = ["classify-text", "train", data, "-o", output, "--hidden-size", 4, "--epochs", 1, "--keep-case"]
    invoke(*train, "--vectors", subwords_file, "--keep-ngrams", 30)
    facts = json.loads(invoke("info", output, "--json").stdout)
    assert facts["about"]["subwords"]["pruned"]
    assert facts["tensors"]["ngram_vectors"]["shape"] == [30, 4]
    invoke(*train, "--vectors", subwords_file, "--no-subword-fallback")
    assert "ngram_vectors" not in json.loads(invoke("info", output, "--json").stdout)["tensors"]
    refused = invoke(*train, "--no-subword-fallback", code=2)
    assert "--no-subword-fallback has no effect without --vectors FILE" in refused.stderr
    assert "--keep-ngrams has no effect without pretrained vectors" in invoke(*train, "--keep-ngrams", 3, code=2).stderr
