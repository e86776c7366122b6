"""Results in notebooks and as data frames."""

import sys

import pytest
import scipy.sparse as sp

from wordvec import InputError, SparseWordVectors, WordVectors, evaluate_analogies, evaluate_similarity
from wordvec.vectors.alignment import align, evaluate_translation
from wordvec.vectors.bias import weat
from wordvec.vectors.categorization import evaluate_categorization, evaluate_outliers
from wordvec.vectors.comparison import compare
from wordvec.vectors.evaluation import AnalogyCount, AnalogyResult
from wordvec.vectors.intervals import interval
from wordvec.vectors.tables import Neighbors

WORDS, ROWS = ["king", "<queen>", "man"], [[1.0, 0], [1, 0.5], [0, 1]]


@pytest.fixture(params=["dense", "sparse"])
def wv(request):
    return WordVectors(WORDS, ROWS) if request.param == "dense" else SparseWordVectors(WORDS, sp.csr_array(ROWS))


def test_neighbors_are_lists_and_tables(wv):
    queries = [wv.most_similar("king"), wv.most_similar_batch(["king"])[0], wv.similar_by_vector([1.0, 0.0])[1:]]
    assert queries[0] == queries[1] == queries[2] == [("<queen>", queries[0][0][1]), ("man", 0.0)]
    for found in (*queries[:2], wv.most_similar("king", method="mul")):
        assert isinstance(found, Neighbors)
        html = found._repr_html_()
        assert html.startswith("<table><thead><tr><th>token</th><th>score</th></tr></thead>")
        assert f"<td>&lt;queen&gt;</td><td>{found[0][1]:.4f}</td>" in html


def test_evaluations_are_tables(tmp_path):
    wv = WordVectors(["up", "north", "down"], [[0, 1], [0.1, 1], [0, -1]])
    (tmp_path / "pairs.tsv").write_text("up\tnorth\t9\nup\tdown\t1\nup\twrong\t0\n")
    result = evaluate_similarity(wv, tmp_path / "pairs.tsv")
    assert result.table_columns()["covered"] == [2]
    assert "<td>pairs</td>" in result._repr_html_()
    (tmp_path / "questions.txt").write_text(": one\nup north down up\n: gram2\nup down north up\n")
    columns = evaluate_analogies(wv, tmp_path / "questions.txt").table_columns()
    assert columns["name"][:2] == ["one", "gram2"]
    assert len({len(column) for column in columns.values()}) == 1
    count = AnalogyCount("total", 0, 0, 3)
    assert "<td>–</td>" in AnalogyResult("a", "P30k", "add", [], count, None, None)._repr_html_()


def test_every_other_result_is_a_table(tmp_path):
    wv = WordVectors(["up", "north", "down", "south"], [[0, 1], [0.1, 1], [0, -1], [0.3, -1]])
    (tmp_path / "kinds.tsv").write_text("up\ta\nnorth\ta\ndown\tb\nsouth\tb\n")
    (tmp_path / "odd.txt").write_text("up\nnorth\n\ndown\n")
    outliers = evaluate_outliers(wv, tmp_path / "odd.txt")
    results = {
        evaluate_categorization(wv, tmp_path / "kinds.tsv"): {"purity": [1.0]},
        outliers: {"accuracy": [1.0], "asked": [1]},
        interval(outliers): {"estimate": [1.0], "p_value": [None]},
        weat(wv, (["up"], ["down"]), (["north"], ["south"])): {"p_value": [0.5]},
        compare(wv, wv, top=1): {"overlap": [1.0] * 4, "cosine": [pytest.approx(1, abs=1e-6)] * 4},
    }
    translated = evaluate_translation(align(wv, wv), [("up", "up"), ("down", "north")], tops=(1, 4))
    assert translated.table_columns() == {"top": [1, 4], "precision": [0.5, 1.0], "asked": [2, 2], "words": [2, 2]}
    for result, columns in results.items():
        assert columns == {name: result.table_columns()[name] for name in columns}
        assert "<tbody><tr><td>" in result._repr_html_()
    assert (
        "<td>up</td><td>1.0000</td><td>1.0000</td><td>north</td><td>north</td>" in compare(wv, wv, top=1)._repr_html_()
    )


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames(library):
    module = pytest.importorskip(library)
    frame = WordVectors(WORDS, ROWS).most_similar("king").to_frame(library)
    assert isinstance(frame, module.DataFrame)
    assert list(frame.columns) == ["token", "score"]
    assert frame["token"].to_list() == ["<queen>", "man"]


def test_missing_and_unknown_libraries(monkeypatch):
    found = Neighbors([("a", 0.5)])
    with pytest.raises(InputError, match="library must be one of pandas, polars, got 'numpy'"):
        found.to_frame("numpy")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match="data frames need pandas, which is not installed: pip install pandas"):
        found.to_frame("pandas")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(InputError, match="data frames need pandas or polars, which is not installed"):
        found.to_frame()
