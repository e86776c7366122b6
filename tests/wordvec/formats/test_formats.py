"""Vector file formats: round trips, third-party files, errors on writing, and metadata."""

import gzip
import importlib.util
import json
import logging
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save

from wordvec import FormatError, InputError, Vocabulary, WordVectors, load_vectors, save_vectors
from wordvec.formats.registry import describe

WRITTEN = {  # formats of any vectors
    "safetensors": "v.safetensors", "text": "v.txt", "binary": "v.bin", "glove": "v.glove", "projector": "v.tsv",
    "fasttext": "v.ft", "npz": "v.npz", "parquet": "v.parquet",
}  # fmt: skip
if importlib.util.find_spec("pyarrow") is None:
    del WRITTEN["parquet"]
WITH_SPACES = ("safetensors", "npz", "parquet")
WIDE = ["the", "été", "日本", "\u00a0", "\u2028x", "\u0085", "%s", "0.5", "-", "1_0", "'", "👑", "\ufeffbom"]


def wide_vectors():
    """Build vectors with unusual tokens and extreme numbers."""
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(len(WIDE), 5)).astype(np.float32) * np.float32(10) ** rng.integers(-30, 30, (13, 5))
    vectors[0] = [0, -0.0, 1e-45, 3.4028235e38, 7.038531e-26]
    return WordVectors(
        Vocabulary(WIDE, range(len(WIDE), 0, -1)),
        vectors.astype(np.float32),
        context_vectors=rng.normal(size=(13, 5)),
        tokenizer="words",
        lowercase=True,
        settings={"window": 5, "rate": 0.025, "names": ["a"], "none": None},
    )


@pytest.fixture
def wv():
    return wide_vectors()


def same_vectors(one, two):
    assert one.tokens == two.tokens
    assert one.vectors.tobytes() == two.vectors.tobytes()


def write(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# -- round trips ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", WRITTEN)
def test_floats_round_trip_bit_exactly(wv, tmp_path, format):
    path = tmp_path / WRITTEN[format]
    save_vectors(wv, path, format=format)
    for back in (load_vectors(path), load_vectors(path, format=format), load_vectors(str(path))):
        same_vectors(back, wv)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(["a", "b\0c"], [1.0], "fasttext")
@example(["a", "b\0"], [1.0], "npz")
@example(["a b", "c"], [1.0], "npz")
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True, min_size=1, max_size=6),
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=3),
    st.sampled_from(sorted(WRITTEN)),
)
def test_tokens_round_trip_or_are_rejected_before_writing(tmp_path, tokens, row, format):
    path = tmp_path / WRITTEN[format]
    path.unlink(missing_ok=True)
    wv = WordVectors(tokens, [row] * len(tokens))
    if format in WITH_SPACES[1:] and not all(token.strip(" \t\n\r\v\f") for token in tokens):
        with pytest.raises(InputError, match="only white space"):
            save_vectors(wv, path, format=format)
        assert not path.exists()
    elif format == "npz" and any(token.endswith("\0") for token in tokens):
        with pytest.raises(InputError, match="must not end with NUL"):
            save_vectors(wv, path, format=format)
        assert not path.exists()
    elif format not in WITH_SPACES and any(set(token) & set(" \t\n\r\v\f") for token in tokens):
        with pytest.raises(InputError, match="white space"):
            save_vectors(wv, path, format=format)
        assert not path.exists()
    elif format == "fasttext" and any("\0" in token for token in tokens):
        with pytest.raises(InputError, match="NUL"):
            save_vectors(wv, path, format=format)
        assert not path.exists()
    else:
        save_vectors(wv, path, format=format)
        same_vectors(load_vectors(path, format=format), wv)


def test_safetensors_round_trip_includes_metadata(wv, tmp_path):
    path = tmp_path / "v.safetensors"
    wv.save(path)
    back = load_vectors(path)
    same_vectors(back, wv)
    assert back.vocabulary == wv.vocabulary
    assert back.context_vectors.tobytes() == wv.context_vectors.tobytes()
    assert (back.tokenizer, back.lowercase, back.settings) == ("words", True, wv.settings)
    assert back.vectors.flags.aligned


