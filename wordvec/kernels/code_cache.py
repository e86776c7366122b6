"""Numba's cache of compiled kernels: read from every folder that may hold it, written to the first that can be.

Numba itself uses one folder, which it must be able to write, so it recompiles what root has stored for other users.
"""

import hashlib
import os
import stat
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from numba.core import config
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, _CacheLocator
from numba.core.runtime.nrt import rtsys
from numba.misc.appdirs import AppDirs

from wordvec.kernels.dividing import claim

compiled: Counter[Path | None] = Counter()
"""The number of kernels that this process has compiled, by the folder that stores them."""


class _Serialization(CompileResultCacheImpl):
    """How compiled code is stored, without Numba's search for a folder."""

    def __init__(self) -> None:
        pass


class KernelCache(FunctionCache):
    """The stored code of one function, keyed on all kernels that it may call.

    Numba's own key covers only the file of the function (numba issue 1833) and would return stale code after an edit of
    a callee in another file. Each signature has files of its own, named by the key, so that neither a killed nor a
    concurrent process can leave an index that names the code of another signature or version.
    """

    def __init__(self, py_func: Any) -> None:
        self._py_func = py_func
        self._name = repr(py_func)
        self._file = py_func.__code__.co_filename
        self._sources = _source_hash(Path(self._file).parent)
        self._cache_path = str(next(_folders(self._file), ""))
        self._impl = _Serialization()
        self.enable()  # type: ignore[no-untyped-call]

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return (*super()._index_key(sig, codegen), self._sources)  # type: ignore[no-untyped-call]

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the stored code of a signature; None without.

        Numba would first load its implementations of Python and NumPy, and with them scipy.linalg, which takes longer
        than all else on the way to a first prediction. Only the compiler needs them, and loads them itself; stored code
        needs the functions that free memory.
        """
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)

    def _load_overload(self, sig: Any, target_context: Any) -> Any:
        key = self._index_key(sig, target_context.codegen())
        found = self._found(key, target_context)
        if found is None and self.folder() is not None and claim(self._name_of(key)):
            found = self._found(key, target_context)
        return found

    def _found(self, key: Any, target_context: Any) -> Any:
        for folder in _folders(self._file):
            try:
                data = self._stored(folder, key).load(key)
            except Exception:  # unreadable or damaged: compile again
                continue
            if data is not None:
                return self._impl.rebuild(target_context, data)
        return None

    def _save_overload(self, sig: Any, data: Any) -> None:
        folder = self.folder()
        if folder is not None:
            key = self._index_key(sig, data.codegen)
            try:
                _remove_stale(folder, self._sources[:12])
                self._stored(folder, key).save(key, self._impl.reduce(data))
            except OSError:  # such as a full disk: this process has the code in memory
                folder = None
        compiled[folder] += 1

    def _name_of(self, key: Any) -> str:
        digest = hashlib.sha256(repr((sys.implementation.cache_tag, key)).encode()).hexdigest()
        return f"{Path(self._file).stem}.{self._py_func.__qualname__}-{self._sources[:12]}-{digest[:16]}"

    def _stored(self, folder: Path, key: Any) -> IndexDataCacheFile:
        return IndexDataCacheFile(str(folder), self._name_of(key), self._sources)

    def folder(self) -> Path | None:
        """Return the folder for newly compiled code; None if it cannot be stored."""
        return next(filter(_is_writable, _folders(self._file, create=True)), None)

    def lifetime(self) -> tuple[str, bool]:
        """Return how often this function is compiled, and whether a user can and should change that."""
        folder = self.folder()
        if folder is None:
            return "in every process: no cache folder is writable; set NUMBA_CACHE_DIR to one that is", True
        temporary = _temporary_folder(create=True)
        if temporary in folder.parents:
            return f"kept in {temporary}; set NUMBA_CACHE_DIR to a writable folder that lasts", True
        return "once per machine", False


@lru_cache
def _source_hash(folder: Path) -> str:
    """Digest of every module in ``folder`` and in this package."""
    digest = hashlib.sha256()
    for module in sorted({*folder.glob("*.py"), *Path(__file__).parent.glob("*.py")}):
        digest.update(module.read_bytes())
    return digest.hexdigest()


def _folders(file: str, create: bool = False) -> Iterator[Path]:
    """Yield the folders that may hold the code of ``file``: NUMBA_CACHE_DIR or Numba's defaults, then a temporary one.

    Args:
        file: the module of a kernel.
        create: make the temporary folder, if it comes to that.
    """
    below = _CacheLocator.get_suitable_cache_subpath(file)
    if config.CACHE_DIR:  # type: ignore[attr-defined]
        yield Path(config.CACHE_DIR, below)  # type: ignore[attr-defined]
    else:
        yield Path(file).parent / "__pycache__"
        user = Path(AppDirs(appname="numba", appauthor=False).user_cache_dir)
        if user.is_absolute():  # not so for a user without a home
            yield user / below
    temporary = _temporary_folder(create)
    if temporary is not None:
        yield temporary / below


@lru_cache
def _temporary_folder(create: bool) -> Path | None:
    """Return the temporary folder in which only the current user can have stored code; None without one."""
    user = os.getuid() if hasattr(os, "getuid") else None
    try:
        folder = Path(tempfile.gettempdir(), "wordvec-kernels" if user is None else f"wordvec-kernels-{user}")
        if create:
            folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
    except OSError:
        return None
    private = user is None or (facts.st_uid == user and not facts.st_mode & 0o077)
    return folder if stat.S_ISDIR(facts.st_mode) and private else None


@lru_cache
def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


@lru_cache
def _remove_stale(folder: Path, version: str) -> None:
    """Remove the stored code of other versions of the sources."""
    for file in folder.glob("*.nb[ci]"):
        if f"-{version}-" not in file.name:
            file.unlink(missing_ok=True)
