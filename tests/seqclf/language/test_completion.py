"""Completion of words, scores of lines, and generation without repetition."""

import time

import numpy as np
import pytest

from seqclf import LanguageModelSettings, train_language_model
from seqclf.language.completion import Completer
from seqclf.language.model import TrainedLanguageModel
from seqclf.language.network import LanguageNetwork, LanguageShape, initial_parameters
from seqclf.language.scoring import score_lines
from wordvec import InputError, Vocabulary

LINES = ["the king rules the land", "the queen rules the sea", "rain falls on the Land"]
SMALL = {"hidden_size": 24, "batch_size": 3, "learning_rate": 0.02, "dropout": 0.0}


@pytest.fixture(scope="module")
def words():
    return train_language_model(LINES * 20, settings=LanguageModelSettings(epochs=8, window=8, **SMALL), threads=1)


@pytest.fixture(scope="module")
def characters():
    settings = LanguageModelSettings(unit="character", epochs=12, window=24, **SMALL)
    return train_language_model(LINES * 20, settings=settings, threads=1)


def test_words_that_fit_are_ranked_by_the_model(words):
    completer = Completer(words)
    found = completer.complete("the king r", top=5)
    assert [word for word, _ in found] == ["rules", "rain"]
    assert sum(probability for _, probability in found) == pytest.approx(1)
    assert completer.complete("the king rules the LAN")[0][0] == "land"  # no word begins with LAN
    assert [word for word, _ in completer.complete("rain falls on the L")] == ["Land"]
    assert completer.complete("the xy") == []
    everything = completer.complete("the queen rules ", top=99)
    assert everything[0][0] == "the"
    assert len(everything) == 10  # no <unk>, no <eos>
    assert completer.complete("", top=1)[0][0] in ("the", "rain")


def test_the_last_word_is_normalized_as_the_text_of_the_training():
    settings = LanguageModelSettings(epochs=1, window=8, normalize="NFC", **SMALL)
    model = train_language_model(["un café é"] * 20, settings=settings, threads=1)
    for typed in ("un caf\u00e9", "un cafe\u0301"):
        assert [word for word, _ in Completer(model).complete(typed)] == ["caf\u00e9"]


def test_a_completer_continues_where_it_has_read(words):
    completer = Completer(words)
    for text in ("the k", "the king r", "the king rules t", "rain f", "the king rules the s"):
        for (word, chance), (other, expected) in zip(
            completer.complete(text), Completer(words).complete(text), strict=True
        ):
            assert word == other
            assert chance == pytest.approx(expected, rel=1e-4)


def test_characters_are_completed_to_the_end_of_the_word(characters):
    completer = Completer(characters)
    found = completer.complete("the king ru", top=3)
    assert found[0][0] == "rules"
    assert found[0][1] > 0.9
    assert {word for word, _ in completer.complete("the ", top=4)} >= {"king", "queen"}
    assert all(chance > 0 for _, chance in completer.complete("the zz", top=2))


def test_top_is_checked(words):
    with pytest.raises(InputError, match="top must be at least 1, got 0"):
        Completer(words).complete("the", top=0)


def test_lines_are_scored_one_by_one(words, monkeypatch):
    lines = ["the king rules the land", "", "xyzzy " * 3, "rain"]
    found = list(score_lines(words, iter(lines), threads=1))
    assert [each.line for each in found] == lines
    assert [(each.tokens, each.unknown) for each in found] == [(6, 0), (1, 0), (4, 3), (2, 0)]
    for each in found:
        assert each.perplexity == pytest.approx(words.perplexity([each.line]).perplexity, rel=1e-5)
    monkeypatch.setattr("seqclf.language.scoring.WINDOW", 3)  # most are long now
    monkeypatch.setattr("seqclf.language.scoring.LINES", 2)
    again = [each.log_probability for each in score_lines(words, lines, threads=1)]
    np.testing.assert_allclose(again, [each.log_probability for each in found], rtol=1e-5)


def test_generation_repeats_no_tokens_in_a_row(words):
    free = words.generate("the king", length=40, temperature=0).split()
    triples = list(zip(free, free[1:], free[2:], strict=False))
    assert len(set(triples)) < len(triples)
    text = words.generate("the king", length=40, temperature=0, no_repeat=3).split("\n")
    for line in text:
        seen = line.split()
        triples = list(zip(seen, seen[1:], seen[2:], strict=False))
        assert len(set(triples)) == len(triples)
    once = words.generate("", length=60, no_repeat=1).split()
    assert len(set(once)) == len(once)
    with pytest.raises(InputError, match="no_repeat must be at least 1, got 0"):
        words.generate("the", no_repeat=0)


def test_a_text_ends_where_no_token_but_the_unknown_one_is_possible(words, monkeypatch):
    monkeypatch.setattr(words, "after", lambda ids, states: (np.zeros(len(words.vocabulary), np.float32), states))
    assert words.generate("the") == "the"


def test_a_completion_among_10000_words_takes_a_few_milliseconds():
    shape = LanguageShape(10_000, 128, 128)
    counts = np.arange(10_000, 0, -1)
    tokens = ["<unk>", "<eos>", *(f"w{number:04}" for number in range(9_998))]
    network = LanguageNetwork(shape, initial_parameters(shape, counts, np.random.default_rng(1)))
    settings = vars(LanguageModelSettings())
    completer = Completer(TrainedLanguageModel(network, Vocabulary(tokens, counts), settings=settings))
    times = []
    for number in range(30):
        begun = time.process_time()
        completer.complete(f"w0001 w0002 w{number:04} w12")
        times.append(time.process_time() - begun)
    assert np.median(times) < 0.05
