"""The model picker: hundreds of ids, those starred and used last first, by vendor, and any typed id."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lib.gateway import model_lists
from lib.practice.endpoint import PracticeEndpoint
from lib.ui.shared import model_picker, resources
from lib.visitor import LOCAL_OWNER
from tests.fake_api import FakeApi
from tests.pages import (
    KEY,
    ask,
    bodies,
    buttons,
    click,
    connect,
    draft,
    host,
    new_tab,
    owner,
    shown,
    switch_page,
    tab_of,
)

MANY = tuple(f"{vendor}-{number:03}" for number in range(125) for vendor in ("gpt", "claude", "qwen", "unheard"))


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A service with five hundred models and two more."""
    with FakeApi(models=("unheard-of", "gpt-4o", *MANY)) as service:
        yield service


@pytest.fixture
def own(api: FakeApi, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app of a visitor who has connected that service."""
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    yield connect(new_tab(), api.base_url, KEY)
    resources.close()


def options(app: AppTest) -> list[str]:
    """The ids that the picker offers, without their endpoint."""
    offered = [option.partition("/") for option in app.selectbox(key="chat_model").options]
    return [model for endpoint, _, model in offered if endpoint != "local"]


def dialog(app: AppTest, words: str = "", vendor: str | None = None) -> AppTest:
    """The page with the list of all models open."""
    click(app, "chat_models_open")
    app.text_input(key="chat_models_filter").set_value(words)
    app.selectbox(key="chat_models_vendor").set_value(vendor).run()
    assert not app.exception
    return app


def listed(app: AppTest) -> list[str]:
    """The ids in the open list."""
    keys = [str(button.key) for button in app.button]
    return [key.partition("/")[2] for key in keys if key.startswith("chat_use_")]


@pytest.mark.row("C28")
def test_five_hundred_models_are_offered_by_vendor(app: AppTest) -> None:
    beginnings = [option.partition("-")[0] for option in options(app)]

    assert len(beginnings) == 502
    assert list(dict.fromkeys(beginnings)) == ["unheard", "gpt", "claude", "qwen"]
    assert beginnings == sorted(beginnings, key=["unheard", "gpt", "claude", "qwen"].index)


@pytest.mark.row("C28")
def test_what_was_used_last_comes_first_also_in_the_next_tab(app: AppTest, api: FakeApi) -> None:
    for model in ("qwen-007", "claude-099"):
        app.selectbox(key="chat_model").set_value(f"{host(api)}/{model}").run()
        ask(app, "Hello")

    again = tab_of(owner(app)).run()
    assert options(again)[:3] == ["claude-099", "qwen-007", "unheard-of"]
    assert len(options(again)) == 502


@pytest.mark.row("C28")
def test_a_service_connected_again_begins_with_its_model_used_last(own: AppTest, api: FakeApi) -> None:
    assert own.selectbox(key="chat_model").value == f"{host(api)}/unheard-of"
    own.selectbox(key="chat_model").set_value(f"{host(api)}/qwen-007").run()
    ask(own, "Hello")

    assert connect(own, api.base_url, KEY).selectbox(key="chat_model").value == f"{host(api)}/qwen-007"


@pytest.mark.row("C28")
def test_a_typed_model_stays_at_hand_but_a_service_begins_with_one_that_it_lists(own: AppTest, api: FakeApi) -> None:
    services = resources.services()
    model_picker.used(services, LOCAL_OWNER, [f"{host(api)}/my-own"])
    services.store.write(lambda db: None).result()

    assert connect(own, api.base_url, KEY).selectbox(key="chat_model").value == f"{host(api)}/unheard-of"
    assert options(own)[0] == "unheard-of" and "my-own" in options(own)
    assert options(new_tab())[:2] == ["my-own", "unheard-of"]


@pytest.mark.row("C28")
def test_the_list_keeps_its_order_while_a_tab_uses_its_models(app: AppTest, api: FakeApi) -> None:
    """What was used last stands first at the next visit."""
    before = options(app)
    ask(app, "Hello", model=before[7])
    assert options(app) == before
    ask(app, "Hello", model="typed-by-hand")
    assert options(app) == [*before, "typed-by-hand"]

    assert options(new_tab())[:2] == ["typed-by-hand", before[7]]


@pytest.mark.row("C28")
def test_a_starred_model_stands_before_all_others_until_the_star_is_taken_away(app: AppTest, api: FakeApi) -> None:
    star = f"chat_star_{host(api)}/claude-124"
    click(dialog(app, "claude-124"), star)
    ask(app, "Hello")
    assert options(app)[:2] == ["claude-124", "unheard-of"]

    click(dialog(app, "claude-124"), star)
    assert options(app.run())[:2] == ["unheard-of", "unheard-000"]


@pytest.mark.row("C28")
def test_a_row_stays_where_it_is_when_it_gets_its_star(app: AppTest, api: FakeApi) -> None:
    before = listed(dialog(app, "claude-12"))
    assert listed(click(app, f"chat_star_{host(api)}/claude-123")) == before
    assert listed(dialog(app, "claude-12")) == ["claude-123", *(one for one in before if one != "claude-123")]


@pytest.mark.row("C28")
def test_the_list_can_be_used_while_an_answer_is_written(service: FakeApi, api: FakeApi) -> None:
    """Streamlit answers in a dialog only while no script runs, so the page must not wait for the answer then."""
    app = click(new_tab(model=f"{host(api)}/slow-1000"), "chat_models_open")
    app.chat_input(key="chat_input").set_value("Hello").run()

    assert "chat_stop" in buttons(app)
    assert listed(dialog(app, "claude-124")) == ["claude-124"]


@pytest.mark.row("C28")
def test_the_list_is_narrowed_by_words_and_by_vendor(app: AppTest) -> None:
    assert listed(dialog(app, "QWEN 12")) == ["qwen-012", "qwen-112", *(f"qwen-12{n}" for n in range(5))]
    assert set(listed(dialog(app, "00", "Anthropic"))) == {f"claude-00{n}" for n in range(10)} | {"claude-100"}
    assert listed(dialog(app, "nobody has this")) == []
    assert "No model has this in its id." in shown(app)


@pytest.mark.row("C28")
def test_the_list_draws_some_of_each_vendor_and_more_of_one(app: AppTest) -> None:
    beginnings = [model.partition("-")[0] for model in listed(dialog(app)) if not model.startswith("SmolLM")]
    assert beginnings == 12 * ["gpt"] + 12 * ["claude"] + 12 * ["qwen"] + 12 * ["unheard"]
    assert app.button(key="chat_more_of_OpenAI").label == "114 more"

    assert listed(click(app, "chat_more_of_Anthropic")) == [f"claude-{number:03}" for number in range(60)]
    assert "65 more: type a part of the id." in shown(app)


@pytest.mark.row("C28")
def test_the_list_says_what_a_model_reads_and_costs(app: AppTest) -> None:
    assert listed(dialog(app, "gpt-4o")) == ["gpt-4o"]
    assert "128,000 tokens · $2.50 in, $10.00 out per million" in shown(app)


@pytest.mark.row("C28")
def test_a_model_is_chosen_from_the_list(app: AppTest, api: FakeApi) -> None:
    click(dialog(app, "unheard-064"), f"chat_use_{host(api)}/unheard-064")
    ask(app.run(), "Hello")

    assert bodies(api)[-1]["model"] == "unheard-064"


@pytest.mark.row("C28")
def test_any_typed_id_is_sent_as_it_is(subtests: pytest.Subtests, service: FakeApi, api: FakeApi) -> None:
    for model in ["a/b/c:free", "my own model", "模型/一号", "x" * 300]:
        with subtests.test(model=model[:40]):
            ask(new_tab(model=f"{host(api)}/{model}"), "Hello")

            assert bodies(api)[-1]["model"] == model


@pytest.mark.row("C28", "T11")
def test_an_id_that_no_service_can_have_is_refused_and_the_message_kept(
    subtests: pytest.Subtests, service: FakeApi, api: FakeApi
) -> None:
    for model in ["a\0b", "gpt\u202e4o", "line\nbreak", "x" * 301]:
        with subtests.test(model=model[:40]):
            app = new_tab(model=f"{host(api)}/{model}")
            app.chat_input(key="chat_input").set_value("Not to be lost").run()

            assert "The model's id" in shown(app)
            assert draft(app) == "Not to be lost"
            assert not bodies(api)


NO_CHATS = ("text-embedding-3-large", "gpt-image-1", "whisper-1")


@pytest.mark.row("C28")
def test_a_model_that_is_not_for_chats_is_never_chosen_by_itself_and_stands_at_the_end(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where one was used last; on both pages, and in a group of its own in the list of all."""
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    with FakeApi(models=(*NO_CHATS, "zeta-chat")) as api:
        app = connect(new_tab(), api.base_url, KEY)
        assert app.selectbox(key="chat_model").value == f"{host(api)}/zeta-chat"
        model_picker.used(resources.services(), LOCAL_OWNER, [f"{host(api)}/{NO_CHATS[1]}"])
        resources.services().store.write(lambda db: None).result()
        tab, sweep = new_tab(), new_tab("sweep")

        assert tab.selectbox(key="chat_model").value == f"{host(api)}/zeta-chat"
        assert sweep.multiselect(key="sweep_models").value == [f"{host(api)}/zeta-chat"]
        for offered in (tab.selectbox(key="chat_model").options, sweep.multiselect(key="sweep_models").options):
            assert offered[0].endswith("zeta-chat")
            assert [one.endswith(" · not for chats") for one in offered] == [False, True, True, True]
        assert listed(dialog(tab)) == ["zeta-chat", NO_CHATS[1], NO_CHATS[0], NO_CHATS[2]]
        assert "**Not for chats**" in "\n".join(caption.value for caption in tab.caption)
    with FakeApi(models=NO_CHATS) as api:
        assert connect(tab, api.base_url, KEY).selectbox(key="chat_model").value is None
    resources.close()


@pytest.mark.usefixtures("settings_open")
def test_no_list_offers_to_choose_all_at_once(app: AppTest) -> None:
    """It stood first in Sweep's list: one Enter took 217 models, and one click 1,302 paid calls."""
    sweep = new_tab("sweep")
    fields = [*app.multiselect, *sweep.multiselect]

    assert {field.key for field in fields} >= {"sweep_models", "chat_models_beside", "chat_stop_words"}
    assert [field.key for field in fields if field.proto.select_all] == []


@pytest.mark.row("C28", "X2")
def test_a_list_that_could_not_be_fetched_says_why_and_is_asked_again(
    own: AppTest, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile the list of before stands; nobody is offered models that the service does not have."""
    monkeypatch.setattr(model_lists, "TROUBLE_SECONDS", -1.0)
    api.script_models('{"error": {"message": "try later"}}', status=500)
    resources.services().models.forget(LOCAL_OWNER, resources.services().registry.own(LOCAL_OWNER)[0])
    sweep = new_tab("sweep")
    for tab in (own.run(), sweep):
        assert f"The list of models of {host(api)} could not be fetched" in shown(tab)
        assert "has a problem of its own (status 500)" in shown(tab)

    api.script_models('{"data": [{"id": "back-again"}]}')
    monkeypatch.setattr(model_lists, "TROUBLE_SECONDS", 600.0)
    assert options(own) == ["unheard-of"], "no examples of what is not there"
    click(own, f"chat_model_ask_{host(api)}")

    assert "could not be fetched" not in shown(own)
    assert "back-again" in options(own)


def test_nothing_is_said_of_what_answers_while_no_model_is_known(service: FakeApi) -> None:
    service.script_models('{"error": {"message": "try later"}}', status=500)
    app = new_tab()
    assert "could not be fetched" in shown(app) and not app.session_state["chat_model"]
    assert "what you write goes there" not in shown(app)


def test_a_list_is_renewed_by_itself_and_that_of_before_stands_meanwhile(own: AppTest, api: FakeApi) -> None:
    services = resources.services()
    endpoint = services.registry.own(LOCAL_OWNER)[0]
    asked = services.models._ask(LOCAL_OWNER, endpoint)
    asked.at -= model_lists.KEPT_SECONDS + 1
    api.script_models(float("inf"))

    found = services.models.get(LOCAL_OWNER, endpoint, 30)

    assert found is not None and "gpt-4o" in found.models
    api.wait(lambda fake: [one.finished is None for one in fake.requests if one.path == "/v1/models"][-1])


@pytest.mark.row("C14", "C28")
def test_what_a_model_costs_is_said_in_the_same_words_everywhere(
    app: AppTest, api: FakeApi, subtests: pytest.Subtests
) -> None:
    """Under an answer, before the next one, in the list of models, and in a sweep's plan: free is free, and what has no
    price has none."""
    for model, words in (("unheard-of", "no price"), ("maker/model:free", "free"), ("gpt-4o-mini", "$")):
        ask(click(app, "chat_new"), "Hello", model=model)
        next_turn = {"no price": "This model has no price.", "free": "Next turn: free", "$": "at list prices"}[words]
        places = {
            "answer": next(one.label for one in app.button if one.key == "figures_0"),
            "list": " ".join(
                one.value for one in dialog(app, model).caption if "million" in one.value or words in one.value
            ),
        }
        click(app, f"chat_use_{host(api)}/{model}")
        places["next turn"] = words if next_turn in shown(app) else shown(app)
        switch_page(app, "sweep").multiselect(key="sweep_models").set_value([f"{host(api)}/{model}"]).run()
        app.text_area(key="sweep_prompt").set_value("Hello").run()
        places["plan"] = " ".join(one.value for one in app.caption if "answers" in one.value or "answer" in one.value)
        switch_page(app, "chat")
        for place, said in places.items():
            with subtests.test(model=model, place=place):
                assert words in said
                assert [other for other in ("no price", "free", "$") if other != words and other in said] == []


@pytest.mark.row("C18", "C28")
def test_a_chat_keeps_its_model_when_a_service_is_connected_and_a_new_one_has_the_model_picked_last(
    app: AppTest, api: FakeApi
) -> None:
    ask(app, "Hello")
    asked = app.selectbox(key="chat_model").value
    with FakeApi() as other:
        connect(app, other.base_url, KEY)
        assert app.selectbox(key="chat_model").value == asked
        offered = app.button(key="chat_new_with")
        assert "chat_new_with" not in buttons(app.run()), "it goes with the sentence that it stands beside"
        connected = str(offered.click().run().selectbox(key="chat_model").value)
        assert connected.endswith(offered.label.removeprefix("New chat with "))
        assert connected.startswith(host(other)), "a new chat goes on with what was connected"

        first = new_tab().selectbox(key="chat_model").value
        picked = f"{host(api)}/qwen-007"
        app.selectbox(key="chat_model").set_value(picked).run()
        assert click(app, "chat_new").selectbox(key="chat_model").value == picked != first
        assert new_tab().selectbox(key="chat_model").value == picked, "in another tab too"
        assert new_tab(model=f"{host(api)}/echo").selectbox(key="chat_model").value == f"{host(api)}/echo"
        [chat] = [str(one.key) for one in app.button if str(one.key).startswith("chat_open_")]
        assert click(app, chat).selectbox(key="chat_model").value == asked
        assert click(app, "chat_new").selectbox(key="chat_model").value == picked
        click(dialog(app, "claude-124"), f"chat_use_{host(api)}/claude-124")
        assert click(app, "chat_new").selectbox(key="chat_model").value == f"{host(api)}/claude-124"


@pytest.mark.row("C18")
def test_the_practice_model_is_in_the_list_once_however_a_link_spells_it(
    app: AppTest, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice = PracticeEndpoint()
    monkeypatch.setattr(resources.services().registry, "_local", (practice,))
    model = f"local/{practice.models[0]}"
    tab = new_tab(model=model.lower())
    assert tab.selectbox(key="chat_model").value == model
    offered = [str(option) for option in tab.selectbox(key="chat_model").options]
    assert [option for option in offered if option.casefold().startswith(model.casefold())] == [model]
    tab.selectbox(key="chat_model").set_value(f"{host(api)}/gpt-4o").run()
    [called] = [option for option in tab.multiselect(key="chat_models_beside").options if model in option]
    assert called == f"{model} · practice model"  # its id tells nobody what it is


@pytest.mark.row("C28")
def test_a_model_that_is_named_by_its_id_alone_is_in_the_list_once(app: AppTest, api: FakeApi) -> None:
    """By a link, say; where no service lists it, it stays as it is."""
    tab = new_tab(model="gpt-4o")
    assert tab.selectbox(key="chat_model").value == f"{host(api)}/gpt-4o"
    assert options(tab).count("gpt-4o") == 1
    assert new_tab(model="nobody-lists-this").selectbox(key="chat_model").value == "nobody-lists-this"