def test_safetensors_without_counts_and_context_vectors(tmp_path):
    WordVectors(["a", "b"], np.eye(2)).save(tmp_path / "v.safetensors")
    back = load_vectors(tmp_path / "v.safetensors")
    assert (back.counts, back.context_vectors, back.settings) == (None, None, {})


def test_equal_content_gives_equal_bytes_matching_the_library(wv, tmp_path):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    wv.save(one)
    turned = WordVectors(
        Vocabulary(wv.tokens, wv.counts),
        np.asfortranarray(wv.vectors),
        context_vectors=wv.context_vectors,
        tokenizer="words",
        lowercase=np.True_,
        settings={key: wv.settings[key] for key in reversed(wv.settings)} | {"window": np.int64(5)},
    )
    turned.save(two)
    assert one.read_bytes() == two.read_bytes()
    with safe_open(one, "np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    assert list(metadata) == ["wordvec"]
    assert json.dumps(json.loads(metadata["wordvec"]), sort_keys=True, separators=(",", ":")) == metadata["wordvec"]
    assert one.read_bytes() == save(tensors, metadata)


def test_word2vec_files_match_other_tools(tmp_path):
    save_vectors(WordVectors(["a", "b"], [[1, -0.5], [1e-20, 0.1]]), tmp_path / "v.txt")
    assert (tmp_path / "v.txt").read_bytes() == b"2 2\na 1 -0.5\nb 9.99999968e-21 0.100000001\n"
    save_vectors(WordVectors(["a", "b"], [[1, -0.5], [2, 3]]), tmp_path / "v.bin")
    body = b"a " + np.array([1, -0.5], "<f4").tobytes() + b"b " + np.array([2, 3], "<f4").tobytes()
    assert (tmp_path / "v.bin").read_bytes() == b"2 2\n" + body


def test_many_rows_spanning_several_blocks(tmp_path, monkeypatch):
    for module in ("text_lines", "word2vec_binary"):
        monkeypatch.setattr(f"wordvec.formats.{module}._BLOCK_BYTES", 50)
    rng = np.random.default_rng(0)
    wv = WordVectors([f"token{'x' * (row % 90)}{row}" for row in range(500)], rng.normal(size=(500, 3)))
    for format in WRITTEN:
        path = tmp_path / WRITTEN[format]
        save_vectors(wv, path, format=format)
        same_vectors(load_vectors(path), wv)
        if format not in WITH_SPACES:
            zipped = write(tmp_path / f"{path.name}.gz", gzip.compress(path.read_bytes()))
            same_vectors(load_vectors(zipped), wv)


@pytest.mark.parametrize("format", WRITTEN)
def test_limit_reads_only_the_first_rows(wv, tmp_path, format):
    path = tmp_path / WRITTEN[format]
    save_vectors(wv, path, format=format)
    assert load_vectors(path, limit=4).tokens == WIDE[:4]
    assert load_vectors(path, limit=99).tokens == WIDE
    if format in ("text", "binary"):
        write(path, path.read_bytes()[:-40])
        assert load_vectors(path, limit=4).tokens == WIDE[:4]
    if format == "safetensors":
        assert load_vectors(path, limit=4).counts.tolist() == [13, 12, 11, 10]
        assert len(load_vectors(path, limit=4).context_vectors) == 4


# -- third-party files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "tokens", "first"),
    [
        ("2 2\na 1 2\nb 3 4\n", ["a", "b"], [1, 2]),
        ("2 2\na 1 2\nb 3 4", ["a", "b"], [1, 2]),
        ("2 2\na 1 2 \nb 3 4 \n\n\n", ["a", "b"], [1, 2]),
        ("2 2\r\na 1 2\r\nb 3 4\r\n", ["a", "b"], [1, 2]),
        ("\ufeff2 2\na 1 2\nb 3 4\n", ["a", "b"], [1, 2]),
        (" 2\t2 \na\t1\t2\nb\t3\t4\n", ["a", "b"], [1, 2]),
        ("2 2\na  1  2\nb 3 4\n", ["a", "b"], [1, 2]),
        ("2 2\na 1e0 +2.\nb 3 4\n", ["a", "b"], [1, 2]),
        ("a 1 2\nb 3 4\n", ["a", "b"], [1, 2]),
        ("\ufeffa 1 2\nb 3 4\n", ["a", "b"], [1, 2]),
        ("a 1 2\n. . 3 4\nat x@y.z 5 6\n", ["a", ". .", "at x@y.z"], [1, 2]),
        (". . . 1 2\nb 3 4\n", [". . .", "b"], [1, 2]),
        ("5 1 2\n6 3 4\n", ["5", "6"], [1, 2]),
        ("2 1\n5 1\n6 2\n", ["5", "6"], [1]),
        ("1 2\n\u00a0 1 2\n", ["\u00a0"], [1, 2]),
        ("1 2\na\u2028b 1 2\n", ["a\u2028b"], [1, 2]),
    ],
)
@pytest.mark.parametrize("name", ["v.txt", "v.vec", "v.bin", "v", "v.kv"])
def test_text_variants(tmp_path, content, tokens, first, name):
    back = load_vectors(write(tmp_path / name, content))
    assert back.tokens == tokens
    assert back.vectors[0].tolist() == first


