"""The generated sample corpus: the same everywhere, readable, and with the structure its questions ask about."""

import collections
import hashlib
import itertools

import numpy as np
import pytest

from corpora import english_sentences, lexicon, sample_path


@pytest.fixture(scope="module")
def sentences():
    return [sentence.split(" ") for sentence in english_sentences()]


@pytest.fixture(scope="module")
def questions():
    sections, section = {}, []
    for line in sample_path("english-questions").read_text().splitlines():
        if line.startswith(": "):
            section = sections.setdefault(line[2:], [])
        else:
            section.append(tuple(line.split(" ")))
    return sections


def digest(**settings):
    return hashlib.sha256("\n".join(english_sentences(**settings)).encode()).hexdigest()[:16]


def test_the_same_seed_gives_the_same_sentences_everywhere():
    # The digests were taken on Linux with Python 3.11; another platform or version must reproduce them.
    assert digest(tokens=30_000) == "7f0165434986f1a1"
    assert digest(tokens=30_000, seed=7) == "344a2040443a895d"


def test_length_is_reached_with_a_whole_sentence():
    for tokens in (1, 9, 100, 12_345):
        lengths = [len(sentence.split()) for sentence in english_sentences(tokens)]
        assert sum(lengths[:-1]) < tokens <= sum(lengths)
    assert list(english_sentences(0)) == []
    assert list(english_sentences(500)) == list(english_sentences(1_000))[: len(list(english_sentences(500)))]


def test_sentences_are_plain_lower_case_words(sentences):
    types = collections.Counter(itertools.chain.from_iterable(sentences))
    assert 1_500 <= len(types) <= 3_000
    assert min(types.values()) >= 5  # nothing falls to the default min count
    for token in types:
        assert token.replace("-", "").isalpha(), token
        assert token == token.lower()
    assert 4 <= np.mean([len(sentence) for sentence in sentences]) <= 15


def test_articles_fit_the_sound_that_follows(sentences):
    pairs = {pair for sentence in sentences for pair in itertools.pairwise(sentence)}
    after_a = {second for first, second in pairs if first == "a"}
    after_an = {second for first, second in pairs if first == "an"}
    assert not {word for word in after_a if word[0] in "aeiou"}
    assert not {word for word in after_an if word[0] not in "aeiouh"}
    assert {"apple", "uncle", "honest", "old"} <= after_an
    assert {"horse", "happy", "hard"} & after_a


def test_no_sentence_holds_a_whole_question(sentences, questions):
    asked = {frozenset(question) for section in questions.values() for question in section}
    words = set().union(*asked)
    for sentence in sentences:
        held = words.intersection(sentence)
        for four in itertools.combinations(sorted(held), 4):
            assert frozenset(four) not in asked, " ".join(sentence)


def test_questions_ask_for_pairs_of_the_lexicon(sentences, questions):
    assert list(questions)[:3] == ["capital", "royal", "family"]
    tables = (lexicon.NOBLES, lexicon.RELATIVES, lexicon.PEOPLE, lexicon.THINGS, lexicon.QUALITIES, lexicon.DEEDS)
    forms = {pair for table in tables for row in lexicon.rows(table) for pair in itertools.permutations(row[0], 2)}
    for country, capital, _, adjective, *_ in lexicon.rows(lexicon.COUNTRIES):
        forms |= {capital + country, country + adjective}
    used = set(itertools.chain.from_iterable(sentences))
    for name, section in questions.items():
        assert len(set(section)) == len(section) >= 40, name
        for question in section:
            assert len(set(question)) == 4, question
            assert used.issuperset(question)
            assert question[:2] in forms, question
            assert question[2:] in forms, question


def test_counting_alone_answers_the_questions(sentences, questions):
    """Positive pointwise mutual information of neighbours, with no training at all, finds most answers."""
    counts = collections.Counter(itertools.chain.from_iterable(sentences))
    tokens = [token for token, _ in counts.most_common()]
    token_ids = {token: token_id for token_id, token in enumerate(tokens)}
    size = len(tokens)
    ids = np.array([i for sentence in sentences for i in (*(token_ids[t] for t in sentence), *[-1] * 4)])
    pairs = np.zeros(size * size)
    for distance in range(1, 5):
        left, right = ids[:-distance], ids[distance:]
        both = (left >= 0) & (right >= 0)
        pairs += np.bincount(left[both] * size + right[both], minlength=size * size) / distance
    joint = pairs.reshape(size, size)
    joint += joint.T
    marginal = joint.sum(axis=1)
    with np.errstate(divide="ignore"):
        vectors = np.maximum(np.log(joint * joint.sum() / np.outer(marginal, marginal)), 0).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    def answer(a, b, c):
        scores = vectors @ (vectors[token_ids[b]] - vectors[token_ids[a]] + vectors[token_ids[c]])
        scores[[token_ids[a], token_ids[b], token_ids[c]]] = -9
        return tokens[scores.argmax()]

    assert answer("man", "king", "woman") == "queen"
    assert answer("france", "paris", "italy") == "rome"
    for name in ("capital", "royal", "family"):
        right = [answer(a, b, c) == d for a, b, c, d in questions[name]]
        assert np.mean(right) >= 0.8, name
