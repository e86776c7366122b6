"""scikit-learn's own tests of its vectorizers, from the installed package, on ours.

``gaps.py`` lists each case that does not pass, with its reason.
"""

import importlib.util
import sys
from unittest import mock

import pytest
import sklearn
from sklearn.feature_extraction import text

from tests.peers.scikit_learn_suites import adapters
from tests.peers.scikit_learn_suites.gaps import RELEASE
from wordvec.document_vectors.analysis import strip_accents

if not sklearn.__version__.startswith(f"{RELEASE}."):
    pytest.skip(f"the gaps are those of scikit-learn {RELEASE}, got {sklearn.__version__}", allow_module_level=True)
theirs = pytest.importorskip("sklearn.feature_extraction.tests.test_text")


def strip_accents_unicode(text):
    return strip_accents(text, "unicode")


def strip_accents_ascii(text):
    return strip_accents(text, "ascii")


def _cases():
    """Return the tests of a copy of the module that was imported with our classes in place of scikit-learn's."""
    name = f"{__name__}.theirs"
    spec = importlib.util.spec_from_file_location(name, theirs.__file__)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    ours = {name: getattr(adapters, name) for name in ("CountVectorizer", "HashingVectorizer", "TfidfVectorizer")}
    ours |= {"strip_accents_unicode": strip_accents_unicode, "strip_accents_ascii": strip_accents_ascii}
    with mock.patch.multiple(text, **ours):
        spec.loader.exec_module(module)
    tests = {key: value for key, value in vars(module).items() if key.startswith("test_")}
    return {key: test for key, test in tests.items() if "_transformer" not in key}  # of TfidfTransformer, which we lack


globals().update(_cases())
