"""Dynamic batching: texts of requests that arrive during a prediction are predicted together in the next."""

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from seqclf.classification.answers import Answer, answers

if TYPE_CHECKING:
    from seqclf.classification.fasttext import FastTextClassifier
    from seqclf.classification.model import ClassifierModel

_MOST_AT_ONCE = 4096
"""Texts in a prediction, unless one request has more."""


_Asked: TypeAlias = "tuple[Sequence[str], asyncio.Future[list[Answer]]]"
"""The texts of a request, and where their predictions go."""


class Overloaded(Exception):
    """More texts wait than may."""


class Batcher:
    """Predicts the texts of concurrent requests, one batch at a time, in another thread.

    The other texts of a batch do not change a prediction.

    Args:
        model: a classifier of any kind.
        most_waiting: texts that may wait.
        threads: see ``predict_proba``.
    """

    def __init__(self, model: "ClassifierModel | FastTextClassifier", most_waiting: int, threads: int | None) -> None:
        self._predict = partial(answers, model, threads=threads)
        self._most_waiting = most_waiting
        self._queue: deque[_Asked] = deque()
        self._arrived = asyncio.Event()
        self.waiting = 0
        """The number of texts that wait."""

    async def answer(self, texts: Sequence[str]) -> list[Answer]:
        """Return the predictions for the texts of a request.

        Raises:
            Overloaded: too many texts wait.
        """
        if self.waiting and self.waiting + len(texts) > self._most_waiting:
            raise Overloaded
        future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._queue.append((texts, future))
        self.waiting += len(texts)
        self._arrived.set()
        return await future

    async def run(self) -> None:
        """Predict what arrives until cancelled."""
        while True:
            await self._arrived.wait()
            batch = self._next()
            joined = [text for texts, _ in batch for text in texts]
            try:
                found = await asyncio.to_thread(self._predict, joined)
            except Exception as error:  # each request of the batch fails with it
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            start = 0
            for texts, future in batch:
                if not future.done():  # the client is still there
                    future.set_result(found[start : start + len(texts)])
                start += len(texts)

    def _next(self) -> "list[_Asked]":
        """Take requests from the queue, at least one, and further ones of few texts."""
        batch = [self._queue.popleft()]
        count = len(batch[0][0])
        while self._queue and count + len(self._queue[0][0]) <= _MOST_AT_ONCE:
            batch.append(self._queue.popleft())
            count += len(batch[-1][0])
        self.waiting -= count
        if not self._queue:
            self._arrived.clear()
        return batch
