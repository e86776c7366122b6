"""Prints the requirements of setup.cfg, each at the least version that it names, for pip."""

import configparser
from pathlib import Path


def minimum_requirements(text: str) -> list[str]:
    """From the text of a setup.cfg to ``name==version``, in its order.

    Example:
        >>> minimum_requirements("[options]\\ninstall_requires =\\n    numpy>=1.26\\n    click>=8.1\\n")
        ['numpy==1.26', 'click==8.1']
    """
    parser = configparser.ConfigParser()
    parser.read_string(text)
    lines = parser["options"]["install_requires"].split()
    return [line.replace(">=", "==") for line in lines]


if __name__ == "__main__":
    print(*minimum_requirements((Path(__file__).resolve().parents[1] / "setup.cfg").read_text(encoding="utf-8")))
