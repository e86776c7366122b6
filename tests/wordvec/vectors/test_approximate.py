"""Neighbors by an approximate index: compared with the exact ones; its file."""

import sys

import numpy as np
import pytest

from wordvec import FormatError, InputError, SparseWordVectors, WordVectors

pytest.importorskip("usearch", reason="usearch is not installed: pip install 'wordvec-seqclf[approximate]'")

from wordvec.vectors.approximate import IndexedVectors


@pytest.fixture(scope="module")
def wv():
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(600, 4)) @ rng.normal(size=(4, 12)) + 0.2 * rng.normal(size=(600, 12))
    rows[7] = 0
    return WordVectors([f"w{row}" for row in range(600)], rows * rng.uniform(0.1, 9, (600, 1)))


@pytest.fixture(scope="module")
def indexed(wv):
    return IndexedVectors(wv, threads=1)


def test_neighbors_are_nearly_all_found_and_their_scores_are_exact(wv, indexed):
    assert indexed.recall() > 0.98
    found = indexed.most_similar_batch(["w3", "w50", wv["w9"]], top=5)
    exact = wv.most_similar_batch(["w3", "w50", wv["w9"]], top=600)
    for near, all_of_them in zip(found, exact, strict=True):
        assert len(near) == 5
        assert set(near) <= set(all_of_them)
        assert [score for _, score in near] == sorted((score for _, score in near), reverse=True)


def test_query_words_are_left_out(indexed):
    answers = indexed.analogy("w1", "w2", "w3", top=20)
    assert len(answers) == 20
    assert not {"w1", "w2", "w3"} & {word for word, _ in answers}


@pytest.mark.parametrize("options", [{"restrict": 50}, {"restrict": ["w5", "w9"]}, {"method": "mul"}])
def test_other_searches_are_exact(wv, indexed, options):
    assert indexed.most_similar("w3", **options) == wv.most_similar("w3", **options)


def test_more_neighbors_than_words(indexed):
    assert len(indexed.most_similar("w3", top=1000)) > 590


def test_recall_counts_what_is_missed(indexed, monkeypatch):
    monkeypatch.setattr(IndexedVectors, "_nearest", lambda self, directions, *rest: [[] for _ in directions])
    assert indexed.recall() == 0


def test_an_index_is_saved_next_to_its_vectors(wv, indexed, tmp_path):
    indexed.save_index(tmp_path / "i")
    again = IndexedVectors.load(tmp_path / "i", wv)
    assert again.most_similar_batch(wv.tokens[:5]) == indexed.most_similar_batch(wv.tokens[:5])
    IndexedVectors(wv, threads=1).save_index(tmp_path / "j")
    assert (tmp_path / "i").read_bytes() == (tmp_path / "j").read_bytes()


def test_a_stale_or_damaged_index_is_refused(wv, indexed, tmp_path):
    indexed.save_index(tmp_path / "i")
    with pytest.raises(InputError, match="i is the index of other vectors; remove it to build it again"):
        IndexedVectors.load(tmp_path / "i", wv.replaced(wv.vectors[::-1].copy()))
    data = bytearray((tmp_path / "i").read_bytes())
    data[-50] ^= 1
    (tmp_path / "i").write_bytes(data)
    with pytest.raises(FormatError, match="the index is damaged"):
        IndexedVectors.load(tmp_path / "i", wv)
    wv.save(tmp_path / "v.safetensors")
    with pytest.raises(FormatError, match="not an index of neighbors"):
        IndexedVectors.load(tmp_path / "v.safetensors", wv)


def test_sparse_vectors_are_refused():
    from scipy.sparse import csr_array

    with pytest.raises(InputError, match="this operation needs dense vectors"):
        IndexedVectors(SparseWordVectors(["a", "b"], csr_array(np.eye(2, dtype=np.float32))))


def test_without_usearch(wv, monkeypatch):
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(InputError, match=r"approximate search needs usearch, which is not installed: pip install"):
        IndexedVectors(wv)
