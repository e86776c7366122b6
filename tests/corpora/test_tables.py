"""Records of tab-separated files: as they arrive, and quoted ones that begin late."""

from corpora.tables import tsv_records


def test_lines_are_yielded_as_they_arrive_until_one_may_be_quoted():
    read = []

    def lines():
        for number, line in enumerate(["a\tb", "", "c\td", 'e\t"f', 'g"', "h\ti"], 1):
            read.append(number)
            yield number, line

    records = tsv_records("t.tsv", lines())
    assert next(records) == ("t.tsv:1", ["a", "b"])
    assert read == [1]
    assert next(records) == ("t.tsv:3", ["c", "d"])
    assert read == [1, 2, 3]
    assert list(records) == [("t.tsv:4", ["e", "f\ng"]), ("t.tsv:6", ["h", "i"])]


def test_a_stray_quote_is_part_of_its_cell():
    lines = enumerate(["a\tb", 'c\t"d', "", "e\tf"], 1)
    assert list(tsv_records("t", lines)) == [("t:1", ["a", "b"]), ("t:2", ["c", '"d']), ("t:4", ["e", "f"])]
