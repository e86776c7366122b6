"""The names an option may take, kept free of NumPy and Numba so that settings load at once."""

CELLS = ("gru", "lstm", "rnn")
RESETS = ("after", "before")
"""Whether a GRU's reset gate scales the hidden state's product with the weights (cuDNN, PyTorch), or the state before
that product (Cho et al. 2014)."""
MERGES = ("concatenate", "sum", "average", "multiply")
"""How the states of two directions become one, in the order of the merging kernels' modes."""
POOLINGS = ("max", "mean", "last", "attention")
HEADS = ("crf", "softmax")
"""A tagger's heads."""
