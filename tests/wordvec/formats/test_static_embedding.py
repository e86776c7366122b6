"""Folders of sentence-transformers: written, read, and used by the tokenizers library."""

import itertools
import json

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from wordvec import FormatError, InputError, WordVectors, load_vectors, save_vectors
from wordvec.formats import static_embedding
from wordvec.formats.registry import describe


@pytest.fixture(scope="module")
def wv():
    rng = np.random.default_rng(4)
    tokens = ["the", "3,000", "don't", "été", "new_york", "नमस्ते", "[UNK]", "日本"]
    return WordVectors(tokens, rng.normal(size=(8, 5)), tokenizer="words", lowercase=True, normalize="NFC")


@pytest.fixture
def folder(wv, tmp_path):
    save_vectors(wv, tmp_path / "m", format="static")
    return tmp_path / "m"


def change(path, **new):
    path.write_text(json.dumps(json.loads(path.read_text()) | new))


def test_a_folder_is_written_and_read(wv, folder):
    found = load_vectors(folder)
    assert (found.tokens, found.tokenizer, found.lowercase, found.normalize) == (wv.tokens, "words", True, "NFC")
    assert found.vectors.tobytes() == wv.vectors.tobytes()
    assert load_vectors(folder, limit=2).tokens == wv.tokens[:2]
    assert load_vectors(folder, words=["été"]).tokens == ["été"]
    about = describe(folder)
    assert (about["format"], about["tokens"], about["vector_size"]) == ("static", 8, 5)
    assert json.loads((folder / "modules.json").read_text()) == [
        {"idx": 0, "name": "0", "path": "0_StaticEmbedding", "type": "sentence_transformers.models.StaticEmbedding"}
    ]


@pytest.mark.parametrize("tokenizer", ["words", "whitespace"])
@pytest.mark.parametrize("text", ["The  3,000 don’t UNKNOWN été", "NEW_YORK नमस्ते! 日本", "", "e\u0301te\u0301 x"])
def test_the_tokenizers_library_finds_the_same_rows(wv, tmp_path, tokenizer, text):
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed: pip install tokenizers")
    same = WordVectors(wv.tokens, wv.vectors, tokenizer=tokenizer, lowercase=True, normalize="NFC")
    save_vectors(same, tmp_path / "m", format="static")
    reader = tokenizers.Tokenizer.from_file(str(tmp_path / "m/0_StaticEmbedding/tokenizer.json"))
    rows = reader.encode(text, add_special_tokens=False).ids
    assert [wv.tokens[row] for row in rows if row < 8] == [word for word in same.tokenize(text) if word in wv.tokens]
    assert len(rows) == len(same.tokenize(text))


def test_a_folder_is_replaced_but_no_other(wv, folder, tmp_path):
    save_vectors(wv.replaced(-wv.vectors), folder, format="static")
    np.testing.assert_array_equal(load_vectors(folder).vectors, -wv.vectors)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("dear")
    with pytest.raises(InputError, match="mine exists and is not a model of sentence-transformers; give another"):
        save_vectors(wv, tmp_path / "mine", format="static")
    with pytest.raises(InputError, match=r"the directory .* does not exist"):
        save_vectors(wv, tmp_path / "none/m", format="static")


@pytest.mark.parametrize("exists", [True, False])
def test_an_interruption_leaves_the_model_as_it_was(wv, tmp_path, monkeypatch, exists):
    other = WordVectors([token + "x" for token in wv.tokens], -wv.vectors)
    for steps in itertools.count():
        folder, left = tmp_path / str(steps), itertools.count(steps, -1)
        if exists:
            save_vectors(wv, folder, format="static")

        def interrupted(write, left=left):
            def call(*arguments):
                if next(left) <= 0:
                    raise KeyboardInterrupt
                write(*arguments)

            return call

        with monkeypatch.context() as patched:
            for name in ("write_tensors", "_write_json"):
                patched.setattr(static_embedding, name, interrupted(getattr(static_embedding, name)))
            try:
                save_vectors(other, folder, format="static")
            except KeyboardInterrupt:
                assert not exists or load_vectors(folder).tokens == wv.tokens
            else:
                break
        save_vectors(other, folder, format="static")
        found = load_vectors(folder)
        assert found.tokens == other.tokens
        assert found.vectors.tobytes() == other.vectors.tobytes()
        assert len(list(folder.iterdir())) == 3
    assert steps == 4


def test_files_of_others_stay_in_a_folder_that_is_replaced(wv, folder):
    for name in ("README.md", "0_StaticEmbedding/notes.txt"):
        (folder / name).write_text("mine")
    save_vectors(wv.replaced(-wv.vectors), folder, format="static")
    assert [(folder / name).read_text() for name in ("README.md", "0_StaticEmbedding/notes.txt")] == ["mine"] * 2


def test_other_vocabularies_of_the_library_are_read(folder):
    path = folder / "0_StaticEmbedding/tokenizer.json"
    pieces = [[f"p{row}", -1.0] for row in range(9)]
    change(path, model={"type": "Unigram", "vocab": pieces}, normalizer={"type": "BertNormalizer", "lowercase": True})
    found = load_vectors(folder)
    assert (found.tokens, found.lowercase) == ([f"p{row}" for row in range(9)], True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("modules.json", "{", "modules.json: not JSON"),
        ("modules.json", "[]", "modules.json: no module"),
        ("modules.json", '[{"type": "x.models.Transformer", "path": ""}]', "a model of Transformer"),
        ("0_StaticEmbedding/tokenizer.json", '{"model": {"vocab": {"a": 0}}}', "expected a token for each of 9 rows"),
        ("0_StaticEmbedding/model.safetensors", "", "not a safetensors file"),
    ],
)
def test_damaged_folders(folder, name, content, message):
    (folder / name).write_text(content)
    with pytest.raises(FormatError, match=message):
        load_vectors(folder)


def test_convert_to_and_from_a_folder(wv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wv.save("v.safetensors")
    for arguments in (["v.safetensors", "m", "--format", "static"], ["m", "again.txt"]):
        done = CliRunner().invoke(main.wordvec, ["convert", *arguments])
        assert done.exit_code == 0, done.output
    assert load_vectors("again.txt").tokens == wv.tokens
    done = CliRunner().invoke(main.wordvec, ["info", "m"])
    assert done.exit_code == 0, done.output
    assert "static" in done.stdout
