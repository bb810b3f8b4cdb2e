"""The chat page's settings: presets, zones, further fields, what a model does not take, and the heading."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from lib.calls import unsupported_params
from lib.core import extra_fields, stop_words
from lib.core.errors import InvalidInput
from lib.core.parameters import RANGES, Params
from lib.core.request import ChatRequest, Message
from lib.store.database import Store
from lib.ui.shared import resources
from lib.ui.shared.controls import ZONES, zone
from lib.visitor import saved_items
from lib.visitor.presets import PRESETS
from tests.fake_api import FakeApi
from tests.pages import (
    as_read,
    ask,
    bodies,
    changed_settings,
    choose_model,
    click,
    host,
    new_tab,
    owner,
    shown,
    switch_page,
    tab_of,
    turn_settings,
)

pytestmark = pytest.mark.usefixtures("settings_open")

LEFT_OUT = "“{}” was left out: this model does not take it."
QUESTION = (Message(role="user", content="Hello"),)


def choose(app: AppTest, preset: str) -> AppTest:
    app.pills(key="chat_preset").set_value(preset).run()
    assert not app.exception
    return app


def save(app: AppTest, name: str) -> AppTest:
    app.text_input(key="chat_preset_name").set_value(name)
    return click(app, "chat_preset_save")


def type_json(app: AppTest, text: str) -> AppTest:
    return app.text_area(key="chat_json").set_value(text).run()


def own(app: AppTest) -> dict[str, Any]:
    """The visitor's presets, as they are stored."""
    return dict(resources.services().store.read(lambda db: PRESETS.own(db, owner(app))))


# Presets


@pytest.mark.row("C25", "C29")
@pytest.mark.parametrize(("name", "temperature"), [("precise", 0.2), ("balanced", 0.7), ("creative", 1.2)])
def test_a_ready_made_preset_sets_the_temperature_and_nothing_else(
    app: AppTest, api: FakeApi, name: str, temperature: float
) -> None:
    app.text_area(key="chat_system").set_value("Be brief.")
    app.toggle(key="chat_max_tokens_on").set_value(True)
    app.toggle(key="chat_top_p_on").set_value(True).run()
    ask(choose(app, name))

    body = bodies(api)[-1]
    assert zone(temperature) == name
    assert {field: body[field] for field in RANGES if field in body} == {
        "temperature": temperature,
        "max_tokens": 1000,
    }
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}


@pytest.mark.row("C9")
def test_all_that_is_on_is_switched_off_at_once_and_the_values_stay(app: AppTest, api: FakeApi) -> None:
    assert app.button(key="chat_all_off").disabled
    for field, value in (("temperature", 1.5), ("top_p", 0.5)):
        app.slider(key=f"chat_{field}").set_value(value).run()
    app.text_input(key="chat_user").set_value("ada").run()
    assert changed_settings(app) == "temperature 1.5 · top_p 0.5 · user ada"
    assert "Set under More: top_p 0.5 · user ada]" in shown(app)

    click(app, "chat_all_off")
    assert "Set under More" not in shown(app)
    app.toggle(key="chat_stream").set_value(False).run()
    assert "Set under More: not streamed]" in shown(app)
    click(app, "chat_all_off")
    assert app.button(key="chat_all_off").disabled
    ask(app, "Hello")

    assert bodies(api)[-1].keys() == {"model", "messages", "stream", "stream_options"}
    assert (app.slider(key="chat_temperature").value, app.text_input(key="chat_user").value) == (1.5, "ada")


def fill(app: AppTest) -> AppTest:
    """Set every control of the settings to something of its own."""
    app.text_area(key="chat_system").set_value("Be brief.").run()
    values = {"temperature": 0.3, "max_tokens": 7, "top_p": 0.5, "n": 2, "user": "ada"}
    values |= {"presence_penalty": 1.0, "frequency_penalty": -1.0, "stop_words": ["x"], "stream": False}
    for name, value in values.items():
        app.session_state[f"chat_{name}"] = value
    for name in (*RANGES, "stop", "user"):
        app.session_state[f"chat_{name}_on"] = True
    return type_json(app, '{"seed": 7}')


