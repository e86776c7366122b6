"""Beam search against every sequence there is and a slow twin; ties, limits, n-grams, coverage, sampling."""

import itertools
from collections import Counter

import numpy as np
import pytest

from seqclf.translation.decoding import beam_search, greedy, replace_unknown, sample
from seqclf.translation.hypotheses import Hypothesis
from seqclf.translation.predictions import predictions
from tests.oracles.naive_decoding import beam_of_one, every_sequence, scored
from wordvec import InputError, Vocabulary

BOS, EOS, SIZE = 0, 1, 5


class Toy:
    """Random probabilities that depend on the source and on the whole prefix, with attention to ``lengths`` units.

    A state is the prefix of each row, so that a mistaken parent gives other numbers.
    """

    def __init__(self, seeds, lengths=None, levels=None, size=SIZE):
        self.seeds, self.lengths, self.levels, self.size = list(seeds), lengths, levels, size
        self.batches = []

    def start(self):
        return [[] for _ in self.seeds]

    def step(self, state, parents, tokens, sources):
        self.batches.append(len(parents))
        assert (np.diff(sources) >= 0).all()
        prefixes = [[*state[parent], int(token)] for parent, token in zip(parents, tokens, strict=True)]
        logs = np.array([self.logs(int(s), prefix) for s, prefix in zip(sources, prefixes, strict=True)], np.float32)
        weights = None
        if self.lengths is not None:
            weights = np.zeros((len(parents), max(self.lengths)), np.float32)
            for row, (source, prefix) in enumerate(zip(sources, prefixes, strict=True)):
                weights[row, : self.lengths[source]] = self.weights(int(source), prefix)
        return logs, weights, prefixes

    def logs(self, source, prefix):
        random = np.random.default_rng([self.seeds[source], *prefix])
        given = random.normal(size=self.size) if self.levels is None else random.integers(self.levels, size=self.size)
        return (given - np.log(np.exp(given).sum())).astype(np.float32).astype(float).tolist()

    def weights(self, source, prefix):
        given = np.random.default_rng([self.seeds[source], 9, *prefix]).random(self.lengths[source])
        return (given / given.sum()).astype(np.float32)


COMMON = {"bos": BOS, "eos": EOS}


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("coverage_penalty", [0.0, 0.3])
def test_a_wide_beam_finds_the_best_of_all_sequences(length_penalty, coverage_penalty):
    toy, limit = Toy([3, 8], lengths=[4, 2]), 3
    found = beam_search(
        toy, 2, beam=200, n_best=200, max_lengths=[limit, limit - 1], length_penalty=length_penalty,
        coverage_penalty=coverage_penalty, source_lengths=[4, 2], **COMMON,
    )  # fmt: skip
    for source, most in enumerate([limit, limit - 1]):
        expected = []
        for total, tokens in every_sequence(lambda prefix, s=source: toy.logs(s, prefix), [2, 3, 4], BOS, EOS, most):
            rows = [toy.weights(source, [BOS, *tokens][: place + 1]) for place in range(len(tokens) + 1)]
            expected.append((scored(total, len(tokens) + 1, length_penalty, coverage_penalty, rows), tokens, rows))
        expected.sort(key=lambda each: -each[0])
        assert [each.tokens for each in found[source]] == [tokens for _, tokens, _ in expected]
        np.testing.assert_allclose([each.score for each in found[source]], [each[0] for each in expected], rtol=1e-6)
        for each, (_, tokens, rows) in zip(found[source], expected, strict=True):
            assert each.attention.shape == (len(tokens), toy.lengths[source])
            np.testing.assert_array_equal(each.attention, np.array(rows[:-1]).reshape(each.attention.shape))


@pytest.mark.parametrize("levels", [None, 2])
@pytest.mark.parametrize("beam", [1, 2, 3, 7])
def test_a_narrow_beam_is_that_of_a_slow_twin_with_ties(beam, levels):
    toy = Toy(range(20), levels=levels)
    limits = [place % 6 for place in range(20)]
    found = beam_search(toy, 20, beam=beam, n_best=beam, max_lengths=limits, **COMMON)
    for source, limit in enumerate(limits):
        slow = beam_of_one(lambda prefix, s=source: toy.logs(s, prefix), SIZE, BOS, EOS, limit, beam)
        assert [each.tokens for each in found[source]] == [tokens for _, tokens in slow]
        np.testing.assert_allclose([each.score for each in found[source]], [total for total, _ in slow], rtol=1e-12)


