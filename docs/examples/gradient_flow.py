"""
Gradients through time
======================

How much of the gradient arrives at an earlier step? Measured in untrained networks of 32 units. The recurrent weights
of the plain RNN start as a rotation, which keeps lengths; half of them lose the gradient, and twice of them let it
grow.
"""

from seqclf import measure_gradient_flow
from wordvec.plotting.charts import plot_lines

flows = {
    "RNN, weights x 2": measure_gradient_flow("rnn", scale=2.0),
    "RNN": measure_gradient_flow("rnn"),
    "RNN, weights x 0.5": measure_gradient_flow("rnn", scale=0.5),
    "GRU": measure_gradient_flow("gru"),
    "LSTM": measure_gradient_flow("lstm"),
}
lines = {name: flow.norms / flow.norms[0] for name, flow in flows.items()}

# Figure: norm of the gradient by distance, on a logarithmic axis: it falls to 1e-15 with halved weights, grows to 1e3
# with doubled ones, and stays near 0.02 in the LSTM.
figure = plot_lines(lines, "steps back", "norm of the gradient", log=True)