@pytest.mark.row("C25")
def test_an_own_preset_brings_back_the_system_prompt_and_every_parameter(app: AppTest, api: FakeApi) -> None:
    ask(save(app, "New page"))
    ask(save(fill(click(app, "chat_new")), "All of it"))
    ask(choose(click(app, "chat_new"), "New page"))
    ask(choose(click(app, "chat_new"), "All of it"))

    plain, full, plain_again, full_again = bodies(api)
    assert (plain_again, full_again) == (plain, full)
    assert plain.keys() == {"model", "messages", "stream", "stream_options"}
    assert full["seed"] == 7 and full["stop"] == ["x"] and "stream" not in full


@pytest.mark.row("C25")
def test_a_preset_whose_further_field_has_got_a_control_since_fills_that_control(app: AppTest, api: FakeApi) -> None:
    kept = {"json": '{"top_p": 0.5, "stop": ["\\n"], "verbosity": "low"}', "temperature_on": False}
    resources.services().store.write(lambda db: PRESETS.save(db, owner(app), "Old", kept)).result()
    choose(app.run(), "Old")

    assert app.slider(key="chat_top_p").value == 0.5 and app.pills(key="chat_preset").value == "Old"
    ask(app)
    assert {name: bodies(api)[-1].get(name) for name in ("top_p", "stop", "verbosity")} == {
        "top_p": 0.5,
        "stop": ["\n"],
        "verbosity": "low",
    }


@pytest.mark.row("C8")
def test_a_stop_word_can_hold_a_line_end(app: AppTest, api: FakeApi) -> None:
    app.session_state["chat_stop_words"] = ["\\n", "a\\tb", "\\\\n", "\\d"]
    app.session_state["chat_stop_on"] = True
    ask(app.run())

    assert bodies(api)[-1]["stop"] == ["\n", "a\tb", "\\n", "\\d"]
    assert "is sent as the end of a line" in shown(app)


@pytest.mark.row("C22")
def test_a_link_with_a_line_end_in_a_stop_word_shows_how_it_is_typed(service: FakeApi) -> None:
    app = new_tab(stop="\n\n")
    ask(app)

    assert app.multiselect(key="chat_stop_words").value == ["\\n\\n"]
    assert bodies(service)[-1]["stop"] == ["\n\n"]


@given(st.text())
def test_any_stop_word_can_be_typed(word: str) -> None:
    assert stop_words.unescaped(stop_words.escaped(word)) == word
    assert not set("\n\t\r") & set(stop_words.escaped(word))


@pytest.mark.row("C25")
def test_a_preset_keeps_no_model_and_no_key(app: AppTest, api: FakeApi) -> None:
    save(fill(app), "Mine")

    kept = own(app)["Mine"]
    assert "Be brief." in json.dumps(kept) and not {"model", "input"} & kept.keys()
    assert "sk-" not in json.dumps(kept) and host(api) not in json.dumps(kept)


@pytest.mark.row("C25", "T13")
def test_own_presets_are_there_in_the_next_tab_and_for_nobody_else(app: AppTest) -> None:
    app.toggle(key="chat_temperature_on").set_value(True)
    app.slider(key="chat_temperature").set_value(0.3).run()
    save(app, "Mine")
    second = tab_of(owner(app)).run()

    assert "Mine" in second.pills(key="chat_preset").options
    assert choose(second, "Mine").slider(key="chat_temperature").value == 0.3


@pytest.mark.row("C25")
def test_a_preset_is_renamed_and_deleted(app: AppTest) -> None:
    save(app, "One")
    app.text_input(key="chat_preset_name").set_value("Two")
    click(app, "chat_preset_rename")
    assert list(own(app)) == ["Two"]
    assert app.pills(key="chat_preset").value == "Two"

    click(app, "chat_preset_delete")
    assert own(app) == {}
    assert app.pills(key="chat_preset").value is None
    assert "chat_preset_delete" not in {button.key for button in app.button}


@pytest.mark.row("C25")
def test_a_preset_is_marked_only_while_the_settings_are_its_own(app: AppTest) -> None:
    choose(app, "balanced")
    assert app.run().pills(key="chat_preset").value == "balanced"
    app.slider(key="chat_temperature").set_value(0.9).run()
    assert app.pills(key="chat_preset").value is None

    save(app, "Mine")
    assert app.run().pills(key="chat_preset").value == "Mine"
    app.text_area(key="chat_system").set_value("Rhyme.").run()
    assert app.pills(key="chat_preset").value is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("  ", "It needs a name."), ("Precise", "“Precise” is there already.")],
)
def test_a_name_that_will_not_do_is_said(app: AppTest, name: str, sentence: str) -> None:
    assert sentence in shown(save(app, name))
    assert own(app) == {}


