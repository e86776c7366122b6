"""Parts of vector files, maps of files, and vectors stored in half or a quarter of the space."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from wordvec import FormatError, InputError, Vocabulary, WordVectors, load_vectors, save_vectors
from wordvec.formats.registry import describe

FORMATS = {
    "a.safetensors": None,
    "a.txt": None,
    "a.bin": None,
    "g.txt": "glove",
    "vectors.tsv": "projector",
    "a.vec.gz": None,
}


@pytest.fixture(scope="module")
def wv():
    rng = np.random.default_rng(21)
    rows = rng.normal(size=(50, 6)).astype(np.float32) * rng.uniform(0.01, 100, (50, 1))
    vocabulary = Vocabulary([f"w{k}" for k in range(50)], np.arange(50, 0, -1))
    found = WordVectors(vocabulary, rows, context_vectors=-rows, lowercase=True, settings={"window": 2})
    found.set_attribute("year", np.arange(50))
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_some_words_of_a_file(wv, tmp_path, name):
    save_vectors(wv, tmp_path / name, format=FORMATS[name])
    found = load_vectors(tmp_path / name, words=["w40", "none", "w3", "W5"])
    assert found.tokens == ["w3", "w40"]
    np.testing.assert_array_equal(found.vectors, wv[["w3", "w40"]])
    assert found.context_vectors is None
    if name == "a.safetensors":
        assert (found.counts.tolist(), found.attributes["year"].tolist(), found.lowercase) == ([47, 10], [3, 40], True)
    assert load_vectors(tmp_path / name, words=["w40", "w3"], limit=10).tokens == ["w3"]
    with pytest.raises(InputError, match="none of its 50 tokens is among the words to read"):
        load_vectors(tmp_path / name, words=["none"])
    with pytest.raises(InputError, match="words must be a list of strings"):
        load_vectors(tmp_path / name, words="w3")


def is_mapped(array):
    while array is not None:
        if isinstance(array, np.memmap):
            return True
        array = getattr(array, "base", None)
    return False


def test_mapped_vectors_are_those_of_the_file(wv, tmp_path):
    wv.save(tmp_path / "a.safetensors")
    found = load_vectors(tmp_path / "a.safetensors", mmap=True)
    assert is_mapped(found.vectors)
    assert not is_mapped(load_vectors(tmp_path / "a.safetensors").vectors)
    assert not found.vectors.flags.writeable
    np.testing.assert_array_equal(found.vectors, wv.vectors)
    assert (found.counts.tolist(), found.context_vectors) == (wv.counts.tolist(), None)
    assert found.most_similar("w1") == wv.most_similar("w1")
    part = load_vectors(tmp_path / "a.safetensors", mmap=True, limit=7)
    assert part.vectors.shape == (7, 6)
    assert is_mapped(part.vectors)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.txt", {"mmap": True}, "mmap needs a .safetensors file, got format text"),
        ("a.safetensors", {"mmap": True, "words": ["w1"]}, "leave out mmap"),
        ("half.safetensors", {"mmap": True}, "mmap needs vectors stored as float32, got F16"),
    ],
)
def test_what_cannot_be_mapped(wv, tmp_path, name, options, message):
    save_vectors(wv, tmp_path / name, storage="float16" if "half" in name else "float32")
    with pytest.raises(InputError, match=message):
        load_vectors(tmp_path / name, **options)


# -- storage ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("storage", "share", "error"), [("float16", 0.5, 2**-11), ("int8", 0.25, 0.5 / 127)])
def test_smaller_types(wv, tmp_path, storage, share, error):
    save_vectors(wv, tmp_path / "a.safetensors", storage=storage)
    found = load_vectors(tmp_path / "a.safetensors")
    assert found.vectors.dtype == np.float32
    largest = np.abs(wv.vectors).max(axis=1, keepdims=True)
    assert (np.abs(found.vectors - wv.vectors) <= error * 1.001 * largest).all()
    assert not (found.vectors == wv.vectors).all()
    assert (found.context_vectors, found.counts.tolist()) == (None, wv.counts.tolist())
    about = describe(tmp_path / "a.safetensors")
    assert (about["tokens"], about["vector_size"]) == (50, 6)
    assert about["tensors"]["vectors"]["dtype"] == {"float16": "F16", "int8": "I8"}[storage]
    np.testing.assert_array_equal(
        load_vectors(tmp_path / "a.safetensors", words=["w7", "w9"]).vectors, found[["w7", "w9"]]
    )
    np.testing.assert_array_equal(load_vectors(tmp_path / "a.safetensors", limit=9).vectors, found.vectors[:9])
    save_vectors(found, tmp_path / "b.safetensors", storage=storage)
    np.testing.assert_allclose(load_vectors(tmp_path / "b.safetensors").vectors, found.vectors, rtol=1e-6)


def test_zero_and_large_vectors(tmp_path):
    wv = WordVectors(["zero", "large"], [[0, 0], [1e6, -2e6]])
    save_vectors(wv, tmp_path / "a.safetensors", storage="int8")
    found = load_vectors(tmp_path / "a.safetensors")
    assert found["zero"].tolist() == [0, 0]
    np.testing.assert_allclose(found["large"], [1e6, -2e6], rtol=0.01)
    with pytest.raises(InputError, match="float16 holds numbers up to 65,504"):
        save_vectors(wv, tmp_path / "b.safetensors", storage="float16")
    assert not (tmp_path / "b.safetensors").exists()


@pytest.mark.parametrize(
    ("name", "storage", "message"),
    [("a.txt", "int8", "storage int8 needs dense vectors"), ("a.safetensors", "int4", "storage must be one of")],
)
def test_invalid_storage(wv, tmp_path, name, storage, message):
    with pytest.raises(InputError, match=message):
        save_vectors(wv, tmp_path / name, storage=storage)


def test_damaged_scales_are_refused(wv, tmp_path):
    path = tmp_path / "a.safetensors"
    save_vectors(wv, path, storage="int8")
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["vector_scales"]["shape"] = [25, 2]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])
    with pytest.raises(FormatError, match="vector_scales"):
        load_vectors(path)


# -- command ----------------------------------------------------------------------------------------------------------


def test_convert(wv, tmp_path):
    wv.save(tmp_path / "a.safetensors")
    (tmp_path / "words.txt").write_text("w7 12\n\nw3\nnone\n")

    def convert(*arguments, code=0):
        done = CliRunner().invoke(main.wordvec, ["convert", *map(str, arguments)])
        assert done.exit_code == code, (done.output, done.exception)
        return done

    output = tmp_path / "b.safetensors"
    done = convert(tmp_path / "a.safetensors", output, "--words", tmp_path / "words.txt", "--storage", "float16")
    assert done.stderr == f"1 of 3 words are not in {tmp_path / 'a.safetensors'}\n{output}: 2 words x 6\n"
    assert load_vectors(output).tokens == ["w3", "w7"]
    refused = convert(tmp_path / "a.safetensors", tmp_path / "b.txt", "--storage", "int8", code=2)
    assert "--storage int8 needs a .safetensors file" in refused.stderr
    (tmp_path / "words.txt").write_text("\n")
    assert "no words" in convert(tmp_path / "a.safetensors", output, "--words", tmp_path / "words.txt", code=1).stderr


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """Vectors of all sizes, in memory and mapped."""
    rng = np.random.default_rng(5)
    sizes = np.where(np.arange(3000) % 7 == 0, 10.0 ** rng.integers(-42, 37, 3000), 1.0)
    held = WordVectors([f"w{k}" for k in range(3000)], (rng.normal(size=(3000, 5)) * sizes[:, None]).astype(np.float32))
    path = tmp_path_factory.mktemp("mapped") / "a.safetensors"
    held.save(path)
    return held, load_vectors(path, mmap=True)


@pytest.mark.parametrize(
    "ask",
    [
        lambda wv: wv.most_similar("w7", top=40),
        lambda wv: wv.most_similar(["w7", "w1"], ["w2"], method="mul", top=40),
        lambda wv: wv.most_similar_batch([f"w{k}" for k in range(300)], top=3),
        lambda wv: wv.most_similar("w7", restrict=1500),
        lambda wv: wv.most_similar("w7", restrict=["w9", "w2000", "w14"]),
        lambda wv: wv.analogy("w1", "w2", "w3"),
    ],
)
def test_mapped_vectors_have_the_neighbors_of_those_in_memory_and_are_not_copied(mapped, ask):
    held, found = mapped
    assert ask(found) == ask(held)
    assert found._units is None


def test_mapped_vectors_are_checked_when_they_are_searched(wv, tmp_path):
    wv.save(tmp_path / "a.safetensors")
    data = (tmp_path / "a.safetensors").read_bytes()
    row = wv.vectors[40].tobytes()
    (tmp_path / "a.safetensors").write_bytes(data.replace(row, np.full(6, np.nan, np.float32).tobytes()))
    found = load_vectors(tmp_path / "a.safetensors", mmap=True)
    assert found["w3"].tobytes() == wv["w3"].tobytes()
    with pytest.raises(InputError, match="vectors must be finite, got NaN or infinity in row 40"):
        found.most_similar("w3")


def test_repeated_tokens_of_mapped_vectors_are_found_when_one_is_looked_up(wv, tmp_path):
    wv.save(tmp_path / "a.safetensors")
    data = (tmp_path / "a.safetensors").read_bytes()
    (tmp_path / "a.safetensors").write_bytes(data.replace(b"w10w11w12", b"w10w10w12"))
    found = load_vectors(tmp_path / "a.safetensors", mmap=True)
    with pytest.raises(InputError, match="w10"):
        found["w3"]