@pytest.mark.parametrize("levels", [None, 2])
def test_of_many_units_the_same_are_found(monkeypatch, levels):
    monkeypatch.setattr("seqclf.translation.decoding._BLOCKS", 1)
    toys = [Toy(range(20), levels=levels, size=size) for size in (9, 11)]
    for toy in toys:
        found = beam_search(toy, 20, beam=3, n_best=3, max_lengths=[4] * 20, **COMMON)
        for source in range(20):
            slow = beam_of_one(lambda prefix, t=toy, s=source: t.logs(s, prefix), toy.size, BOS, EOS, 4, 3)
            assert [each.tokens for each in found[source]] == [tokens for _, tokens in slow]


def test_greedy_takes_the_most_probable_unit_at_each_step():
    toy = Toy(range(30))
    found = greedy(toy, 30, max_lengths=np.full(30, 6), **COMMON)
    for source, (each,) in enumerate(found):
        for place, token in enumerate([*each.tokens, EOS][:6]):
            logs = toy.logs(source, [BOS, *each.tokens[:place]])
            assert token == 1 + int(np.argmax(logs[1:]))


@pytest.mark.parametrize("method", ["greedy", "beam", "sample"])
def test_other_sources_change_no_bit(method):
    def decode(seeds, lengths):
        toy = Toy(seeds, lengths=lengths)
        given = {"max_lengths": [5] * len(seeds), "length_penalty": 0.7, **COMMON}
        if method == "greedy":
            return greedy(toy, len(seeds), **given)
        if method == "sample":
            return sample(toy, len(seeds), n_samples=3, temperature=1.3, seed=4, **given)
        extra = {"coverage_penalty": 0.2, "source_lengths": lengths}
        return beam_search(toy, len(seeds), beam=4, n_best=3, **given, **extra)

    seeds, lengths = [5, 6, 7, 8, 9], [3, 9, 1, 4, 2]
    together = decode(seeds, lengths)
    for place in range(5):
        alone = decode(seeds[place : place + 1], lengths[place : place + 1])[0]
        for a, b in zip(alone, together[place], strict=True):
            assert (a.tokens, a.score) == (b.tokens, b.score)
            np.testing.assert_array_equal(a.attention, b.attention[:, : lengths[place]])
    assert len({tuple(each.tokens) for each in itertools.chain(*together)}) > 3


def test_a_finished_hypothesis_leaves_the_batch_and_a_hopeless_source_ends_early():
    given = {"beam": 4, "max_lengths": [6] * 40, "length_penalty": 0.9, **COMMON}
    toy, fewer = Toy(range(40)), Toy(range(40))
    found = beam_search(toy, 40, n_best=4, **given)
    assert toy.batches[0] == 40
    assert toy.batches[-1] < max(toy.batches) <= 160
    best = beam_search(fewer, 40, n_best=1, **given)
    assert sum(fewer.batches) < sum(toy.batches)
    assert best == [each[:1] for each in found]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_n_gram_comes_twice(size):
    def new(prefix, token):
        grams = [tuple(prefix[at : at + size]) for at in range(1, len(prefix) - size + 1)]
        return tuple([*prefix, token][-size:]) not in grams or len(prefix) < size

    toy = Toy(range(30))
    found = beam_search(toy, 30, beam=3, n_best=3, max_lengths=[12] * 30, no_repeat=size, **COMMON)
    for source, each in enumerate(found):
        slow = beam_of_one(lambda prefix, s=source: toy.logs(s, prefix), SIZE, BOS, EOS, 12, 3, new)
        assert [one.tokens for one in each] == [tokens for _, tokens in slow]
    plain = beam_search(Toy(range(30)), 30, beam=3, n_best=3, max_lengths=[12] * 30, **COMMON)
    assert plain != found


class Endless:
    """The units 2 and 3, which never end by themselves: the probability of the end underflows."""

    def start(self):
        return None

    def step(self, state, parents, tokens, sources):
        return np.tile(np.array([-np.inf, -np.inf, -0.5, -1], np.float32), (len(tokens), 1)), None, None


