"""``wordvec evaluate`` on several files, with intervals, paired tests, categories and outliers."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from wordvec import WordVectors


def invoke(*arguments, code=0):
    result = CliRunner().invoke(main.wordvec, ["evaluate", *map(str, arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    rng = np.random.default_rng(15)
    rows = np.repeat(rng.normal(size=(2, 8)), 10, axis=0) + rng.normal(size=(20, 8)) * 0.8
    names = [f"{kind}{k}" for kind in "ab" for k in range(10)]
    for seed in (1, 2):
        noisy = rows + 0.3 * rng.normal(size=rows.shape)
        WordVectors(names, noisy, settings={"window": 3, "seed": seed}).save(folder / f"{seed}.safetensors")
    WordVectors(names, rng.normal(size=rows.shape), settings={"window": 5, "seed": 1}).save(folder / "3.safetensors")
    pairs = [(f"a{k}", f"{'ab'[k % 2]}{9 - k}", 10 * (1 - k % 2) + k / 10) for k in range(10)]
    (folder / "pairs.tsv").write_text("".join(f"{a}\t{b}\t{score}\n" for a, b, score in pairs))
    (folder / "q.txt").write_text(": one\n" + "".join(f"a{k} b{k} a{k + 1} b{k + 1}\n" for k in range(9)))
    (folder / "kinds.txt").write_text("".join(f"{name} {name[0]}\n" for name in names))
    (folder / "outliers.txt").write_text("a1\na2\na3\n\nb1\nb2\n")
    return folder


@pytest.fixture(scope="module")
def options(folder):
    return ["--similarity", folder / "pairs.tsv", "--analogies", folder / "q.txt"]


def test_benchmarks_of_one_name_in_two_folders(folder, tmp_path):
    (tmp_path / "pairs.tsv").write_text("a1\ta2\t3\na1\tb2\t1\na3\tb4\t2\n")
    files = [folder / "pairs.tsv", tmp_path / "pairs.tsv"]
    asked = [argument for file in files for argument in ("--similarity", file)]
    vectors = [folder / "1.safetensors", folder / "2.safetensors"]
    found = json.loads(invoke(*vectors, *asked, "--json").stdout)
    assert list(found["files"][0]["results"]) == [f"pairs ({file})" for file in files]
    assert [each["pairs"] for each in found["files"][0]["results"].values()] == [10, 3]


def test_several_files_in_one_table(folder, options):
    files = [folder / f"{k}.safetensors" for k in (1, 2, 3)]
    more = ["--protocol", "Pfull", "--protocol", "Phyp", "--categories", folder / "kinds.txt"]
    output = invoke(*files, *options, *more, "--intervals", "--paired").stdout
    scores, gaps, counts = output.split("\n\n")
    head, *rows = scores.splitlines()
    assert [word for word in head.split() if word not in ("Pfull", "Phyp")] == ["vectors", "pairs", "q", "q", "kinds"]
    assert [row.split()[0] for row in rows[:3]] == list(map(str, files))
    assert rows[3].startswith("mean of 2 seeds")
    assert rows[3].count("±") == 4
    assert gaps.splitlines()[0].startswith(f"minus {files[0]}")
    assert gaps.count("p=") == 2 * 3
    assert "pairs" in counts
    found = json.loads(invoke(*files, *options, "--intervals", "--paired", "--json").stdout)
    assert [each["vectors"] for each in found["files"]] == list(map(str, files))
    results = [each["results"]["pairs"] for each in found["files"]]
    assert results[0]["interval"][0] <= results[0]["spearman"] <= results[0]["interval"][1]
    assert results[2]["difference"]["estimate"] == pytest.approx(results[2]["spearman"] - results[0]["spearman"])
    [seeds] = found["seeds"]
    assert seeds["vectors"] == list(map(str, files[:2]))
    assert seeds["mean"]["pairs"] == pytest.approx((results[0]["spearman"] + results[1]["spearman"]) / 2)
    assert seeds["sd"]["pairs"] == pytest.approx(abs(results[0]["spearman"] - results[1]["spearman"]) / 2**0.5)


@pytest.mark.parametrize(
    ("options", "row"), [(["--similarity", "pairs.tsv"], "pairs"), (["--analogies", "q.txt"], "total")]
)
def test_pictures_show_the_mean_over_seeds(folder, tmp_path, monkeypatch, options, row):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed; pip install -e '.[plotting]'")
    monkeypatch.chdir(folder)
    invoke("3.safetensors", "1.safetensors", "2.safetensors", *options, "--plot", tmp_path / "scores.svg")
    drawn = (tmp_path / "scores.svg").read_text(encoding="utf-8")
    assert ">mean of 2 seeds of 1.safetensors ± standard deviation<" in drawn
    assert f">{row}<" in drawn


def test_one_file(folder, options):
    file = folder / "1.safetensors"
    output = invoke(file, *options, "--intervals", "--method", "lrcos").stdout
    assert output.splitlines()[0].split() == ["similarity", "Spearman", "Pearson", "pairs", "95", "%", "interval"]
    assert "q, protocol P30k, method lrcos, total " in output
    output = invoke(file, "--categories", folder / "kinds.txt", "--outliers", folder / "outliers.txt").stdout
    assert output.splitlines()[0].split() == ["categories", "purity", "words"]
    assert "outliers  accuracy  position   asked" in output
    assert "2 of 2" in output
    found = json.loads(invoke(file, "--outliers", folder / "outliers.txt", "--intervals", "--json").stdout)
    assert found["outliers"][0]["interval"][1] <= 1
    assert found["similarity"] == []


def test_benchmarks_without_known_words(folder, tmp_path):
    (tmp_path / "pairs.tsv").write_text("x\ty\t3\nz\tq\t2\n")
    (tmp_path / "q.txt").write_text(": one\nx y z q\n")
    unknown = ["--similarity", tmp_path / "pairs.tsv", "--analogies", tmp_path / "q.txt"]
    files = [folder / f"{k}.safetensors" for k in (1, 3)]
    for chosen in (files, files[:1]):
        assert invoke(*chosen, *unknown, "--json", code=1).stderr == (
            "Error: no pair or question of pairs, q P30k has vectors for all its words; "
            "give benchmarks in the language and case of the vectors\n"
        )
        done = invoke(*chosen, *unknown, "--categories", folder / "kinds.txt")
        assert done.stderr.splitlines() == [
            f"Warning: {file} has no pair or question of {name} with vectors for all its words"
            for file in chosen
            for name in ("pairs", "q P30k")
        ]
        assert " -" in done.stdout
    WordVectors(["x", "y", "z", "q"], np.eye(4)).save(tmp_path / "x.vec")
    done = invoke(files[0], tmp_path / "x.vec", "--similarity", folder / "pairs.tsv")
    assert done.stderr.startswith(f"Warning: {tmp_path / 'x.vec'} has no pair or question of pairs ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["v.safetensors"], "give --similarity FILE, --analogies FILE, --categories FILE or --outliers FILE"),
        (["v.safetensors", "--similarity", "p", "--paired"], "give at least two"),
        (["v.safetensors", "--similarity", "p", "--method", "mul"], "--method has no effect without --analogies FILE"),
        (["v.safetensors", "--similarity", "p", "--protocol", "Pfull"], "--protocol has no effect without --analogies"),
        (["v.safetensors", "--analogies", "p", "--missing", "zero"], "--missing has no effect without --similarity"),
        (["v", "--analogies", "q", "--method", "lrcos", "--case-sensitive"], "no effect with --method lrcos"),
        ([], "Missing argument 'VECTORS...'"),
    ],
)
def test_usage_errors(arguments, message):
    assert message in invoke(*arguments, code=2).stderr
