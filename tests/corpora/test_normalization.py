"""Unicode normalization: of texts, of blocks of bytes, and in everything that reads text."""

import random
import unicodedata

import numpy as np
import pytest

from corpora import InputError, TextCorpus, tokenize
from corpora.normalization import _MAY_CHANGE, normalized, normalized_block
from seqclf import (
    ClassifierSettings,
    LanguageModelSettings,
    RegressorSettings,
    TaggerSettings,
    train_classifier,
    train_language_model,
    train_regressor,
    train_tagger,
)
from wordvec import (
    CountVectorizer,
    Word2Vec,
    WordVectors,
    count_documents,
    encode_corpus,
    load_vectors,
    save_vectors,
)

COMPOSED, DECOMPOSED = "caf\u00e9 noir", "cafe\u0301 noir"


def test_pattern_covers_all_characters_that_nfc_may_change():
    changing = {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}  # vowels and finals join with the Hangul before
    for code in (*range(0x80, 0xD800), *range(0xE000, 0x30000)):
        letter, parts = chr(code), unicodedata.decomposition(chr(code)).split()
        if unicodedata.combining(letter) or unicodedata.normalize("NFC", letter) != letter:
            changing.add(code)
        if len(parts) == 2 and parts[0][0] != "<":
            changing.add(int(parts[1], 16))
    assert min(changing) >= 0x300
    assert [hex(code) for code in sorted(changing) if not _MAY_CHANGE.match(chr(code))] == []


@pytest.mark.parametrize("form", ["none", "NFC", "NFKC"])
@pytest.mark.parametrize("plain", [1, 40])
def test_blocks_equal_normalized_text(form, plain):
    letters = ["e\u0301", "\u00e9", "\u2014", "\u0915\u093c", "\ufb01", "\u212b", "\u1112\u1161\u11ab", "\U0001f600"]
    letters += ["\u05e9\u05c1\u05bc", "\u2001", "a\u0323\u0307", "\u4e2d", " ", "\n", " \u0301", "\u00c3"]
    draw = random.Random(plain)
    for _ in range(300):
        text = "".join(draw.choice([*letters, *["x ", "yz"] * plain]) for _ in range(60)) + "\n"
        assert normalized_block(text.encode(), form) == normalized(text, form).encode()


def test_text_corpus_counts_one_word(tmp_path):
    path = tmp_path / "mixed.txt"
    path.write_text(f"{COMPOSED}\n{DECOMPOSED}\n" * 20, encoding="utf-8")
    for tokenizer in ("whitespace", "words", "tweets"):
        found = encode_corpus(TextCorpus(path, tokenizer=tokenizer), cache=False)
        assert found.vocabulary.tokens == ["caf\u00e9", "noir"]
        assert found.vocabulary.counts.tolist() == [40, 40]
        assert found.normalize == "NFC"
        separate = encode_corpus(TextCorpus(path, tokenizer=tokenizer, normalize="none"), cache=False)
        assert separate.vocabulary.counts.tolist() == [40, 20, 20]


def test_cache_distinguishes_forms(tmp_path, monkeypatch):
    monkeypatch.setenv("WORDVEC_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "mixed.txt"
    path.write_text(f"{COMPOSED}\n{DECOMPOSED}\n" * 20, encoding="utf-8")
    assert [len(encode_corpus(TextCorpus(path, normalize=form)).vocabulary) for form in ("NFC", "none", "NFC")] == [
        2, 3, 2,
    ]  # fmt: skip


def test_texts_keep_words_and_documents_are_normalized():
    texts = [COMPOSED, DECOMPOSED]
    kept = encode_corpus(texts, min_count=9, keep_words=["cafe\u0301"])
    assert kept.vocabulary.tokens == ["caf\u00e9"]
    assert count_documents(texts)[1].tokens == ["caf\u00e9", "noir"]
    assert len(count_documents(texts, normalize="none")[1]) == 3
    wide = CountVectorizer(normalize="NFKC").fit(["\ufb01ne"])
    assert wide.vocabulary_.tokens == ["fine"]
    assert wide.transform(["\uff46\uff49\uff4e\uff45"]).toarray().tolist() == [[1]]
    assert tokenize("cafe\u0301") == ["caf\u00e9"]


def test_vectors_record_their_form(tmp_path):
    vectors = Word2Vec(normalize="NFKC", min_count=1, vector_size=4, epochs=1).fit(["\ufb01ne \ufb02ow"] * 9).vectors_
    path = tmp_path / "v.safetensors"
    save_vectors(vectors, path)
    loaded = load_vectors(path)
    assert loaded.normalize == "NFKC"
    assert loaded.tokens == vectors.tokens
    assert set(loaded.tokens) == {"fine", "flow"}
    assert np.array_equal(loaded["\ufb01ne"], vectors["fine"])
    assert loaded.encode_text("\ufb01ne").size == 1


def test_vector_files_without_a_form_have_none(tmp_path):
    path = tmp_path / "old.safetensors"
    save_vectors(WordVectors(["cafe\u0301"], [[1.0]]), path)
    assert b"normalize" not in path.read_bytes()
    assert load_vectors(path).normalize == "none"


SMALL = {"hidden_size": 4, "epochs": 2, "validation_fraction": 0.0, "seed": 1}
POOLED = {"vector_size": 4, "batch_size": 2, **SMALL}


def _trained(task, normalize):
    if task == "classifier":
        settings = ClassifierSettings(normalize=normalize, **POOLED)
        return train_classifier([COMPOSED, "th\u00e9 vert"] * 3, [0, 1] * 3, settings=settings, threads=1)
    if task == "regressor":
        settings = RegressorSettings(normalize=normalize, **POOLED)
        return train_regressor([COMPOSED, "th\u00e9 vert"] * 3, [0.0, 1.0] * 3, settings=settings, threads=1)
    if task == "tagger":
        settings = TaggerSettings(normalize=normalize, **POOLED)
        return train_tagger([["caf\u00e9", "noir"]] * 3, [["N", "A"]] * 3, settings=settings, threads=1)
    settings = LanguageModelSettings(normalize=normalize, window=8, batch_size=1, **SMALL)
    return train_language_model([COMPOSED] * 4, settings=settings, threads=1)


def _answer(task, model, text):
    if task == "language":
        return model.encode([text])
    if task == "tagger":
        return model.predict_proba([text.split()])[0]
    return model.predict([text]) if task == "regressor" else model.predict_proba([text])


@pytest.mark.parametrize("task", ["classifier", "regressor", "tagger", "language"])
def test_models_read_both_forms_alike_and_old_models_as_before(task, tmp_path):
    from seqclf import load_model

    for normalize, alike in (("NFC", True), ("none", False)):
        path = tmp_path / "model.safetensors"
        model = _trained(task, normalize)
        model.save(path)
        loaded = load_model(path)
        same = np.array_equal(_answer(task, loaded, COMPOSED), _answer(task, loaded, DECOMPOSED))
        # A tagger looks up words in both forms, but not their suffixes.
        assert same == alike
    record = model.settings if isinstance(model.settings, dict) else model.settings.record()
    assert record["normalize"] == "none"
    assert RegressorSettings.from_record({}).normalize == "none"


def test_unknown_form_is_rejected():
    for attempt in (
        lambda: TextCorpus("sample:english", normalize="NFX"),
        lambda: encode_corpus(["a b"], normalize="NFX"),
        lambda: tokenize("a", normalize="NFX"),
        lambda: ClassifierSettings(normalize="NFX"),
    ):
        with pytest.raises(InputError, match="normalize must be one of none, NFC, NFKC, got 'NFX'"):
            attempt()
