"""
A map of words
==============

Three words and their nearest neighbors on a plane. Words whose vectors have similar directions are near each other;
the groups differ in color and marker.
"""

from corpora import TextCorpus
from wordvec import Word2Vec
from wordvec.plotting.maps import plot_words

options = {"tokenizer": "words", "lowercase": True}
wv = Word2Vec(vector_size=50, random_state=1, **options).fit(TextCorpus("sample:english", **options)).vectors_

# Figure: three groups of words on a plane: around king, paris and happy.
figure = plot_words(wv, ["king", "paris", "happy"], neighbors=6)
