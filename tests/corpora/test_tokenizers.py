"""Named tokenizers: tokenization rules, and invariance to splitting at ASCII white space."""

import itertools
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpora import TOKENIZERS, InputError, TextCorpus, get_tokenizer, tokenize
from corpora.normalization import normalized
from tests.oracles.naive_words import words2

TEXTS = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(" \t\n\r\v\fabAZ09'_-.,:@#<>/é’🙂"))
)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, world!", ["Hello", "world"]),
        ("don't l'eau ’tis rock’n’roll 'quoted'", ["don't", "l'eau", "tis", "rock'n'roll", "quoted"]),
        ("3,000 km in 3.5 h, v2.0.1", ["3,000", "km", "in", "3.5", "h", "v2", "0.1"]),
        ("New_York _emphasis_ ___ a__b", ["New_York", "emphasis", "a__b"]),
        ("state-of-the-art", ["state", "of", "the", "art"]),
        ("हिन्दी में ภาษาไทย", ["हिन्दी", "में", "ภาษาไทย"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("Ünïcode café cafe\u0301", ["Ünïcode", "café", "cafe\u0301"]),
        ("東京 — tower…", ["東京", "tower"]),
        ("!?… ''", []),
    ],
)
def test_words(text, tokens):
    assert tokenize(text, "words", normalize="none") == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("@user: #fire at http://t.co/aB1, now", ["@user", ":", "#fire", "at", "<url>", "now"]),
        ("see www.example.org/x?y=1", ["see", "<url>"]),
        ("mail me@example.org", ["mail", "me@example.org"]),
        ("soooooo goooood!!!!!! 1000000", ["sooo", "goood", "!!!", "1000000"]),
        (":-) :( ;P <3 =D note:do", [":-)", ":(", ";P", "<3", "=D", "note", ":", "do"]),
        ("👍🏽 👨‍👩‍👧🔥 🇫🇷🇩🇪 1️⃣", ["👍🏽", "👨‍👩‍👧", "🔥", "🇫🇷", "🇩🇪", "1️⃣"]),
        ("rock &amp; roll &lt;3 &amp;lt;", ["rock", "&", "roll", "<3", "&", "lt", ";"]),
        ("don’t twenty-one 9:30 24/7 3.5", ["don't", "twenty-one", "9:30", "24/7", "3.5"]),
        ("हिन्दी <url>", ["हिन्दी", "<url>"]),
        ("wait... what?!", ["wait", "...", "what", "?", "!"]),
    ],
)
def test_tweets(text, tokens):
    assert tokenize(text, "tweets") == tokens


def test_whitespace_splits_only_at_ascii_white_space():
    text = "a b\tc\nd\re\vf\fg\u00a0h\u2028i\x1cj\x85k"
    assert tokenize(text) == ["a", "b", "c", "d", "e", "f", "g\u00a0h\u2028i\x1cj\x85k"]


def test_characters_keep_their_marks():
    assert tokenize("De la  e\u0301", "characters", normalize="none") == ["▁", "D", "e", "▁", "l", "a", "▁", "e\u0301"]
    assert tokenize("我 कि", "characters", normalize="none") == ["▁", "我", "▁", "कि"]


@given(TEXTS)
def test_whitespace_agrees_with_bytes_split(text):
    assert [token.encode() for token in tokenize(text, normalize="none")] == text.encode().split()


@given(st.sampled_from(sorted(TOKENIZERS)), TEXTS, st.booleans())
@example("tweets", "a&#10;b &lt;\n&#3 9;", False)
@example("words", "ΑΣ ΟΔΟΣ", True)
def test_tokens_contain_no_white_space_and_splitting_there_preserves_tokens(name, text, lowercase):
    tokens = tokenize(text, name, lowercase)
    assert not [token for token in tokens if not token or re.search(r"[ \t\n\r\v\f]", token)]
    for at in [match.start() for match in re.finditer(r"[ \t\n\r\v\f]", text)][:20]:
        for cut in (at, at + 1):
            assert tokenize(text[:cut], name, lowercase) + tokenize(text[cut:], name, lowercase) == tokens


@given(st.sampled_from(sorted(TOKENIZERS)), TEXTS, st.booleans())
@example("tweets", "\U0002f800", False)  # a letter that NFC replaces
def test_normalize_preserves_the_tokens_of_each_line(name, text, lowercase):
    normal = get_tokenizer(name).normalize(text, lowercase)
    lines = [" ".join(tokenize(line, name, lowercase, normalize="none")) for line in text.split("\n")]
    assert normal.split("\n") == lines