def test_word2vec_c_newlines_after_each_vector(tmp_path):
    one, two = np.array([1, 2], "<f4").tobytes(), np.frombuffer(b"\n\n\n\n    ", "<f4").tobytes()
    for end in (b"", b"\n"):
        content = b"2 2\na " + one + end + b"b " + two + end
        for name in ("v.bin", "v", "v.txt"):
            back = load_vectors(write(tmp_path / name, content))
            assert back.tokens == ["a", "b"]
            assert back.vectors[1].tobytes() == two


def test_tokens_with_truncated_utf8_are_repaired_and_counted(tmp_path, caplog):
    path = write(tmp_path / "v.txt", b"3 1\na\xe3 1\nb\xe3\x83 2\nc 3\n")
    with caplog.at_level(logging.WARNING, "wordvec"):
        assert load_vectors(path).tokens == ["a\ufffd", "b\ufffd", "c"]
    assert (
        "v.txt: 2 tokens are not valid UTF-8; invalid bytes were replaced by U+FFFD, such as 'a\ufffd'" in caplog.text
    )


@pytest.mark.parametrize("format", ["text", "binary", "glove"])
def test_the_first_of_repeated_tokens_is_kept(tmp_path, caplog, format):
    path = tmp_path / "v"
    save_vectors(WordVectors(["aa", "bb", "cc", "dd"], [[1], [2], [3], [4]]), path, format=format)
    write(path, path.read_bytes().replace(b"bb", b"aa").replace(b"cc", b"aa"))
    with caplog.at_level(logging.WARNING, "wordvec"):
        back = load_vectors(path, format=format)
    assert back.tokens == ["aa", "dd"]
    assert back.vectors.tolist() == [[1], [4]]
    assert "2 repeated tokens were skipped; the first occurrence of each is kept, such as 'aa'" in caplog.text


def test_detection_uses_content_rather_than_extension(wv, tmp_path):
    for format in ("safetensors", "text", "binary"):
        for name in ("v.safetensors", "v.txt", "v.bin", "v.unknown", "v"):
            save_vectors(wv, tmp_path / name, format=format)
            same_vectors(load_vectors(tmp_path / name), wv)


# -- real files -------------------------------------------------------------------------------------------------------


@pytest.fixture
def real(public_data):
    return public_data / "formats"


