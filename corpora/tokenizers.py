"""Registry of named tokenizers; a model stores the name and casing of the one it was trained with.

No token spans ASCII white space, so a text can be split at any space, tab or newline without changing its tokens. This
lets :meth:`corpora.TextCorpus.blocks` stream lines of any length.
"""

import difflib
import functools
import re
import unicodedata
from collections.abc import Callable

from corpora.errors import InputError
from corpora.normalization import check_form, normalized

# White space as in bytes.split(); str.split() would also split at U+001C..1F, U+0085, U+00A0 and others.
_RUN = re.compile(r"[^ \t\n\r\v\f]+")


class Tokenizer:
    """A named tokenizer.

    Args:
        name: the name stored in model files.
        summary: one-line description.
        split: maps a text to its tokens, none of which may contain ASCII white space.

    Example:
        >>> get_tokenizer("words").tokenize("Don't panic: it's only 3,000 km!")
        ["Don't", 'panic', "it's", 'only', '3,000', 'km']
    """

    def __init__(self, name: str, summary: str, split: Callable[[str], list[str]]) -> None:
        self.name = name
        self.summary = summary
        self._split = split

    def tokenize(self, text: str) -> list[str]:
        """Split ``text`` into tokens; newlines are ordinary white space."""
        return self._split(text)

    def normalize(self, text: str, lowercase: bool = False) -> str:
        """Join the tokens with single spaces, keeping every ``\\n`` as a sentence boundary.

        Example:
            >>> get_tokenizer("words").normalize("Hello,  World!\\nBye.", lowercase=True)
            'hello world\\nbye'
        """
        if lowercase:
            text = text.lower()
        split = self._split
        return "\n".join([" ".join(split(line)) for line in text.split("\n")])

    def __repr__(self) -> str:
        return f"<Tokenizer {self.name!r}: {self.summary}>"


@functools.cache
def _marks() -> str:
    """Return the combining marks as ranges of a character class.

    ``\\w`` excludes the vowel signs of Devanagari, Thai and many other scripts (categories Mn and Mc), which would
    split their words. Python's re does not support categories, so the ranges are collected here, once.
    """
    marks, start = [], -1
    for code in range(0x300, 0x20000):
        if unicodedata.category(chr(code))[0] == "M":
            if start < 0:
                start = code
        elif start >= 0:
            marks.append(f"{chr(start)}-{chr(code - 1)}")
            start = -1
    return "".join(marks)


@functools.cache
def _letter() -> str:
    """Return a character class of letters, digits, the underscore and combining marks."""
    return rf"[\w{_marks()}]"


# U+200C and U+200D occur inside Persian and Indic words.
_JOINERS = "\u200c\u200d"


@functools.cache
def _words_pattern() -> re.Pattern[str]:
    letter = _letter()
    return re.compile(rf"\d+(?:[.,]\d+)+|\w{letter}*(?:['{_JOINERS}]{letter}+)*")


_ASCII_WORDS = re.compile(r"\d++(?:[.,]\d+)+|\w++(?:'\w+)*", re.ASCII)
"""Equivalent to the pattern above on ASCII text, in half the time."""


def _split_words(text: str) -> list[str]:
    if text.isascii():
        tokens = _ASCII_WORDS.findall(text)
    else:
        tokens = _words_pattern().findall(text.replace("\u2019", "'"))
    if "_" in text:  # New_York is one token, _emphasis_ becomes emphasis
        tokens = [stripped for token in tokens if (stripped := token.strip("_'"))]
    return tokens


_HYPHENS = "\u2010\u2011"
"""Hyphen and non-breaking hyphen; they become ``-``."""


def _words2_pattern(letter: str, joiners: str, flags: int) -> re.Pattern[str]:
    """Return the pattern of ``words2``.

    After a run of letters, each alternative but the last starts with a character that rarely follows one: most words
    cost no more than in ``words``. Addresses and abbreviations have a limited number of parts, so that the time is
    linear in the length of a text.

    Args:
        letter: class of letters, digits, underscores and marks.
        joiners: further characters within words.
    """
    starts, run = f"(?<!{letter})", rf"\w{letter}*+"
    domain = rf"{run}(?:[.-]{run}){{0,8}}\.\w{{2,}}"
    hyphen = r"-(?:(?<=[^\W\d]-)|(?=[^\W\d]))"  # not between digits: 1990-1995
    more = rf"(?:['{joiners}]{letter}++|{hyphen}{run})*"
    pattern = rf"""
        \d++(?:[.,:/]\d++)+                                           # 3,000 9:30 24/7
      | {run}(?:
            \.(?<={starts}(?:www|WWW)\.)\w[^\s<>"]*[\w/]               # links
          | :(?:(?<={starts}(?:http|HTTP):)|(?<={starts}(?:https|HTTPS):)|(?<={starts}ftp:))//[^\s<>"]*[\w/]
          | @{domain} | [.+-]{run}(?:[.+-]{run}){{0,7}}@{domain}       # e-mail addresses
          | \.(?:(?<={starts}[^\W\d_]\.)|(?<={starts}[^\W\d_]{{2}}\.))  # p.m. U.S.A. Ph.D.
            [^\W\d_](?:\.[^\W\d_]){{0,8}}(?!\w)\.?
          | ['{joiners}]{letter}++{more}                              # don't
          | {hyphen}{run}{more}                                       # COVID-19
          | )
    """
    return re.compile(pattern, re.VERBOSE | flags)


_ASCII_WORDS2 = _words2_pattern(r"\w", "", re.ASCII)


@functools.cache
def _unicode_words2() -> re.Pattern[str]:
    return _words2_pattern(_letter(), _JOINERS, 0)


