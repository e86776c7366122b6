"""Settings: values checked and converted when made, records of files old and new, documentation."""

import dataclasses
import json

import numpy as np
import pytest

from wordvec import InputError
from wordvec.system.settings import Settings, declaration_of, default_text, field_of, flags_of, setting, settings_class


def even(value):
    if value % 2:
        raise InputError(f"size must be even, got {value}")


@settings_class
class Example(Settings):
    """What an example does.

    Example:
        >>> Example().size
        4
    """

    size: int = setting("How large.", default=4, least=2, most=100, check=even)
    rate: float = setting("How fast.", default=0.5, above=0, below=1, detail="Some 2020.")
    kind: str = setting("Which.", default="a", choices=("a", "b"))
    tied: bool = setting("Together.", default=True, flags="--tied/--untied")
    limit: int | None = setting("At most.", default=None, least=1, none="all")
    late: float = setting("New.", default=0.0, least=0, added="9.9")

    def _check(self):
        if self.kind == "b" and self.size > 50:
            raise InputError(f"size must be at most 50 with kind b, got {self.size}")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size": 1}, "size must be at least 2, got 1"),
        ({"size": 102}, "size must be at most 100, got 102"),
        ({"size": 5}, "size must be even, got 5"),
        ({"size": 4.0}, "size must be a whole number, got 4.0"),
        ({"size": None}, "size must be a whole number, got None"),
        ({"rate": 0}, "rate must be above 0 and below 1, got 0"),
        ({"rate": float("nan")}, "rate must be a finite number, got nan"),
        ({"kind": "c"}, "kind must be one of a, b, got 'c'"),
        ({"tied": 1}, "tied must be true or false, got 1"),
        ({"limit": 0}, "limit must be at least 1, got 0"),
        ({"kind": "b", "size": 60}, "size must be at most 50 with kind b, got 60"),
    ],
)
def test_invalid_values_are_rejected_when_settings_are_made(given, message):
    with pytest.raises(InputError, match=f"^{message}"):
        Example(**given)


def test_values_become_python_values():
    found = Example(size=np.int64(6), rate=np.float32(0.25), tied=np.bool_(False), limit=np.uint8(3))
    assert json.loads(json.dumps(found.record())) == {"size": 6, "rate": 0.25, "kind": "a", "tied": False, "limit": 3}
    assert type(Example(rate=0.5, late=1).late) is float
    assert dataclasses.replace(found, size=8).size == 8


def test_a_later_setting_is_recorded_only_if_it_is_used():
    assert "late" not in Example().record()
    assert Example(late=0.5).record()["late"] == 0.5


def test_records_of_earlier_releases_take_defaults_and_later_ones_are_rejected():
    assert Example.from_record({"size": 6}) == Example(size=6)
    assert Example.from_record(Example(late=0.5).record()) == Example(late=0.5)
    with pytest.raises(InputError, match="unknown settings colour, shape; a later release may have written them"):
        Example.from_record({"size": 6, "shape": 1, "colour": 2})
    with pytest.raises(InputError, match="size must be at least 2"):
        Example.from_record({"size": 0})


def test_docstring_lists_every_setting_before_the_example():
    head, _, tail = Example.__doc__.partition("\n\nExample:")
    assert head.splitlines() == [
        "What an example does.",
        "",
        "Attributes:",
        "    size: How large. At least 2 and at most 100; default 4.",
        "    rate: How fast. Some 2020. Above 0 and below 1; default 0.5.",
        "    kind: Which. One of a, b; default a.",
        "    tied: Together. Default yes.",
        "    limit: At most. At least 1; default all.",
        "    late: New. At least 0; default 0.0.",
    ]
    assert ">>> Example().size" in tail


def test_declarations_give_flags_and_defaults():
    assert flags_of(field_of(Example, "tied")) == "--tied/--untied"
    assert flags_of(field_of(Example, "size")) == "--size"
    assert declaration_of(Example, "rate").help == "How fast."
    assert [default_text(field_of(Example, name)) for name in ("limit", "tied", "rate")] == ["all", "yes", "0.5"]
