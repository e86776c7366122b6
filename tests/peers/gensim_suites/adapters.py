"""gensim's names over our classes, as far as gensim's tests call them.

An adapter translates names, arguments and exceptions; it computes nothing that the packages lack. Where they lack
something, it has no such name, or raises ``NotImplementedError``.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

import wordvec
from corpora import TextCorpus
from wordvec import FormatError, InputError, WordVectors, encode_corpus, load_vectors, save_vectors, train_word2vec
from wordvec.formats.fasttext_model import _Reader as ModelReader
from wordvec.formats.ngrams import Ngrams, compose_unknown, fnv_hash
from wordvec.formats.table import SubwordTable
from wordvec.phrases.joining import join_phrases
from wordvec.vectors.alignment import align
from wordvec.vectors.distances import nearest_texts, word_movers_distance
from wordvec.vectors.similarities import normalized_rows
from wordvec.vectors.subwords import SubwordVectors
from wordvec.vocabulary import Vocabulary

# -- vectors ----------------------------------------------------------------------------------------------------------


class KeyedVectors:
    """``WordVectors``; a vector that is set makes new ones."""

    def __init__(self, vector_size=0, ours=None):
        self.vector_size = vector_size
        self.ours = ours
        if ours is not None:
            self.vector_size = ours.vector_size

    # Names that are the same in both.
    def __getattr__(self, name):
        if name in ("similarity", "distance", "rank", "closer_than", "most_similar_to_given"):
            return getattr(self.ours, name)
        raise AttributeError(name)

    @property
    def vectors(self):
        return np.zeros((0, self.vector_size), np.float32) if self.ours is None else self.ours.vectors

    @staticmethod
    def cosine_similarities(vector, others):
        names = [f"{k}" for k in range(len(others))]
        return WordVectors(["vector", *names], np.vstack([vector, others])).similarities("vector", names)

    def __len__(self):
        return 0 if self.ours is None else len(self.ours)

    def __contains__(self, word):
        return word in self.ours

    def __getitem__(self, words):
        return self.ours[words]

    def __setitem__(self, words, vectors):
        self.add_vectors(words, vectors, replace=True)

    @property
    def key_to_index(self):
        return self.ours.vocabulary.token_to_id

    @property
    def index_to_key(self):
        return self.ours.tokens

    @property
    def expandos(self):
        return {"count": self.ours.counts}

    def get_index(self, word):
        return self.ours.token_id(word)

    def has_index_for(self, word):
        return self.ours.lookup(word) >= 0

    def get_vector(self, word, norm=False):
        return normalized_rows(self.ours[word][None])[0] if norm else self.ours[word]

    def get_vecattr(self, word, name):
        if name != "count":
            raise NotImplementedError(name)
        return self.ours.counts[self.ours.token_id(word)]

    def most_similar(self, positive=(), negative=(), topn=10, restrict_vocab=None, method="add"):
        if topn is None:
            return self.ours.similarities(positive)
        if topn == 0:
            return []
        return self.ours.most_similar(positive, negative, int(topn), restrict=restrict_vocab, method=method)

    def most_similar_cosmul(self, positive=(), negative=(), topn=10, restrict_vocab=None):
        return self.most_similar(positive, negative, topn, restrict_vocab, "mul")

    def n_similarity(self, first, second):
        if not (first and second):
            raise ZeroDivisionError  # an InputError here
        return self.ours.n_similarity(first, second)

    def wmdistance(self, first, second, norm=True):
        return word_movers_distance(self.ours, first, second, unit=norm)

    def similar_by_word(self, word, topn=10):
        return self.ours.most_similar(word, top=topn)

    def similar_by_vector(self, vector, topn=10):
        return self.ours.similar_by_vector(vector, topn)

    def doesnt_match(self, words):
        return self.ours.odd_one_out(words, ignore_missing=True)

    def relative_cosine_similarity(self, wa, wb, topn=10):
        return self.ours.relative_cosine(wa, wb, topn)

    def get_mean_vector(self, words, weights=None, pre_normalize=True):
        return self.ours.mean_vector(words, weights, unit=pre_normalize, ignore_missing=True)

    def vectors_for_all(self, words, allow_inference=True, copy_vecattrs=False):
        words = words if allow_inference else [word for word in words if self.has_index_for(word)]
        found = self.ours.subset(words, ignore_missing=True)
        if not copy_vecattrs:
            found = WordVectors(Vocabulary(found.tokens, np.zeros(len(found), np.int64)), found.vectors)
        return type(self)(ours=found)

    def add_vector(self, word, vector):
        self.add_vectors([word], [vector])

    def add_vectors(self, words, vectors, replace=False):
        words, vectors = ([words], [vectors]) if isinstance(words, str) else (list(words), vectors)
        if self.ours is None:
            self.ours = WordVectors(words, vectors)
            return
        new = [place for place, word in enumerate(words) if replace or not self.has_index_for(word)]
        self.ours = self.ours.with_vectors([words[place] for place in new], np.asarray(vectors)[new])

    def evaluate_word_analogies(self, path, similarity_function="most_similar"):
        method = "mul" if similarity_function == "most_similar_cosmul" else "add"
        found = wordvec.evaluate_analogies(self.ours, path, protocol="P300k", method=method)
        sections = [
            {"section": each.name, "correct": each.right, "incorrect": each.asked - each.right}
            for each in found.sections
        ]
        return found.accuracy or 0.0, sections

    def save_word2vec_format(self, path, binary=False, write_header=True):
        save_vectors(self.ours, path, format="binary" if binary else "text" if write_header else "glove")

    @classmethod
    def load_word2vec_format(cls, path, binary=False, limit=None, no_header=False, datatype=np.float32):
        form = "binary" if binary else "glove" if no_header else "text"
        try:
            return cls(ours=load_vectors(path, format=form, limit=limit))
        except FormatError as error:
            if "truncated" in str(error):
                raise EOFError(str(error)) from None
            raise

    def save(self, path):
        save_vectors(self.ours, path, format="safetensors")

    @classmethod
    def load(cls, path):
        return cls(ours=load_vectors(path))


class FastTextKeyedVectors(KeyedVectors):
    """``SubwordVectors``."""

    compatible_hash = True  # fastText's is the only one here
    vectors_vocab_lockf = vectors_ngrams_lockf = ()  # no row is locked

    def __init__(self, vector_size=0, min_n=3, max_n=6, bucket=2_000_000, ours=None):
        super().__init__(vector_size, ours)
        held = getattr(ours, "subwords", None)
        self.min_n, self.max_n, self.bucket = (held.min_n, held.max_n, held.buckets) if held else (min_n, max_n, bucket)

    def __getitem__(self, words):
        """A word without a known n-gram is zeros there, and an error here."""
        if isinstance(words, str) and words not in self.ours:
            return compose_unknown(self.ours.subwords, [words])[0][0]
        return super().__getitem__(words)

    def adjust_vectors(self):
        self.ours = SubwordVectors(self.ours.vocabulary, self.ours.subwords)

    @property
    def vectors_vocab(self):
        return self.ours.subwords.word_vectors

    @property
    def vectors_ngrams(self):
        """A row for each bucket; those that no word uses are not stored here."""
        return self.ours.subwords.rows_of_buckets(0, self.ours.subwords.buckets)


def compute_ngrams(word, min_n, max_n):
    """gensim lists n-grams by their length."""
    return sorted(Ngrams(min_n, max_n, 1).split(word), key=len)


def compute_ngrams_bytes(word, min_n, max_n):
    return [ngram.encode() for ngram in Ngrams(min_n, max_n, 1).split(word)]


ft_hash_bytes = fnv_hash


def unpack(rows, buckets, row_of_bucket):
    """The rows of a pruned model, by bucket."""
    held = sorted(row_of_bucket)
    rows = rows[[row_of_bucket[bucket] for bucket in held]]
    return SubwordTable(3, 6, buckets, rows[:0], rows, np.array(held, np.int32)).rows_of_buckets(0, buckets)


def fromfile(file, dtype, count):
    """A part of a matrix in a fastText model, ``file`` positioned at its start."""
    return ModelReader("a file", file.read()).array(dtype, count)


class WmdSimilarity:
    """``word_movers_distance`` of all texts, or ``nearest_texts``; similarities are 1 / (1 + distance)."""

    def __init__(self, texts, vectors, num_best=None):
        self.texts, self.ours, self.num_best = texts, vectors.ours, num_best

    def __iter__(self):
        return (self[text] for text in self.texts)

    def __getitem__(self, query):
        if not query or not isinstance(query[0], str):
            found = [self[text] for text in query]
            return np.array(found) if self.num_best is None else found
        if self.num_best == 0:
            return []
        if self.num_best is not None:
            return [(k, 1 / (1 + each)) for k, each in nearest_texts(self.ours, query, self.texts, self.num_best)]
        return np.array([1 / (1 + word_movers_distance(self.ours, query, text)) for text in self.texts])


class WordEmbeddingSimilarityIndex:
    """``most_similar`` above a threshold, the cosines to a power, as ``soft_cosine`` takes them."""

    def __init__(self, keyedvectors, threshold=0.0, exponent=2.0):
        self.ours, self.threshold, self.exponent = keyedvectors.ours, threshold, exponent

    def most_similar(self, word, topn=10):
        if self.ours.lookup(word) < 0:
            return []
        found = self.ours.most_similar(word, top=topn)
        return [(other, cosine**self.exponent) for other, cosine in found if cosine > self.threshold]


class TranslationMatrix:
    """``align`` and its translations."""

    def __init__(self, source, target, pairs=None):
        self.source, self.target = source.ours, target.ours

    def train(self, pairs):
        self.alignment = align(self.source, self.target, pairs)

    @property
    def translation_matrix(self):
        return self.alignment.rotation

    def translate(self, words, topn=5, gc=0, sample_num=None, source_lang_vec=None, target_lang_vec=None):
        answers = self.alignment.translate(words, topn, method="csls" if gc else "cosine")
        return {word: [found for found, _ in each] for word, each in zip(words, answers, strict=True)}


def load_word2vec_format(cls, fname, binary, limit, binary_chunk_size):
    return cls.load_word2vec_format(fname, binary, limit)


class LineSentence(TextCorpus):
    """A ``TextCorpus`` whose items are lists of tokens."""

    def __iter__(self):
        return (text.split() for text in super().__iter__())


# -- training ---------------------------------------------------------------------------------------------------------


class Word2Vec:
    """``encode_corpus`` and ``train_word2vec``; before training, the vectors are zeros."""

    vectors_type = KeyedVectors

    def __init__(
        self, sentences=None, corpus_file=None, vector_size=100, alpha=0.025, window=5, min_count=5, sample=1e-3,
        seed=1, workers=3, min_alpha=1e-4, sg=0, hs=0, negative=5, ns_exponent=0.75, cbow_mean=1, epochs=5,
        max_final_vocab=None, shrink_windows=True, word_ngrams=1, sorted_vocab=1, batch_words=None, min_n=3, max_n=6,
        bucket=2_000_000,
    ):  # fmt: skip
        if not (cbow_mean and sorted_vocab and word_ngrams == 1):
            raise NotImplementedError("sums in CBOW, unsorted words")
        if not hs and not negative:
            raise InputError("no loss")
        self.vector_size, self.window, self.epochs, self.workers = vector_size, window, epochs, workers
        self.hs, self.negative, self.sg, self.sample, self.min_count = hs, negative, sg, sample, min_count
        self.ns_exponent, self.max_final_vocab = ns_exponent, max_final_vocab
        self.settings = wordvec.Word2VecSettings(
            model="skipgram" if sg else "cbow",
            loss="hierarchical" if hs else "negative",  # gensim trains both if both are given
            vector_size=vector_size, window=window, window_weights="sampled" if shrink_windows else "flat",
            negatives=negative or 5, epochs=epochs,
            learning_rate=alpha, min_learning_rate=min_alpha, subsample=sample, noise_exponent=ns_exponent, seed=seed,
            **self.subwords(min_n, max_n, bucket),
        )  # fmt: skip
        self.trained = self.corpus_count = self.corpus_total_words = None
        if sentences is not None or corpus_file is not None:
            self.build_vocab(sentences, corpus_file)
            self.train(sentences, corpus_file, epochs=epochs)

    def subwords(self, min_n, max_n, bucket):
        return {}

    def encoded(self, corpus, path, **vocabulary):
        if path is not None:
            corpus = TextCorpus(path)
        elif not isinstance(corpus, TextCorpus):
            corpus = [list(sentence) for sentence in corpus]
        return encode_corpus(corpus, min_count=max(self.min_count, 1), cache=False, **vocabulary)

    def build_vocab(self, corpus_iterable=None, corpus_file=None, update=False):
        found = self.encoded(corpus_iterable, corpus_file, max_vocabulary=self.max_final_vocab)
        self.corpus_count, self.corpus_total_words = len(found.offsets) - 1, found.raw_tokens
        words = found.vocabulary
        if update:
            words = self.wv.ours.vocabulary.merged(words)
            rows = words.rows_of(self.wv.index_to_key)
        vectors = np.zeros((len(words), self.vector_size), np.float32)
        if update:
            vectors[rows] = self.wv.vectors
        self.wv = self.vectors_type(ours=WordVectors(words, vectors))
        if self.hs:
            self.syn1 = np.zeros_like(vectors)
        else:
            self.syn1neg = np.zeros_like(vectors)

    def train(
        self, corpus_iterable=None, corpus_file=None, total_examples=None, total_words=None, epochs=None,
        compute_loss=False,
    ):  # fmt: skip
        if (corpus_iterable is None) == (corpus_file is None) or not isinstance(corpus_file, str | None):
            raise TypeError("one text, in memory or a path")
        corpus = self.encoded(corpus_iterable, corpus_file, max_vocabulary=self.max_final_vocab)
        settings = replace(self.settings, epochs=epochs)
        result = train_word2vec(corpus, settings, threads=self.workers, initial=self.trained)
        self.losses, self.trained = result.losses, result.vectors
        self.take(result.vectors)

    def take(self, vectors):
        self.wv = self.vectors_type(ours=vectors)
        if self.hs and vectors.nodes is not None:
            self.syn1 = np.vstack([vectors.nodes.vectors, np.zeros((1, self.vector_size))])  # a row for each word
        elif not self.hs:
            self.syn1neg = vectors.context_vectors

    def get_latest_training_loss(self):
        return self.losses[-1]

    def save(self, path, sep_limit=None):
        save_vectors(self.trained, path, format="safetensors")

    @classmethod
    def load(cls, path, mmap=None):
        return cls.of(load_vectors(path))

    @classmethod
    def of(cls, vectors):
        """Return the model of saved vectors."""
        if "model" not in vectors.settings:
            raise AttributeError("vectors without a model")
        given, held = vectors.settings, getattr(vectors, "subwords", None)
        model = cls(
            vector_size=vectors.vector_size, window=given["window"], epochs=given["epochs"],
            sg=int(given["model"] == "skipgram"), hs=int(given["loss"] == "hierarchical"), negative=given["negatives"],
            sample=given["subsample"], min_count=given.get("min_count", vectors.origin.get("min_count", 1)), workers=1,
            ns_exponent=given.get("noise_exponent", 0.75),
            **({"min_n": held.min_n, "max_n": held.max_n, "bucket": held.buckets} if held else {}),
        )  # fmt: skip
        model.trained = vectors
        model.take(vectors)
        return model


class FastText(Word2Vec):
    vectors_type = FastTextKeyedVectors

    def subwords(self, min_n, max_n, bucket):
        return {"subwords": f"{min_n}-{max_n}", "buckets": bucket} if max_n and bucket else {}

    def build_vocab(self, corpus_iterable=None, corpus_file=None, update=False):
        super().build_vocab(corpus_iterable, corpus_file, update)
        if self.settings.subwords is not None:
            lengths, none = (self.wv.min_n, self.wv.max_n), np.zeros((0, self.vector_size), np.float32)
            used = np.zeros(0, np.int32)
            table = SubwordTable(*lengths, self.settings.buckets, self.wv.vectors, none, used)
            ours = SubwordVectors(self.wv.ours.vocabulary, table, vectors=self.wv.vectors)
            self.wv = FastTextKeyedVectors(ours=ours)


def load_facebook_model(path, encoding="utf-8"):
    vectors = load_vectors(path, encoding=encoding)
    if not isinstance(vectors, SubwordVectors):
        raise NotImplementedError("a supervised model")
    return FastText.of(vectors)


def load_facebook_vectors(path):
    return FastTextKeyedVectors(ours=load_vectors(path))


def save_facebook_model(model, path):
    save_vectors(model.trained, path, format="fasttext")


# -- phrases ----------------------------------------------------------------------------------------------------------


class _Scored(Mapping):
    """The phrases that a method of gensim's scores."""

    def __init__(self, model):
        self.model = model

    def __contains__(self, parts):
        return self.model.score_candidate(parts[0], parts[-1], list(parts[1:-1]))[0] is not None

    def __getitem__(self, parts):
        return self.model.score_candidate(parts[0], parts[-1], list(parts[1:-1]))[1]

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0


