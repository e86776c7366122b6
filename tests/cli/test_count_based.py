"""``train-embeddings --model`` cooccurrence, ppmi, svd and glove."""

import json
from pathlib import Path

import pytest

from cli.shared import count_based_options as counting
from tests.cli.test_train_embeddings import corpus, options_of, train  # noqa: F401 (a fixture)
from wordvec import Word2VecSettings, load_vectors
from wordvec.count_based.models import COUNT_BASED_MODELS, count_based_options
from wordvec.formats.registry import describe

SMALL = {"svd": ("--vector-size", 4), "glove": ("--vector-size", 4, "--epochs", 2)}


def count(model, *arguments, output="v.safetensors", **kwargs):
    return train(
        "corpus.txt", "-o", output, "--min-count", 1, "--model", model, *SMALL.get(model, ()), *arguments, **kwargs
    )


def test_models_and_options_match_the_library():
    from cli import main

    assert counting.MODELS == COUNT_BASED_MODELS
    options = set(options_of(main.train_embeddings))
    known = set().union(*map(count_based_options, COUNT_BASED_MODELS))
    assert known <= options
    assert known - set(vars(Word2VecSettings())) == set(counting._DERIVED)


@pytest.mark.parametrize("model", COUNT_BASED_MODELS)
def test_every_model_trains_usable_vectors(corpus, model):  # noqa: F811
    result = count(model, "--summary", "s.json")
    vectors = load_vectors("v.safetensors")
    assert vectors.tokens[0] == "the"
    assert vectors.most_similar("king", top=2)
    facts = describe("v.safetensors")
    assert facts["kind"] == ("sparse vectors" if model in ("cooccurrence", "ppmi") else "vectors")
    assert facts["about"]["settings"]["model"] == model
    assert json.loads(Path("s.json").read_text())["settings"]["model"] == model
    assert "v.safetensors: 6 words x" in result.stderr
    assert result.stdout == ""


def test_options_reach_the_library(corpus):  # noqa: F811
    count(
        "svd", "--window", 2, "--window-weights", "flat", "--shift", 2, "--exponent", 0, "--add-contexts", "--seed", 5
    )
    settings = load_vectors("v.safetensors").settings
    assert (settings["cooccurrence"]["window"], settings["cooccurrence"]["window_weights"]) == (2, "flat")
    assert (settings["shift"], settings["exponent"], settings["add_contexts"], settings["seed"]) == (2, 0, True, 5)
    assert settings["cooccurrence"]["seed"] == 5


@pytest.mark.parametrize("output", ["v.txt", "v.bin"])
def test_sparse_vectors_need_a_safetensors_file(corpus, output):  # noqa: F811
    result = count("ppmi", output=output, code=2)
    assert (
        f"are sparse and need a .safetensors file, got {output}; rename it, or use --model svd or glove"
        in result.stderr
    )
    assert not Path(output).exists()


def test_extensions_are_case_insensitive(corpus):  # noqa: F811
    count("ppmi", output="v.SAFETENSORS")
    assert describe("v.SAFETENSORS")["kind"] == "sparse vectors"


@pytest.mark.parametrize(
    ("model", "option"),
    [
        ("svd", ("--negatives", 3)),
        ("glove", ("--shift", 3)),
        ("ppmi", ("--vector-size", 3)),
        ("skipgram", ("--x-max", 3)),
        ("cbow", ("--no-add-contexts",)),
        ("svd", ("--resume",)),
        ("glove", ("--early-stopping", 2)),
        ("cooccurrence", ("--continue-from", "old.safetensors")),
    ],
)
def test_options_of_other_models_are_rejected(corpus, model, option):  # noqa: F811
    result = train("corpus.txt", "-o", "v.safetensors", "--model", model, *option, code=2)
    name = option[0].replace("--no-", "--")
    assert f"{name} does not apply to --model {model}; leave it out" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("svd", "--shift", -1), "shift must be above 0, got -1.0"),
        (("svd", "--window", 0), "window must be at least 1, got 0"),
        (("glove", "--memory", "lots"), "'lots' is not a positive size with a unit; write 500M or 2G"),
        (("ppmi", "--window-weights", "expected"), "--window-weights must be one of harmonic, dynamic, flat"),
    ],
)
def test_values_out_of_range_are_usage_errors(corpus, arguments, message):  # noqa: F811
    assert message in count(*arguments, code=2).stderr


def test_results_do_not_depend_on_memory(corpus):  # noqa: F811
    count("cooccurrence", output="a.safetensors")
    count("cooccurrence", "--memory", "1M", output="b.safetensors")
    assert Path("a.safetensors").read_bytes() == Path("b.safetensors").read_bytes()


def test_glove_resumes_and_detects_a_finished_run(corpus):  # noqa: F811
    count("glove", "--resume")
    before = Path("v.safetensors").read_bytes()
    result = count("glove", "--resume")
    assert "v.safetensors is already complete; nothing to do" in result.stderr
    assert Path("v.safetensors").read_bytes() == before
    result = count("glove", "--resume", "--x-max", 7, code=1)
    assert "--x-max was 10.0 and is now 7.0" in result.stderr
    assert Path("v.safetensors").read_bytes() == before
