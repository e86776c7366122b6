"""Valid values of options, without NumPy and Numba so that settings load fast."""

CELLS = ("gru", "lstm", "rnn")
RESETS = ("after", "before")
"""Whether a GRU's reset gate scales the product of hidden state and weights (cuDNN, PyTorch), or the hidden state
before the product (Cho et al. 2014)."""
MERGES = ("concatenate", "sum", "average", "multiply")
"""How the states of two directions are merged, in the order of the merging kernels' modes."""
POOLINGS = ("max", "mean", "last", "attention")
HEADS = ("crf", "softmax")
"""A tagger's heads."""
ATTENTIONS = ("general", "dot", "additive")
