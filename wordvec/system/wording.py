"""Numbers with their nouns, and long lists, in messages."""

from collections.abc import Sequence


def counted(count: int, noun: str) -> str:
    """Return the number, with separators, and the noun, in the plural unless there is one.

    Example:
        >>> counted(1, "pair"), counted(2000, "pair")
        ('1 pair', '2,000 pairs')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def some(items: Sequence[str], most: int) -> str:
    """Return the first ``most`` items, separated by commas, and the number of the others.

    Example:
        >>> some(["a", "b"], 2), some(["a", "b", "c"], 2)
        ('a, b', 'a, b and 1 more')
    """
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
