"""
Gates over time
===============

An LSTM predicts a language from the country at the beginning of a sentence, after words that have nothing to do with
it. Its cell changes most at the country, and the forget gate stays open, so that the cell keeps what it has read.
"""

from itertools import product

import numpy as np

from seqclf import SequenceClassifier, trace
from wordvec.plotting.charts import plot_table

subjects = {"france": "french", "italy": "italian", "spain": "spanish", "japan": "japanese"}
remarks = ["where the sun shines", "which is far away", "as everyone knows", "said the old man"]
texts, labels = [], []
for (country, language), first, second in product(subjects.items(), remarks, remarks):
    texts.append(f"i grew up in {country} {first} {second} so i speak")
    labels.append(language)

model = SequenceClassifier(
    "lstm",
    bidirectional=False,
    pooling="last",
    hidden_size=32,
    vector_size=16,
    dropout=0,
    epochs=60,
    learning_rate=0.02,
    batch_size=8,
    validation_fraction=0,
    random_state=1,
).fit(texts, labels)
print("accuracy:", model.score(texts, labels))

# %%
# The mean over the units of each gate, for each word, and how much the cell changes:
seen = trace(model.model_, texts[40])
layer = seen.layers[0]
rows = {f"{name} gate": layer.gates[name[0]].mean(axis=1) for name in ("input", "forget", "output")}
rows["change of the cell"] = np.abs(np.diff(layer.c, axis=0, prepend=0)).mean(axis=1)

# Figure: a table of four rows over the words of a sentence; the cell changes most at the name of the country.
figure = plot_table(list(rows.values()), list(rows), seen.tokens, digits=1)
