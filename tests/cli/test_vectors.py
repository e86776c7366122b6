"""Commands on vectors: word-analogy, neighbors, similarity, odd-one-out, evaluate, convert, info, corpora."""

import json
import os
import select
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli import main
from cli.word_analogy import parse_query


def invoke(*arguments, code=0, **kwargs):
    result = CliRunner().invoke(main.wordvec, [str(argument) for argument in arguments], **kwargs)
    assert result.exit_code == code, (result.output, result.exception)
    return result


def first_words(output):
    return [line.split()[0] for line in output.splitlines()]


# -- word-analogy -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["king", "-", "man", "+", "woman"],
        ["woman", "+", "king", "-", "man"],
        ["-", "man", "+", "king", "+", "woman"],
        ["man", "king", "woman"],
        ["Man", "King", "WOMAN"],
        ["king - man + woman"],
        ["man king woman"],
    ],
)
def test_analogy_as_an_expression_and_as_three_words(vectors_file, words):
    assert first_words(invoke("word-analogy", vectors_file, *words).stdout)[0] == "queen"


@pytest.mark.parametrize("method", ["add", "mul"])
def test_analogy_agrees_with_the_library(vectors_file, method):
    from wordvec import load_vectors

    result = invoke("word-analogy", vectors_file, "man", "king", "woman", "--method", method, "--json", "--top", 3)
    answers = json.loads(result.stdout)
    assert answers["positive"] == ["king", "woman"]
    assert answers["negative"] == ["man"]
    expected = load_vectors(vectors_file).analogy("man", "king", "woman", 3, method)
    assert [(a["token"], a["score"]) for a in answers["answers"]] == expected


def test_methods_differ_in_scores(vectors_file):
    add, mul = (
        invoke("word-analogy", vectors_file, "man", "king", "woman", "--method", m).stdout for m in ("add", "mul")
    )
    assert add != mul


def test_top_limits_the_results(vectors_file):
    assert len(invoke("word-analogy", vectors_file, "king", "--top", 2).stdout.splitlines()) == 2


def test_words_that_start_with_a_dash(vectors_file):
    result = invoke("word-analogy", vectors_file, "-dash", code=2)
    assert "put -- before words that start with one" in result.stderr
    assert "-dash" not in invoke("word-analogy", vectors_file, "--", "-dash").stdout
    assert "café" in invoke("word-analogy", vectors_file, "--", "-dash").stdout
    assert invoke("word-analogy", vectors_file, "king", "-man", code=2).stderr.count("put spaces around a minus") == 1
    assert "'--questions'" in invoke("word-analogy", vectors_file, "--quetions", "a", code=2).stderr


@pytest.mark.parametrize(
    "words", [["a", "b"], ["a", "b", "c", "d"], ["a", "-"], ["+"], ["a", "-", "-", "b"], ["a", "b", "-", "c"]]
)
def test_invalid_query_is_a_usage_error(vectors_file, words):
    assert "king - man + woman" in invoke("word-analogy", vectors_file, *words, code=2).stderr
    with pytest.raises(click.UsageError):
        parse_query(words)


def test_no_words_without_a_terminal_is_a_usage_error(vectors_file):
    assert "needs a terminal" in invoke("word-analogy", vectors_file, code=2).stderr
    both = invoke("word-analogy", vectors_file, "king", "--questions", "q.txt", code=2)
    assert "not both" in both.stderr


def test_questions_are_evaluated_by_section(vectors_file, tmp_path):
    questions = tmp_path / "questions.txt"
    questions.write_text(": royal\nman king woman queen\nking man queen woman\n: cities\nparis london king rome\n")
    result = invoke("word-analogy", vectors_file, "--questions", questions, "--protocol", "Pfull")
    assert "Pfull" in result.stdout
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert rows["royal"] == ["100.0", "%", "2", "2", "2"]
    strict = invoke("word-analogy", vectors_file, "--questions", questions, "--protocol", "Phyp", "--json")
    assert json.loads(strict.stdout)["protocol"] == "Phyp"


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_prompt_on_a_terminal(vectors_file, command_folder):
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "dumb"
        os.execv(command_folder / "word-analogy", ["word-analogy", str(vectors_file)])
    seen = ""

    def read_until(text):
        """Read until ``text`` appears, and discard everything up to it."""
        nonlocal seen
        while text not in seen:
            assert select.select([terminal], [], [], 30)[0], f"no {text!r} in {seen!r}"
            seen += os.read(terminal, 4096).decode()
        seen = seen.partition(text)[2]

    try:
        read_until("Ctrl-D exits")
        for line, answer in [("man king woman", "queen"), ("king kong", "three words"), ("qeen", "did you mean")]:
            read_until("> ")
            os.write(terminal, line.encode() + b"\n")
            read_until(answer)
        read_until("> ")
        os.write(terminal, b"\x04")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        os.close(terminal)