def _split_words2(text: str) -> list[str]:
    if text.isascii():
        tokens = _ASCII_WORDS2.findall(text)
    else:
        text = text.replace("\u2019", "'").replace("\u00ad", "")
        for hyphen in _HYPHENS:
            text = text.replace(hyphen, "-")
        tokens = _unicode_words2().findall(text)
    if "_" in text:
        tokens = [stripped for token in tokens if (stripped := token.strip("_'"))]
    return tokens


_EMOJI = r"[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\U0001f000-\U0001faff]"
_EMOJI += r"[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]*"
_TWEET_TOKEN = rf"""
      <(?:url|user|number|hashtag)>                               # placeholders of preprocessed texts
    | (?:\b(?:https?|HTTPS?)://|\b(?:www|WWW)\.)[^\s<>"]+          # a link: becomes <url>
    | [\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,8}}      # an e-mail address, not a mention
    | [@\#]\w+                                                    # @user, #tag
    | (?<!\w)[<>]?[:;=8xX][-o*']?[)(\]\[}}{{dDpP/\\|@*3oOsS$](?!\w)  # :-) ;P =( 8) and similar
    | (?<!\w)[)(\]\[}}{{dD][-o*']?[:;=](?!\w)                      # (-: and similar
    | </?3+(?!\d) | \^[_.-]*\^ | -[_.]+- | \\o/                   # hearts and faces
    | [0-9\#*]\ufe0f?\u20e3                                       # keycaps
    | [\U0001f1e6-\U0001f1ff]{{2}}                                # flags
    | {_EMOJI}(?:\u200d{_EMOJI})*                                 # one emoji, including ZWJ sequences
    | \d+(?:[.,:/]\d+)+(?!\w)                                     # 3.14, 9:30, 24/7
    | \wLETTER*(?:['{_JOINERS}-]LETTER+)*                          # words, don't, twenty-one
    | ([^\w\s{_JOINERS}])\1*                                      # !!! is one token
    """
_ELONGATED = re.compile(r"([^\d\s])\1{3,}")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&"))


_LINKS = ("http://", "https://", "HTTP://", "HTTPS://", "www.", "WWW.")


@functools.cache
def _tweet_pattern() -> re.Pattern[str]:
    return re.compile(_TWEET_TOKEN.replace("LETTER", _letter()), re.VERBOSE)


def _split_tweet(text: str) -> list[str]:
    if "&" in text:
        for written, meant in _ENTITIES:
            text = text.replace(written, meant)
    text = _ELONGATED.sub(r"\1\1\1", text.replace("\u2019", "'"))
    find = _tweet_pattern().finditer
    tokens: list[str] = []
    for piece in text.split():  # all white space known to re; no token contains any
        if piece.isalpha():
            tokens.append(piece)
        else:
            tokens += [match.group() for match in find(piece)]
    return ["<url>" if token.startswith(_LINKS) else token for token in tokens]


WORD_START = "\u2581"
"""The token of ``characters`` before each word, as in SentencePiece."""


@functools.cache
def _character_pattern() -> re.Pattern[str]:
    return re.compile(rf".[{_marks()}{_JOINERS}]*", re.DOTALL)


def _split_characters(text: str) -> list[str]:
    find = list if text.isascii() else _character_pattern().findall
    tokens: list[str] = []
    for word in text.split():
        tokens.append(WORD_START)
        tokens += find(word)
    return tokens


TOKENIZERS: dict[str, Tokenizer] = {
    tokenizer.name: tokenizer
    for tokenizer in (
        Tokenizer("whitespace", "splits at ASCII white space and changes nothing else", _RUN.findall),
        Tokenizer(
            "words",
            "runs of letters, digits and marks in any script, with inner apostrophes (don't) and underscores "
            "(New_York); numbers keep inner periods and commas; punctuation is dropped",
            _split_words,
        ),
        Tokenizer(
            "words2",
            "words, and also inner hyphens (state-of-the-art, but 1990 1995), abbreviations (p.m., U.S.A.), times "
            "(9:30), links and e-mail addresses; clitics stay with their word (don't, l'homme)",
            _split_words2,
        ),
        Tokenizer(
            "tweets",
            "keeps @mentions, #tags, emoticons, emoji and punctuation; links become <url>; "
            "a character repeated more than three times is shortened to three",
            _split_tweet,
        ),
        Tokenizer(
            "characters",
            "every character, with its combining marks, and \u2581 before each word: for names, typos, and languages "
            "without spaces",
            _split_characters,
        ),
    )
}


def get_tokenizer(name: str) -> Tokenizer:
    """Return the tokenizer named ``name``.

    Raises:
        InputError: the name is unknown; the message lists the known ones.

    Example:
        >>> get_tokenizer("whitespace").tokenize("to be, or not")
        ['to', 'be,', 'or', 'not']
    """
    try:
        return TOKENIZERS[name]
    except (KeyError, TypeError):
        near = difflib.get_close_matches(str(name), TOKENIZERS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"tokenizer must be one of {', '.join(TOKENIZERS)}, got {name!r}{hint}") from None


def tokenize(text: str, tokenizer: str = "whitespace", lowercase: bool = False, normalize: str = "NFC") -> list[str]:
    """Split ``text`` into tokens with the named tokenizer, after normalizing it and lower-casing it if ``lowercase``.

    Raises:
        InputError: the tokenizer or the normalization form is unknown.

    Example:
        >>> tokenize("Sooooo good!!! @you #win http://t.co/x1 :-)", "tweets", lowercase=True)
        ['sooo', 'good', '!!!', '@you', '#win', '<url>', ':-)']
    """
    if not isinstance(text, str):
        raise InputError(f"text must be a string, got {type(text).__name__}")
    text = normalized(text, check_form(normalize))
    return get_tokenizer(tokenizer).tokenize(text.lower() if lowercase else text)
