"""A program to be killed: asks in chats and sweeps for ever, and says each answer that is acknowledged as saved."""

import sys
from pathlib import Path

from pydantic import SecretStr

from lib.calls.runner import Answer
from lib.chat.form import Form
from lib.core.parameters import Params
from lib.services import Services
from lib.settings import Settings
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


def tell(services: Services, said: set[str]) -> None:
    """Say what is acknowledged and was not said before."""
    for job in services.dispatcher.jobs.all():
        if isinstance(job, Answer) and job.finished and job.recorded and job.id not in said:
            said.add(job.id)
            print("ok", job.id, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
