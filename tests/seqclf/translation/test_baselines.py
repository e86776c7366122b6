"""IBM model 1 against a slow version with dictionaries; the three baselines."""

import random
from collections import defaultdict

from corpora import read_parallel
from seqclf import load_model
from seqclf.data.splits import random_split
from seqclf.translation.baselines import align_units, train_baselines
from seqclf.translation.scores import score_sequences
from seqclf.translation.settings import TransducerSettings
from seqclf.translation.train import train_transducer


def slow_alignment(sources, targets, iterations):
    """Figure 1 of Brown et al. 1993, as Collins' notes write it down."""
    chances = defaultdict(lambda: 1.0)
    for _ in range(iterations):
        counts, sums = defaultdict(float), defaultdict(float)
        for source, target in zip(sources, targets, strict=True):
            for unit in target:
                from_all = sum(chances[unit, other] for other in ["", *source])
                for other in ["", *source]:
                    share = chances[unit, other] / from_all
                    counts[unit, other] += share
                    sums[other] += share
        chances = defaultdict(float, {pair: count / sums[pair[1]] for pair, count in counts.items()})
    best = {}
    for (unit, other), chance in chances.items():
        if other and chance > best.get(other, ("", 0))[1] + 1e-9:
            best[other] = unit, chance
    return {other: unit for other, (unit, _) in best.items()}


def test_alignment_is_that_of_a_slow_version():
    draw = random.Random(5)
    sources = [draw.choices("abcde", k=draw.randint(1, 6)) for _ in range(60)]
    targets = [[unit.upper() * 2 for unit in source if unit != "c"] + draw.choices("xyz", k=2) for source in sources]
    for iterations in (1, 4):
        assert align_units(sources, targets, iterations=iterations) == slow_alignment(sources, targets, iterations)


def test_memory_is_bounded_by_leaving_sentences_out():
    assert align_units(["ab"] * 3, ["xy"] * 3, most=5) == {}
    assert align_units(["a", "bb"], ["x", "yy"], most=7) == {"a": "x"}
    assert align_units([], []) == {}
    assert align_units([[]], [["a"]]) == {}


def test_baselines_of_words():
    sources = ["das Haus", "das Buch", "ein Buch", "ein Haus"]
    targets = ["the house", "the book", "a book", "the house"]
    found = train_baselines([text.split() for text in sources], [text.split() for text in targets])
    assert found.predict([["ein", "Buch", "ist"], []]) == {
        "copy of the source": [["ein", "Buch", "ist"], []],
        "most frequent target": [["the", "house"]] * 2,
        "unit-by-unit dictionary": [["a", "book", "ist"], []],
    }


def test_a_saved_model_has_the_same_baselines(tmp_path):
    sources = ["yes", "no"] * 3 + ["loud", "loud", "loud", "seldom"]
    targets = ["ja", "nee"] * 3 + ["Ja", "Ja", "nee", "nee"]  # the dictionary has loud: Ja, and seldom: nee
    settings = TransducerSettings(
        hidden_size=4, vector_size=4, epochs=1, validation_fraction=0, source_units="spaces", target_units="spaces",
        min_count=3, target_min_count=3, seed=2,
    )  # fmt: skip
    model = train_transducer(sources, targets, settings=settings, threads=1)
    found = model.predict_baselines(["yes no", "loud", "seldom"])
    assert found["unit-by-unit dictionary"] == [["ja", "nee"], ["loud"], ["seldom"]]
    model.save(tmp_path / "m.safetensors")
    assert load_model(tmp_path / "m.safetensors").predict_baselines(["yes no", "loud", "seldom"]) == found


def test_baselines_learn_from_the_pairs_that_the_network_is_trained_on():
    letters = "abcdefghijklmnopqrst"
    settings = TransducerSettings(hidden_size=4, vector_size=4, epochs=1, validation_fraction=0.5)
    model = train_transducer(list(letters), list(letters.upper()), settings=settings, threads=1, features=["F"] * 20)
    first = random_split(20, 0.5, settings.seed)[0][0]
    assert model.baselines.frequent == [letters[first].upper()] != ["A"]
    assert {found.upper() for found in model.baselines.dictionary} == set(model.baselines.dictionary.values())


def test_the_dictionary_of_captions_beats_the_other_baselines(public_data):
    train, test = (
        read_parallel(public_data / "seq2seq" / f"multi30k_de_en.{part}.tsv") for part in ("dev", "test2016")
    )
    found = train_baselines(*([text.split() for text in texts] for texts in train[:2]))
    truth = [text.split() for text in test.targets]
    rates = {
        name: score_sequences(truth, rows).error_rate
        for name, rows in found.predict([text.split() for text in test.sources]).items()
    }
    assert rates["unit-by-unit dictionary"] < 0.6 < min(rates["copy of the source"], rates["most frequent target"])
