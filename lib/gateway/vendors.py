"""Finds the maker of a model by the beginning of its id."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from lib.core.i18n import N_

OTHER = N_("Others")
MAKERS: Mapping[str, tuple[str, ...]] = {
    "OpenAI": ("openai", "gpt", "chatgpt", "o1", "o3", "o4", "codex", "dall-e", "text-embedding", "tts", "whisper"),
    "Anthropic": ("anthropic", "claude"),
    "Google": ("google", "gemini", "gemma", "learnlm", "palm-"),
    "DeepSeek": ("deepseek",),
    "xAI": ("xai", "x-ai", "grok"),
    "Alibaba (Qwen)": ("alibaba", "qwen", "qwq", "qvq", "tongyi"),
    "Zhipu (GLM)": ("zhipu", "z-ai", "zai-org", "thudm", "glm", "chatglm", "cogview"),
    "Moonshot (Kimi)": ("moonshot", "kimi"),
    "Meta (Llama)": ("meta-", "meta.", "llama"),
    "Mistral": ("mistral", "mixtral", "codestral", "ministral", "magistral", "devstral", "pixtral"),
    "ByteDance (Doubao)": ("bytedance", "doubao", "seed-", "seedream"),
    "Baidu (ERNIE)": ("baidu", "ernie"),
    "MiniMax": ("minimax", "abab"),
    "Tencent (Hunyuan)": ("tencent", "hunyuan"),
    "StepFun": ("stepfun", "step-"),
    "01.AI (Yi)": ("01-ai", "yi-"),
    "Cohere": ("cohere", "command", "c4ai", "aya-"),
    "Microsoft": ("microsoft", "phi-", "wizardlm"),
    "Amazon": ("amazon", "nova-", "titan"),
    "NVIDIA": ("nvidia", "nemotron"),
    "AI21 (Jamba)": ("ai21", "jamba"),
    "IBM (Granite)": ("ibm", "granite"),
    "Xiaomi (MiMo)": ("xiaomi", "mimo-"),
    "Perplexity": ("perplexity", "sonar"),
    "Hugging Face": ("huggingface", "smollm", "zephyr"),
}


@lru_cache(maxsize=10_000)
def vendor_of(model: str) -> str:
    """The maker of the model id `model`; OTHER when the table does not know it. In `vendor/model`, as gateways write,
    the first segment that is known tells."""
    for part in model.lower().split("/"):
        for vendor, beginnings in MAKERS.items():
            if part.startswith(beginnings):
                return vendor
    return OTHER


def by_vendor(models: Iterable[str]) -> dict[str, list[str]]:
    """Model ids by their maker; makers and ids in the order in which they come first."""
    found: dict[str, list[str]] = {}
    for model in models:
        found.setdefault(vendor_of(model), []).append(model)
    return found
