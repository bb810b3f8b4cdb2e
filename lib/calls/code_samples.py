"""Code samples that send the same request, with the key read from an environment variable."""

import json
import shlex
from collections.abc import Callable, Mapping
from pprint import pformat
from textwrap import indent
from typing import Any

from lib.core.parameters import API_FIELDS

# The name that openai-python itself looks for; a sample never holds the key.
KEY = "OPENAI_API_KEY"

Body = Mapping[str, Any]


def curl(url: str, body: Body) -> str:
    """For a POSIX shell; prints the answer as it comes."""
    # A line of JSON is never a bare word, so that no text can end the here-document.
    return (
        f"curl --no-buffer {shlex.quote(url)} \\\n"
        f'  -H "Authorization: Bearer ${KEY}" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  --data-binary @- <<'JSON'\n{_json(body)}\nJSON\n"
    )


def python_httpx(url: str, body: Body) -> str:
    """For Python with httpx; prints the answer as it comes."""
    return f"""import os

import httpx

body = {_python(body)}
headers = {{"Authorization": f"Bearer {{os.environ['{KEY}']}}"}}

with httpx.stream("POST", {url!r}, headers=headers, json=body, timeout=180) as response:
    for text in response.iter_text():
        print(text, end="", flush=True)
"""


def python_openai(url: str, body: Body) -> str:
    """For Python with OpenAI's library; prints the words of the answer."""
    body = _sendable(body)
    # These openai-python takes by name, in every version; what is further goes into `extra_body`.
    named = {name: value for name, value in body.items() if name in API_FIELDS}
    further = {name: value for name, value in body.items() if name not in API_FIELDS}
    arguments = [f"{name}={_python(value)}" for name, value in named.items()]
    if further:
        arguments.append(f"extra_body={_python(further)}")
    # All lines, blank ones too: one inside a literal of several lines has to move with the others.
    given = indent(",\n".join(arguments) + ",", "    ", lambda line: True)
    return f"""import os

from openai import OpenAI

client = OpenAI(base_url={url.removesuffix("/chat/completions")!r}, api_key=os.environ["{KEY}"])
answer = client.chat.completions.create(
{given}
)
{_STREAMED if body.get("stream") else _WHOLE}"""


def node(url: str, body: Body) -> str:
    """For JavaScript in Node.js from version 18 on, as a module; prints the answer as it comes."""
    return f"""const body = {_json(body)};

const response = await fetch({json.dumps(url)}, {{
  method: "POST",
  headers: {{
    "Authorization": `Bearer ${{process.env.{KEY}}}`,
    "Content-Type": "application/json",
  }},
  body: JSON.stringify(body),
}});
for await (const chunk of response.body) {{
  process.stdout.write(chunk);
}}
"""


SAMPLES: Mapping[str, tuple[Callable[[str, Body], str], str, str]] = {
    "curl": (curl, "bash", "sh"),
    "Python (httpx)": (python_httpx, "python", "py"),
    "Python (openai)": (python_openai, "python", "py"),
    "JavaScript": (node, "javascript", "mjs"),
}
"""By title: how the program is made, the name of its language for colours, and the ending of its file."""

_STREAMED = """for chunk in answer:
    for choice in chunk.choices:
        print(choice.delta.content or "", end="", flush=True)
"""
_WHOLE = """for choice in answer.choices:
    print(choice.message.content)
"""


def _sendable(body: Body) -> dict[str, Any]:
    """The body as it arrives: tuples are lists, and half a surrogate pair is a question mark."""
    sendable: dict[str, Any] = json.loads(_compact(body).encode("utf-8", "replace"))
    return sendable


def _compact(body: Body) -> str:
    return json.dumps(body, ensure_ascii=False)


def _json(body: Body) -> str:
    return json.dumps(_sendable(body), ensure_ascii=False, indent=2)


def _python(value: Any) -> str:
    """A Python literal, lines further in than the first where there are several."""
    return pformat(_sendable(value) if isinstance(value, Mapping) else value, sort_dicts=False, width=100)
