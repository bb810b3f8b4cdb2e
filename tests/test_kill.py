"""kill -9 at any moment, chats and sweeps mixed: what was acknowledged is there, once and whole."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from lib.services import Services
from lib.settings import Settings
from lib.sweep import repository as sweeps
from tests.fake_api import FakeApi
from tests.forked import ForkedInPipes
from tests.pages import bodies

PROGRAM = "tests/kill_program.py"


def kill_loop(folder: Path, api: FakeApi, kills: int) -> int:
    """Kill the program so many times; how many answers it had acknowledged."""
    acknowledged: set[str] = set()
    for kill in range(kills):
        program = ForkedInPipes(PROGRAM, str(folder), api.base_url)
        lines = [program.stdout.readline() for _ in range(5 + 17 * kill % 50)]
        program.kill()
        lines += program.rest().splitlines()
        acknowledged |= {line.split()[1] for line in lines if line.startswith("ok ") and len(line.split()) == 2}
    key = SecretStr("sk-test-key-0001")
    services = Services.open(Settings(data_dir=folder, base_url=api.base_url, api_key=key, local_model=False))
    sent = len(bodies(api))
    query = (
        "SELECT calls.id, calls.state, calls.cell_id, calls.attempt, count(answers.choice) AS choices, "
        "sum(length(coalesce(texts.text, answers.unfinished_text, '')) = 0) AS silent "
        "FROM calls LEFT JOIN answers ON answers.call_seq = calls.seq "
        "LEFT JOIN texts ON texts.owner = answers.owner AND texts.id = answers.text_id GROUP BY calls.seq"
    )
    rows = services.store.read(lambda db: db.exec_driver_sql(query).all())
    found = {row.id: row for row in rows}
    assert acknowledged <= found.keys() and len(found) == len(rows)
    for call_id in acknowledged:
        row = found[call_id]
        assert (row.state, row.choices, row.silent) == ("ok", 1, 0), row
    assert {row.state for row in rows} <= {"ok", "interrupted"}
    cells = [(row.cell_id, row.attempt) for row in rows if row.cell_id]
    assert len(set(cells)) == len(cells) and {attempt for _, attempt in cells} == {1}
    assert sent <= len(rows), "something was sent without a record, or twice"
    cut = "SELECT count(*) FROM cells GROUP BY sweep_id"
    assert set(services.store.read(lambda db: db.exec_driver_sql(cut).scalars().all())) == {16}
    assert services.store.read(lambda db: db.exec_driver_sql("PRAGMA integrity_check").scalar()) == "ok"
    services.close()
    return len(acknowledged)


def test_kill_9_loses_no_acknowledged_answer(tmp_path: Path, api: FakeApi) -> None:
    assert kill_loop(tmp_path, api, 3) > 10


@pytest.mark.soak
def test_kill_9_forty_times_loses_no_acknowledged_answer(tmp_path: Path, api: FakeApi) -> None:
    """1,000 calls, 40 kills."""
    assert kill_loop(tmp_path, api, 40) > 500
    assert len(bodies(api)) > 1000


def kill_a_sweep(folder: Path, api: FakeApi, kills: int, cells: int) -> None:
    """Kill the program so many times while it works on one sweep, let it finish, and look at what there is."""
    arguments = (PROGRAM, str(folder), api.base_url, str(cells))
    for kill in range(kills):
        program = ForkedInPipes(*arguments)
        for _ in range(1 + 7 * kill % 9):
            program.stdout.readline()
        program.kill()
        assert "finished" not in program.rest(), f"{kill} kills in, and nothing was left to be killed"
    assert ForkedInPipes(*arguments).rest().endswith("finished\n")
    key = SecretStr("sk-test-key-0001")
    services = Services.open(Settings(data_dir=folder, base_url=api.base_url, api_key=key, local_model=False))
    [sweep] = services.store.read(lambda db: sweeps.sweeps_of(db, "ann"))
    assert (sweep.total, sweep.done, sweep.failed) == (cells, cells, 0)
    query = "SELECT cell_id, count(*) FROM calls WHERE state = 'ok' GROUP BY cell_id"
    answers = dict(services.store.read(lambda db: [tuple(row) for row in db.exec_driver_sql(query)]))
    assert len(answers) == cells and set(answers.values()) == {1}, "a finished cell was asked again"
    services.close()


@pytest.mark.row("S12")
def test_a_sweep_that_is_killed_again_and_again_ends_with_each_cell_once(tmp_path: Path, api: FakeApi) -> None:
    kill_a_sweep(tmp_path, api, 3, 40)


@pytest.mark.soak
def test_a_sweep_of_200_is_killed_twenty_times_and_one_of_500_fifty_times(tmp_path: Path, api: FakeApi) -> None:
    kill_a_sweep(tmp_path / "200", api, 20, 200)
    kill_a_sweep(tmp_path / "500", api, 50, 500)
