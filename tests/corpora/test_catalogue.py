"""Catalogue of public data sets and file lookup in the WORDVEC_DATA folder."""

import gzip
import os
from pathlib import Path

import pytest

from corpora import DATASETS, InputError, TextCorpus, find, read_labelled


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORDVEC_DATA", str(tmp_path))
    (tmp_path / "classify").mkdir()
    (tmp_path / "classify" / "sst2.train.tsv").write_text("1\tgood\n0\tbad\n")
    (tmp_path / "classify" / "sst2.dev.tsv.gz").write_bytes(gzip.compress(b"1\tfine\n"))
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "lee_background.txt").write_text("b\n")
    (tmp_path / "text" / "lee.txt").write_text("a\n")
    return tmp_path


def test_every_entry_has_a_homepage_license_and_files():
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        assert dataset.homepage.startswith(("https://", "http://"))
        assert dataset.licence
        assert dataset.title
        assert dataset.files
        for place in dataset.files.values():
            assert not Path(place).is_absolute()
            assert ".." not in place
    places = [place for dataset in DATASETS.values() for place in dataset.files.values()]
    assert len(set(places)) == len(places)


def test_plain_and_compressed_files_are_found(folder):
    assert find("sst2/train") == [folder / "classify" / "sst2.train.tsv"]
    assert find("sst2/dev") == [folder / "classify" / "sst2.dev.tsv.gz"]
    assert find("data:lee") == [folder / "text" / "lee_background.txt", folder / "text" / "lee.txt"]
    assert DATASETS["sst2"].present().keys() == {"train", "dev"}


def test_data_names_are_accepted_as_sources(folder):
    assert read_labelled("data:sst2/dev") == (["fine"], ["1"])
    assert list(TextCorpus("data:lee")) == ["b", "a"]


def test_lookup_errors_name_the_missing_item_and_the_remedy(folder, monkeypatch):
    with pytest.raises(InputError, match="unknown data set 'sst'; did you mean sst"):
        find("sst")
    with pytest.raises(InputError, match="sst2 has no part 'tset'; choose one of train, dev, test"):
        find("sst2/tset")
    with pytest.raises(
        InputError, match=r"sst2\.test\.tsv not found, plain or compressed; download sst2 from https://nlp"
    ):
        find("sst2")
    with pytest.raises(InputError, match="data:lee matches 2 files; name one of them"):
        read_labelled("data:lee")
    with pytest.raises(InputError, match=r"lee: no such file; did you mean data:lee\?"):
        TextCorpus("lee")
    monkeypatch.setenv("WORDVEC_DATA", str(folder / "nowhere"))
    with pytest.raises(InputError, match=r"WORDVEC_DATA must be a directory, got .*nowhere"):
        find("sst2")
    monkeypatch.delenv("WORDVEC_DATA")
    with pytest.raises(InputError, match=r"WORDVEC_DATA is not set; download the data set from https://nlp\.stanford"):
        find("sst2")
    assert DATASETS["sst2"].present() == {}


@pytest.mark.skipif(not os.environ.get("WORDVEC_DATA"), reason="WORDVEC_DATA is not set")
def test_available_labeled_data_sets_are_readable():
    read = 0
    for dataset in DATASETS.values():
        if dataset.kind == "classification":
            for part, path in dataset.present().items():
                if path.stat().st_size < 1_000_000:
                    texts, labels = read_labelled(path)
                    assert len(texts) == len(labels) >= 100, (dataset.name, part)
                    assert 2 <= len(set(labels)) <= 50
                    read += 1
    if not read:
        pytest.skip("no small labeled data set is available")
