"""Public data sets by name: where they come from, under what licence, and where they lie in your own folder.

Nothing is downloaded. The variable ``WORDVEC_DATA`` names a folder that holds the files at the places listed here, as
they are or compressed. Wherever a file is asked for, ``data:NAME`` or ``data:NAME/PART`` stands for one of them.
"""

import difflib
import os
from dataclasses import dataclass, field
from pathlib import Path

from corpora.errors import InputError
from corpora.sources import COMPRESSED

VARIABLE = "WORDVEC_DATA"
PREFIX = "data:"


@dataclass(frozen=True)
class Dataset:
    """What is known about a data set.

    ``licence`` repeats what its publisher says; "unstated" means that nothing was said, so it does not allow anything.
    ``files`` maps the name of a part to its place in the data folder, without an ending of compression.
    """

    name: str
    title: str
    kind: str
    homepage: str
    licence: str
    files: dict[str, str] = field(hash=False)

    def present(self) -> dict[str, Path]:
        """The parts that are in the data folder; none where ``WORDVEC_DATA`` is not set."""
        folder = os.environ.get(VARIABLE)
        if not folder:
            return {}
        found = {part: _stored(Path(folder, place)) for part, place in self.files.items()}
        return {part: path for part, path in found.items() if path is not None}


def find(name: str) -> list[Path]:
    """The files of a data set (``sst2``) or of one part of it (``sst2/train``), in the order the catalogue lists them.

    Raises:
        InputError: there is no such data set or part, ``WORDVEC_DATA`` is not set, or a file is not in its folder.

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
    dataset, parts = _known(name.removeprefix(PREFIX))
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise InputError(
            f"{dataset.name} is looked for in the folder that {VARIABLE} names, which is not set; "
            f"fetch it from {dataset.homepage} and set {VARIABLE} to your data folder"
        )
    if not os.path.isdir(folder):
        raise InputError(f"{VARIABLE} names {folder}, which is not a directory; set it to your data folder")
    paths = []
    for part in parts:
        place = Path(folder, dataset.files[part])
        path = _stored(place)
        if path is None:
            raise InputError(f"{place} is not there, nor compressed; fetch {dataset.name} from {dataset.homepage}")
        paths.append(path)
    return paths


def _known(name: str) -> tuple[Dataset, list[str]]:
    """The data set and the parts that ``name`` means."""
    whole, _, part = name.partition("/")
    dataset = DATASETS.get(whole)
    if dataset is None:
        near = difflib.get_close_matches(whole, DATASETS, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise InputError(f"no data set is called {whole!r}; there are {', '.join(DATASETS)}{hint}")
    if part and part not in dataset.files:
        raise InputError(f"{whole} has no part {part!r}; there are {', '.join(dataset.files)}")
    return dataset, [part] if part else list(dataset.files)


def _stored(place: Path) -> Path | None:
    """``place`` itself, or its compressed form, where there is one."""
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


_ALL = (
    Dataset(
        "wiki8",
        "English Wikipedia as lower-case words on one line of 100 MB, made by the text8 recipe",
        "text",
        *_WIKIPEDIA,
        {"all": "text/wiki8"},
    ),
    Dataset(
        "wiki_raw",
        "English Wikipedia with case and punctuation, a paragraph a line, two halves of 100 MB",
        "text",
        *_WIKIPEDIA,
        {"1": "text/wiki_raw_1.txt", "2": "text/wiki_raw_2.txt"},
    ),
    Dataset(
        "brown",
        "Brown corpus: a million words of American English of 1961, a sentence a line",
        "text",
        "https://www.nltk.org/nltk_data/",
        "may be used for non-commercial purposes",
        {"all": "text/brown.txt"},
    ),
    Dataset(
        "lee",
        "Lee corpus: short news texts, 300 and 50, for quick experiments",
        "text",
        "https://github.com/piskvorky/gensim/tree/develop/gensim/test/test_data",
        "LGPL-2.1 (the repository)",
        {"background": "text/lee_background.txt", "test": "text/lee.txt"},
    ),
    Dataset(
        "questions-words",
        "Google's analogies: 19,544 questions in 14 sections",
        "analogies",
        *_WORD2VEC,
        {"all": "analogy/questions-words.txt"},
    ),
    Dataset(
        "questions-phrases",
        "Google's phrase analogies (New_York): 3,218 questions in 5 sections",
        "analogies",
        *_WORD2VEC,
        {"all": "analogy/questions-phrases.txt"},
    ),
    _similarity("ws353", "WordSim-353: 353 pairs rated 0 to 10 (Finkelstein et al. 2002)"),
    _similarity("ws353_similarity", "WordSim-353, the 203 pairs that are similar (Agirre et al. 2009)"),
    _similarity("ws353_relatedness", "WordSim-353, the 252 pairs that are related (Agirre et al. 2009)"),
    _similarity("rg65", "65 pairs of nouns rated 0 to 4 (Rubenstein and Goodenough 1965)"),
    _similarity("mc30", "30 of the pairs of rg65, rated again (Miller and Charles 1991)"),
    _similarity("mturk287", "287 pairs rated 1 to 5 on Mechanical Turk (Radinsky et al. 2011)"),
    _similarity(
        "simlex999",
        "SimLex-999: similarity as opposed to relatedness, 0 to 10 (Hill et al. 2015)",
        "https://fh295.github.io/simlex.html",
    ),
    _similarity("yp130", "130 pairs of verbs rated 0 to 4 (Yang and Powers 2006)"),
    _classification(
        "sst2",
        "Stanford Sentiment Treebank: 9,613 sentences of film reviews, 0 negative or 1 positive",
        _SST,
        train="sst2.train.tsv",
        dev="sst2.dev.tsv",
        test="sst2.test.tsv",
    ),
    _classification(
        "sst5",
        "Stanford Sentiment Treebank, 0 very negative to 4 very positive",
        _SST,
        train="sst5.train.tsv",
        dev="sst5.dev.tsv",
    ),
    _classification(
        "sst5_phrases",
        "the 159,274 phrases of the treebank's training trees, 0 to 4",
        _SST,
        train="sst5_phrases.train.tsv",
    ),
    _classification(
        "trec6",
        "5,952 questions by the kind of their answer, 6 labels",
        _TREC,
        train="trec6.train.tsv",
        test="trec6.test.tsv",
    ),
    _classification(
        "trec50", "the questions of trec6, 50 fine labels", _TREC, train="trec50.train.tsv", test="trec50.test.tsv"
    ),
    _classification(
        "sms_spam",
        "SMS Spam Collection: 5,574 messages, ham or spam",
        ("https://archive.ics.uci.edu/dataset/228/sms+spam+collection", "CC BY 4.0 according to the UCI repository"),
        all="sms_spam.all.tsv",
    ),
    _classification(
        "disaster_tweets",
        "7,613 tweets, 1 about a real disaster or 0 not",
        ("https://www.kaggle.com/c/nlp-getting-started", "unstated; the rules of the competition apply"),
        all="disaster_tweets.all.tsv",
    ),
    _classification(
        "ag_news",
        "AG's news: the 7,600 rows of the official test split, 4 topics",
        (
            "http://groups.di.unipi.it/~gulli/AG_corpus_of_news_articles.html",
            "provided for research purposes and any other non-commercial activity",
        ),
        test="ag_news.testsplit.tsv",
    ),
    _classification(
        "imdb",
        "Large Movie Review Dataset: 25,000 training reviews, pos or neg",
        ("https://ai.stanford.edu/~amaas/data/sentiment/", "unstated"),
        train="imdb.train.tsv",
    ),
    _classification(
        "20news",
        "20 Newsgroups by date: 11,296 training messages without headers, 20 groups",
        ("http://qwone.com/~jason/20Newsgroups/", "unstated"),
        train="20news.train.tsv",
    ),
    Dataset(
        "ud_ewt",
        "English Web Treebank: words with their universal and Penn parts of speech",
        "tagging",
        "https://universaldependencies.org/treebanks/en_ewt/",
        "CC BY-SA 4.0",
        {part: f"tagging/ud_ewt.{part}.tsv" for part in ("train", "dev", "test")},
    ),
    Dataset(
        "ptb",
        "Penn Treebank as Mikolov prepared it for language models: 10,000 words",
        "language model",
        "https://catalog.ldc.upenn.edu/LDC99T42",
        "LDC's; the prepared files' README says they should be free for research purposes",
        {part: f"lm/ptb.{part}.txt" for part in ("train", "valid", "test")},
    ),
    Dataset(
        "tinyshakespeare",
        "40,000 lines of Shakespeare for character models",
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
    Dataset(
        "spell",
        "Norvig's big.txt and a list of misspellings",
        "spelling",
        "https://norvig.com/spell-correct.html",
        "text mostly public domain; test set unstated",
        {"big": "spell/big.txt", "testset1": "spell/spell-testset1.txt"},
    ),
)

DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in _ALL}
"""The catalogue: name to data set."""
