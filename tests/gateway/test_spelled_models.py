"""The practice model is one model, however its name is spelled."""

from lib.gateway.endpoints import Endpoint, named, spelled
from lib.practice.endpoint import PracticeEndpoint

HERE, SERVICE = PracticeEndpoint(), Endpoint("svc", "https://api.example.com/v1", models=("Big",))
MODEL = f"local/{HERE.models[0]}"


def test_the_practice_model_has_one_name_and_a_services_models_are_spelled_as_they_are() -> None:
    assert spelled(MODEL.lower(), [SERVICE, HERE]) == named(MODEL.upper().replace("LOCAL", "local"), [HERE]) == MODEL
    assert spelled("svc/big", [SERVICE, HERE]) == named("svc/big", [SERVICE, HERE]) == "svc/big"
    assert spelled(MODEL.lower(), [SERVICE]) == MODEL.lower(), "where there is no practice model"
