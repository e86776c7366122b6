"""The Embedding Projector's pair of files, text without a header, compressed output, and numbers as words."""

import gzip
import logging

import numpy as np
import pytest
from click.testing import CliRunner

from cli import convert as convert_module
from cli.main import wordvec
from tests.wordvec.formats.test_formats import WRITTEN
from wordvec import FormatError, InputError, WordVectors, load_vectors, save_vectors
from wordvec.formats.registry import FORMATS, describe

NUMBERS = ["2020", "1.5", "nan", "inf", "-", "1e5", "1_000", "3"]


def run(*arguments):
    result = CliRunner().invoke(wordvec, ["convert", *map(str, arguments)])
    return result.exit_code, result.output


def test_pair_is_written_and_read(tmp_path):
    wv = WordVectors(["the", "\u00e9t\u00e9", "2020"], [[1, -0.5], [1e-20, 0.1], [3, 4]])
    save_vectors(wv, tmp_path / "v.vec")
    code, _ = run(tmp_path / "v.vec", tmp_path / "vectors.tsv", "--format", "projector")
    assert code == 0
    assert (tmp_path / "vectors.tsv").read_text() == "1\t-0.5\n9.99999968e-21\t0.100000001\n3\t4\n"
    assert (tmp_path / "metadata.tsv").read_text(encoding="utf-8") == "the\n\u00e9t\u00e9\n2020\n"
    back = load_vectors(tmp_path / "vectors.tsv")
    assert back.tokens == wv.tokens
    assert np.array_equal(back.vectors, wv.vectors)
    assert describe(tmp_path / "vectors.tsv")["vector_size"] == 2
    assert load_vectors(tmp_path / "vectors.tsv", limit=2).tokens == wv.tokens[:2]


def test_metadata_with_columns_and_windows_line_ends(tmp_path):
    (tmp_path / "old_tensor.tsv").write_bytes(b"1\t2\r\n3\t4\r\n5\t6\r\n")
    (tmp_path / "old_metadata.tsv").write_bytes(b"Count\tWord\r\n7\tcat\r\n6\tnew york\r\n5\t\r\n")
    back = load_vectors(tmp_path / "old_tensor.tsv")
    assert back.tokens == ["cat", "new york"]
    assert back.vectors.tolist() == [[1, 2], [3, 4]]


def test_numbers_without_words_are_rejected(tmp_path):
    (tmp_path / "vectors.tsv").write_text("0.1\t0.2\n0.3\t0.4\n")
    with pytest.raises(FormatError, match=r"numbers without words; .*metadata\.tsv: no such file"):
        load_vectors(tmp_path / "vectors.tsv")
    (tmp_path / "metadata.tsv").write_text("a\n")
    with pytest.raises(FormatError, match=r"vectors\.tsv:2: no word for this row in .*metadata\.tsv"):
        load_vectors(tmp_path / "vectors.tsv")
    (tmp_path / "metadata.tsv").write_text("a\nb\nc\n")
    with pytest.raises(FormatError, match="2 vectors for 3 words"):
        load_vectors(tmp_path / "vectors.tsv")


def test_bad_rows_are_named_or_skipped(tmp_path, caplog):
    (tmp_path / "vectors.tsv").write_text("1\t2\nnan\t4\n5\n7\t8\n")
    (tmp_path / "metadata.tsv").write_text("a\nb\nc\nd\n")
    with pytest.raises(FormatError, match=r"vectors\.tsv:2: expected finite numbers"):
        load_vectors(tmp_path / "vectors.tsv")
    with caplog.at_level(logging.WARNING):
        assert load_vectors(tmp_path / "vectors.tsv", skip_bad_rows=True).tokens == ["a", "d"]
    assert "skipped 2 invalid rows" in caplog.text


def test_tab_separated_words_and_numbers_are_text(tmp_path):
    (tmp_path / "v.tsv").write_text("the\t0.1\t0.2\ncat\t0.3\t0.4\n")
    assert load_vectors(tmp_path / "v.tsv").tokens == ["the", "cat"]


def test_output_that_would_replace_the_source_is_refused(tmp_path):
    source = tmp_path / "metadata.tsv"
    source.write_text("1 2\na 1 2\n")
    code, output = run(source, tmp_path / "vectors.tsv", "--format", "projector")
    assert code == 2
    assert "metadata" in output
    assert source.read_text() == "1 2\na 1 2\n"
    assert not (tmp_path / "vectors.tsv").exists()


def test_text_without_a_header(tmp_path):
    (tmp_path / "v.vec").write_text("2 1\n5 3\n7 2\n")
    code, _ = run(tmp_path / "v.vec", tmp_path / "plain.txt", "--format", "glove")
    assert code == 0
    assert (tmp_path / "plain.txt").read_text() == "5 3\n7 2\n"
    with pytest.raises(FormatError):  # "5 3" looks like a header
        load_vectors(tmp_path / "plain.txt")
    assert run(tmp_path / "plain.txt", tmp_path / "back.vec", "--input-format", "glove")[0] == 0
    assert (tmp_path / "back.vec").read_text() == "2 1\n5 3\n7 2\n"


@pytest.mark.parametrize("name", ["v.txt.gz", "v.vec.gz", "v.bin.gz"])
def test_compressed_output(tmp_path, name):
    wv = WordVectors(["a", "b"], [[1, 2], [3, 4]])
    save_vectors(wv, tmp_path / name)
    plain = tmp_path / name[:-3]
    save_vectors(wv, plain)
    content = (tmp_path / name).read_bytes()
    assert gzip.decompress(content) == plain.read_bytes()
    assert load_vectors(tmp_path / name).tokens == ["a", "b"]
    save_vectors(wv, tmp_path / name)
    assert (tmp_path / name).read_bytes() == content
    with pytest.raises(InputError, match="not compressed"):
        save_vectors(wv, tmp_path / "v.safetensors.gz")


@pytest.mark.parametrize("format", WRITTEN)
def test_numbers_are_words(tmp_path, format):
    wv = WordVectors(NUMBERS, np.arange(24).reshape(8, 3))
    path = tmp_path / WRITTEN[format]
    save_vectors(wv, path, format=format)
    back = load_vectors(path)
    assert back.tokens == NUMBERS
    assert np.array_equal(back.vectors, wv.vectors)


def test_command_offers_all_formats():
    assert convert_module.FORMATS == FORMATS
