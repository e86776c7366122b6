"""
What a translation looks at
===========================

A network rewrites dates by characters. Its attention says for each character that it writes, a row, which characters
of the source it reads.
"""

from corpora import read_parallel
from seqclf import SequenceToSequence
from wordvec.plotting.charts import plot_table

sources, targets = read_parallel("sample:dates")[:2]
model = SequenceToSequence(
    hidden_size=48,
    vector_size=24,
    target_vector_size=24,
    epochs=5,
    learning_rate=0.008,
    validation_fraction=0,
    random_state=1,
).fit(sources, targets)
source = "March 4, 2013"
(target,) = model.predict([source])
print(source, "->", target)

# %%
# The year is read at the end of the source, the month at its beginning.

# Figure: a table of weights: the year reads the digits at the end, the month reads March, the day reads 4.
figure = plot_table(
    model.attention_[0][: len(target)], list(target), [letter.replace(" ", "_") for letter in source], digits=1
)