@pytest.mark.parametrize("beam", [1, 3])
def test_a_hypothesis_without_any_possible_unit_ends(beam):
    given = {"max_lengths": [9] * 2, **COMMON}
    found = beam_search(Endless(), 2, beam=beam, no_repeat=1, **given)
    assert [[each.tokens for each in own] for own in found] == [[[2, 3]]] * 2
    assert all(np.isfinite(own[0].score) for own in found)
    assert [own[0].tokens for own in beam_search(Endless(), 2, beam=beam, banned=[2, 3], **given)] == [[], []]
    assert {tuple(each.tokens) for each in sample(Endless(), 2, n_samples=9, no_repeat=1, **given)[0]} == {
        (2, 3),
        (3, 2),
    }


def test_banned_units_never_come():
    for found in (
        beam_search(Toy(range(20)), 20, beam=5, n_best=5, max_lengths=[5] * 20, banned=[3], **COMMON),
        sample(Toy(range(20)), 20, n_samples=5, max_lengths=[5] * 20, banned=[3], **COMMON),
    ):
        units = {token for each in found for one in each for token in one.tokens}
        assert units == {2, 4}


def test_a_target_may_be_empty_and_no_sources_give_nothing():
    assert [each.tokens for each in greedy(Toy([1]), 1, max_lengths=[0], **COMMON)[0]] == [[]]
    assert greedy(Toy([]), 0, max_lengths=[], **COMMON) == []


def test_samples_have_the_tempered_probabilities():
    toy = Toy([2])
    found = sample(toy, 1, n_samples=20_000, temperature=0.5, max_lengths=[1], seed=3, **COMMON)[0]
    counts = Counter(each.tokens[0] if each.tokens else EOS for each in found)
    shares = np.exp(2 * np.array(toy.logs(0, [BOS])[1:]))
    expected = shares / shares.sum()
    np.testing.assert_allclose([counts[unit] / 20_000 for unit in range(1, SIZE)], expected, atol=0.015)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_another_seed_gives_other_samples_and_a_cold_one_is_greedy():
    def drawn(seed, temperature=1.0):
        found = sample(Toy(range(9)), 9, temperature=temperature, seed=seed, max_lengths=[5] * 9, **COMMON)
        return [each[0].tokens for each in found]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert drawn(1, 1e-3) == [each[0].tokens for each in greedy(Toy(range(9)), 9, max_lengths=[5] * 9, **COMMON)]


def test_unknown_units_are_replaced_by_the_first_most_attended():
    attention = np.array([[0.1, 0.9, 0.0], [0.5, 0.5, 0.0], [0.0, 0.2, 0.8]])
    found = replace_unknown(["?", "?", "a"], "?", ["x", "y"], attention)
    assert found == ["y", "x", "a"]
    assert replace_unknown(["?"], "?", [], np.zeros((1, 0))) == ["?"]


def test_features_replace_no_unknown_unit():
    found = [Hypothesis([1, 2], -1.0, np.array([[0.7, 0.1, 0.2], [0.8, 0.2, 0.0]]))]
    vocabulary, source = Vocabulary(["<eos>", "<unk>", "a"]), ["<PST>", "g", "o"]
    assert predictions(found, source, vocabulary, "characters", replaces=True, features=1).text == "oa"
    assert predictions(found, source, vocabulary, "characters", replaces=True).text == "<PST>a"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"beam": 0}, "beam must be at least 1, got 0"),
        ({"beam": 2, "n_best": 3}, "n_best must be at most 2, got 3"),
        ({"beam": 2, "length_penalty": -1}, "length_penalty must be at least 0, got -1"),
        ({"beam": 2, "coverage_penalty": float("nan")}, "coverage_penalty must be a finite number"),
        ({"beam": 2, "no_repeat": 1.5}, "no_repeat must be a whole number, got 1.5"),
    ],
)
def test_bad_arguments(given, message):
    with pytest.raises(InputError, match=message):
        beam_search(Toy([1]), 1, max_lengths=[3], **given, **COMMON)
    with pytest.raises(InputError, match="temperature must be above 0"):
        sample(Toy([1]), 1, max_lengths=[3], temperature=0, **COMMON)