class PhrasesTransformation:
    """``join_phrases``; gensim's delimiter may be white space, ours not."""

    delimiter = "_"

    def __init__(self, connector_words=()):
        self.connector_words = frozenset(connector_words)

    @property
    def scored(self):
        return _Scored(self)

    def __getitem__(self, texts):
        texts = list(texts)
        if texts and isinstance(texts[0], str):
            return join_phrases(texts, self.scored, self.connector_words, self.delimiter)
        return [join_phrases(list(text), self.scored, self.connector_words, self.delimiter) for text in texts]

    def find_phrases(self, sentences):
        scores = self.export_phrases()
        return {token: scores[token] for sentence in self[sentences] for token in sentence if token in scores}

    def export_phrases(self):
        return {self.delimiter.join(parts): score for parts, score in self.scored.items()}


class _ScoringOfArrays:
    def __init__(self, scoring):
        self.of_pair = np.vectorize(scoring)

    def __call__(self, first, second, pairs, *, types, tokens, min_count):
        return self.of_pair(first, second, pairs, types, min_count, tokens)


class Phrases(PhrasesTransformation):
    """``wordvec.Phrases``; a text without phrases is an error there and none here."""

    def __init__(
        self, sentences, min_count=5, threshold=10.0, max_vocab_size=20_000_000, delimiter="_", scoring="default",
        connector_words=(),
    ):  # fmt: skip
        super().__init__(connector_words)
        self.delimiter, self.min_count, self.threshold = delimiter, min_count, threshold
        if callable(scoring):  # of one pair at a time
            scoring = _ScoringOfArrays(scoring)
        self.ours = wordvec.Phrases(
            min_count, threshold, scoring, connector_words=sorted(connector_words), max_pairs_in_memory=max_vocab_size
        )
        self.ours.checked_settings()
        try:
            self.ours.fit([list(sentence) for sentence in sentences])
        except InputError as error:
            if "no phrases" not in str(error):
                raise
            self.ours.passes_ = [{}]

    @property
    def scored(self):
        return self.ours.passes_[0]

    def save(self, path):
        self.ours.save(path)

    @classmethod
    def load(cls, path):
        found = cls.__new__(cls)
        found.ours = wordvec.Phrases.load(path)
        found.connector_words = frozenset(found.ours.checked_settings().connectors)
        return found


class FrozenPhrases(Phrases):
    """The same: phrases hold no counts."""

    def __init__(self, phrases):
        self.ours, self.delimiter, self.connector_words = phrases.ours, phrases.delimiter, phrases.connector_words
