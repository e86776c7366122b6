"""Prints the Python interpreters on this machine that the packages support, one path for each minor version."""

import os
import re
import subprocess
from pathlib import Path

FIRST = (3, 11)


def candidates() -> list[Path]:
    """Executables named python3.N on the PATH, and those that pyenv keeps."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += sorted(root.glob("versions/3.*/bin"), reverse=True)
    found = (path for folder in folders if folder.is_dir() for path in folder.glob("python3.*"))
    return [path for path in found if re.fullmatch(r"python3\.\d+", path.name)]


def version(python: Path) -> tuple[int, int] | None:
    """The version of an interpreter that runs and has venv; None of another file of this name."""
    code = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60)
        major, minor = map(int, done.stdout.split())
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return major, minor


def main() -> None:
    found: dict[tuple[int, int], Path] = {}
    for python in candidates():
        number = version(python)
        if number is not None and number >= FIRST:
            found.setdefault(number, python)
    for number in sorted(found):
        print(found[number])


if __name__ == "__main__":
    main()