@pytest.mark.parametrize(
    ("name", "shape", "format"),
    [
        ("test_glove.txt", (76, 50), "glove"),
        ("glove.6B.100d.sample.txt.gz", (100, 100), "glove"),
        ("word2vec_pre_kv_c", (1750, 10), "text"),
        ("euclidean_vectors.bin", (2747, 10), "binary"),
        ("high_precision.kv.txt", (2, 2), "text"),
        ("high_precision.kv.bin", (2, 2), "binary"),
        ("w2v_keyedvectors_load_test.modeldata", (2, 3), "text"),
        ("lee_fasttext.vec", (1762, 10), "text"),
        ("toy-model.vec", (22, 5), "text"),
        ("crime-and-punishment.vec", (291, 5), "text"),
    ],
)
def test_real_files(real, tmp_path, name, shape, format):
    wv = load_vectors(real / name)
    assert wv.vectors.shape == shape
    about = describe(real / name)
    assert (about["format"], about["vector_size"]) == (format, shape[1])
    assert about["tokens"] in (shape[0], None)
    for target in WRITTEN:
        save_vectors(wv, tmp_path / WRITTEN[target], format=target)
        same_vectors(load_vectors(tmp_path / WRITTEN[target]), wv)


def test_real_numbers(real):
    glove = load_vectors(real / "test_glove.txt")
    assert glove["the"][:3].tolist() == np.float32([0.418, 0.24968, -0.41242]).tolist()
    text, binary = load_vectors(real / "high_precision.kv.txt"), load_vectors(real / "high_precision.kv.bin")
    assert text.tokens == binary.tokens == ["kangaroo.n.01", "horse.n.01"]
    np.testing.assert_allclose(text.vectors, binary.vectors, rtol=1e-3)  # originally float16
    assert load_vectors(real / "crime-and-punishment.vec").tokens[:3] == ["и", "в", "на"]


@pytest.mark.parametrize("name", ["toy-model", "crime-and-punishment", "lee_fasttext"])
def test_real_fasttext_models_equal_their_text_files(real, name):
    model, text = load_vectors(real / f"{name}.bin"), load_vectors(real / f"{name}.vec")
    assert model.tokens == text.tokens
    np.testing.assert_allclose(model.vectors, text.vectors, rtol=1e-4, atol=1e-5)


def test_real_fasttext_model_of_the_old_layout(real):
    model = load_vectors(real / "lee_fasttext.bin")
    assert (len(model), len(model.subwords.ngram_vectors)) == (1762, 1000)


@pytest.mark.parametrize("name", ["toy-data.txt", "crime-and-punishment.txt", "README.md"])
def test_real_texts_are_rejected(real, name):
    path = real / name if (real / name).exists() else real.parent / name
    with pytest.raises(FormatError, match="not a vector file of a known format"):
        load_vectors(path)


# -- writing ----------------------------------------------------------------------------------------------------------


def test_a_failed_save_keeps_the_old_file(wv, tmp_path):
    path = write(tmp_path / "v.txt", "old")
    spaced = WordVectors(["new york", "b"], np.eye(2))
    long = WordVectors(["b", "x" * 10_001], np.eye(2))
    odd = WordVectors(["b"], [[1]], settings={"x": {1, 2}})
    nan = WordVectors(["b"], [[1]], settings={"x": float("nan")})
    cases = [
        (spaced, path, None, "white space, got 'new york' in row 0; save as .safetensors"),
        (spaced, path, "binary", "white space"),
        (long, path, None, "at most 10,000 bytes, got 10,001 in row 1"),
        (WordVectors(["b"], np.ones((1, 70_000))), path, None, "at most 65,536 numbers, got 70,000"),
        (odd, path, "safetensors", "must be JSON-serializable: set"),
        (nan, path, "safetensors", "must be JSON-serializable"),
        (WordVectors([], np.ones((0, 2))), path, None, "no vectors to save"),
        (
            wv,
            path,
            "word2vec",
            "of safetensors, text, binary, glove, fasttext, floret, projector, npz, parquet, static, got 'word2vec'",
        ),
        (
            wv,
            tmp_path / "v",
            None,
            r"the extension must name a format \(.safetensors, .txt, .vec, .bin, .floret, .npz, .parquet\), got 'none'",
        ),
        (wv, tmp_path / "v.gz", None, "got 'none' in"),
        (wv, tmp_path / "v.csv", None, "got '.csv' in .*--format projector"),
        (wv, tmp_path / "none" / "v.txt", None, "does not exist"),
    ]
    for vectors, target, format, message in cases:
        with pytest.raises(InputError, match=message):
            save_vectors(vectors, target, format=format)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["v.txt"]


