"""Runs coroutines as jobs on one background event loop; pages read their state and their result.

A script run may end at any moment (a click, a reload, a closed tab); a job does not notice. It ends by itself or by
`cancel`, and its last state stays in the registry for a while: the last `KEPT` jobs, as far as they fit `KEPT_BYTES`.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from lib.core.errors import TemperaError, unforeseen

KEPT = 500
KEPT_BYTES = 8 * 2**20
T = TypeVar("T")


def _nobody_keeps_it(job: "Job") -> None:
    """A job outside of any registry ends."""


class Job:
    """One running coroutine. `error` is what it raised, if anything, and `trouble` what the page says about that;
    subclasses carry what else the page shows."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.error: BaseException | None = None
        self.trouble: TemperaError | None = None
        self.finished = False
        self.kept_size = 0
        """How many bytes the job held when it ended."""
        # The loop's thread touches the job, script threads wait for it.
        self._changed = threading.Condition()
        self._version = 0
        self._waiting = 0
        # Beside the condition: whoever waits for the end alone would be woken fifty times a second, by each word.
        self._over = threading.Event()
        self._over_here = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._at_end: Callable[[Job], None] = _nobody_keeps_it

    @property
    def size(self) -> int:
        """About how many bytes it holds once it has ended."""
        return 0

    def release(self) -> None:
        """Let go of what nobody needs after the end; called once, at the end."""

    def touch(self) -> None:
        """Wake whoever waits: something new can be seen."""
        # In this order, and counted before the version is looked at: so whoever comes to wait meanwhile has either seen
        # the new version or is woken. Mostly nobody waits, and each word of an answer comes by here.
        self._version += 1
        if self._waiting:
            with self._changed:
                self._changed.notify_all()

    def wait(self, seen: int, seconds: float) -> int:
        """Wait until there is something newer than version `seen`, at most `seconds`; the version now."""
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self._version != seen or self.finished, seconds)
            finally:
                self._waiting -= 1
            return self._version

    def wait_until_finished(self, seconds: float) -> bool:
        """Whether the job ended within `seconds`."""
        return self._over.wait(seconds)

    async def ended(self) -> None:
        """Wait on the loop until the job has ended; its error is kept, not raised."""
        if self._task is not None:
            await self._over_here.wait()

    def cancel(self) -> None:
        """Ask the coroutine to stop, from any thread; its connections close at once."""
        if self._loop is not None and not self.finished:
            # One hop more than creating it took, so that the coroutine has begun and can clean up after itself.
            self._loop.call_soon_threadsafe(self._loop.call_soon, self._stop)

    def _run(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
        # Kept in a field: the loop itself holds its tasks weakly, and one that nobody holds may vanish half-way.
        self._task = loop.create_task(work)
        self._task.add_done_callback(self._end)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _end(self, task: "asyncio.Task[None]") -> None:
        self.error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if isinstance(self.error, TemperaError):
            self.trouble = self.error
        elif self.error is not None and not task.cancelled():
            self.trouble = unforeseen(self.error, f"job {self.id}")
        if self.error is not None:
            self.error.__traceback__ = None  # its frames hold all that the job worked with
        self._task = None
        # Before it counts as finished: whoever waits for the end may look at once at what is left.
        self.release()
        self.kept_size = self.size
        self.finished = True
        self._at_end(self)
        self._over.set()
        self._over_here.set()
        self.touch()


async def _cancel_the_rest() -> None:
    """End what runs on the loop beside the jobs: it would wait there for ever."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest)


class Jobs:
    """The registry and its loop thread; one per process."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._jobs: dict[str, Job] = {}
        self._kept: deque[Job] = deque()
        """Those that have ended, the oldest first: counted as they end, and not all anew for each further one."""
        self._kept_bytes = 0
        # Any script thread may register a job while another one lists them; a dict that changes meanwhile raises.
        self._lock = threading.Lock()
        # A thread of its own: a script run has no loop, and ends when its page is left; jobs go on.
        self._thread = threading.Thread(target=self.loop.run_forever, name="jobs", daemon=True)
        self._thread.start()

    def start(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` on the loop under the job's id; for every thread but the loop's own."""
        self._register(job)
        # Only this call wakes the loop from another thread, and only the loop's own thread may make its tasks.
        self.loop.call_soon_threadsafe(job._run, self.loop, work)

    async def start_on_loop(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        """Like `start`, for coroutines that run on the loop themselves."""
        self._register(job)
        job._run(self.loop, work)

    def get(self, id: str) -> Job | None:
        """The job of that id, running or lately finished."""
        return self._jobs.get(id)

    def forget(self, id: str) -> None:
        """Drop a job from the registry; one that runs goes on."""
        with self._lock:
            self._drop(id)

    def all(self) -> list[Job]:
        """The jobs that run or have lately ended."""
        with self._lock:
            return list(self._jobs.values())

    def running(self) -> list[Job]:
        """The jobs that have not ended."""
        return [job for job in self.all() if not job.finished]

    def call(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Run a short coroutine on the loop and wait for its result; raises TimeoutError after `seconds`."""
        future = self.submit(work)
        try:
            return future.result(seconds)
        except TimeoutError:
            # Else the coroutine would go on, with nobody to hear of its end.
            future.cancel()
            raise

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a short coroutine on the loop, for those who wait for it in a way of their own."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def close(self, last: Coroutine[Any, Any, None], seconds: float = 5) -> None:
        """Cancel what runs, let it record its end, run `last`, and stop the loop."""
        running = self.running()
        for job in running:
            # All are asked to stop before one is waited for, so that they end side by side.
            job.cancel()
        for job in running:
            job.wait_until_finished(seconds)
        # After the jobs, which still use what `last` closes.
        self.call(last, seconds)
        self.call(_cancel_the_rest(), seconds)
        self.loop.call_soon_threadsafe(self.loop.stop)
        # The loop can't be closed while it runs.
        self._thread.join(seconds)
        self.loop.close()

    def _register(self, job: Job) -> None:
        with self._lock:
            self._drop(job.id)
            self._forget_oldest()
            self._jobs[job.id] = job
        job._loop, job._at_end = self.loop, self._keep

    def _drop(self, id: str) -> None:
        job = self._jobs.pop(id, None)
        if job is not None and job in self._kept:
            self._kept.remove(job)
            self._kept_bytes -= job.kept_size

    def _keep(self, job: Job) -> None:
        with self._lock:
            if self._jobs.get(job.id) is job:
                self._kept.append(job)
                self._kept_bytes += job.kept_size

    def _forget_oldest(self) -> None:
        # When another one begins, and not when it ends: whoever waits for an end has still to look at it.
        while len(self._kept) > KEPT or self._kept_bytes > KEPT_BYTES:
            oldest = self._kept.popleft()
            self._kept_bytes -= oldest.kept_size
            del self._jobs[oldest.id]
