"""Encoder, attention and decoder against PyTorch: forward, backward and ten Adam steps; skipped without torch."""

from itertools import pairwise

import numpy as np
import pytest

from seqclf.layers.batches import Sequences
from seqclf.layers.parameters import EncoderShape
from seqclf.layers.workers import Workers
from seqclf.training.optimizers import scheduled_rate
from seqclf.translation.model import transducer_shape
from seqclf.translation.network import Targets, TransducerNetwork, transducer_shapes
from seqclf.translation.settings import TransducerSettings
from seqclf.translation.trainer import Trainer

torch = pytest.importorskip("torch")

# Every unit occurs, so that each step updates every row of the tables.
SOURCES = Sequences(np.array([2, 0, 3, 3, 1, 0, 4, 2], np.int32), np.array([0, 1, 5, 8]))
TARGETS = Targets(np.array([3, 0, 2, 0, 4, 1, 3, 2, 0], np.int32), np.array([0, 2, 4, 9]))
RATE, STEPS, SMOOTHING = 0.01, 10, 0.1
TOLERANCES = {np.float64: {"atol": 1e-9, "rtol": 1e-9}, np.float32: {"atol": 1e-4, "rtol": 1e-4}}
CASES = [
    {"attention": attention, "bidirectional": bidirectional, "merge": "sum" if attention == "dot" else "concatenate"}
    for attention in ("general", "dot", "additive")
    for bidirectional in (True, False)
]
CASES += [
    {"cell": "gru"},
    {"cell": "rnn", "layers": 2},
    {"layers": 2, "tied_embeddings": True, "target_vector_size": 4},
]


def step(weights, x, h, c):
    """One step of the cell that has these weights, by their number of gates."""
    z, u = weights["w_input"] @ x + weights["bias"], weights["w_hidden"] @ h
    gates = len(z) // len(h)
    if gates == 1:
        return torch.tanh(z + u), c
    if gates == 4:
        i, f, g, o = (z + u).chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c
    (r, z_share, n), (u_r, u_z, u_n) = z.chunk(3), u.chunk(3)
    n = torch.tanh(n + torch.sigmoid(r + u_r) * (u_n + weights["bias_hidden"]))
    share = torch.sigmoid(z_share + u_z)
    return (1 - share) * n + share * h, c


class Peer:
    """The same network in PyTorch, one pair and one unit at a time; parameters by name."""

    def __init__(self, parameters, settings, kind):
        self.names = {name: torch.tensor(array, dtype=kind, requires_grad=True) for name, array in parameters.items()}
        self.settings = settings

    def part(self, prefix):
        return {name.removeprefix(prefix): each for name, each in self.names.items() if name.startswith(prefix)}

    def encode(self, units):
        states = list(self.names["embedding"][torch.tensor(units).long()])
        for layer in range(self.settings.layers):
            sides, ends = [], []
            for direction in ("forward", "reverse")[: 1 + self.settings.bidirectional]:
                h = c = torch.zeros(self.settings.hidden_size, dtype=states[0].dtype)
                found = []
                for x in states[:: 1 if direction == "forward" else -1]:
                    h, c = step(self.part(f"layers.{layer}.{direction}."), x, h, c)
                    found.append(h)
                sides.append(found[:: 1 if direction == "forward" else -1])
                ends.append(h)
            merge = sum if self.settings.merge == "sum" else torch.cat
            states = [merge(both) if len(both) > 1 else both[0] for both in zip(*sides, strict=True)]
        return torch.stack(states), merge(ends) if len(ends) > 1 else ends[0]

    def score(self, h, states):
        part = self.part("decoder.attention.")
        if "scorer" in part:
            keys = states @ part["w_source"].T
            return torch.tanh(keys + part["w_query"] @ h + part["bias"]) @ part["scorer"]
        return states @ (part["w_source"].T @ h if part else h)

    def decode(self, states, final, read):
        settings, size = self.settings, self.settings.hidden_size
        bridge, combine = self.part("decoder.bridge."), self.part("decoder.combine.")
        first = torch.tanh(bridge["weight"] @ final + bridge["bias"]).split(size)
        h, c = list(first[: settings.layers]), list(first[settings.layers :]) or [None] * settings.layers
        fed, found = torch.zeros(size, dtype=states.dtype), []
        for unit in read:
            x = self.names["target_embedding"][unit]
            for layer in range(settings.layers):
                weights = self.part(f"decoder.layers.{layer}.")
                if layer == 0:
                    x = torch.cat([x, fed])
                    weights["w_input"] = torch.cat([weights["w_input"], weights["w_feed"]], 1)
                h[layer], c[layer] = step(weights, x, h[layer], c[layer])
                x = h[layer]
            context = torch.softmax(self.score(x, states), 0) @ states
            fed = torch.tanh(combine["w_context"] @ context + combine["w_state"] @ x + combine["bias"])
            found.append(fed)
        return torch.stack(found)

    def loss(self):
        weight = self.names.get("head.weight", self.names["target_embedding"][:-1])
        scores, bos = [], len(self.names["target_embedding"]) - 1
        for source, target in zip(pairwise(SOURCES.offsets), pairwise(TARGETS.offsets), strict=True):
            states, final = self.encode(SOURCES.ids[slice(*source)])
            read = [bos, *TARGETS.ids[slice(*target)][:-1].tolist()]
            scores.append(self.decode(states, final, read) @ weight.T + self.names["head.bias"])
        wanted = torch.tensor(TARGETS.ids).long()
        return torch.nn.functional.cross_entropy(torch.cat(scores), wanted, label_smoothing=SMOOTHING)


@pytest.mark.parametrize("dtype", TOLERANCES, ids=lambda dtype: np.dtype(dtype).name)
@pytest.mark.parametrize("options", CASES, ids=lambda case: "-".join(map(str, case.values())))
def test_forward_backward_and_ten_steps_match_pytorch(options, dtype):
    settings = TransducerSettings(
        hidden_size=4, vector_size=3, **{"target_vector_size": 2} | options, dropout=0.0, learning_rate=RATE,
        warmup_steps=0, clip_norm=1e9, batch_size=3, epochs=STEPS, label_smoothing=SMOOTHING,
    )  # fmt: skip
    shape = transducer_shape(EncoderShape(5, 3, **settings.encoder_options()), 6, settings.target_vector_size, settings)
    random = np.random.default_rng(0)
    parameters = {name: random.standard_normal(size) * 0.5 for name, size in transducer_shapes(shape).items()}
    network = TransducerNetwork(shape, parameters, dtype, smoothing=SMOOTHING)
    peer = Peer(parameters, settings, torch.float64 if dtype is np.float64 else torch.float32)
    adam = torch.optim.Adam(peer.names.values(), lr=RATE)
    with Workers(1) as workers:
        trainer = Trainer(network, settings, SOURCES, TARGETS, tuned=5, workers=workers)
        for number in range(STEPS):
            adam.param_groups[0]["lr"] = scheduled_rate(number, STEPS, peak=RATE, warmup=0)
            adam.zero_grad()
            loss = peer.loss()
            loss.backward()
            found = trainer.learn(np.arange(3))
            assert found == pytest.approx(loss.item(), **{"abs": 1e-5, "rel": 1e-5})
            gradients = network.gradients()
            for name in gradients:
                np.testing.assert_allclose(
                    gradients[name], peer.names[name].grad.numpy(), err_msg=name, **TOLERANCES[dtype]
                )
            adam.step()
    for name, array in network.parameters().items():
        np.testing.assert_allclose(array, peer.names[name].detach().numpy(), err_msg=name, **TOLERANCES[dtype])
