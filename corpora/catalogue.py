"""Catalogue of public data sets: source, license, and location in the user's data folder.

Nothing is downloaded. The environment variable ``WORDVEC_DATA`` names a folder that holds the files at the paths listed
here, plain or compressed. ``data:NAME`` or ``data:NAME/PART`` is accepted wherever a file name is.
"""

import difflib
import os
from dataclasses import dataclass, field
from pathlib import Path

from corpora.errors import InputError
from corpora.files import COMPRESSED

VARIABLE = "WORDVEC_DATA"
PREFIX = "data:"


@dataclass(frozen=True)
class Dataset:
    """Metadata of a data set.

    ``licence`` quotes the publisher's license; "unstated" means that no license was found and so grants no rights.
    ``files`` maps each part to its path in the data folder, without a compression suffix.
    """

    name: str
    title: str
    kind: str
    homepage: str
    licence: str
    files: dict[str, str] = field(hash=False)

    def present(self) -> dict[str, Path]:
        """Return the parts found in the data folder; empty if ``WORDVEC_DATA`` is not set."""
        folder = os.environ.get(VARIABLE)
        if not folder:
            return {}
        found = {part: _stored(Path(folder, place)) for part, place in self.files.items()}
        return {part: path for part, path in found.items() if path is not None}


def find(name: str) -> list[Path]:
    """Return the files of a data set (``sst2``) or of one part (``sst2/train``), in catalogue order.

    Raises:
        InputError: the data set or part is unknown, ``WORDVEC_DATA`` is not set, or a file is missing from its folder.

    Example:
        >>> import os, pathlib, tempfile
        >>> before = os.environ.get("WORDVEC_DATA")
        >>> os.environ["WORDVEC_DATA"] = folder = tempfile.mkdtemp()
        >>> pathlib.Path(folder, "text").mkdir()
        >>> _ = pathlib.Path(folder, "text", "wiki8").write_text("to be or not to be")
        >>> [path.name for path in find("wiki8")]
        ['wiki8']
        >>> _ = os.environ.pop("WORDVEC_DATA") if before is None else os.environ.update(WORDVEC_DATA=before)
    """
    dataset, parts = _known(str(name).removeprefix(PREFIX))
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise InputError(
            f"{dataset.name}: {VARIABLE} is not set; download the data set from {dataset.homepage} "
            f"and set {VARIABLE} to your data folder"
        )
    if not os.path.isdir(folder):
        raise InputError(f"{VARIABLE} must be a directory, got {folder}; set it to your data folder")
    paths = []
    for part in parts:
        place = Path(folder, dataset.files[part])
        path = _stored(place)
        if path is None:
            raise InputError(f"{place} not found, plain or compressed; download {dataset.name} from {dataset.homepage}")
        paths.append(path)
    return paths


