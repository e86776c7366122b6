"""
Arrows of an analogy
====================

Skip-gram vectors of the bundled English sample: the way from a country to its capital is nearly the same for each
country.
"""

from corpora import TextCorpus
from wordvec import Word2Vec
from wordvec.plotting.maps import plot_analogies

options = {"tokenizer": "words", "lowercase": True}
wv = Word2Vec(vector_size=50, random_state=1, **options).fit(TextCorpus("sample:english", **options)).vectors_
for word, score in wv.analogy("france", "paris", "italy", top=3):
    print(f"{word:10} {score:.2f}")

# %%
# The plane shows the two directions of greatest variance, of 50.

# Figure: four arrows, each from a country to its capital, nearly parallel.
figure = plot_analogies(wv, [("france", "paris"), ("italy", "rome"), ("spain", "madrid"), ("japan", "tokyo")])
