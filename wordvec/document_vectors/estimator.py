"""Base of the vectorizers: scikit-learn's options of how a document becomes features, and the fastest way for each."""

import functools
import logging
from collections.abc import Callable
from typing import Any, ClassVar

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction import text as reference

from corpora import TextCorpus, get_tokenizer
from corpora.normalization import check_form, normalized
from wordvec.document_vectors.analysis import ACCENTS, PATTERNS, Analysis, Function, Words, strip_accents
from wordvec.document_vectors.characters import Characters
from wordvec.document_vectors.matrices import check_counting
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.encoding.text_blocks import items_of
from wordvec.errors import InputError
from wordvec.system.validation import check_choice, check_flag, shown

_log = logging.getLogger(__name__)

PATTERN = r"(?u)\b\w\w+\b"
"""scikit-learn's default pattern of a token: two or more letters, digits or underscores."""

SCIKIT_LEARN = {"tokenizer": None, "lowercase": True, "normalize": "none", "encoding": "utf-8", "order": "name"}
"""Options with which the vectorizers return what scikit-learn's return by default."""

ANALYZERS = ("word", "char", "char_wb")


# Sparse results, which ``set_output`` would refuse at ``transform``: None does not offer it.
class TextVectorizer(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[misc,call-arg]
    """Base of the transformers of texts to sparse matrices."""

    input: str
    encoding: str | None
    decode_error: str
    strip_accents: Any
    lowercase: bool
    normalize: str
    preprocessor: Callable[[Any], str] | None
    tokenizer: Any
    token_pattern: str
    stop_words: Any
    ngram_range: tuple[int, int]
    analyzer: Any

    _text_options: ClassVar = (
        "input", "encoding", "decode_error", "strip_accents", "lowercase", "normalize", "preprocessor", "tokenizer",
        "token_pattern", "stop_words", "ngram_range", "analyzer",
    )  # fmt: skip

    def build_analyzer(self) -> Callable[[Any], list[str]]:
        """Return the function that maps a document to its features, n-grams included."""
        found: Callable[[Any], list[str]] = self._reference().build_analyzer()
        return found

    def build_preprocessor(self) -> Callable[[str], str]:
        """Return the function that maps a text to what is tokenized."""
        found: Callable[[str], str] = self._reference().build_preprocessor()
        return found

    def build_tokenizer(self) -> Callable[[str], list[str]]:
        """Return the function that maps a preprocessed text to its tokens."""
        found: Callable[[str], list[str]] = self._reference().build_tokenizer()
        return found

    def get_stop_words(self) -> frozenset[str] | None:
        """Return the stop words; None if there are none."""
        found: frozenset[str] | None = self._reference().get_stop_words()
        return found

    def decode(self, doc: Any) -> str:
        """Return a document as a string: read, if it is a file, and decoded, if it is bytes."""
        found: str = self._reference().decode(doc)
        return found

    def _reference(self) -> reference.CountVectorizer:
        """Return the vectorizer of scikit-learn that finds the same features, slowly."""
        self._check_text_options()
        options = {name: getattr(self, name) for name in self._text_options if name != "normalize"}
        options["encoding"] = options["encoding"] or "utf-8"
        if isinstance(self.tokenizer, str):
            options["tokenizer"] = get_tokenizer(self.tokenizer).tokenize
        if options["tokenizer"] is not None:
            options["token_pattern"] = None
        preprocess = self.preprocessor
        if self.normalize != "none" and preprocess is None and not callable(self.analyzer):
            accents = functools.partial(strip_accents, how=self.strip_accents)
            options["preprocessor"] = functools.partial(
                _preprocessed,
                normalize=self.normalize,
                lowercase=self.lowercase,
                strip=self.strip_accents if callable(self.strip_accents) else accents,
            )
        return reference.CountVectorizer(**options)

    def _analysis(self) -> Analysis | None:
        """Return how documents become features; None if ``count_documents`` knows it by its own options.

        Raises:
            InputError: an option out of range.
        """
        slow = self._reference()
        analyze = slow.build_analyzer()  # warns of stop words that no text has after preprocessing
        self._warn_of_unused()
        accents = None if self.preprocessor is not None or callable(self.strip_accents) else self.strip_accents
        how = (self.lowercase and not self._preprocesses(), accents, self.normalize)
        low, high = self.ngram_range if not callable(self.analyzer) else (1, 1)
        if self.analyzer in ANALYZERS[1:]:
            return Characters((int(low), int(high)), self.analyzer == "char_wb", *how)
        stop_words = slow.get_stop_words() or frozenset()
        if self.analyzer == "word" and self.tokenizer is None and self.token_pattern in PATTERNS:
            return Words((int(low), int(high)), PATTERNS[self.token_pattern], *how, frozenset(stop_words))
        named = self.analyzer == "word" and isinstance(self.tokenizer, str)
        return None if named and self.strip_accents is None and self.preprocessor is None else Function(analyze)

    def _texts(self, X: Any, analysis: Analysis | None) -> Any:
        """Return the documents as ``analysis`` takes them, or ``count_documents`` if it is None.

        Raises:
            InputError: they are not documents, or tokenized already.
        """
        if isinstance(X, TextCorpus | EncodedCorpus):
            if analysis is None:
                return X
            raise InputError(
                f"a {type(X).__name__} is tokenized already; pass texts, or leave out the options of the analyzer"
            )
        items = items_of(X)
        if isinstance(analysis, Function):
            return items
        if self.input != "content" or self.encoding is not None:
            decode, plain = self._reference().decode, str if self.input == "content" else None
            items = (each if type(each) is plain else decode(each) for each in items)
        return map(self.build_preprocessor(), items) if analysis is not None and self._preprocesses() else items

    def _frozen(self) -> "TextVectorizer":
        """Return a copy of the options of the text, which later changes of parameters do not touch."""
        copy = TextVectorizer()
        for name in self._text_options:
            setattr(copy, name, getattr(self, name))
        return copy

    def _preprocesses(self) -> bool:
        """Whether a function of the caller preprocesses each text."""
        return self.preprocessor is not None or callable(self.strip_accents)

    def _check_text_options(self) -> None:
        check_choice("input", self.input, ("content", "file", "filename"))
        if not callable(self.analyzer):
            check_choice("analyzer", self.analyzer, ANALYZERS)
            check_counting(self.ngram_range)
        if not callable(self.strip_accents) and self.strip_accents not in ACCENTS:
            raise InputError(
                f"strip_accents must be 'ascii', 'unicode', a function or None, got {shown(self.strip_accents)}"
            )
        check_flag("lowercase", self.lowercase)
        check_form(self.normalize)
        for name in ("tokenizer", "preprocessor"):
            value = getattr(self, name)
            if not (value is None or callable(value) or (name == "tokenizer" and isinstance(value, str))):
                raise InputError(f"{name} must be a function{' or a name' * (name == 'tokenizer')}, got {shown(value)}")

    def _warn_of_unused(self) -> None:
        unused = []
        if not (self.tokenizer is None or self.token_pattern in (None, PATTERN)):
            unused.append(("token_pattern", "'tokenizer' is not None"))
        if callable(self.analyzer):
            unused += [("preprocessor", "'analyzer' is callable")] * (self.preprocessor is not None)
            unused += [("ngram_range", "'analyzer' is callable")] * (tuple(self.ngram_range) != (1, 1))
        if self.analyzer != "word":
            unused += [("stop_words", "'analyzer' != 'word'")] * (self.stop_words is not None)
            unused += [("tokenizer", "'analyzer' != 'word'")] * callable(self.tokenizer)
            unused += [("token_pattern", "'analyzer' != 'word'")] * (self.token_pattern not in (None, PATTERN))
        for name, reason in unused:
            _log.warning("The parameter '%s' will not be used since %s", name, reason)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        tags.requires_fit = True
        return tags


def _preprocessed(text: str, normalize: str, lowercase: bool, strip: Callable[[str], str]) -> str:
    text = normalized(text, normalize)
    return strip(text.lower() if lowercase else text)
