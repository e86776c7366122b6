"""
Which labels are confused?
==========================

A tagger of parts of speech, trained on 45 sentences, and a matrix of its errors: rows are true tags, columns
predicted ones, darker by their share of the row.
"""

from corpora import read_tagged
from seqclf import SequenceTagger, score
from wordvec.plotting.charts import plot_confusion

sentences, tags = read_tagged("sample:tags")
tagger = SequenceTagger(epochs=30, validation_fraction=0, random_state=1).fit(sentences, tags)

sentences, tags = read_tagged("sample:tags-test")
predicted = [tag for row in tagger.predict(sentences) for tag in row]
result = score([tag for row in tags for tag in row], predicted)
print(f"accuracy {result.accuracy:.2f}, macro-F1 {result.macro_f1:.2f}")

# Figure: a matrix of parts of speech; most numbers are on the diagonal.
figure = plot_confusion(result.confusion, result.labels)
