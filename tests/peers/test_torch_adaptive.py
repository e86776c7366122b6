"""The adaptive softmax against PyTorch's ``AdaptiveLogSoftmaxWithLoss``; skipped without torch."""

import numpy as np
import pytest

from seqclf.layers.adaptive_head import AdaptiveHead, adaptive_shapes

torch = pytest.importorskip("torch")


def test_log_probabilities_are_those_of_torch():
    random = np.random.default_rng(3)
    head = AdaptiveHead(300, 256, cutoffs=[20, 60], dtype=np.float64)
    own = {name: 0.1 * random.standard_normal(size) for name, size in adaptive_shapes(300, 256, [20, 60]).items()}
    states = random.standard_normal((9, 256))
    targets = random.integers(0, 300, 9).astype(np.int32)
    peer = torch.nn.AdaptiveLogSoftmaxWithLoss(256, 300, [20, 60], div_value=4.0, head_bias=True).double()
    with torch.no_grad():
        peer.head.weight[:] = torch.from_numpy(own["head.weight"])
        peer.head.bias[:] = torch.from_numpy(own["head.bias"])
        for place, tail in enumerate(peer.tail):  # which has no biases
            own[f"head.cluster.{place}.bias"][:] = 0
            tail[0].weight[:] = torch.from_numpy(own[f"head.cluster.{place}.project.weight"])
            tail[1].weight[:] = torch.from_numpy(own[f"head.cluster.{place}.weight"])
    head.load(own)
    rows = torch.from_numpy(states).requires_grad_()
    found = peer(rows, torch.from_numpy(targets).long())
    found.loss.backward()
    np.testing.assert_allclose(head.log_probabilities(states, targets), found.output.detach().numpy(), rtol=1e-10)
    loss, d_states = head.loss_and_backward(states, None, targets)
    np.testing.assert_allclose(loss, float(found.loss.detach()), rtol=1e-10)
    np.testing.assert_allclose(d_states, rows.grad.numpy(), atol=1e-10)
    np.testing.assert_allclose(
        head.gradients()["head.cluster.1.weight"], peer.tail[1][1].weight.grad.numpy(), atol=1e-10
    )
