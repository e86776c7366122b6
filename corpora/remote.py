"""Files named by a URL, on any file system that fsspec knows: object stores, HTTP, HDFS, memory."""

from typing import Any

from corpora.errors import InputError
from corpora.files import Source


def is_remote(text: str) -> bool:
    """Whether a source is named by a URL, such as ``s3://bucket/news.txt``."""
    return "://" in text


def resolve_url(url: str) -> list[Source]:
    """Return the files that a URL names: one, those of a folder, or those that match a glob.

    Raises:
        InputError: fsspec is not installed or lacks the protocol, or nothing was found.
    """
    try:
        import fsspec
    except ImportError:
        raise InputError(
            f"{url}: reading from a URL needs fsspec, which is not installed: pip install 'wordvec-seqclf[distributed]'"
        ) from None
    try:
        system, path = fsspec.core.url_to_fs(url)
        if any(letter in path for letter in "*?["):
            names = sorted(name for name in system.glob(path) if not system.isdir(name))
        else:
            # Not ``isdir``, which downloads a file from a web server to look for links in it.
            names = sorted(system.find(path)) if system.info(path)["type"] == "directory" else [path]
        found = [Source(system.unstrip_protocol(name), _opener(system, name)) for name in names]
        if not found:
            raise InputError(f"{url}: no file matches")
        for name in names:
            system.info(name)
    except FileNotFoundError as error:
        if isinstance(error.__cause__, OSError):  # of HTTP: no connection
            raise InputError(f"{url} cannot be read: {_reason(error.__cause__)}") from None
        raise InputError(f"{url}: no such file") from None
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"{url} cannot be read: {_reason(error)}") from None
    return found


def _opener(system: Any, name: str) -> Any:
    def opened() -> Any:
        try:
            return system.open(name, "rb")
        except OSError as error:
            raise InputError(f"{system.unstrip_protocol(name)} cannot be read: {_reason(error)}") from None

    return opened


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
