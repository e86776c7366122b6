"""
Counting or predicting?
=======================

Vectors from one pass over the counts (PPMI, shortened by a singular value decomposition) and vectors from gradient
descent (skip-gram with negative sampling), on the same text and with the same window, evaluated on analogies.
"""

from corpora import TextCorpus, sample_path
from wordvec import Svd, Word2Vec, evaluate_analogies
from wordvec.plotting.curves import plot_scores

options = {"vector_size": 50, "window": 5, "random_state": 1, "tokenizer": "words", "lowercase": True}
sentences = list(TextCorpus("sample:english", tokenizer="words", lowercase=True))
models = {"PPMI and SVD": Svd(**options), "skip-gram": Word2Vec(**options)}

scores = {}
for name, model in models.items():
    result = evaluate_analogies(model.fit(sentences).vectors_, sample_path("english-questions"))
    print(f"{name:14} {result.accuracy:.3f}")
    scores[name] = {section.name: [section.accuracy] for section in result.sections}

# %%
# By section:

# Figure: two points for each of the nine sections, the accuracy of the two models.
figure = plot_scores(scores, label="accuracy")
