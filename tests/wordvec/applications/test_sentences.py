"""Sentence segmentation."""

import pytest

from wordvec.applications.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\n ", []),
        ("no end", ["no end"]),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It cost 3.50 at 9 p.m. on Monday. Cheap.", ["It cost 3.50 at 9 p.m. on Monday.", "Cheap."]),
        ("Mr. Smith met Dr. J. R. Brown. They spoke.", ["Mr. Smith met Dr. J. R. Brown.", "They spoke."]),
        ("He ate vitamin C. It helped.", ["He ate vitamin C.", "It helped."]),
        ("Am I? So am I. Good.", ["Am I?", "So am I.", "Good."]),
        ("The U.S. Army left the U.S. The war ended.", ["The U.S. Army left the U.S.", "The war ended."]),
        ('"Stop!" he said. "Why?" She left.', ['"Stop!" he said.', '"Why?"', "She left."]),
        ("Wait... what? Well... Yes.", ["Wait... what?", "Well...", "Yes."]),
        ("See No. 5 and fig. 3. No. Never.", ["See No. 5 and fig. 3.", "No.", "Never."]),
        ("我喜欢猫。他呢?「好。」她走了。", ["我喜欢猫。", "他呢?「好。」", "她走了。"]),
        ("Это дом. Там кот.", ["Это дом.", "Там кот."]),
        ("A heading\n\nThe text. More", ["A heading", "The text.", "More"]),
        ("first line\nsecond line\nthird", ["first line", "second line", "third"]),
        ("white\t \u00a0space here", ["white space here"]),
        ("...", ["..."]),
    ],
)
def test_sentences(text, expected):
    assert split_sentences(text) == expected


def test_wrapped_lines_are_joined():
    text = (
        "The quick brown fox jumps over the\nlazy dog and runs away from it. It\nwas never seen again by anybody\nhere."
    )
    assert split_sentences(text) == [
        "The quick brown fox jumps over the lazy dog and runs away from it.",
        "It was never seen again by anybody here.",
    ]