@given(st.text(st.sampled_from("aB9_'.,-! \n"), max_size=40))
def test_ascii_fast_path_agrees_with_the_unicode_pattern(text):
    assert [*tokenize(text, "words"), "é"] == tokenize(text + " é", "words")


@pytest.mark.parametrize("name", sorted(TOKENIZERS))
@pytest.mark.parametrize("unit", ["a", "_", "a.", "1.", "@", "a-", "'", "🙂\u200d", "<3", ":", "é", "a@", "1,", "&lt;"])
def test_long_runs_take_linear_time(name, unit):
    tokenize(unit * 50_000, name)  # a quadratic pattern would take minutes


def test_unknown_tokenizer_error_lists_the_known_ones():
    with pytest.raises(
        InputError,
        match="must be one of whitespace, words, words2, tweets, characters, got 'word'; did you mean 'words'",
    ):
        get_tokenizer("word")
    with pytest.raises(InputError, match=r"got \['words'\]"):
        get_tokenizer(["words"])


def test_every_tokenizer_has_a_summary():
    for name, tokenizer in TOKENIZERS.items():
        assert tokenizer.name == name
        assert len(tokenizer.summary) > 20
        assert name in repr(tokenizer)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't panic: it's only 3,000 km!", ["Don't", "panic", "it's", "only", "3,000", "km"]),
        ("a state-of-the-art F-16, -x- a--b", ["a", "state-of-the-art", "F-16", "x", "a", "b"]),
        ("in 1990-1995 a 19-year-old", ["in", "1990", "1995", "a", "19-year-old"]),
        ("at 5 p.m. in the U.S.A., e.g. a Ph.D.", ["at", "5", "p.m.", "in", "the", "U.S.A.", "e.g.", "a", "Ph.D."]),
        ("the U.S.Army, John F. Kennedy. The end.", ["the", "U.S.", "Army", "John", "F", "Kennedy", "The", "end"]),
        ("see https://a.org/b?c=d_e, or (www.x.org).", ["see", "https://a.org/b?c=d_e", "or", "www.x.org"]),
        ("mail first.last+x@my-host.co.uk.", ["mail", "first.last+x@my-host.co.uk"]),
        ("l'homme d\u2019aujourd\u2019hui rock'n'roll 'quoted'", ["l'homme", "d'aujourd'hui", "rock'n'roll", "quoted"]),
        ("co\u00adoperate non\u2011breaking dash\u2014ed", ["cooperate", "non-breaking", "dash", "ed"]),
        ("9:30 24/7 and/or v2.0", ["9:30", "24/7", "and", "or", "v2", "0"]),
        ("New_York _emphasis_ __", ["New_York", "emphasis"]),
        (
            "\u0939\u093f\u0928\u094d\u0926\u0940 cafe\u0301.x",
            ["\u0939\u093f\u0928\u094d\u0926\u0940", "caf\u00e9", "x"],
        ),
    ],
)
def test_words2(text, tokens):
    assert tokenize(text, "words2") == tokens == words2(normalized(text, "NFC"))


PIECES = [*"aBe1_.,:/@+-' \n\"!<", "\u2019", "\u2010", "\u00ad", "\u0301", "\u0939\u093f", "\u200d", "\u0663", "\u00b2"]
PIECES += ["http://", "https:", "www.", "ftp://", "p.m.", "x@y.zz", "U.S.", "3,0"]


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_words2_equals_the_oracle(text):
    assert TOKENIZERS["words2"].tokenize(text) == words2(text)


@pytest.mark.parametrize("piece", ["a.", "a-", "1.", "a.b", "a@", "aa.b-", "http://!", "'a", "1:1a", "www.-"])
def test_words2_takes_linear_time(piece):
    def seconds(size):
        start = time.perf_counter()
        tokenize(piece * size, "words2")
        return time.perf_counter() - start

    seconds(100)
    assert min(seconds(40_000) for _ in range(2)) < 1.0


def test_words2_equals_the_oracle_on_wikipedia(public_data):
    path = public_data / "text" / "wiki_raw_1.txt.xz"
    for line in itertools.islice(TextCorpus(path), 1500):
        assert TOKENIZERS["words2"].tokenize(line) == words2(line)
