"""Phrases as a scikit-learn transformer."""

import os
from collections.abc import Callable
from itertools import chain
from typing import Any

from sklearn.utils.validation import check_is_fitted

from corpora import TextCorpus, get_tokenizer, tokenize
from wordvec.encoding.corpus import EncodedCorpus, encode_corpus
from wordvec.encoding.text_blocks import check_item, items_of
from wordvec.errors import FormatError, InputError
from wordvec.estimator import Corpus, TextTransformer, listed
from wordvec.formats import phrases as phrase_file
from wordvec.phrases.corpus import PhraseCorpus
from wordvec.phrases.joining import join_phrases
from wordvec.phrases.learning import learn_phrases
from wordvec.phrases.settings import PhraseSettings
from wordvec.system.renamed import missing, renamed
from wordvec.system.threads import threads_of

_OTHER_NAMES = {
    "export_phrases": "phrases_",
    "find_phrases": "phrases_",
    "phrasegrams": "phrases_",
    "freeze": "save(path), which stores the phrases only",
    "add_vocab": "fit(texts) on all texts",
    "vocab": "phrases_",
}
"""gensim's names, and what they are called here."""


class Phrases(TextTransformer):
    """Phrase detection: pairs of words that occur together more often than chance become one token.

    The parameters are those of ``PhraseSettings``; besides, ``tokenizer``, ``lowercase`` and ``normalize`` apply to
    texts that are not lists of tokens, and ``n_jobs`` is the number of threads (None: one per core).
    Phrases and scores equal gensim's. ``scoring`` may be a function, see ``wordvec.phrases.scoring.pair_scores``; it is
    not saved.

    Attributes:
        phrases_: dictionary from each phrase, such as ``new_york``, to its score; of several passes, the first ones
            come first, and each in descending order.
        passes_: the same for each pass, by words: first word, connector words, last word.
        tokenizer_, lowercase_, normalize_: how the texts were tokenized, and how ``transform`` tokenizes texts.

    Example:
        >>> texts = ["new york is a city", "in new york", "the bank of america", "bank of america in new york"]
        >>> model = Phrases(min_count=1, threshold=1, connector_words="english").fit(texts)
        >>> list(model.phrases_)
        ['bank_of_america', 'new_york']
        >>> model.transform(["a bank of america in new york"])
        [['a', 'bank_of_america', 'in', 'new_york']]
    """

    @renamed(
        sentences="fit(texts)",
        max_vocab_size="max_pairs_in_memory",
        common_terms="connector_words",
        progress_per="nothing: it logs each pass",
        workers="n_jobs",
    )
    def __init__(
        self,
        min_count: int = 5,
        threshold: float = 10.0,
        scoring: str | Callable[..., Any] = "default",
        *,
        passes: int = 1,
        connector_words: Any = (),
        delimiter: str = "_",
        max_pairs_in_memory: int = 20_000_000,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        n_jobs: int | None = None,
    ) -> None:
        self.min_count = min_count
        self.threshold = threshold
        self.scoring = scoring
        self.passes = passes
        self.connector_words = connector_words
        self.delimiter = delimiter
        self.max_pairs_in_memory = max_pairs_in_memory
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.n_jobs = n_jobs

    def __getitem__(self, sentence: Any) -> Any:
        raise TypeError("Phrases has no [...]; use transform([sentence])[0], or transform(sentences)")

    def fit(self, X: Corpus | EncodedCorpus, y: Any = None) -> "Phrases":
        """Find the phrases of texts, lists of tokens or a ``TextCorpus``; a one-shot generator is allowed.

        An ``EncodedCorpus`` with all words of a text (``min_count=1``) saves reading it again for other parameters.

        Raises:
            InputError: a parameter out of range, or a text without phrases; the message states the highest score.
        """
        settings, threads = self.checked_settings(), threads_of(self.n_jobs)
        if isinstance(X, EncodedCorpus):
            corpus = X
        else:
            corpus = encode_corpus(
                X,
                min_count=1,
                tokenizer=self.tokenizer,
                lowercase=self.lowercase,
                normalize=self.normalize,
                threads=threads,
            )
        self.passes_ = learn_phrases(corpus, settings, threads=threads)
        self.tokenizer_, self.lowercase_, self.normalize_ = corpus.tokenizer, corpus.lowercase, corpus.normalize
        self.phrases_ = self._scores()
        return self

    def transform(self, X: Corpus) -> Any:
        """Join the phrases of texts.

        Returns:
            A list of tokens for each text; for a ``TextCorpus``, a corpus that joins phrases while it is read.

        Raises:
            InputError: X is one string, or holds something that is neither a text nor a list of tokens.
        """
        check_is_fitted(self)
        connectors = self.checked_settings().connectors
        if isinstance(X, TextCorpus):
            return PhraseCorpus(X, self.passes_, connectors, self.delimiter)
        among, joined = frozenset(connectors), []
        for position, text in enumerate(items_of(X)):
            check_item(text, position)
            tokens = (
                tokenize(text, self.tokenizer_, self.lowercase_, self.normalize_)
                if isinstance(text, str)
                else listed(text, position)
            )
            for found in self.passes_:
                tokens = join_phrases(tokens, found, among, self.delimiter)
            joined.append(tokens)
        return joined

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the phrases and their settings to a file (.safetensors), replaced atomically.

        Raises:
            InputError: the path is not writable.
        """
        check_is_fitted(self)
        about = {
            "tokenizer": self.tokenizer_,
            "lowercase": self.lowercase_,
            "normalize": self.normalize_,
            "settings": self.checked_settings().record(),
        }
        phrase_file.write(self.passes_, about, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Phrases":
        """Read phrases from a file written by :meth:`save`.

        Raises:
            FormatError: not a phrase file, damaged or truncated.
            InputError: the file does not exist or cannot be read.

        Example:
            >>> import pathlib, tempfile
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "phrases.safetensors"
            >>> Phrases(min_count=1, threshold=1).fit(["new york", "old new york"]).save(path)
            >>> Phrases.load(path).transform(["new york"])
            [['new_york']]
        """
        passes, about = phrase_file.read(path)
        try:
            settings = PhraseSettings.from_record(about["settings"])
            connectors = set(settings.connectors)
            for parts in chain.from_iterable(passes):
                if connectors.intersection((parts[0], parts[-1])) or not connectors.issuperset(parts[1:-1]):
                    raise InputError(f"the connector words of {' '.join(parts)!r} do not match the settings")
            get_tokenizer(about["tokenizer"])
        except (InputError, TypeError) as error:
            raise FormatError(f"{path}: {error}; the file is damaged") from None
        how = {name: about.get(name, "none") for name in ("tokenizer", "lowercase", "normalize")}
        found = cls(**vars(settings), **how)
        found.tokenizer_, found.lowercase_, found.normalize_ = how.values()
        found.passes_ = passes
        found.phrases_ = found._scores()
        return found

    def __getattr__(self, name: str) -> Any:
        raise missing(self, name, _OTHER_NAMES)

    def checked_settings(self) -> PhraseSettings:
        """Return the parameters as checked settings."""
        return PhraseSettings(**{name: getattr(self, name) for name in PhraseSettings.__dataclass_fields__})

    def _scores(self) -> dict[str, float]:
        scores: dict[str, float] = {}
        for found in self.passes_:
            for parts, score in found.items():
                phrase = self.delimiter.join(parts)
                scores[phrase] = max(score, scores.get(phrase, score))
        return scores
