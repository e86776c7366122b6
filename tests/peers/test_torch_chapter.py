"""The outputs of PyTorch that the chapter on LSTMs records, computed again by its own code; skipped without torch."""

import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

CHAPTER = Path(__file__).parents[2] / "docs" / "tutorials" / "10-lstm.md"


def test_the_recorded_outputs_are_those_of_pytorch():
    part = CHAPTER.read_text(encoding="utf-8").split("## The same LSTM in PyTorch")[1].split("\n## ")[0]
    theirs = "\n".join(line.removeprefix("    ") for line in part.splitlines() if line.startswith("    "))
    inputs = re.search(r"```python\n(.*?)ours = ", part, re.DOTALL)[1]
    found = {}
    exec(inputs + theirs.replace("print(lstm(torch.tensor(steps))[0])", "found = lstm(torch.tensor(steps))[0]"),
         {"np": np, "torch": torch}, found)  # fmt: skip
    np.testing.assert_allclose(found["found"].detach().numpy(), found["recorded"], atol=1e-6)
