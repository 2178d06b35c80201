from edge_icl.cli import tables
from edge_icl.cli.output import Output


def test_a_table_fits_the_terminal_and_its_widest_column_gives_way() -> None:
    lines = tables.table(("id", "input"), [("3f2a9c1e", "a long way to the airport " * 9)], columns=40)

    assert lines == ["id        input", "3f2a9c1e  a long way to the airport a l…"]
    assert all(tables.width(line) <= 40 for line in lines)


def test_a_character_of_two_columns_counts_as_two() -> None:
    assert tables.width("火锅") == 4
    assert tables.cut("火锅火锅", 6) == "火锅…"
    assert tables.width("e\u0301") == 1


def test_text_that_fits_is_left_alone() -> None:
    assert tables.cut("travel", 6) == "travel"


def test_no_control_character_reaches_a_terminal() -> None:
    assert tables.one_line("a\x1b[31m\nb\x07\u202ec\x9b") == r"a\u001b[31m b\u0007\u202ec\u009b"
    assert tables.printable("a\tb\nc\x00") == "a\tb\nc\\u0000"


def test_short_ids_are_unique_prefixes() -> None:
    ids = ["aaaa1111", "aaaa2222", "b0000000"]

    assert tables.short_ids(ids, shortest=2) == ["aaaa1", "aaaa2", "b0"]
    assert tables.short_ids([], shortest=2) == []


def test_sizes_are_said_as_people_say_them() -> None:
    assert [tables.size(count) for count in (0, 999, 1000, 98_362_432, 4_500_000_000, 10**13)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "98.4 MB",
        "4.5 GB",
        "10000.0 GB",
    ]


def test_one_is_no_plural() -> None:
    assert [tables.counted(1), tables.counted(1200)] == ["1 example", "1,200 examples"]


def test_no_bar_is_shown_where_nobody_watches() -> None:
    with Output().progress() as progress:
        progress("embed", 1, 2)
