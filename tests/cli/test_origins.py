"""What model files state of their training: digests of the data, versions, seed and sizes."""

import hashlib

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from seqclf import load_model
from wordvec import __version__
from wordvec.formats.registry import describe

SMALL = "--hidden-size 4 --epochs 1 --quiet --seed 5"
DATA = {
    "labels.tsv": "".join(f"{'yes' if number % 3 else 'no'}\tfire {number} near town\n" for number in range(30)),
    "tags.tsv": "the\tO\nold\tB\nboy\tI\n\n" * 20,
    "pairs.tsv": "ab\tba\ncab\tbac\n" * 10,
    "text.txt": "the old boy saw a fire\n" * 20,
    "series.csv": "value\n" + "".join(f"{number % 7 + number / 100}\n" for number in range(60)),
}
TRAININGS = {
    "labels.tsv": f"classify-text train labels.tsv --dev labels.tsv {SMALL}",
    "tags.tsv": f"tag-text train tags.tsv --dev tags.tsv {SMALL}",
    "pairs.tsv": f"transduce train pairs.tsv --dev pairs.tsv {SMALL}",
    "text.txt": f"language-model train text.txt --dev text.txt {SMALL}",
    "series.csv": f"forecast train series.csv --window 8 --horizon 2 --method network {SMALL}",
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in DATA.items():
        (tmp_path / name).write_text(content)
    return lambda line: CliRunner().invoke(main.wordvec, line.split())


@pytest.mark.parametrize("name", TRAININGS)
def test_a_network_states_the_digests_of_its_data_and_the_versions(run, name):
    result = run(f"{TRAININGS[name]} -o model.safetensors")
    assert result.exit_code == 0, result.output
    digest = hashlib.blake2b(DATA[name].encode(), digest_size=32).hexdigest()
    origin = load_model("model.safetensors").origin
    assert origin["data_blake2b"] == digest
    assert origin.get("dev_blake2b") == (digest if "--dev" in TRAININGS[name] else None)
    assert origin["versions"]["wordvec-seqclf"] == __version__
    assert origin["versions"]["numpy"] == np.__version__
    about = describe("model.safetensors")["about"]
    assert (about["origin"], about["settings"]["seed"]) == (origin, 5)
    assert f"data_blake2b: {digest}" in run("info model.safetensors").stdout
    load_model("model.safetensors").save("again.safetensors")
    with open("model.safetensors", "rb") as file, open("again.safetensors", "rb") as again:
        assert file.read() == again.read()


def test_data_that_changes_while_it_is_read_is_refused(run, tmp_path, monkeypatch):
    from corpora import labelled

    read = labelled.iter_labelled

    def read_and_change(*arguments, **options):
        found = list(read(*arguments, **options))
        (tmp_path / "labels.tsv").write_text("yes\tanother text\n")
        return found

    monkeypatch.setattr("corpora.iter_labelled", read_and_change)
    result = run(f"classify-text train labels.tsv {SMALL} -o model.safetensors")
    assert result.stderr == "Error: labels.tsv changed while it was read; run again when nothing writes to it\n"
    assert not (tmp_path / "model.safetensors").exists()
