"""The language model as a scikit-learn estimator, a thin layer over ``train_language_model``."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from seqclf.estimator import SequenceEstimator
from seqclf.language.cache import ContinuousCache
from seqclf.language.model import Perplexity, TrainedLanguageModel
from seqclf.language.settings import LanguageModelSettings
from seqclf.language.train import train_language_model
from wordvec.system.progress import OnProgress


class LanguageModel(SequenceEstimator):
    """Recurrent language model over words or characters: embedding, RNN, GRU or LSTM layers, softmax.

    ``fit`` takes the lines of one text. :class:`seqclf.LanguageModelSettings` explains every parameter.

    Args:
        unit: predict each ``word``, with ``<eos>`` at each line's end, or each ``character``.
        cell: ``rnn``, ``gru`` or ``lstm``.
        reset: a GRU's reset gate acts ``after`` the product with the weights, or ``before``.
        layers: recurrent layers.
        hidden_size: units per layer; None is 256 for texts of at least 200,000 tokens, else 128.
        tied: tie the input embeddings and the softmax weights; None ties them for texts of at least 200,000 tokens.
        vector_size: dimensions of the embeddings; None is ``hidden_size``, which tied weights require.
        softmax: over all words at once (``full``), or ``adaptive``: rare words in clusters of fewer dimensions; None is
            full up to 30,000 words.
        samples: words per step of a sampled softmax; None is the full softmax.
        dropout: dropout probability between layers and before the softmax; None is 0.3, or 0.1 for vocabularies below
            1,000.
        embedding_dropout: dropout probability of the embeddings; None is 0.1, or 0 for vocabularies below 1,000.
        weight_drop: dropout probability of the recurrent weights.
        batch_size: streams that the text is cut into and that are read in parallel; None is one for each 1,500
            tokens, at most 20.
        window: steps of truncated backpropagation through time.
        optimizer: ``adam`` or ``sgd``.
        learning_rate: peak learning rate; None is 0.003 for texts of at least 200,000 tokens, else
            0.005, and 20 for SGD.
        schedule: after the warm-up the rate falls to 0 (``linear``, ``cosine``), stays (``constant``), or is divided by
            4 after an epoch without improvement (``plateau``).
        freeze: parameters that keep their values: names that ``summarize`` lists, or their beginnings, such as
            ``"layers.0"``, separated by commas.
        warmup_steps: steps until the peak.
        clip_norm: maximum global norm of a gradient.
        epochs: passes over the text; the best epoch on the validation text is kept.
        patience: stop after so many epochs without a better one; None never stops early.
        min_count: rarer tokens count as ``<unk>``.
        max_vocabulary: keep the most frequent tokens only; None keeps all.
        validation_fraction: share of the lines, the last ones, that choose the epoch if ``fit`` gets no
            ``validation_data``; 0 keeps the last epoch.
        tokenizer: a name in ``corpora.TOKENIZERS``; characters need none.
        lowercase: lower-case the text first.
        normalize: Unicode normalization of the text: NFC, NFKC or none.
        random_state: a seed or a generator; None is different every time.
        n_jobs: threads; None or -1 uses all cores. The result is the same at any number.

    Attributes:
        model_: the :class:`seqclf.TrainedLanguageModel`, which works without scikit-learn.
        history_: one dict per epoch: loss, and loss on the validation text.

    Example:
        >>> model = LanguageModel(hidden_size=16, epochs=5, batch_size=2, window=8, learning_rate=0.02, random_state=1)
        >>> model.fit(["the cat sat on the mat"] * 20).generate("the", lines=1, temperature=0)
        'the cat sat on the mat\\n'
    """

    def __init__(
        self,
        *,
        unit: str = "word",
        cell: str = "lstm",
        reset: str = "after",
        layers: int = 1,
        hidden_size: int | None = None,
        tied: bool | None = None,
        vector_size: int | None = None,
        softmax: str | None = None,
        samples: int | None = None,
        dropout: float | None = None,
        embedding_dropout: float | None = None,
        weight_drop: float = 0.0,
        batch_size: int | None = None,
        window: int = 35,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        schedule: str = "linear",
        freeze: str | None = None,
        warmup_steps: int = 50,
        clip_norm: float = 1.0,
        epochs: int = 10,
        patience: int | None = None,
        min_count: int = 1,
        max_vocabulary: int | None = None,
        validation_fraction: float = 0.05,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.unit = unit
        self.cell = cell
        self.reset = reset
        self.layers = layers
        self.hidden_size = hidden_size
        self.tied = tied
        self.vector_size = vector_size
        self.softmax = softmax
        self.samples = samples
        self.dropout = dropout
        self.embedding_dropout = embedding_dropout
        self.weight_drop = weight_drop
        self.batch_size = batch_size
        self.window = window
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.freeze = freeze
        self.warmup_steps = warmup_steps
        self.clip_norm = clip_norm
        self.epochs = epochs
        self.patience = patience
        self.min_count = min_count
        self.max_vocabulary = max_vocabulary
        self.validation_fraction = validation_fraction
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        lines: Iterable[str],
        y: Any = None,
        *,
        validation_data: Iterable[str] | None = None,
        on_progress: OnProgress | None = None,
    ) -> "LanguageModel":
        """Train on a text.

        Args:
            lines: strings without line ends; a generator is read once.
            y: ignored, there for the sake of scikit-learn's interface.
            validation_data: lines that choose the best epoch.
            on_progress: called a few times a second.

        Raises:
            InputError: a parameter out of range, a line that is not a string, or no text.
            TrainingError: loss or gradient is no longer a number.
        """
        self.model_: TrainedLanguageModel = train_language_model(
            lines, dev=validation_data, on_progress=on_progress, **self._training(LanguageModelSettings)
        )
        self.history_ = self.model_.history
        return self

    def score(self, lines: Iterable[str], y: Any = None) -> float:
        """Return the mean log-probability of a token of the text, in nats: the negative loss, higher is better."""
        return -self.perplexity(lines).loss

    def perplexity(
        self,
        lines: Iterable[str],
        *,
        trained_on: Iterable[str] | None = None,
        cache: ContinuousCache | None = None,
    ) -> Perplexity:
        """Return the perplexity of a text, compared with n-gram models; see ``TrainedLanguageModel.perplexity``."""
        check_is_fitted(self)
        return self.model_.perplexity(lines, trained_on=trained_on, cache=cache, threads=self._threads())

    def next_tokens(self, prompt: str = "", *, top: int = 10) -> list[tuple[str, float]]:
        """Return the most probable tokens after a prompt; see ``TrainedLanguageModel.next_tokens``."""
        check_is_fitted(self)
        return self.model_.next_tokens(prompt, top=top)

    def generate(
        self,
        prompt: str = "",
        *,
        length: int = 100,
        lines: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        nucleus: float | None = None,
        no_repeat: int | None = None,
        seed: int = 1,
    ) -> str:
        """Return a prompt and generated text that continues it; see ``TrainedLanguageModel.generate``."""
        check_is_fitted(self)
        return self.model_.generate(
            prompt,
            length=length,
            lines=lines,
            temperature=temperature,
            top_k=top_k,
            nucleus=nucleus,
            no_repeat=no_repeat,
            seed=seed,
        )
