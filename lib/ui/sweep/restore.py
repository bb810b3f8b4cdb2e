"""What the sweep page keeps over a reload: the open sweep and its form."""

from lib.services import Services
from lib.sweep import repository as sweeps
from lib.ui.shared import controls
from lib.ui.shared.session_restore import PageMemory


def _exists(services: Services, owner: str, sweep_id: str) -> object:
    return services.store.read(lambda db: sweeps.plan_of(db, owner, sweep_id))


# The keys are those under which the first versions stored the form, so that an old form comes back.
SWEEP = PageMemory(
    "sweep",
    "sweep_models",
    (
        *("sweep_prompt", "sweep_models", "sweep_temperatures", "sweep_repeats", "sweep_concurrency", "sweep_history"),
        *controls.keys("sweep", ("system", "max_tokens")),
    ),
    _exists,
)
