"""LiteLLM as a client: completion() with an OpenAI-compatible base."""

import litellm
from pydantic import BaseModel, Field

from check import FULL, PICTURE, SLOWLY, WEATHER, fails, run, url

litellm.telemetry = False
litellm.suppress_debug_info = True
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "The weather at a place", "parameters": WEATHER}}]


class Person(BaseModel):
    name: str = Field(min_length=1)
    age: int = Field(ge=0, le=150)


def ask(model, key, messages, **more):
    return litellm.completion(model=f"openai/{model}", api_key=key, api_base=f"{url}/v1", messages=messages, num_retries=0, **more)


def user(content):
    return {"role": "user", "content": content}


def used(usage):
    return {"input": usage.prompt_tokens, "output": usage.completion_tokens}


def chat(model, key):
    answer = ask(model, key, [{"role": "system", "content": "Be brief."}, user("Hello.")])
    assert answer.choices[0].message.content, "no text"
    return used(answer.usage)


def stream(model, key):
    chunks = list(ask(model, key, [user("Hello.")], stream=True, stream_options={"include_usage": True}))
    answer = litellm.stream_chunk_builder(chunks)
    assert answer.choices[0].message.content, "no text"
    return used(answer.usage)


def loop(model, key, text, **more):
    messages = [user(text)]
    first = ask(model, key, messages, tools=TOOLS, **more).choices[0].message
    assert first.tool_calls, "no call"
    messages += [first, *({"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in first.tool_calls)]
    assert ask(model, key, messages, tools=TOOLS, **more).choices[0].message.content, "no text"


def json(model, key):
    assert ask(model, key, [user("Name somebody.")], response_format=Person).choices[0].message.content, "no text"


def image(model, key):
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}]
    assert ask(model, key, [user(content)]).choices[0].message.content, "no text"


def turns(model, key):
    messages = []
    for text in ["Hello.", "And?", "So?"]:
        messages.append(user(text))
        messages.append(ask(model, key, messages).choices[0].message)


def errors(model, key):
    fails(lambda: ask(f"{model}-none", key, [user("Hello.")]), 404)
    fails(lambda: ask(model, "mk_none_none", [user("Hello.")]), 401)
    fails(lambda: ask(model, key, [user(FULL)]), 429)


def cancel(model, key):
    answer = ask(model, key, [user(SLOWLY)], stream=True)
    for chunk in answer:
        if chunk.choices[0].delta.content:
            break
    answer.completion_stream.response.close()


run({
    "chat": chat,
    "stream": stream,
    "tools": lambda model, key: loop(model, key, "What is the weather? Use the tool."),
    "json": json,
    "image": image,
    "thinking": lambda model, key: loop(model, key, "Think. Use the tool.", reasoning_effort="high", allowed_openai_params=["reasoning_effort"]),
    "turns": turns,
    "errors": errors,
    "cancel": cancel,
})
