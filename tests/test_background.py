"""Jobs run on the background loop, whoever looks."""

import asyncio
import threading
import time

import pytest

from lib import background as jobs_module
from lib.background import Job, Jobs
from lib.core.errors import Unforeseen


async def nothing() -> None:
    return None


def test_a_job_ends_by_itself_and_can_be_found_again(jobs: Jobs) -> None:
    job = Job("a")
    jobs.start(job, nothing())

    assert job.wait_until_finished(5)
    assert job.error is None
    assert jobs.get("a") is job
    assert jobs.running() == []


def test_cancel_reaches_a_coroutine_that_waits_for_ever(jobs: Jobs) -> None:
    cleaned: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    job = Job("a")
    jobs.start(job, work())
    job.cancel()

    assert job.wait_until_finished(5)
    assert isinstance(job.error, asyncio.CancelledError)
    assert cleaned == [True]


def test_what_a_job_raises_is_kept(jobs: Jobs) -> None:
    async def work() -> None:
        raise ValueError("no")

    job = Job("a")
    jobs.start(job, work())

    assert job.wait_until_finished(5)
    assert isinstance(job.error, ValueError)


def test_a_touch_wakes_whoever_waits() -> None:
    """And not only the end of the time for which they would wait."""
    job = Job("a")
    seen = job.wait(-1, 0)
    waits = threading.Thread(target=job.wait, args=(seen, 600), daemon=True)
    waits.start()
    while not job._waiting:
        time.sleep(0)
    job.touch()

    waits.join(20)
    assert not waits.is_alive() and job.wait(seen, 0) > seen


def test_old_finished_jobs_are_forgotten(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "KEPT", 1)
    for name in "abc":
        job = Job(name)
        jobs.start(job, nothing())
        assert job.wait_until_finished(5)
    jobs.start(Job("d"), nothing())

    assert jobs.get("a") is None
    assert jobs.get("c") is not None


def test_finished_jobs_are_kept_as_far_as_they_fit(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    class Heavy(Job):
        @property
        def size(self) -> int:
            return 400

    monkeypatch.setattr(jobs_module, "KEPT_BYTES", 1000)
    for name in "abcd":
        job = Heavy(name)
        jobs.start(job, nothing())
        assert job.wait_until_finished(5)
    jobs.start(Job("e"), nothing())

    assert [job.id for job in jobs.all()] == ["c", "d", "e"]


def test_an_end_that_nobody_foresaw_is_logged_under_a_number_and_its_frames_let_go(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        raise ValueError("why")

    job = Job("a")
    jobs.start(job, work())

    assert job.wait_until_finished(5)
    assert isinstance(job.trouble, Unforeseen) and str(job.trouble.facts["number"]) in caplog.text
    assert "why" in caplog.text and job.error is not None and job.error.__traceback__ is None