def test_invalid_load_arguments(wv, tmp_path):
    wv.save(tmp_path / "v.txt")
    with pytest.raises(InputError, match="limit must be at least 1 vector, got 0"):
        load_vectors(tmp_path / "v.txt", limit=0)
    with pytest.raises(InputError, match="got 'word2vec'"):
        load_vectors(tmp_path / "v.txt", format="word2vec")


@pytest.mark.parametrize("format", WRITTEN)
def test_files_contain_no_name_or_timestamp(wv, tmp_path, format):
    contents = set()
    for name in ("a", "b"):
        save_vectors(wv, tmp_path / name, format=format)
        contents.add((tmp_path / name).read_bytes())
    assert len(contents) == 1


# -- describe ---------------------------------------------------------------------------------------------------------


def test_describe_returns_metadata(wv, tmp_path):
    path = tmp_path / "v.safetensors"
    wv.save(path)
    assert describe(path) == {
        "format": "safetensors",
        "package": "wordvec",
        "kind": "vectors",
        "bytes": path.stat().st_size,
        "tokens": 13,
        "vector_size": 5,
        "about": {"version": 1, "tokenizer": "words", "lowercase": True, "settings": wv.settings},
        "tensors": {
            "context_vectors": {"dtype": "F32", "shape": [13, 5]},
            "counts": {"dtype": "I64", "shape": [13]},
            "token_bytes": {"dtype": "U8", "shape": [42]},
            "token_offsets": {"dtype": "I64", "shape": [14]},
            "vectors": {"dtype": "F32", "shape": [13, 5]},
        },
    }
    for format, tokens in {"text": 13, "binary": 13, "glove": None}.items():
        save_vectors(wv, tmp_path / "v", format=format)
        size = (tmp_path / "v").stat().st_size
        expected = {"format": format, "kind": "vectors", "bytes": size, "tokens": tokens, "vector_size": 5}
        assert describe(tmp_path / "v") == expected


def test_describe_identifies_models_and_other_kinds(tmp_path):
    tensors = {"w_input": np.zeros((2, 3), np.float16), "ids": np.zeros(4, np.int32)}
    for key, about, kind in [
        ("seqclf", {"labels": ["a"]}, "model"),
        ("seqclf", {"kind": "classifier"}, "classifier"),
        ("wordvec", {"kind": "corpus", "tokenizer": "words"}, "corpus"),
    ]:
        path = write(tmp_path / "m.safetensors", save(tensors, {key: json.dumps(about)}))
        found = describe(path)
        assert (found["package"], found["kind"]) == (key, kind)
        assert found["about"] == {name: value for name, value in about.items() if name != "kind"}
        assert found["tensors"]["w_input"] == {"dtype": "F16", "shape": [2, 3]}
        assert "tokens" not in found


def test_word_pairs_are_not_vectors_of_one_number(tmp_path):
    path = write(tmp_path / "pairs.txt", b"old\tnew\t1.58\nsmart\tintelligent\t9.2\n")
    with pytest.raises(FormatError, match=r"pairs\.txt: rated word pairs, not vectors: evaluate --similarity takes"):
        load_vectors(path)
    assert load_vectors(path, format="glove").tokens == ["old new", "smart intelligent"]
    assert load_vectors(write(tmp_path / "one.txt", b"new york 1\ncity 2\n")).vector_size == 1