def test_settings_that_cannot_be_sent_are_not_kept(app: AppTest) -> None:
    save(type_json(app, '{"seed": '), "Mine")

    assert own(app) == {}


def test_presets_are_bounded_in_number_size_and_name(store: Store) -> None:
    def work(db: Any) -> None:
        for number in range(saved_items.MOST):
            PRESETS.save(db, "ada", f"{number:03}" + "x" * 90, {})
        assert {len(name) for name in PRESETS.own(db, "ada")} == {saved_items.LONGEST_NAME}
        PRESETS.save(db, "ada", f"{0:03}" + "x" * 90, {"stream": True})
        with pytest.raises(InvalidInput, match="At most 50"):
            PRESETS.save(db, "ada", "one more", {})
        with pytest.raises(InvalidInput, match="already"):
            PRESETS.rename(db, "ada", f"{1:03}" + "x" * 57, f"{2:03}" + "x" * 57)
        with pytest.raises(InvalidInput, match="40,000"):
            PRESETS.save(db, "ada", f"{0:03}" + "x" * 90, {"system": "x" * 40_000})
        assert len(PRESETS.own(db, "ada")) == saved_items.MOST and PRESETS.own(db, "eve") == {}

    store.write(work).result()


# Zones


@pytest.mark.row("C29")
def test_each_temperature_lies_in_one_zone(subtests: pytest.Subtests) -> None:
    for temperature, words in [
        (0, "precise"),
        (0.4, "precise"),
        (0.5, "balanced"),
        (1, "creative"),
        (1.4, "creative"),
        (1.5, "wild"),
        (2, "wild"),
    ]:
        with subtests.test(temperature=temperature):
            assert zone(temperature) == words


@pytest.mark.row("C29")
def test_the_zones_are_named_under_the_slider_and_the_one_it_is_in_is_bold(app: AppTest) -> None:
    names = [words for _lowest, words in ZONES]
    choose(app, "creative")
    assert "**creative**" in shown(app)
    assert [caption.value for caption in app.caption if caption.value in names] == ["precise", "balanced", "wild"]


@pytest.mark.row("C7", "C29")
def test_a_number_that_is_not_sent_says_so_until_it_is_moved(app: AppTest) -> None:
    """Where its slider rests is nothing that anybody has set, so no word for it stands there either."""
    words, zones = "Not sent: the model’s own default.", {words for _lowest, words in ZONES}
    at_rest = [caption.value for caption in app.caption]
    assert at_rest.count(words) == 6 and not zones & set(at_rest)

    app.slider(key="chat_temperature").set_value(1.0).set_value(1.1).run()
    assert [caption.value for caption in app.caption].count(words) == 5
    app.toggle(key="chat_temperature_on").set_value(False).run()
    assert [caption.value for caption in app.caption] == at_rest


# Further fields

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = (
    st.sampled_from(["seed", "model", "messages", "stream", "n", "stop", "more", "max_completion_tokens"]) | st.text()
)


@pytest.mark.row("C7")
@given(st.dictionaries(NAMES, JSON, max_size=4).map(json.dumps))
@example('{"seed": 1e400}')
@example('{"a": 1, "a": 1}')
@example('{"a": "\\ud83d"}')
@example('{"a":' + "[" * 9_000 + "]" * 9_000 + "}")
@example('{"a": ' + "9" * 5_000 + "}")
@example('{"more": {"model": 1}}')
def test_a_json_object_is_refused_in_a_sentence_or_arrives_unchanged(text: str) -> None:
    start = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "temperature": 0.5}
    try:
        fields = extra_fields.read(text)
    except InvalidInput as error:
        assert str(error)
        return
    params = Params(temperature=0.5, extra_fields=fields)
    body = ChatRequest("m", QUESTION, params).body()
    assert json.loads(json.dumps(body, ensure_ascii=False).encode()) == {**start, **json.loads(text)}
    assert list(body)[:3] == list(start)
    assert Params.recorded(json.loads(json.dumps(params.to_send()))) == params


