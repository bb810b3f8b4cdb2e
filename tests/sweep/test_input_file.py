"""A list of inputs from a file: what comes in, and what is said of what can't."""

import io
import tracemalloc
import zipfile

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from lib.core.csv_table import to_csv
from lib.core.errors import InvalidInput
from lib.sweep.input_file import read

TOO_MUCH = "This workbook holds more than can be read at once."
MANY = b'<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>' * 200_000
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


def workbook(*lines: list[object]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line)
    return file.getvalue()


def rewritten(file: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """A workbook with something else in one of its parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as before, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            text = before.read(name)
            assert name != part or old in text
            after.writestr(name, text.replace(old, new, 1) if name == part else text)
    return made.getvalue()


def test_a_table_comes_in_whatever_wrote_it(subtests: pytest.Subtests) -> None:
    chinese, french = "商品,颜色\n保温杯,红色\n杯子,蓝色\n", "nom;goût\ncafé crème;sucré\nthé;amer\n"
    for name, file, encoding in [
        ("utf-8", chinese.encode(), ""),
        ("with a mark", chinese.encode("utf-8-sig"), ""),
        ("utf-16", chinese.encode("utf-16"), ""),
        ("tabs", chinese.replace(",", "\t").encode(), ""),
        ("as Excel writes it in China", chinese.encode("gb18030"), "gb18030"),
        ("as Excel writes it in France", french.encode("cp1252"), "cp1252"),
        ("line ends of Windows", chinese.replace("\n", "\r\n").encode(), ""),
        ("a workbook", workbook(["商品", "颜色"], ["保温杯", "红色"], [], ["杯子", "蓝色"]), ""),
    ]:
        with subtests.test(name):
            found = read(file)
            if "France" in name:
                assert found.rows == ({"nom": "café crème", "goût": "sucré"}, {"nom": "thé", "goût": "amer"})
            else:
                assert found.rows == ({"商品": "保温杯", "颜色": "红色"}, {"商品": "杯子", "颜色": "蓝色"})
            assert found.encoding == encoding


def test_a_workbooks_numbers_and_short_rows_are_text_as_a_person_sees_it() -> None:
    found = read(workbook(["n", " two  words ", None], [7.0, 0.5, "no name above it"], [True]))
    assert found.columns == ("n", "two words")
    assert found.rows == ({"n": "7", "two words": "0.5"}, {"n": "True", "two words": ""})


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5))
def test_every_value_of_a_csv_comes_in_to_the_letter(lines: list[tuple[str, str]]) -> None:
    safe = [(f"a{one}", f"b{two}") for one, two in lines]  # what begins a formula has an apostrophe put before it
    found = read(to_csv(("one", "two"), safe))
    assert [(row["one"], row["two"]) for row in found.rows] == safe


@given(st.binary(max_size=300))
def test_no_file_is_more_than_a_sentence(file: bytes) -> None:
    for content in (file, b"PK\x03\x04" + file):
        try:
            read(content)
        except InvalidInput as refused:
            assert refused.sentence()


@pytest.mark.row("T23")
def test_what_cannot_be_taken_is_a_sentence(subtests: pytest.Subtests) -> None:
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member,
    ):
        for _ in range(101):
            member.write(b"0" * 1_000_000)
    plain = workbook(["a"], ["b"])
    sheet, styles, book = "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml"
    a_sheet = b'<sheet name="a" sheetId="9" r:id="rId1"/>'
    for name, file, sentence in [
        ("nothing", b"", "This file is empty."),
        ("blank lines", b"\n , \n", "This file is empty."),
        ("a header only", b"a,b\n", "nothing below it"),
        ("a million rows", b"a,b\n" + b"1,2\n" * 1_000_000, "This file has more than 2,000 rows"),
        ("a long workbook", workbook(["a"], *[[n] for n in range(2_500)]), "This file has more than 2,000 rows"),
        ("a name twice", b"a,b,a\n1,2,3\n", "Two columns of this file have the name “a”."),
        ("many columns", b",".join(b"c%d" % n for n in range(51)) + b"\n1\n", "more than 50 columns"),
        ("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Save it as .xlsx or .csv"),
        ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "This file is no table that can be read."),
        ("an archive of something else", workbook()[:200], "This workbook can't be read."),
        ("an archive that unpacks to 100 MB", bomb.getvalue(), "This file is larger than 100 MB."),
        ("a million cells in a row", rewritten(plain, sheet, b"</row>", b"<c/>" * 1_000_000 + b"</row>"), TOO_MUCH),
        ("many attributes", rewritten(plain, styles, b"</cellXfs>", MANY + b"</cellXfs>"), TOO_MUCH),
        ("1,001 sheets", rewritten(plain, book, b"</sheets>", a_sheet * 1_001 + b"</sheets>"), TOO_MUCH),
        (
            "words of its own",
            rewritten(plain, book, b"<workbook", b"<!DOCTYPE x><workbook"),
            "This workbook can't be read",
        ),
        ("51 MB", b"x" * 51_000_000, "This file is larger than 50 MB."),
    ]:
        with subtests.test(name), pytest.raises(InvalidInput) as refused:
            read(file)
        assert sentence in refused.value.sentence()


def test_a_long_file_is_not_read_to_its_end() -> None:
    file = b"a,b\n" + b"1,2\n" * 1_000_000
    tracemalloc.start()
    with pytest.raises(InvalidInput):
        read(file)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30_000_000