def _known(name: str) -> tuple[Dataset, list[str]]:
    """Look up the data set and the parts that ``name`` refers to."""
    whole, _, part = name.partition("/")
    dataset = DATASETS.get(whole)
    if dataset is None:
        near = difflib.get_close_matches(whole, DATASETS, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; wordvec corpora list prints all names"
        raise InputError(f"unknown data set {whole!r}{hint}")
    if part and part not in dataset.files:
        raise InputError(f"{whole} has no part {part!r}; choose one of {', '.join(dataset.files)}")
    return dataset, [part] if part else list(dataset.files)


def _stored(place: Path) -> Path | None:
    """Return ``place`` or its compressed version, whichever exists first."""
    candidates = [place, *(place.with_name(place.name + ending) for ending in COMPRESSED)]
    return next((path for path in candidates if path.is_file()), None)


_WIKIPEDIA = ("https://en.wikipedia.org/wiki/Wikipedia:Database_download", "CC BY-SA 3.0")
_WORD2VEC = ("https://code.google.com/archive/p/word2vec/", "Apache-2.0")
_RATINGS = ("https://github.com/mfaruqui/eval-word-vectors", "collection MIT; the ratings belong to their papers")
_SST = ("https://nlp.stanford.edu/sentiment/", "unstated")
_TREC = ("https://cogcomp.seas.upenn.edu/Data/QA/QC/", "unstated")


def _similarity(name: str, title: str, homepage: str = _RATINGS[0], licence: str = _RATINGS[1]) -> Dataset:
    return Dataset(name, title, "similarity", homepage, licence, {"all": f"similarity/{name}.tsv"})


def _classification(name: str, title: str, source: tuple[str, str], **parts: str) -> Dataset:
    files = {part: f"classify/{file}" for part, file in parts.items()}
    return Dataset(name, title, "classification", *source, files)


def _parallel(name: str, title: str, source: tuple[str, str], parts: tuple[str, ...]) -> Dataset:
    files = {part: f"seq2seq/{name}.{part}.tsv" for part in parts}
    return Dataset(name, title, "parallel text", *source, files)


_SPLITS = ("train", "dev", "test")
_WIKTIONARY = "CC BY-SA (from Wiktionary)"
_G2P = ("https://github.com/sigmorphon/2021-task1", _WIKTIONARY)
_INFLECTION = ("https://github.com/sigmorphon/conll2017", _WIKTIONARY)

_ALL = (
    Dataset(
        "wiki8",
        "English Wikipedia: 100 MB of lower-case words on one line, prepared like text8",
        "text",
        *_WIKIPEDIA,
        {"all": "text/wiki8"},
    ),
    Dataset(
        "wiki_raw",
        "English Wikipedia with case and punctuation, one paragraph per line, two parts of 100 MB each",
        "text",
        *_WIKIPEDIA,
        {"1": "text/wiki_raw_1.txt", "2": "text/wiki_raw_2.txt"},
    ),
    Dataset(
        "brown",
        "Brown corpus: a million words of American English from 1961, one sentence per line",
        "text",
        "https://www.nltk.org/nltk_data/",
        "may be used for non-commercial purposes",
        {"all": "text/brown.txt"},
    ),
    Dataset(
        "lee",
        "Lee corpus: 300 and 50 short news articles, for quick experiments",
        "text",
        "https://github.com/piskvorky/gensim/tree/develop/gensim/test/test_data",
        "LGPL-2.1 (the repository)",
        {"background": "text/lee_background.txt", "test": "text/lee.txt"},
    ),
    Dataset(
        "questions-words",
        "Google analogy test set: 19,544 questions in 14 sections",
        "analogies",
        *_WORD2VEC,
        {"all": "analogy/questions-words.txt"},
    ),
    Dataset(
        "questions-phrases",
        "Google phrase analogy test set (New_York): 3,218 questions in 5 sections",
        "analogies",
        *_WORD2VEC,
        {"all": "analogy/questions-phrases.txt"},
    ),
    _similarity("ws353", "WordSim-353: 353 pairs rated 0 to 10 (Finkelstein et al. 2002)"),
    _similarity("ws353_similarity", "WordSim-353 similarity subset: 203 pairs (Agirre et al. 2009)"),
    _similarity("ws353_relatedness", "WordSim-353 relatedness subset: 252 pairs (Agirre et al. 2009)"),
    _similarity("rg65", "RG-65: 65 noun pairs rated 0 to 4 (Rubenstein and Goodenough 1965)"),
    _similarity("mc30", "MC-30: 30 pairs of RG-65, rated again (Miller and Charles 1991)"),
    _similarity("mturk287", "MTurk-287: 287 pairs rated 1 to 5 on Mechanical Turk (Radinsky et al. 2011)"),
    _similarity(
        "simlex999",
        "SimLex-999: similarity as opposed to relatedness, 0 to 10 (Hill et al. 2015)",
        "https://fh295.github.io/simlex.html",
    ),
    _similarity("yp130", "YP-130: 130 verb pairs rated 0 to 4 (Yang and Powers 2006)"),
    _classification(
        "sst2",
        "Stanford Sentiment Treebank: 9,613 movie review sentences, 0 (negative) or 1 (positive)",
        _SST,
        train="sst2.train.tsv",
        dev="sst2.dev.tsv",
        test="sst2.test.tsv",
    ),
    _classification(
        "sst5",
        "Stanford Sentiment Treebank, 0 (very negative) to 4 (very positive)",
        _SST,
        train="sst5.train.tsv",
        dev="sst5.dev.tsv",
    ),
    _classification(
        "sst5_phrases",
        "Stanford Sentiment Treebank: the 159,274 phrases of the training trees, 0 to 4",
        _SST,
        train="sst5_phrases.train.tsv",
    ),
    _classification(
        "trec6",
        "TREC question classification: 5,952 questions by answer type, 6 labels",
        _TREC,
        train="trec6.train.tsv",
        test="trec6.test.tsv",
    ),
    _classification(
        "trec50",
        "TREC question classification, 50 fine-grained labels",
        _TREC,
        train="trec50.train.tsv",
        test="trec50.test.tsv",
    ),
    _classification(
        "sms_spam",
        "SMS Spam Collection: 5,574 messages, ham or spam",
        ("https://archive.ics.uci.edu/dataset/228/sms+spam+collection", "CC BY 4.0 according to the UCI repository"),
        all="sms_spam.all.tsv",
    ),
    _classification(
        "disaster_tweets",
        "7,613 tweets, 1 (about a real disaster) or 0 (not)",
        ("https://www.kaggle.com/c/nlp-getting-started", "unstated; the competition rules apply"),
        all="disaster_tweets.all.tsv",
    ),
    _classification(
        "ag_news",
        "AG News: the 7,600 rows of the official test split, 4 topics",
        (
            "http://groups.di.unipi.it/~gulli/AG_corpus_of_news_articles.html",
            "provided for research purposes and any other non-commercial activity",
        ),
        test="ag_news.testsplit.tsv",
    ),
    _classification(
        "imdb",
        "IMDb (Large Movie Review Dataset): 25,000 training reviews, pos or neg",
        ("https://ai.stanford.edu/~amaas/data/sentiment/", "unstated"),
        train="imdb.train.tsv",
    ),
    _classification(
        "20news",
        "20 Newsgroups (bydate): 11,296 training messages without headers, 20 groups",
        ("http://qwone.com/~jason/20Newsgroups/", "unstated"),
        train="20news.train.tsv",
    ),
    Dataset(
        "ud_ewt",
        "English Web Treebank (UD): tokens with universal and Penn part-of-speech tags",
        "tagging",
        "https://universaldependencies.org/treebanks/en_ewt/",
        "CC BY-SA 4.0",
        {part: f"tagging/ud_ewt.{part}.tsv" for part in ("train", "dev", "test")},
    ),
    Dataset(
        "ptb",
        "Penn Treebank as preprocessed by Mikolov for language modeling: 10,000 words",
        "language model",
        "https://catalog.ldc.upenn.edu/LDC99T42",
        "LDC license; the README of the preprocessed files says they should be free for research purposes",
        {part: f"lm/ptb.{part}.txt" for part in ("train", "valid", "test")},
    ),
    Dataset(
        "tinyshakespeare",
        "40,000 lines of Shakespeare for character-level models",
        "language model",
        "https://github.com/karpathy/char-rnn",
        "public-domain text",
        {"all": "lm/tinyshakespeare.txt"},
    ),
    Dataset(
        "series",
        "five classic time series, such as airline passengers and sunspots",
        "series",
        "https://github.com/jbrownlee/Datasets",
        "unstated (from the Time Series Data Library)",
        {
            name: f"series/{name}.csv"
            for name in (
                "airline-passengers",
                "daily-min-temperatures",
                "daily-total-female-births",
                "monthly-shampoo-sales",
                "monthly-sunspots",
            )
        },
    ),
    _parallel("g2p_dut", "Dutch words and their phones: 10,000 (SIGMORPHON 2021)", _G2P, _SPLITS),
    _parallel("g2p_kor", "Korean words and their phones: 10,000 (SIGMORPHON 2021)", _G2P, _SPLITS),
    _parallel("g2p_ice", "Icelandic words and their phones: 1,000 (SIGMORPHON 2021)", _G2P, _SPLITS),
    _parallel("g2p_eng_us", "English words and their phones: 41,680 (SIGMORPHON 2021)", _G2P, _SPLITS),
    *(
        _parallel(
            f"inflection_{language}",
            f"{language.title()} lemmas, features and inflected forms: 12,000 (CoNLL-SIGMORPHON 2017)",
            _INFLECTION,
            _SPLITS,
        )
        for language in ("english", "finnish", "german", "spanish")
    ),
    _parallel(
        "multi30k_de_en",
        "Multi30k: 30,014 captions in German and English, and two test sets of 1,000",
        ("https://github.com/multi30k/dataset", "unstated"),
        ("train", "dev", "test2016", "test2017"),
    ),
    Dataset(
        "dialogue",
        "ChatterBot corpus: 1,120 short questions and answers",
        "parallel text",
        "https://github.com/gunthercox/chatterbot-corpus",
        "BSD-3-Clause",
        {"all": "seq2seq/dialogue.tsv"},
    ),
    Dataset(
        "spell",
        "Norvig's big.txt and a test set of misspellings",
        "spelling",
        "https://norvig.com/spell-correct.html",
        "text mostly public domain; test set unstated",
        {"big": "spell/big.txt", "testset1": "spell/spell-testset1.txt"},
    ),
)

DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in _ALL}
"""Maps names to data sets."""
