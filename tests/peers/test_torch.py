"""Forward pass, backward pass and ten Adam steps against PyTorch, for every cell; skipped without torch."""

import numpy as np
import pytest

from seqclf.classification.network import Network, NetworkShape, parameter_shapes
from seqclf.classification.settings import ClassifierSettings
from seqclf.layers.batches import pack
from seqclf.layers.workers import Workers
from seqclf.training.dropout import DropoutRates
from seqclf.training.optimizers import scheduled_rate
from seqclf.training.pooled import Trainer

torch = pytest.importorskip("torch")

TEXTS = [[3, 1, 3], [], [5], [0, 2, 4, 1, 6, 7, 2], [6, 6]]  # every word, so that each step updates every row
TARGETS = np.array([2, 0, 1, 1, 0], dtype=np.int32)
TOLERANCES = {np.float64: {"atol": 1e-9, "rtol": 1e-9}, np.float32: {"atol": 1e-4, "rtol": 1e-4}}
RATE, STEPS = 0.01, 10

SHAPES = [
    NetworkShape(8, 5, 7, 3, cell=cell, bidirectional=bidirectional, layers=layers, pooling=pooling)
    for cell in ("rnn", "gru", "lstm")
    for bidirectional, layers, pooling in (
        (False, 1, "last"), (True, 1, "max"), (True, 1, "mean"), (True, 2, "last"), (False, 3, "max")
    )
]  # fmt: skip
SHAPES += [NetworkShape(8, 5, 7, 3, pooling="attention")]


class Peer(torch.nn.Module):
    """The same network in PyTorch, run text by text."""

    def __init__(self, shape, parameters, kind):
        super().__init__()
        self.shape = shape
        recurrent = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[shape.cell]
        self.embedding = torch.nn.Parameter(torch.tensor(parameters["embedding"], dtype=kind))
        self.layers = recurrent(
            shape.vector_size, shape.hidden_size, shape.layers, bidirectional=shape.bidirectional, dtype=kind
        )
        self.head = torch.nn.Linear(shape.encoder.features, shape.classes, dtype=kind)
        self.names = {"embedding": self.embedding, "head.weight": self.head.weight, "head.bias": self.head.bias}
        if shape.pooling == "attention":
            self.keys = torch.nn.Linear(shape.encoder.features, shape.hidden_size, dtype=kind)
            self.query = torch.nn.Parameter(torch.empty(shape.hidden_size, dtype=kind))
            self.names |= {"pooling.weight": self.keys.weight, "pooling.bias": self.keys.bias}
            self.names["pooling.query"] = self.query
        for layer in range(shape.layers):
            for direction, suffix in zip(shape.encoder.directions, ("", "_reverse"), strict=False):
                for ours, theirs in (("w_input", "weight_ih"), ("w_hidden", "weight_hh"), ("bias", "bias_ih")):
                    name = f"layers.{layer}.{direction}.{ours}"
                    self.names[name] = getattr(self.layers, f"{theirs}_l{layer}{suffix}")
                self._second_bias(
                    getattr(self.layers, f"bias_hh_l{layer}{suffix}"), f"layers.{layer}.{direction}", parameters
                )
        with torch.no_grad():
            for name, parameter in self.names.items():
                parameter.copy_(torch.tensor(parameters[name]))

    def _second_bias(self, bias, prefix, parameters):
        """PyTorch adds two biases; the second one is only used for n of a GRU, elsewhere it stays zero."""
        size = self.shape.hidden_size
        kept = torch.zeros_like(bias)
        with torch.no_grad():
            bias.zero_()
            if self.shape.cell == "gru":
                bias[-size:] = torch.tensor(parameters[f"{prefix}.bias_hidden"])
                kept[-size:] = 1
        bias.register_hook(lambda gradient: gradient * kept)
        if self.shape.cell == "gru":
            self.names[f"{prefix}.bias_hidden"] = _Tail(bias, size)

    def forward(self):
        pooled = []
        for text in TEXTS:
            if not text:
                pooled.append(torch.zeros(self.shape.encoder.features, dtype=self.embedding.dtype))
                continue
            states, last = self.layers(self.embedding[torch.tensor(text)])
            if self.shape.pooling == "last":
                h = last[0] if self.shape.cell == "lstm" else last
                pooled.append(h[-len(self.shape.encoder.directions) :].reshape(-1))
            elif self.shape.pooling == "attention":
                pooled.append(torch.softmax(torch.tanh(self.keys(states)) @ self.query, 0) @ states)
            else:
                pooled.append(states.max(0).values if self.shape.pooling == "max" else states.mean(0))
        return self.head(torch.stack(pooled))


class _Tail:
    """The part of PyTorch's second bias that corresponds to ``bias_hidden``, with its gradient."""

    def __init__(self, bias, size):
        self._bias, self._size = bias, size

    def copy_(self, value):
        self._bias[-self._size :] = value

    def detach(self):
        return self._bias.detach()[-self._size :]

    @property
    def grad(self):
        return self._bias.grad[-self._size :]


@pytest.mark.parametrize("dtype", TOLERANCES, ids=lambda dtype: np.dtype(dtype).name)
@pytest.mark.parametrize(
    "shape", SHAPES, ids=lambda shape: f"{shape.cell}-{len(shape.encoder.directions)}x{shape.layers}-{shape.pooling}"
)
def test_forward_backward_and_ten_steps_match_pytorch(shape, dtype):
    tolerance = TOLERANCES[dtype]
    random = np.random.default_rng(0)
    parameters = {name: random.standard_normal(size) * 0.5 for name, size in parameter_shapes(shape).items()}
    peer = Peer(shape, parameters, torch.float64 if dtype is np.float64 else torch.float32)
    network = Network(shape, parameters, dtype)
    ids = np.array([token_id for text in TEXTS for token_id in text], np.int32)
    batch = pack(ids, np.concatenate([[0], np.cumsum([len(text) for text in TEXTS])]), np.arange(len(TEXTS)))
    settings = ClassifierSettings(dropout=0.0, learning_rate=RATE, warmup_steps=0, clip_norm=1e9)
    adam = torch.optim.Adam(peer.parameters(), lr=RATE)
    with Workers(1) as workers:
        trainer = Trainer(network, settings, rates=DropoutRates(), tuned_rows=8, steps=STEPS, workers=workers)
        for step in range(STEPS):
            adam.param_groups[0]["lr"] = scheduled_rate(step, STEPS, peak=RATE, warmup=0)
            adam.zero_grad()
            scores = peer()
            loss = torch.nn.functional.cross_entropy(scores, torch.tensor(TARGETS).long())
            loss.backward()
            if step == 0:
                expected = torch.softmax(scores.detach(), 1).numpy()
                np.testing.assert_allclose(network.predict(batch), expected[batch.order], **tolerance)
            np.testing.assert_allclose(trainer.step(batch, TARGETS[batch.order]), loss.item(), **tolerance)
            if step == 0:
                for name, gradient in network.gradients().items():
                    np.testing.assert_allclose(gradient, peer.names[name].grad.numpy(), err_msg=name, **tolerance)
            adam.step()
    after = network.parameters()
    assert after.keys() == peer.names.keys()
    for name, parameter in peer.names.items():
        assert np.abs(after[name] - parameters[name]).max() > 0.01, name
        np.testing.assert_allclose(after[name], parameter.detach().numpy(), err_msg=name, **tolerance)
