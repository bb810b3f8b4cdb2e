"""Keys and addresses as they are pasted: what is around them goes, and nothing else."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.core.errors import InvalidInput
from lib.gateway.endpoint_registry import typed_endpoint
from lib.gateway.pasted_text import cleaned_address, cleaned_key
from lib.settings import Settings
from tests.examples import examples

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
KEYS = st.text(ALPHABET, min_size=8, max_size=40).map(lambda text: f"sk-{text}")
DIRT = st.text(" \n\r\t\x00\u00a0\u00ad\u200b\u200d\u200e\u202a\u2060\u3000\ufeff\"'`“”‘’「」<>,;，；", max_size=5)
KEY_LABELS = (
    "{}", "Bearer {}", "bearer  {}", "BEARER\u00a0{}", "Authorization: Bearer {}", "authorization:Bearer {}",
    "-H 'Authorization: Bearer {}'", '-H "Authorization: Bearer {}"', "OPENAI_API_KEY={}",
    "export OPENAI_API_KEY={}", 'export OPENAI_API_KEY="{}"', "set OPENAI_API_KEY={}", 'setx OPENAI_API_KEY "{}"',
    "$env:OPENAI_API_KEY = '{}'", '"apiKey": "{}",', "api_key = '{}'", "api-key: {}", "x-api-key: {}", "API Key：{}",
    "API 密钥：{}", "密钥:{}", "令牌: {}", "key: {}", "token={}", 'os.environ["OPENAI_API_KEY"] = "{}"',
    "OPENAI_API_KEY={}  # of the team", "Key: “{}”",
)  # fmt: skip


@pytest.mark.row("X2")
@settings(max_examples=examples(300))
@given(DIRT, st.sampled_from(KEY_LABELS), DIRT, KEYS, DIRT, DIRT)
def test_a_key_is_found_in_what_was_pasted(a: str, label: str, b: str, key: str, c: str, d: str) -> None:
    inner = b + key + c if label == "{}" else key
    assert cleaned_key(a + label.format(inner) + d) == key


@given(st.text())
@example("key==")
@example("export ")
def test_cleaning_a_key_twice_is_cleaning_it_once(text: str) -> None:
    assert cleaned_key(cleaned_key(text)) == cleaned_key(text)


def test_a_key_of_another_form_stays_as_it_is() -> None:
    for key in (
        "sk-a", "0123abcd.Zx-9_8", "5f3b1c:9e8d7c6b5a", "aGVsbG8ga2V5==", "a+b/c=", "monkey=", "sk-key==", "gsk_1",
        "Bearer", "none", "pplx-1", "id.secret~x", "AIza-Sy_1",
    ):  # fmt: skip
        assert cleaned_key(key) == key


@pytest.mark.row("X2", "T3")
def test_what_no_key_holds_is_refused_and_not_guessed_at() -> None:
    for key in ("sk-two words", "sk-a\nsk-b", "sk-\u200bhidden", "ключ", "sk-" + "x" * 5000):
        with pytest.raises(InvalidInput, match="The key holds characters"):
            typed_endpoint("https://api.example.com/v1", key)


ADDRESSES = {
    "https://api.example.com/v1": (
        "https://api.example.com/v1", "https://api.example.com/v1/", "https://api.example.com/v1//",
        "api.example.com/v1",        "//api.example.com/v1", "https:/api.example.com/v1",
        "https:api.example.com/v1", "https//api.example.com/v1",
        "https://https://api.example.com/v1", "HTTPS://API.Example.com/v1", "https://api.example.com//v1",
        "https://api.example.com/v1/chat/completions", "https://api.example.com/v1/chat/completions/",
        "https://api.example.com/v1/completions", "https://api.example.com/v1/responses",
        "https://api.example.com/v1/models", "https://api.example.com/v1/models/gpt-4o",
        "https://api.example.com/v1/embeddings", "https://api.example.com/v1/messages",
        "https://api.example.com/v1?api-version=2024-06-01", "https://api.example.com/v1/chat/completions?x=1#y",
        "https://api.example.com/v1#models", "<https://api.example.com/v1>", "“https://api.example.com/v1”",
        "\ufeffhttps://api.example.com/v1\u200b", "https://api.\u200bexample.com/v1", "https://api.example.com/v1。",
        "https://api.example.com/v1.", "https://api.example.com/v1,", "https：//api.example.com／v1",
        "https：／／api。example。com／v1", "ｈｔｔｐｓ://api.example.com/v1", "OPENAI_BASE_URL=https://api.example.com/v1",
        "export OPENAI_BASE_URL='https://api.example.com/v1'", "$env:OPENAI_BASE_URL = \"https://api.example.com/v1\"",
        '"base_url": "https://api.example.com/v1",', "base_url: api.example.com/v1", "setx BASE https://api.example.com/v1",
        "接口地址：https://api.example.com/v1", "API 地址: api.example.com/v1", "curl https://api.example.com/v1/models",
        "POST https://api.example.com/v1/chat/completions", "api.example.com./v1",
    ),
    "http://localhost:11434": ("localhost:11434", "http://localhost:11434/", "11434", ":11434", "LOCALHOST:11434"),
    "http://localhost:1234/v1": ("localhost:1234/v1", ":1234/v1", "http://localhost:1234/v1/chat/completions"),
    "http://127.0.0.1:8080/v1": ("127.0.0.1:8080/v1", "OLLAMA_HOST=127.0.0.1:8080/v1", "https://http://127.0.0.1:8080/v1"),
    "https://localhost:8443/v1": ("https://localhost:8443/v1",),
    "https://localhost:443": ("localhost:443",),
    "http://[::1]:11434/v1": ("[::1]:11434/v1", "::1:11434/v1", "http://[::1]:11434/v1"),
    "http://[fd00::5]/v1": ("fd00::5/v1", "[fd00::5]/v1"),
    "https://[2606:4700::1111]/v1": ("2606:4700::1111/v1",),
    "http://192.168.1.5:8000/v1": ("192.168.1.5:8000/v1",),
    "http://10.0.0.1": ("10.0.0.1",),
    "http://100.64.1.2:11434": ("100.64.1.2:11434",),
    "https://8.8.8.8/v1": ("8.8.8.8/v1",),
    "http://ollama:11434": ("ollama:11434",),
    "http://myhost:8000/v1": ("myhost:8000/v1",),
    "http://endpoint:8000/v1": ("endpoint:8000/v1",),
    "http://nas.local/v1": ("nas.local/v1",),
    "http://host.docker.internal:11434/v1": ("host.docker.internal:11434/v1",),
    "https://xn--bcher-kva.example/v1": ("bücher.example/v1", "https://BÜCHER.example/v1"),
    "https://xn--fsqu00a.example/v1": ("例子.example/v1",),
    "https://openrouter.ai/api/v1": ("openrouter.ai/api/v1/chat/completions",),
    "https://api.example.com/v1/models-proxy/v1": ("https://api.example.com/v1/models-proxy/v1",),
    "https://api.example.com/openai/x": ("api.example.com/openai/x/chat/completions?api-version=1",),
    "ftp://example.com": ("ftp://example.com",),
    "": ("", " ", "https://", "\u200b", "''", "/"),
}  # fmt: skip


@pytest.mark.row("X2")
def test_an_address_is_found_in_what_was_pasted(subtests: pytest.Subtests) -> None:
    for address, pasted in ADDRESSES.items():
        for text in pasted:
            with subtests.test(text=text):
                assert cleaned_address(text) == address
                assert cleaned_address(address) == address


@settings(max_examples=examples(300))
@given(st.text(st.one_of(st.characters(), st.sampled_from("https:/.?#[]@v1 "))))
@example("https://a/v1'/")
def test_cleaning_an_address_twice_is_cleaning_it_once(text: str) -> None:
    assert cleaned_address(cleaned_address(text)) == cleaned_address(text)


@pytest.mark.row("X2")
def test_the_operators_settings_are_cleaned_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_BASE_URL", "“https://api.example.com/v1/chat/completions”\n")
    monkeypatch.setenv("TEMPERA_API_KEY", "\ufeffBearer sk-operators-key\u200b\r\n")
    [offered] = Settings.load().offered()

    assert (offered.name, offered.base_url) == ("api.example.com", "https://api.example.com/v1")
    assert offered.api_key.get_secret_value() == "sk-operators-key"
