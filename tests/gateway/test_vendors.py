"""Who makes a model and what it is for, told by its id."""

import pytest

from lib.core.errors import InvalidInput
from lib.gateway.endpoints import EXAMPLE_MODELS, checked_model_id
from lib.gateway.model_ids import makes_chats
from lib.gateway.vendors import OTHER, by_vendor, vendor_of


@pytest.mark.row("C28")
def test_the_id_tells_the_maker(subtests: pytest.Subtests) -> None:
    for model, vendor in [
        ("gpt-4o-mini", "OpenAI"),
        ("o3-pro", "OpenAI"),
        ("claude-sonnet-4-20250514", "Anthropic"),
        ("google/gemini-2.5-pro", "Google"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "DeepSeek"),
        ("meta-llama/llama-4-scout:free", "Meta (Llama)"),
        ("x-ai/latest", "xAI"),
        ("nvidia/llama-3.1-nemotron-70b", "NVIDIA"),
        ("meta/llama-4-scout", "Meta (Llama)"),
        ("some-gateway/kimi-k2:free", "Moonshot (Kimi)"),
        ("Qwen/QwQ-32B", "Alibaba (Qwen)"),
        ("glm-4-plus", "Zhipu (GLM)"),
        ("my-own-model", OTHER),
        ("", OTHER),
    ]:
        with subtests.test(model=model):
            assert vendor_of(model) == vendor


def test_all_of_the_apis_examples_have_a_known_maker() -> None:
    assert OTHER not in by_vendor(list(EXAMPLE_MODELS))


@pytest.mark.row("C28")
def test_makers_and_models_stay_in_order() -> None:
    groups = by_vendor(["who", "gpt-1", "claude-1", "gpt-2"])
    assert list(groups.items()) == [(OTHER, ["who"]), ("OpenAI", ["gpt-1", "gpt-2"]), ("Anthropic", ["claude-1"])]


@pytest.mark.row("C28", "T11")
def test_an_id_with_slashes_spaces_or_any_script_is_taken(subtests: pytest.Subtests) -> None:
    for model in ["a/b/c:free", "my own model", "模型/一号", "x" * 300]:
        with subtests.test(model=model):
            assert checked_model_id(model) == model


@pytest.mark.row("C28", "T11")
def test_an_id_that_no_service_can_have_is_refused(subtests: pytest.Subtests) -> None:
    for model in ["", " ", "half \ud83d", "a\0b", "a\x1b[2J", "\u202ex", "\u2066x", "x" * 301]:
        with subtests.test(model=model), pytest.raises(InvalidInput):
            checked_model_id(model)


@pytest.mark.row("C28")
def test_the_id_tells_what_is_not_for_chats(subtests: pytest.Subtests) -> None:
    others = (
        "text-embedding-3-small", "nomic-embed-text:latest", "BAAI/bge-m3", "qwen3-embedding-0.6b", "voyage-3",
        "jina-clip-v2", "tts-1-hd", "gpt-4o-mini-tts", "whisper-1", "gpt-4o-transcribe", "FunAudioLLM/SenseVoiceSmall",
        "gpt-4o-realtime-preview", "gemini-live-2.5-flash", "gpt-image-1", "dall-e-3", "gemini-2.5-flash-image",
        "black-forest-labs/FLUX.1-schnell", "stable-diffusion-3.5", "google/imagen-4", "mj_imagine", "sora-2",
        "veo3-fast", "kling-v2", "wanx2.1-t2i", "BAAI/bge-reranker-v2-m3", "rerank-english-v3.0",
        "omni-moderation-latest", "meta-llama/llama-guard-4-12b", "mistral-ocr-latest", "davinci-002",
        "gpt-3.5-turbo-instruct", "suno-v4", "gpt-4o-audio-preview",
    )  # fmt: skip
    chats = (
        *EXAMPLE_MODELS, "gpt-4o", "meta.llama3-8b-instruct-v1:0", "deepseek-ocr", "qwen2.5-vl-72b-instruct",
        "llama3.2-vision", "gpt-oss-safeguard-20b", "pixtral-large", "imagine-chat", "o1", "olive-7b", "delivery-1",
        "qwen2-audio-instruct", "phi-4-multimodal-instruct", "veonica", "echo", "my-own-model", "模型/一号", "",
    )  # fmt: skip
    for model, chat in [*((one, False) for one in others), *((one, True) for one in chats)]:
        with subtests.test(model=model):
            assert makes_chats(model) is chat
