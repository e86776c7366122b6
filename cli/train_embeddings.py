"""``train-embeddings``: train word vectors on text."""

import contextlib
import json
import os
from dataclasses import fields
from typing import Any

import click

from cli.shared import count_based_options as counting
from cli.shared import options
from cli.shared.compiling_ahead import compile_ahead
from cli.shared.errors import Command, check_files, command_line, note_checkpoint, note_output, usage_errors
from cli.shared.origins import versions
from cli.shared.phrase_options import PhraseStep, phrase_options
from cli.shared.pictures import check_picture
from cli.shared.reporting import finite, log
from cli.shared.setting_options import setting_option, setting_options
from cli.shared.shard_options import ShardStep, shard_options
from cli.shared.tuning_options import TuningStep, tuning_options
from cli.shared.unused import refuse_with, refuse_without
from cli.shared.vocabulary_options import take_rules, vocabulary_options
from cli.shared.word2vec_reporting import corpus_summary
from cli.shared.word2vec_runs import Evaluation, Run, inherited_settings
from wordvec import CooccurrenceSettings, Word2VecSettings
from wordvec.system.settings import declaration_of
from wordvec.word2vec.settings import ContinuationSettings

DEFAULT_PACE = 300.0
"""Seconds between checkpoints with ``--resume``."""

_CONTINUING = tuple(field.name for field in fields(ContinuationSettings))


_WINDOW_WEIGHTS = list(
    dict.fromkeys(
        name
        for kind in (Word2VecSettings, CooccurrenceSettings)
        for name in declaration_of(kind, "window_weights").choices
    )
)


