"""Extractive summaries: the budget, the order, the objective, and their quality on Wikipedia."""

import itertools
import lzma
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wordvec
from corpora import tokenize
from tests.oracles import naive_summaries as oracle
from wordvec import InputError, summarize
from wordvec.applications import summaries
from wordvec.applications.sentences import split_sentences
from wordvec.applications.summaries import METHODS, summary_sentences

FLOOD = (
    "The river that runs through the old town rose by more than two metres after a week of heavy rain in the hills, "
    "and the water reached the market, the school and the bridge before any warning was given. "
    "Firemen carried people out of flooded houses near the market in small boats until the rain stopped late in "
    "the evening. "
    "The mayor of the town said that the school would stay closed for a week and that the bridge was not safe."
)


def words(sentence):
    return tokenize(sentence, "words", lowercase=True)


def test_sixty_percent_of_three_sentences_is_the_first():
    assert [len(words(each)) for each in split_sentences(FLOOD)] == [39, 21, 22]
    assert summarize(FLOOD, 0.6) == split_sentences(FLOOD)[0]
    assert summarize(FLOOD, 0.6, method="textrank") == split_sentences(FLOOD)[0]


WORDS = [2 * letter for letter in "abcdefghij"]
SENTENCE = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(
    lambda found: " ".join(found).capitalize() + "."
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(SENTENCE, min_size=1, max_size=12),
    st.floats(0.01, 1),
    st.sampled_from(METHODS),
)
def test_whole_sentences_in_order_within_the_budget(sentences, ratio, method):
    text = " ".join(sentences)
    found, total = summary_sentences(text, ratio, method=method)
    assert total == sum(len(words(each)) for each in sentences)
    assert [each.text for each in found] == [sentences[each.number - 1] for each in found]
    assert all(a.number < b.number for a, b in itertools.pairwise(found))
    used = sum(each.words for each in found)
    assert used <= ratio * total + 1e-6 or len(found) == 1
    others = [len(words(each)) for row, each in enumerate(sentences, 1) if row not in {each.number for each in found}]
    assert not others or used + min(others) > ratio * total - 1e-6, "a sentence would have fit"
    assert summary_sentences(text, ratio, method=method) == (found, total)


def test_everything_is_kept_at_ratio_1():
    assert summarize("One two. Three. ...", 1) == "One two.\nThree."


@pytest.mark.parametrize("seed", range(5))
def test_lazy_greedy_steps_equal_the_plain_ones(seed):
    draw = np.random.default_rng(seed)
    sentences = [list(map(str, draw.zipf(1.5, draw.integers(1, 9)))) for _ in range(14)]
    lengths = np.array(list(map(len, sentences)))
    counts = summaries._counts(sentences)
    for room, ratio in ((15, 0.2), (40, 0.6)):
        assert summaries._by_coverage(counts, lengths, room, ratio) == oracle.coverage_order(sentences, room, ratio)


@pytest.mark.parametrize("seed", range(3))
def test_textrank_takes_the_sentences_of_highest_rank(seed):
    draw = np.random.default_rng(seed)
    sentences = [list(map(str, draw.zipf(1.5, draw.integers(1, 12)))) for _ in range(12)]
    ranks = oracle.textrank(sentences)
    order = summaries._by_textrank(summaries._counts(sentences), np.array(list(map(len, sentences))), 10**6, 1.0)
    assert np.diff([ranks[row] for row in order]).max() < 1e-6


def test_long_texts_are_summarized_in_sections(monkeypatch):
    monkeypatch.setattr(summaries, "_SECTION", 4)
    text = " ".join(
        f"The {a} saw the {b}." for a, b in itertools.product(("cat", "dog", "cow"), ("sun", "moon", "sky"))
    )
    found, total = summary_sentences(text, 0.4)
    assert sum(each.words for each in found) <= 0.4 * total
    assert {(each.number - 1) // 3 for each in found} == {0, 1, 2}
    assert len(summary_sentences(text, 0.01)[0]) == 1


@pytest.mark.parametrize(
    ("text", "ratio", "method", "message"),
    [
        ("", 0.5, "coverage", "the text has no words to summarize"),
        ("... !!", 0.5, "textrank", "the text has no words to summarize"),
        ("A text.", 0, "coverage", "ratio must be above 0 and at most 1, got 0"),
        ("A text.", 1.2, "coverage", "ratio must be above 0 and at most 1, got 1.2"),
        ("A text.", 0.5, "best", "method must be one of coverage, textrank, got 'best'"),
        (["A text."], 0.5, "coverage", "text must be str, got list"),
    ],
)
def test_invalid_arguments(text, ratio, method, message):
    with pytest.raises(InputError, match=message):
        summarize(text, ratio, method=method)


def test_the_name_that_made_room_still_works():
    with pytest.warns(FutureWarning, match=r"use wordvec\.document_vectors\.matrices\.inverse_document_frequency"):
        assert wordvec.inverse_document_frequency(np.array([2]), 2, "textbook") == [0]


def rouge(reference, found, n):
    one, other = (Counter(zip(*[each[k:] for k in range(n)], strict=False)) for each in (reference, found))
    return 2 * (one & other).total() / max(1, one.total() + other.total())


def test_summaries_resemble_leads_of_wikipedia_more_than_the_baselines(public_data):
    """ROUGE-2 F1 between an article's first paragraph and as many words chosen from the rest of it."""
    articles, current = [], []
    with lzma.open(public_data / "text/wiki_raw_1.txt.xz", "rt", encoding="utf-8") as file:
        for line in file:
            if line.startswith("= "):
                if len(words(current[0] if current else "")) >= 40 and 15 <= len(" ".join(current).split(". ")) <= 120:
                    articles.append(current)
                current = []
                if len(articles) == 100:
                    break
            elif line.strip():
                current.append(line.strip())
    scores = {"coverage": [], "textrank": [], "first": []}
    for lead, *rest in articles:
        body, reference = "\n\n".join(rest), words(lead)
        total = len(words(body))
        ratio = min(1.0, len(reference) / total)
        for method in METHODS:
            scores[method].append(rouge(reference, words(summarize(body, ratio, method=method)), 2))
        scores["first"].append(rouge(reference, words(body)[: len(reference)], 2))
    means = {name: float(np.mean(each)) for name, each in scores.items()}
    assert means["coverage"] > means["textrank"] + 0.003, means
    assert means["textrank"] > means["first"], means
