"""A program to be killed: asks in chats and sweeps for ever, and says each answer that is acknowledged as saved.

    tests/kill_program.py FOLDER BASE_URL [CELLS]

With CELLS it works on one sweep of so many cells, begins where it was killed, and says `finished`.
"""

import sys
from pathlib import Path

from pydantic import SecretStr

from lib.calls.runner import Answer
from lib.chat.form import Form
from lib.core.parameters import Params
from lib.services import Services
from lib.settings import Settings
from lib.sweep import repository as sweeps
from lib.sweep.plan import Plan


def main(folder: str, base_url: str) -> None:
    """Ask until killed. Lines: `ok <call id>` for each answer that is on the disk."""
    key = SecretStr("sk-test-key-0001")
    services = Services.open(Settings(data_dir=Path(folder), base_url=base_url, api_key=key, local_model=False))
    name = services.registry.endpoints("ann")[0].name
    form = Form(model=f"{name}/long-40", system="", params=Params(stream=True), others=())
    print("open", flush=True)
    said: set[str] = set()
    while True:
        plan = Plan("tea", (f"{name}/long-30", f"{name}/echo"), (0.0, 0.7), repeats=4, concurrency=4)
        sweep_id = services.sweeps.launch("ann", "s", plan)
        chat_id = None
        for turn in range(4):
            chat_id = services.conversation("ann", "s", chat_id).send_text(f"question {turn}", form)
            for job in services.dispatcher.jobs.all():
                if isinstance(job, Answer) and job.call.page == "chat":
                    job.wait_until_finished(20)
            tell(services, said)
        run = services.sweeps.last_run("ann", sweep_id)
        if run is not None:
            run.wait_until_finished(20)
        tell(services, said)


def one_sweep(folder: str, base_url: str, size: int) -> None:
    """Finish one sweep, or begin it. Lines: `working` at the start and now and then, `finished` at the end."""
    key = SecretStr("sk-test-key-0001")
    services = Services.open(Settings(data_dir=Path(folder), base_url=base_url, api_key=key, local_model=False))
    name = services.registry.endpoints("ann")[0].name
    found = services.store.read(lambda db: sweeps.sweeps_of(db, "ann"))
    if found:
        services.sweeps.resume("ann", "s", found[0].id)
        sweep_id = found[0].id
    else:
        models, temperatures = (f"{name}/long-30", f"{name}/echo"), tuple(one / 20 for one in range(size // 20))
        plan = Plan("tea", models, temperatures, repeats=10, concurrency=8)
        sweep_id = services.sweeps.launch("ann", "s", plan)
    print("working", flush=True)
    run, seen = services.sweeps.last_run("ann", sweep_id), 0
    while run is not None and not run.finished:
        seen = run.wait(seen, 5)
        print("working", flush=True)
    services.close()
    print("finished", flush=True)


def tell(services: Services, said: set[str]) -> None:
    """Say what is acknowledged and was not said before."""
    for job in services.dispatcher.jobs.all():
        if isinstance(job, Answer) and job.finished and job.recorded and job.id not in said:
            said.add(job.id)
            print("ok", job.id, flush=True)


if __name__ == "__main__":
    one_sweep(*sys.argv[1:3], int(sys.argv[3])) if len(sys.argv) > 3 else main(*sys.argv[1:])
