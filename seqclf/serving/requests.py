"""Requests for predictions: JSON bodies, checked."""

import json
from dataclasses import dataclass
from typing import Any

from wordvec import InputError
from wordvec.system.validation import check_number, check_whole

_KEYS = ("text", "texts", "top_k", "min_confidence")


@dataclass(frozen=True)
class PredictionRequest:
    """What a client asks.

    Attributes:
        texts: at least none.
        single: the client sent one text, and gets one prediction.
        top_k: labels with their probabilities; None: all.
        min_confidence: the least probability of a predicted label.
    """

    texts: list[str]
    single: bool
    top_k: int | None = None
    min_confidence: float | None = None

    @classmethod
    def parse(cls, body: bytes) -> "PredictionRequest":
        """Read a JSON body.

        Raises:
            InputError: it is not JSON, or not a request; the message states the rule.

        Example:
            >>> PredictionRequest.parse(b'{"text": "Flood warning", "top_k": 2}')
            PredictionRequest(texts=['Flood warning'], single=True, top_k=2, min_confidence=None)
        """
        try:
            content = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise InputError(f"the body must be JSON in UTF-8 ({error!s:.80})") from None
        if not isinstance(content, dict) or ("text" in content) == ("texts" in content):
            raise InputError('the body must be an object with "text", a string, or "texts", a list of strings')
        if unknown := [key for key in content if key not in _KEYS]:
            raise InputError(f"unknown key {unknown[0]!r:.40}; the keys are {', '.join(_KEYS)}")
        single = "text" in content
        texts: Any = [content["text"]] if single else content["texts"]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise InputError("text must be a string" if single else "texts must be a list of strings")
        for text in texts:
            try:
                text.encode()
            except UnicodeEncodeError:
                raise InputError("a text has an unpaired surrogate, which UTF-8 cannot encode; remove it") from None
        top_k, least = content.get("top_k"), content.get("min_confidence")
        return cls(
            texts,
            single,
            None if top_k is None else check_whole("top_k", top_k, 1),
            None if least is None else check_number("min_confidence", least, least=0, most=1),
        )
