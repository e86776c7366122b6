"""Named tokenisers: a model remembers the name of the one it was trained with, and its casing.

No tokeniser makes a token that reaches across ASCII white space, so a text may be cut at any space, tab or line end
without changing its tokens. That is what lets :meth:`corpora.TextCorpus.blocks` stream a line of any length.
"""

import difflib
import functools
import re
import unicodedata
from collections.abc import Callable

from corpora.errors import InputError

# What bytes.split() takes for white space. str.split() would also split at U+001C..1F, U+0085, U+00A0 and others.
_RUN = re.compile(r"[^ \t\n\r\v\f]+")


class Tokenizer:
    """A named way to cut a text into tokens.

    Args:
        name: the name a model's file remembers.
        summary: one line for people.
        split: text to tokens; must not make a token that holds ASCII white space.

    Example:
        >>> get_tokenizer("words").tokenize("Don't panic: it's only 3,000 km!")
        ["Don't", 'panic', "it's", 'only', '3,000', 'km']
    """

    def __init__(self, name: str, summary: str, split: Callable[[str], list[str]]) -> None:
        self.name = name
        self.summary = summary
        self._split = split

    def tokenize(self, text: str) -> list[str]:
        """Cut ``text`` into its tokens; line ends are white space like any other."""
        return self._split(text)

    def normalize(self, text: str, lowercase: bool = False) -> str:
        """The same tokens joined by one space, with every ``\\n`` of the text kept as the end of a sentence.

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
def _letter() -> str:
    """A character class: letters, digits, the underscore and combining marks.

    ``\\w`` leaves out the vowel signs of Devanagari, Thai and many other scripts (categories Mn and Mc), which would
    cut their words to pieces, so these are added. Python's re knows no categories: the ranges are collected here, once.
    """
    marks, start = [], -1
    for code in range(0x300, 0x20000):
        if unicodedata.category(chr(code))[0] == "M":
            if start < 0:
                start = code
        elif start >= 0:
            marks.append(f"{chr(start)}-{chr(code - 1)}")
            start = -1
    return rf"[\w{''.join(marks)}]"


# U+200C and U+200D stand inside Persian and Indic words.
_JOINERS = "\u200c\u200d"


@functools.cache
def _words_pattern() -> re.Pattern[str]:
    letter = _letter()
    return re.compile(rf"\d+(?:[.,]\d+)+|\w{letter}*(?:['{_JOINERS}]{letter}+)*")


_ASCII_WORDS = re.compile(r"\d++(?:[.,]\d+)+|\w++(?:'\w+)*", re.ASCII)
"""What the pattern above finds in an ASCII text, in half the time."""


def _split_words(text: str) -> list[str]:
    if text.isascii():
        tokens = _ASCII_WORDS.findall(text)
    else:
        tokens = _words_pattern().findall(text.replace("\u2019", "'"))
    if "_" in text:  # New_York is one token, _emphasis_ is the word alone
        tokens = [stripped for token in tokens if (stripped := token.strip("_'"))]
    return tokens


_EMOJI = r"[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\U0001f000-\U0001faff]"
_EMOJI += r"[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]*"
_TWEET_TOKEN = rf"""
      <(?:url|user|number|hashtag)>                               # place holders of texts prepared elsewhere
    | (?:\b(?:https?|HTTPS?)://|\b(?:www|WWW)\.)[^\s<>"]+          # a link: becomes <url>
    | [\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,8}}      # an e-mail address, never a mention
    | [@\#]\w+                                                    # @user, #tag
    | (?<!\w)[<>]?[:;=8xX][-o*']?[)(\]\[}}{{dDpP/\\|@*3oOsS$](?!\w)  # :-) ;P =( 8) and their like
    | (?<!\w)[)(\]\[}}{{dD][-o*']?[:;=](?!\w)                      # (-: and their like
    | </?3+(?!\d) | \^[_.-]*\^ | -[_.]+- | \\o/                   # hearts and faces
    | [0-9\#*]\ufe0f?\u20e3                                       # keycaps
    | [\U0001f1e6-\U0001f1ff]{{2}}                                # flags
    | {_EMOJI}(?:\u200d{_EMOJI})*                                 # one emoji, however it is put together
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
    for piece in text.split():  # at all that re calls white space; no token holds any
        if piece.isalpha():
            tokens.append(piece)
        else:
            tokens += [match.group() for match in find(piece)]
    return ["<url>" if token.startswith(_LINKS) else token for token in tokens]


TOKENIZERS: dict[str, Tokenizer] = {
    tokenizer.name: tokenizer
    for tokenizer in (
        Tokenizer("whitespace", "what stands between ASCII white space, untouched", _RUN.findall),
        Tokenizer(
            "words",
            "runs of letters, digits and marks in any script, with inner apostrophes (don't) and underscores "
            "(New_York); numbers keep inner dots and commas; punctuation is dropped",
            _split_words,
        ),
        Tokenizer(
            "tweets",
            "@mentions, #tags, emoticons and emoji are kept whole, punctuation is kept, links become <url>, "
            "a character repeated more than three times is shortened to three",
            _split_tweet,
        ),
    )
}


def get_tokenizer(name: str) -> Tokenizer:
    """The tokeniser called ``name``.

    Raises:
        InputError: there is none; the message lists the known ones.

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


def tokenize(text: str, tokenizer: str = "whitespace", lowercase: bool = False) -> list[str]:
    """Cut ``text`` into tokens with the tokeniser called ``tokenizer``, lower-casing first if asked to.

    Raises:
        InputError: the tokeniser is unknown.

    Example:
        >>> tokenize("Sooooo good!!! @you #win http://t.co/x1 :-)", "tweets", lowercase=True)
        ['sooo', 'good', '!!!', '@you', '#win', '<url>', ':-)']
    """
    return get_tokenizer(tokenizer).tokenize(text.lower() if lowercase else text)
