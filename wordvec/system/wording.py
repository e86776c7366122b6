"""Numbers with their nouns in messages."""


def counted(count: int, noun: str) -> str:
    """Return the number, with separators, and the noun, in the plural unless there is one.

    Example:
        >>> counted(1, "pair"), counted(2000, "pair")
        ('1 pair', '2,000 pairs')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"
