"""Optional libraries: found, or absent with the command that installs them."""

import json

import pytest

from wordvec import InputError
from wordvec.system.optional import optional_module


def test_an_installed_module_is_returned():
    assert optional_module("json", "JSON needs json", "json") is json


def test_an_absent_one_is_an_error_of_one_line():
    with pytest.raises(InputError) as caught:
        optional_module("no_such.module", "eels need no-such", "eels")
    assert str(caught.value) == "eels need no-such, which is not installed: pip install 'wordvec-seqclf[eels]'"
    assert caught.value.__cause__ is None
