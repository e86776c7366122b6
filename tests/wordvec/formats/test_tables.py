"""NumPy archives and Parquet tables of vectors."""

import pickle
import sys
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from wordvec import FormatError, InputError, Vocabulary, WordVectors, load_vectors, save_vectors
from wordvec.formats.registry import describe

NAMES = ["a.npz", "a.parquet"]


@pytest.fixture(scope="module")
def wv():
    rows = np.random.default_rng(31).normal(size=(40, 5)).astype(np.float32)
    return WordVectors(Vocabulary([f"w{k}é" for k in range(39)] + ["new york"], np.arange(40, 0, -1)), rows)


@pytest.fixture(params=NAMES)
def path(request, tmp_path):
    if request.param.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'wordvec-seqclf[parquet]'")
    return tmp_path / request.param


def test_both_ways(wv, path):
    wv.save(path)
    found = load_vectors(path)
    assert (found.tokens, found.counts.tolist()) == (wv.tokens, wv.counts.tolist())
    np.testing.assert_array_equal(found.vectors, wv.vectors)
    first = path.read_bytes()
    save_vectors(wv, path)
    assert path.read_bytes() == first
    about = describe(path)
    assert (about["format"], about["tokens"], about["vector_size"]) == (path.suffix[1:], 40, 5)
    part = load_vectors(path, limit=7)
    assert (part.tokens, part.counts.tolist()) == (wv.tokens[:7], [40, 39, 38, 37, 36, 35, 34])
    some = load_vectors(path, words=["new york", "w3é"])
    np.testing.assert_array_equal(some.vectors, wv[["w3é", "new york"]])
    done = CliRunner().invoke(main.wordvec, ["convert", str(path), str(path.with_suffix(".safetensors"))])
    assert done.stderr.endswith("40 words x 5\n")
    assert "are not compressed" in CliRunner().invoke(main.wordvec, ["convert", str(path), f"{path}.gz"]).stderr


def write(path, tokens, vectors, **more):
    if path.suffix == ".npz":
        np.savez(path, tokens=np.array(tokens), vectors=np.array(vectors), **more)
    else:
        from pyarrow import table
        from pyarrow.parquet import write_table

        write_table(table({"token": tokens, "vector": vectors}), path)


def test_files_of_other_programs(path, caplog):
    write(path, ["a", "b", "", "a"], [[1, 2], [3, 4], [5, 6], [7, 8]])
    found = load_vectors(path)
    assert (found.tokens, found.vectors.tolist(), found.counts) == (["a", "b"], [[1, 2], [3, 4]], None)
    assert [message.split(": ")[1].split(" ", 1)[1] for message in caplog.messages] == [
        "1 row with an empty or white space token",
        "repeated tokens were skipped; the first occurrence of each is kept, such as 'a'",
    ]
    write(path, ["a", "b"], [[1.0, 2.0], [float("nan"), 4.0]])
    with pytest.raises(FormatError, match="vector 2 contains NaN or infinity; skip_bad_rows"):
        load_vectors(path)
    assert load_vectors(path, skip_bad_rows=True).tokens == ["a"]


@pytest.mark.parametrize("keep", [100, 0.5, 0.9, -1])
def test_truncated_files(wv, path, keep):
    wv.save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(FormatError):
        load_vectors(path)


class Evil:
    def __reduce__(self):
        return print, ("executed",)


def test_archives_with_objects_are_refused(tmp_path, capsys):
    path = tmp_path / "a.npz"
    objects = np.empty(1, object)
    objects[0] = Evil()
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("vectors.npy", "w") as member:
            np.lib.format.write_array(member, np.ones((1, 2), np.float32))
        with archive.open("tokens.npy", "w") as member:
            np.lib.format.write_array_header_1_0(member, {"descr": "|O", "fortran_order": False, "shape": (1,)})
            member.write(pickle.dumps(objects))
    with pytest.raises(FormatError, match="object"):
        load_vectors(path)
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"vectors": np.ones((2, 2))}, "tokens is missing"),
        ({"tokens": np.array(["a"])}, "vectors is missing"),
        ({"vectors": np.ones(2), "tokens": np.array(["a", "b"])}, "'vectors' must be a matrix"),
        ({"vectors": np.ones((2, 2)), "tokens": np.array(["a"])}, "'tokens' must be 2 strings"),
        ({"vectors": np.ones((1, 2)), "tokens": np.array([3])}, "'tokens' must be 1 strings"),
    ],
)
def test_invalid_archives(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(FormatError, match=message):
        load_vectors(tmp_path / "a.npz")


def test_other_names_and_types(tmp_path):
    np.savez_compressed(
        tmp_path / "a.npz", words=np.array([b"a", b"b"]), embeddings=np.asfortranarray([[1, 2], [3, 4]])
    )
    found = load_vectors(tmp_path / "a.npz")
    assert (found.tokens, found.vectors.tolist()) == (["a", "b"], [[1, 2], [3, 4]])


def test_long_tokens_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"too long for \.npz"):
        WordVectors(["a", "b" * 20_000], [[1], [2]]).save(tmp_path / "a.npz")


def test_parquet_without_pyarrow(wv, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"need pyarrow, which is .* pip install 'wordvec-seqclf\[parquet\]'"):
        wv.save(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(InputError, match="need pyarrow"):
        load_vectors(tmp_path / "b.parquet")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"token": ["a"], "x": [1]}, "needs a column 'vector'; it has token, x"),
        ({"token": ["a", "b"], "vector": [[1.0], [1.0, 2.0]]}, "must have one length"),
        ({"token": ["a", "b"], "vector": [[1.0], None]}, "must have one length"),
        ({"token": ["a"], "vector": [["x"]]}, "damaged Parquet file"),
        ({"token": ["a"], "vector": [1.0]}, "must be of lists of numbers, got double"),
    ],
)
def test_invalid_tables(tmp_path, columns, message):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    write_table(arrow.table(columns), tmp_path / "a.parquet")
    with pytest.raises(FormatError, match=message):
        load_vectors(tmp_path / "a.parquet")