# -- other commands ---------------------------------------------------------------------------------------------------


def test_neighbors_of_several_words(vectors_file):
    assert first_words(invoke("neighbors", vectors_file, "paris").stdout)[0] == "london"
    several = invoke("neighbors", vectors_file, "paris", "king", "--top", 1).stdout
    assert [line.split()[:1] for line in several.splitlines()][:4] == [["paris:"], ["london"], [], ["king:"]]
    found = json.loads(invoke("neighbors", vectors_file, "paris", "king", "--top", 1, "--json").stdout)
    assert [entry["word"] for entry in found] == ["paris", "king"]
    assert found[0]["neighbors"][0]["token"] == "london"


def test_similarity(vectors_file):
    from wordvec import load_vectors

    expected = load_vectors(vectors_file).similarity("king", "queen")
    assert invoke("similarity", vectors_file, "king", "queen").stdout == f"{expected:.4f}\n"
    assert json.loads(invoke("similarity", vectors_file, "king", "queen", "--json").stdout)["similarity"] == expected


def test_ranks_among_the_neighbors(vectors_file):
    from wordvec import load_vectors

    loaded = load_vectors(vectors_file)
    ranks = loaded.rank("café", "-dash"), loaded.rank("-dash", "café")
    assert ranks[0] != ranks[1]
    done = invoke("similarity", vectors_file, "--rank", "--", "-dash", "café")
    assert done.stdout.splitlines()[1:] == [
        f"-dash is neighbor {ranks[0]} of café",
        f"café is neighbor {ranks[1]} of -dash",
    ]
    found = json.loads(invoke("similarity", vectors_file, "--rank", "--json", "--", "-dash", "café").stdout)
    assert (found["rank_of_first"], found["rank_of_second"]) == ranks
    assert "rank_of_first" not in invoke("similarity", vectors_file, "king", "queen", "--json").stdout


def test_odd_one_out(vectors_file):
    assert invoke("odd-one-out", vectors_file, "paris", "london", "king", "café").stdout == "king\n"
    found = json.loads(invoke("odd-one-out", vectors_file, "paris", "london", "king", "café", "--json").stdout)
    assert found["odd_one_out"] == "king"


@pytest.mark.parametrize("name", ["v.txt", "v.vec", "v.bin", "v.safetensors"])
def test_convert_keeps_words_and_vectors(vectors_file, tmp_path, name):
    from wordvec import load_vectors

    before = load_vectors(vectors_file)
    result = invoke("convert", vectors_file, tmp_path / name)
    assert "8 words x 4" in result.stderr
    after = load_vectors(tmp_path / name)
    assert after.tokens == before.tokens
    assert (after.vectors == before.vectors).all()


def test_convert_with_a_limit(vectors_file, tmp_path):
    from wordvec import load_vectors

    invoke("convert", vectors_file, tmp_path / "v.txt", "--limit", 3, "--quiet")
    assert load_vectors(tmp_path / "v.txt").tokens == ["king", "queen", "man"]


def test_info_of_vectors(vectors_file, tmp_path):
    facts = json.loads(invoke("info", vectors_file, "--json").stdout)
    assert (facts["kind"], facts["tokens"], facts["vector_size"]) == ("vectors", 8, 4)
    assert facts["about"]["lowercase"] is True
    invoke("convert", vectors_file, tmp_path / "v.bin", "--quiet")
    assert "tokens: 8\nvector_size: 4\n" in invoke("info", tmp_path / "v.bin").stdout
    text = invoke("info", vectors_file).stdout
    assert "  lowercase: yes\n" in text
    assert "  vectors: F32 8 x 4\n" in text


