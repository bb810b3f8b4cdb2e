"""What comes back of a damaged file: all rows but those on the damaged pages."""

from pathlib import Path

from sqlalchemy import insert, select

from lib.store import schema
from lib.store.database import Store


def test_the_rows_before_and_after_a_damaged_page_come_back(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    store = Store.open(f"sqlite:///{path}")
    rows = [{"owner": "ann", "name": f"row {n:04}", "value": "x" * 300} for n in range(500)]
    store.write(lambda db: db.execute(insert(schema.settings), rows)).result(20)
    store.close()
    whole = path.read_bytes()
    places = [at for at in range(0, len(whole), 4096) if whole[at] == 13 and b"row 0250" in whole[at : at + 4096]]
    damaged = bytearray(whole)
    for at in places:  # leaves of the table only: its index has pages of another kind
        damaged[at : at + 4096] = b"\xff" * 4096
    path.write_bytes(damaged)
    again = Store.open(f"sqlite:///{path}")
    back = again.read(lambda db: db.execute(select(schema.settings.c.name)).scalars().all())
    again.close()
    assert places and "row 0250" not in back
    assert 470 < len(back) < 500 and {"row 0000", "row 0499"} <= set(back)