def _shared_option(name: str, default: str) -> options.Decorator:
    """Return the option of a setting whose default depends on the model."""
    declared = declaration_of(Word2VecSettings, name)
    return setting_option(Word2VecSettings, name, help=f"{declared.help}  [default: {default}]", show_default=False)


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("corpus", type=options.INPUT, nargs=-1, required=True)
@options.output_option(
    "Output file: .safetensors, .txt or .vec (word2vec text), .bin (word2vec binary), or .floret (--subword-hashes)."
)
@setting_option(
    Word2VecSettings,
    "model",
    type=click.Choice(["skipgram", "cbow", *counting.MODELS]),
    help="Predict the context words from the center, or the center from its context; or a count-based model: "
    "co-occurrence counts, PPMI, truncated SVD or GloVe.",
)
@setting_options(Word2VecSettings, "loss", "preset", "vector_size")
@_shared_option("window", "5; glove 15")
@setting_option(
    Word2VecSettings,
    "window_weights",
    type=click.Choice(_WINDOW_WEIGHTS),
    help="Context weights by distance: the expectation over random window radii, a radius sampled for each center as "
    "in word2vec.c, or flat, all 1.  [default: expected for skip-gram with shared negatives or softmax, else sampled]  "
    "Count-based models: harmonic, 1/distance (glove); dynamic, averaged over window radii (the others); or flat.",
)
@setting_options(Word2VecSettings, "negatives")
@_shared_option("epochs", "5 for texts of 3 million tokens or more, up to 20 for smaller ones; glove 25")
@_shared_option(
    "learning_rate", "0.04, with subwords 0.03, with another loss less; CBOW 0.06, with the mean 0.075; glove 0.05"
)
@setting_options(Word2VecSettings, "min_learning_rate")
@_shared_option("subsample", "0.001; count-based models 0")
@click.option(
    "--min-count", type=options.LEAST_1, default=5, show_default=True, help="Ignore words with fewer occurrences."
)
@click.option(
    "--max-vocabulary", type=options.LEAST_1, metavar="N", help="Keep the N most frequent words.  [default: all]"
)
@vocabulary_options
@setting_options(
    Word2VecSettings,
    "noise_exponent", "cbow_gradient", "mode", "shared_negatives", "block_size", "fresh_negatives",
    "subwords", "buckets", "subword_hashes",
)  # fmt: skip
@counting.counting_options
@phrase_options
@options.tokenizer_option
@options.lowercase_option
@options.normalize_option
@options.unit_option("Text that contexts do not leave")
@options.encoding_options
@click.option("--no-cache", is_flag=True, help="Do not cache the encoded corpus.")
@click.option(
    "--continue-from",
    type=options.INPUT,
    metavar="VECTORS",
    help="Continue training these vectors, in any format, with the settings in the file; new words are added.",
)
@click.option("--freeze-initial", is_flag=True, help="Freeze the vectors of --continue-from: --initial-rate 0.")
@setting_options(ContinuationSettings, "initial_rate", "initial_counts")
@shard_options
@click.option(
    "--checkpoint-every",
    type=options.Duration(),
    metavar="TIME",
    help="Save a checkpoint next to FILE at this interval (30s, 5m, 1h) and on Ctrl-C.  [default: 5m with --resume]",
)
@click.option("--resume", is_flag=True, help="Resume from the checkpoint, if any; the result is bit-identical.")
@click.option(
    "--evaluate-on",
    type=options.INPUT,
    multiple=True,
    metavar="FILE",
    help="Analogies or word pairs to evaluate on during training; keeps the best epoch. Can be repeated.",
)
@click.option(
    "--evaluate-every",
    type=options.Duration(or_count="epochs"),
    metavar="N|TIME",
    help="Evaluation interval in epochs or a time; scores at epoch ends select the best epoch.  [default: 1]",
)
@click.option(
    "--early-stopping",
    type=options.LEAST_1,
    metavar="N",
    help="Stop after N epochs without improvement in --evaluate-on, or else in the loss; keeps the best epoch.",
)
@tuning_options
@click.option(
    "--plot",
    type=options.OUTPUT,
    metavar="FILE",
    help="Draw the loss and the scores of --evaluate-on by epoch to a .png, .svg or .pdf file.",
)
@click.option(
    "--summary",
    type=options.OUTPUT,
    metavar="FILE",
    help="Write command, corpus, settings, versions, losses and timings as JSON.",
)
@options.seed_option
@options.threads_option
@options.quiet_option
@options.version_option
def train_embeddings(
    corpus: tuple[str, ...],
    output: str,
    min_count: int,
    max_vocabulary: int | None,
    words_file: str | None,
    tokenizer: str,
    lowercase: bool,
    normalize: str,
    unit: str,
    encoding: str,
    encoding_errors: str,
    no_cache: bool,
    continue_from: str | None,
    freeze_initial: bool,
    checkpoint_every: float | None,
    resume: bool,
    evaluate_on: tuple[str, ...],
    evaluate_every: float | None,
    early_stopping: int | None,
    summary: str | None,
    plot: str | None,
    threads: int | None,
    quiet: bool,
    **given: Any,
) -> None:
    """Train word vectors on CORPUS and write them to a file.

    CORPUS is one or more files, globs or folders, - for standard input, or sample:english; plain text or .gz, .bz2,
    .xz, .zst. Each line is a sentence, or each paragraph or file (--unit).

    \b
    Examples:
      train-embeddings sample:english -o vectors.safetensors
      train-embeddings 'news/*.txt.gz' --lowercase --tokenizer words -o vectors.bin
      train-embeddings big.txt -o vectors.safetensors --resume
    """
    from corpora import TextCorpus
    from wordvec import load_vectors, save_vectors, save_vocabulary
    from wordvec.formats.registry import output_format
    from wordvec.plotting.curves import plot_training
    from wordvec.system.atomic_files import check_target

    made = {"command": command_line(), "seed": given["seed"], "min_count": min_count, "max_vocabulary": max_vocabulary}
    rules = take_rules(given, encoding)
    phrases = PhraseStep.taken_from(given, lowercase, encoding)
    shards = ShardStep(given)
    tuning = TuningStep(given, output)
    if evaluate_every is not None and not evaluate_on:
        raise click.UsageError("--evaluate-every needs --evaluate-on FILE")
    for target in filter(None, (output, summary, words_file, phrases.target)):
        check_target(target)
    output_format(output)
    if plot is not None and given["model"] in counting.MODELS and given["model"] != "glove":
        raise click.UsageError(f"--plot draws the loss of each epoch, which --model {given['model']} lacks")
    check_picture(plot)
    refuse_without("--continue-from", continue_from, "freeze_initial", *_CONTINUING)
    refuse_with("--freeze-initial", freeze_initial, "initial_rate")
    with usage_errors():
        chosen = {name: given.pop(name) for name in _CONTINUING} | ({"initial_rate": 0.0} if freeze_initial else {})
        continuation = ContinuationSettings(**chosen)
    run: Run | counting.Run
    if given["model"] in counting.MODELS:
        run = counting.Run(given, output, threads, quiet)
    else:
        initial = None if continue_from is None else load_vectors(continue_from)
        if initial is not None:
            inherited = inherited_settings(initial)
            tokenizer, lowercase = inherited.pop("tokenizer", tokenizer), inherited.pop("lowercase", lowercase)
            normalize = inherited.pop("normalize", normalize)
            given |= inherited
            phrases.inherit(initial, str(continue_from), quiet)
        benchmarks = evaluate_on or tuning.files
        evaluation = Evaluation(benchmarks, quiet) if benchmarks else None
        run = Run(given, shards, initial, continuation, evaluation, evaluate_every, early_stopping, threads, quiet)
        compile_ahead("embeddings", run.settings.record(), threads)
    if output_format(output) == "floret" and getattr(run.settings, "subword_hashes", None) is None:
        raise click.UsageError(f"{output} holds hashed words: it needs --subwords and --subword-hashes; or rename it")
    is_saved = (resume and not tuning.is_used) or checkpoint_every is not None
    checkpoint = f"{output}.checkpoint" if is_saved else None
    if checkpoint is not None:
        check_files(checkpoint=checkpoint)
        note_checkpoint(checkpoint)
    texts = TextCorpus(
        *corpus,
        encoding=encoding,
        encoding_errors=encoding_errors,
        tokenizer=tokenizer,
        lowercase=lowercase,
        normalize=normalize,
        unit=unit,
    )
    counting_limit = rules["max_types_in_memory"]
    texts = phrases.joined(texts, cache=not no_cache, threads=threads, quiet=quiet, max_types_in_memory=counting_limit)
    rules |= {"min_count": min_count, "max_vocabulary": max_vocabulary}
    encoded = shards.encode(texts, quiet, threads, not no_cache, rules)
    files = [] if shards.cluster.is_used else texts.provenance()
    log(corpus_summary(encoded), quiet)
    if words_file is not None:
        save_vocabulary(encoded.vocabulary, words_file)
        note_output(words_file)

    def save(result: Any, more: dict[str, Any]) -> None:
        result.vectors.origin = {
            **shards.origin(result, files),
            "min_count": min_count,
            "raw_tokens": encoded.raw_tokens,
            "raw_types": encoded.raw_types,
            "versions": versions(),
            **more,
        }
        if phrases.record is not None:
            result.vectors.settings["phrases"] = phrases.record
        save_vectors(result.vectors, output)
        note_output(output)

    if tuning.is_used and isinstance(run, Run) and run.evaluation is not None:
        tuning.run(encoded, run.evaluation, save, threads=threads, resume=resume, quiet=quiet)
        return
    if resume and not os.path.exists(str(checkpoint)) and run.is_finished(output, encoded, phrases.record):
        log(f"{output} is already complete; nothing to do", quiet)
        return
    result = run.train(encoded, checkpoint, checkpoint_every or DEFAULT_PACE, resume)
    save(result, {})
    if plot is not None:
        scores = getattr(result, "scores", ()) or [None] * len(result.losses)
        rows = enumerate(zip(result.losses, scores, strict=True), 1)
        history = [{"epoch": epoch, "loss": loss, "score": score} for epoch, (loss, score) in rows]
        plot_training(history, plot, kept_epoch=getattr(result, "kept_epoch", 0))
        note_output(plot)
    if summary is not None:
        made |= {"corpus": {"files": files, "tokenizer": tokenizer, "lowercase": lowercase}}
        made |= {"raw_types": encoded.raw_types, "versions": versions()}
        _write_summary(made | result.summary(), summary)
    if checkpoint is not None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(checkpoint)
    log(run.result_line(result, output), quiet)


def _write_summary(facts: dict[str, Any], path: str) -> None:
    from wordvec.system.atomic_files import replacing

    with replacing(path) as file:
        file.write(json.dumps(finite(facts), indent=2).encode() + b"\n")
    note_output(path)