@pytest.mark.row("C7")
def test_a_mistake_in_the_further_fields_is_said_and_nothing_is_sent(
    subtests: pytest.Subtests, app: AppTest, api: FakeApi
) -> None:
    for text, sentence in [
        ('{"seed": 7,\n "x" 1}', "at line 2, character 6 (Expecting ':' delimiter)"),
        ("[1]", "have to be one JSON object"),
        ('{"x": NaN}', "“NaN”, which is not a number in JSON"),
        ('{"x": -Infinity}', "“-Infinity”, which is not a number in JSON"),
        ('{"x": {"a": 1, "a": 2}}', "name “a” twice"),
        ('{"temperature": 1}', "it has a control of its own, “temperature”"),
        ('{"max_completion_tokens": 9}', "use the control “max_tokens”"),
        ('{"model": "x"}', "choose the model at the top of the page"),
        ('{"messages": []}', "they are the conversation itself"),
        ('{"stream_options": {}}', "it goes along with the control “stream”"),
        ('{"x": "' + "y" * 20_000 + '"}', "longer than 20,000 characters"),
    ]:
        with subtests.test(text=text[:80]):
            type_json(app, text)
            assert sentence in as_read(app.error[0])
            ask(app)

            assert bodies(api) == []
            assert "what you typed is still there" in shown(app)
            assert app.text_area(key="chat_json").value == text
            assert str(app.chat_input(key="chat_input").proto.value) == "Hello"


@pytest.mark.row("C7", "C13")
def test_further_fields_are_sent_after_the_others_and_asked_for_again(app: AppTest, api: FakeApi) -> None:
    app.toggle(key="chat_n_on").set_value(True)
    app.number_input(key="chat_n").set_value(2).run()
    type_json(choose_model(app, "n-ignored"), '{"seed": 7, "response_format": {"type": "json_object"}, "x": null}')
    click(ask(app), "chat_fetch_rest")

    first, rest = bodies(api)
    assert (first["seed"], first["response_format"], first["x"]) == (7, {"type": "json_object"}, None)
    assert {**rest, "n": 2} == first


def test_only_a_record_may_have_names_the_api_lacks() -> None:
    with pytest.raises(InvalidInput, match="“seed” can't be sent"):
        Params.checked({"seed": 7})
    with pytest.raises(InvalidInput, match="conversation itself"):
        Params.recorded({"messages": []})
    assert Params.recorded({"n": None, "seed": 7, "more": 1}).to_send() == {"seed": 7, "more": 1}


@pytest.mark.row("C10")
def test_a_further_field_that_is_refused_is_dropped_said_and_left_out_from_then_on(app: AppTest, api: FakeApi) -> None:
    type_json(choose_model(app, "refuses-seed"), '{"seed": 7, "top_k": 3}')
    ask(ask(app), "Again")

    assert [body.get("seed") for body in bodies(api)] == [7, None, None]
    assert [body["top_k"] for body in bodies(api)] == [3, 3, 3]
    assert shown(app).count(LEFT_OUT.format("seed")) == 2
    assert "does not take seed" in shown(app)


@pytest.mark.row("C10")
def test_a_refused_further_field_is_found_in_the_text_too(app: AppTest, api: FakeApi) -> None:
    refusal = b'{"error":{"message":"Unrecognized request argument supplied: seed","param":null}}'
    api.script("strict", refusal, status=400)
    ask(type_json(choose_model(app, "strict"), '{"seed": 7, "top_k": 3, "a": 1}'))

    assert ["seed" in body for body in bodies(api)] == [True, False]
    assert all("top_k" in body and "a" in body for body in bodies(api))


# What a model does not take


@pytest.mark.row("C10")
def test_a_parameter_the_model_refuses_is_greyed_with_its_reason_until_it_is_tried_again(
    app: AppTest, api: FakeApi
) -> None:
    ask(choose(choose_model(app, "refuses-temperature"), "balanced"))
    assert app.slider(key="chat_temperature").disabled and app.toggle(key="chat_temperature_on").disabled
    assert not app.toggle(key="chat_top_p_on").disabled
    assert "does not take temperature; it is left out." in shown(app)
    assert changed_settings(app) == "" and app.pills(key="chat_preset").value is None, "nothing of it is sent"

    click(app, "chat_try_temperature")
    assert not app.slider(key="chat_temperature").disabled
    assert "it is left out." not in shown(app)
    ask(app, "Again")
    assert ["temperature" in body for body in bodies(api)] == [True, False, True, False]