def test_closed_pipe_is_not_an_error(shell, vectors_file):
    words = " ".join(["king", "queen", "paris"] * 2000)
    result = shell(f"set -o pipefail; wordvec neighbors {vectors_file} {words} | head -n 1")
    assert (result.returncode, result.stdout, result.stderr) == (0, "king:\n", "")


def test_queries_import_neither_numba_nor_sklearn(vectors_file, command_folder):
    import subprocess

    code = f"""
import sys
from cli.main import wordvec
try:
    wordvec(["neighbors", {str(vectors_file)!r}, "king"])
except SystemExit as leaving:
    assert leaving.code == 0
print(sorted({{"sklearn", "numba", "rich"}} & set(sys.modules)))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(main.__file__).parents[1]
    )
    assert result.stdout.splitlines()[-1] == "[]", result.stderr


# -- third-party files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "format", "size"),
    [
        ("glove.6B.100d.sample.txt.gz", "glove", "100"),
        ("word2vec_pre_kv_c", "text", "10"),
        ("euclidean_vectors.bin", "binary", "10"),
    ],
)
def test_vectors_of_other_programs_are_supported(public_data, tmp_path, name, format, size):
    path = public_data / "formats" / name
    assert f"format: {format}\n" in invoke("info", path).stdout
    assert f"vector_size: {size}\n" in invoke("info", path).stdout
    invoke("convert", path, tmp_path / "ours.safetensors")
    from wordvec import load_vectors

    word = load_vectors(path).tokens[5]
    theirs, ours = (invoke("neighbors", p, "--", word).stdout for p in (path, tmp_path / "ours.safetensors"))
    assert theirs == ours
    assert len(ours.splitlines()) == 10


def test_fasttext_models_answer_questions_about_unknown_words(public_data):
    result = invoke("neighbors", public_data / "formats" / "toy-model.bin", "anarchisms")
    assert len(result.stdout.splitlines()) == 10


def test_public_data_sets_are_evaluated_by_name(public_data):
    path = public_data / "formats" / "glove.6B.100d.sample.txt.gz"
    facts = json.loads(
        invoke(
            *("evaluate", path, "--similarity", "data:ws353", "--similarity", "data:simlex999"),
            *("--analogies", "data:questions-words", "--protocol", "Phyp", "--json"),
        ).stdout
    )
    assert [result["pairs"] for result in facts["similarity"]] == [353, 999]
    assert facts["analogies"][0]["total"]["asked"] == 19_544


def test_evaluate_prints_coverage_and_protocol(vectors_file, tmp_path):
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("king\tqueen\t1\nking\tparis\t4\nparis\tlondon\t8\nking\tnowhere\t5\n")
    text = invoke("evaluate", vectors_file, "--similarity", pairs, "--analogies", "sample:english-questions").stdout
    assert text.splitlines()[1].split() == ["pairs", "1.000", "0.931", "3", "of", "4"]
    assert "sample:english-questions, protocol P30k, method add" in text
    assert "--similarity" in invoke("evaluate", vectors_file, code=2).stderr


def test_corpora_list_and_path(monkeypatch, tmp_path):
    (tmp_path / "similarity").mkdir()
    (tmp_path / "similarity/ws353.tsv").write_text("king\tqueen\t9\n")
    monkeypatch.setenv("WORDVEC_DATA", str(tmp_path))
    listed = invoke("corpora", "list").stdout
    assert "ws353 (similarity; 1 of 1 files present)" in listed
    assert "sst2 (classification; 0 of 3 files present; parts: train, dev, test)" in listed
    assert "license: " in listed
    facts = {entry["name"]: entry for entry in json.loads(invoke("corpora", "list", "--json").stdout)}
    assert facts["ws353"]["present"] == {"all": str(tmp_path / "similarity/ws353.tsv")}
    assert invoke("corpora", "path", "ws353").stdout == f"{tmp_path / 'similarity/ws353.tsv'}\n"
    assert "download" in invoke("corpora", "path", "sst2", code=1).stderr
    monkeypatch.delenv("WORDVEC_DATA")
    assert "WORDVEC_DATA" in invoke("corpora", "path", "ws353", code=1).stderr
