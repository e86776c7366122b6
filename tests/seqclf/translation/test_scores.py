"""Edit distance against dynamic programming, error rates by hand, BLEU and chrF by sacrebleu."""

import random
import sys

import pytest

from seqclf.translation.scores import edit_distance, score_sequences, score_translations
from wordvec import InputError


def slow_distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


@pytest.mark.parametrize("letters", ["ab", "abcdefgh"])
def test_edit_distance_is_that_of_dynamic_programming(letters):
    draw = random.Random(3)
    for _ in range(500):
        a, b = ("".join(draw.choices(letters, k=draw.choice([0, 1, 2, 5, 9, 70]))) for _ in range(2))
        assert edit_distance(a, b) == edit_distance(b, a) == slow_distance(a, b), (a, b)


def test_scores_count_units():
    score = score_sequences([["aː", "t"], ["b"], [], ["x", "y", "z", "z"]], [["aː", "t"], ["b", "c"], [], ["x", "z"]])
    assert score.as_dict() == {
        "exact_match": 0.5,
        "edit_distance": 0.75,
        "normalized_edit_distance": (1 / 2 + 2 / 4) / 4,
        "error_rate": 3 / 7,
        "count": 4,
    }
    with pytest.raises(InputError, match="1 predictions for 2 references"):
        score_sequences(["a", "b"], ["a"])
    with pytest.raises(InputError, match="nothing to score"):
        score_sequences([], [])


def test_bleu_and_chrf_are_those_of_sacrebleu():
    truth, found = ["the cat sat on the mat .", "a dog"], ["the cat sat on a mat .", "a dog ."]
    score = score_translations(truth, found, tokenizer="none")
    shares = 8 / 10 * 5 / 8 * 2 / 6 * 1 / 4  # of the n-grams, n = 1 to 4; the predictions are not shorter
    assert score.bleu == pytest.approx(100 * shares**0.25)
    assert 60 < score.chrf < 75
    assert score.bleu_signature.startswith("nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:")
    assert score.chrf_signature.startswith("nrefs:1|case:mixed|eff:yes|nc:6|nw:0")
    with pytest.raises(InputError, match="2 predictions for 1 references"):
        score_translations(truth[:1], found)
    with pytest.raises(InputError, match="tokenizer must be one of none, 13a"):
        score_translations(truth, found, tokenizer="moses")


def test_without_sacrebleu_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    with pytest.raises(InputError, match=r"not installed: pip install 'wordvec-seqclf\[translation\]'"):
        score_translations(["a"], ["a"])
