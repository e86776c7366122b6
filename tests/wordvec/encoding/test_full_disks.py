"""Cache folders and temporary folders that are full or read-only: the corpus is encoded elsewhere, with a warning."""

import errno
import gzip
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from corpora import TextCorpus
from tests.cases.encoded import assert_encodes, sentences_of
from wordvec import InputError, Vocabulary, encode_corpus
from wordvec.encoding import corpus as encoded

TEXT = b"a rose is a rose\n\nthe cat\n" * 40
MKDTEMP, OPEN, WRITE_BYTES, WRITE_TEXT = tempfile.mkdtemp, open, Path.write_bytes, Path.write_text


class FullDisk:
    """Folders below which nothing can be written, or only ``room`` bytes."""

    def __init__(self, monkeypatch):
        self.room = {}
        monkeypatch.setattr(tempfile, "mkdtemp", self._mkdtemp)
        monkeypatch.setattr(encoded, "open", self._open, raising=False)
        monkeypatch.setattr(Path, "write_bytes", lambda path, content: self.take(path, content, WRITE_BYTES))
        monkeypatch.setattr(Path, "write_text", lambda path, text, **how: self.take(path, text, WRITE_TEXT, **how))

    def _folder(self, path):
        return next((folder for folder in self.room if folder in Path(path).parents), None)

    def take(self, path, content, write, **how):
        folder = self._folder(path)
        if folder is not None:
            self.room[folder] -= len(content)
            if self.room[folder] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, content, **how)

    def _mkdtemp(self, prefix, suffix=None, dir=None):
        folder = self._folder(Path(dir or tempfile.gettempdir()) / "new")
        if folder is not None and self.room[folder] is None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), "new")
        return MKDTEMP(prefix=prefix, suffix=suffix, dir=dir)

    def _open(self, path, mode="r", **how):
        file = OPEN(path, mode, **how)
        if "w" not in mode:
            return file
        return FullFile(self, path, file)


class FullFile:
    def __init__(self, disk, path, file):
        self.disk, self.path, self.file = disk, path, file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, content):
        return self.disk.take(self.path, bytes(content), lambda _, content: self.file.write(content))

    def __getattr__(self, name):
        return getattr(self.file, name)


@pytest.fixture
def disk(monkeypatch):
    return FullDisk(monkeypatch)


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(TEXT)
    return path


# Of 1,120 bytes of ids and 968 of offsets, which are written twice, 17 of tokens, 32 of counts, and corpus.json.
@pytest.mark.parametrize("room", [None, 0, 300, 3000, 4180, 4260])
def test_a_corpus_is_encoded_in_temporary_files_if_the_cache_cannot_be_written(
    text_file, folder_of_cache, folder_for_temporary_files, disk, caplog, room
):
    folder_of_cache.mkdir()
    disk.room[folder_of_cache] = room
    corpus = encode_corpus(TextCorpus(text_file), min_count=1)
    assert_encodes(corpus, sentences_of(TEXT))
    assert not any(folder_of_cache.iterdir())
    assert len(list(folder_for_temporary_files.iterdir())) == 1
    (warning,) = caplog.messages
    reason = "read-only file system" if room is None else "no space left on device"
    assert warning == (
        f"the cache folder {folder_of_cache} cannot be written to ({reason}); the encoded corpus is not cached"
    )


@pytest.mark.parametrize("room", [None, 0, 300])
@pytest.mark.parametrize("vocabulary", [None, Vocabulary(["a", "the", "cat", "B"])], ids=["counted", "given"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_corpus_is_encoded_in_memory_if_temporary_files_cannot_be_written_either(
    text_file, folder_of_cache, folder_for_temporary_files, disk, caplog, room, vocabulary, compressed
):
    if compressed:
        text_file.write_bytes(gzip.compress(TEXT))
    given = {"min_count": 1, "vocabulary": vocabulary}
    expected = encode_corpus(TextCorpus(text_file), **given, cache=False)
    folder_of_cache.mkdir()
    disk.room |= {folder_of_cache: room, folder_for_temporary_files: room}
    reports = []
    corpus = encode_corpus(TextCorpus(text_file), **given, on_progress=reports.append)
    assert np.array_equal(corpus.ids, expected.ids)
    assert np.array_equal(corpus.offsets, expected.offsets)
    assert (corpus.vocabulary.tokens, list(corpus.vocabulary.counts)) == (
        expected.vocabulary.tokens,
        list(expected.vocabulary.counts),
    )
    assert (corpus.raw_tokens, corpus.raw_types) == (expected.raw_tokens, expected.raw_types)
    assert not corpus.ids.flags.writeable
    assert not corpus.offsets.flags.writeable
    assert "the cache folder" in caplog.messages[0]
    assert caplog.messages[1].endswith("; the encoded corpus is kept in memory")
    assert len(caplog.messages) == 2
    assert all(report.done <= report.total for report in reports)


def test_texts_in_a_list_are_encoded_in_memory(folder_for_temporary_files, disk, caplog):
    sentences = [["a", "b c"], ["b c", "a", "a"]]
    disk.room[folder_for_temporary_files] = 10
    assert_encodes(encode_corpus(sentences, min_count=1), sentences)
    assert caplog.messages == [
        "temporary files cannot be written (no space left on device); the encoded corpus is kept in memory"
    ]


def test_a_generator_cannot_be_read_again_when_the_disk_is_full(folder_for_temporary_files, disk):
    disk.room[folder_for_temporary_files] = 10
    with pytest.raises(
        InputError, match=r"^temporary files cannot be written: no space left.*; set TMPDIR to a folder"
    ):
        encode_corpus((text for text in ["a b c"] * 100), min_count=1)


def test_errors_of_a_callers_generator_are_not_taken_for_a_full_disk():
    def texts():
        yield "a b"
        raise FileNotFoundError(errno.ENOENT, "gone", "part-2.txt")

    with pytest.raises(FileNotFoundError, match=r"part-2\.txt"):
        encode_corpus(texts(), min_count=1)


def test_a_read_only_cache_is_still_read(text_file, folder_of_cache, disk, monkeypatch, caplog):
    encode_corpus(TextCorpus(text_file), min_count=1)

    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "utime", refuse)
    disk.room[folder_of_cache] = None
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
    assert not caplog.messages


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write to any folder")
def test_a_folder_without_permission_is_not_used(text_file, folder_of_cache, caplog):
    folder_of_cache.mkdir()
    folder_of_cache.chmod(0o500)
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
    assert "permission denied" in caplog.text