@pytest.mark.row("C10")
def test_it_is_greyed_for_that_model_only(app: AppTest, api: FakeApi) -> None:
    ask(choose(choose_model(app, "refuses-temperature"), "balanced"))

    assert not choose_model(app, "echo").slider(key="chat_temperature").disabled
    assert choose_model(app, "refuses-temperature").slider(key="chat_temperature").disabled


@pytest.mark.row("C10")
@pytest.mark.parametrize(
    ("unsupported", "greyed"),
    [({"max_tokens"}, False), ({"max_completion_tokens"}, False), ({"max_tokens", "max_completion_tokens"}, True)],
)
def test_the_longest_answer_is_greyed_only_when_both_its_names_are_refused(
    app: AppTest, api: FakeApi, unsupported: set[str], greyed: bool
) -> None:
    place = (owner(app), api.base_url, "echo")
    store = resources.services().store
    store.write(lambda db: unsupported_params.remember(db, *place, unsupported)).result()
    assert app.run().toggle(key="chat_max_tokens_on").disabled is greyed

    if greyed:
        click(app, "chat_try_max_tokens")
        assert store.read(lambda db: unsupported_params.known(db, *place)) == frozenset()


@pytest.mark.row("C10", "T13")
def test_what_is_forgotten_is_forgotten_for_one_owner_place_and_field(store: Store) -> None:
    places = [("ada", "a", "m"), ("eve", "a", "m"), ("ada", "b", "m"), ("ada", "a", "o")]

    def work(db: Any) -> list[set[str]]:
        for place in places:
            unsupported_params.remember(db, *place, ["n", "seed"])
        unsupported_params.forget(db, *places[0], ["seed"])
        return [set(unsupported_params.known(db, *place)) for place in places]

    assert store.write(work).result() == [{"n"}, *[{"n", "seed"}] * 3]


# Closed


def test_beside_the_settings_stands_what_is_set_and_nothing_on_a_new_page(app: AppTest) -> None:
    assert changed_settings(app) == ""
    choose(app, "precise")
    assert changed_settings(app) == "temperature 0.2"
    assert changed_settings(fill(app)) == "system prompt · temperature 0.3 · max_tokens 7 · top_p 0.5 · +7"
    app.toggle(key="chat_temperature_on").set_value(False).run()
    assert "temperature" not in changed_settings(app)


@pytest.mark.row("C25", "X7")
def test_settings_stay_as_they_were_over_another_page_and_in_another_language(app: AppTest) -> None:
    for to_open in (True, False):
        turn_settings(app, to_open)
        assert bool(switch_page(switch_page(app, "usage"), "chat").slider) is to_open
        app.radio(key="language_choice").set_value("zh_Hans" if to_open else "en").run()
        assert bool(app.slider) is to_open and bool(app.run().slider) is to_open


@pytest.mark.row("C7", "C25")
def test_a_closed_panel_draws_nothing_and_all_that_is_set_in_it_is_sent(app: AppTest, api: FakeApi) -> None:
    """Also what was set by a preset, after a page change, and by somebody who never opened it."""
    drawn = turn_settings(fill(app), to_open=False)
    assert not [one for kind in ("slider", "toggle", "text_area") for one in getattr(drawn, kind)]
    ask(app)
    ask(switch_page(switch_page(app, "usage"), "chat"))
    ask(turn_settings(app, to_open=True))
    never_opened = tab_of(owner(app))
    never_opened.session_state["settings_open"] = False
    ask(click(never_opened.run(), "chat_new"), "Fresh")

    *full, fresh = [{name: value for name, value in body.items() if name != "messages"} for body in bodies(api)]
    assert full[0].items() >= {"temperature": 0.3, "max_tokens": 7, "top_p": 0.5, "user": "ada", "seed": 7}.items()
    assert full == [full[0]] * 3
    assert fresh.keys() == {"model", "stream", "stream_options"}
