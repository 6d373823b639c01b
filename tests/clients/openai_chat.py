"""OpenAI's SDK for Python, chat completions."""

from openai import OpenAI
from pydantic import BaseModel, Field

from check import FULL, PICTURE, SLOWLY, WEATHER, fails, run, url


class Person(BaseModel):
    name: str = Field(min_length=1)
    age: int = Field(ge=0, le=150)


TOOLS = [{"type": "function", "function": {"name": "weather", "description": "The weather at a place", "parameters": WEATHER}}]


def at(key):
    return OpenAI(api_key=key, base_url=f"{url}/v1", max_retries=0).chat.completions


def user(content):
    return {"role": "user", "content": content}


def used(usage):
    return {"input": usage.prompt_tokens, "output": usage.completion_tokens}


def chat(model, key):
    answer = at(key).create(model=model, messages=[{"role": "system", "content": "Be brief."}, user("Hello.")])
    assert answer.choices[0].message.content, "no text"
    return used(answer.usage)


def stream(model, key):
    text, usage = "", None
    for chunk in at(key).create(model=model, messages=[user("Hello.")], stream=True, stream_options={"include_usage": True}):
        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        usage = chunk.usage or usage
    assert text, "no text"
    return used(usage)


def loop(key, text, **ask):
    messages = [user(text)]
    first = at(key).create(messages=messages, tools=TOOLS, **ask).choices[0].message
    assert first.tool_calls, "no call"
    messages += [first, *({"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in first.tool_calls)]
    assert at(key).create(messages=messages, tools=TOOLS, **ask).choices[0].message.content, "no text"


def json(model, key):
    try:
        answer = at(key).parse(model=model, messages=[user("Name somebody.")], response_format=Person)
        assert answer.choices[0].message.parsed, "not as the schema says"
    except ValueError as error:  # the simulator knows types and not bounds
        if "validation error" not in str(error):
            raise


def image(model, key):
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}]
    assert at(key).create(model=model, messages=[user(content)]).choices[0].message.content, "no text"


def turns(model, key):
    messages = []
    for text in ["Hello.", "And?", "So?"]:
        messages.append(user(text))
        messages.append(at(key).create(model=model, messages=messages).choices[0].message)


def errors(model, key):
    fails(lambda: at(key).create(model=f"{model}-none", messages=[user("Hello.")]), 404)
    fails(lambda: at("mk_none_none").create(model=model, messages=[user("Hello.")]), 401)
    fails(lambda: at(key).create(model=model, messages=[user(FULL)]), 429)


def cancel(model, key):
    with at(key).create(model=model, messages=[user(SLOWLY)], stream=True) as chunks:
        for chunk in chunks:
            if chunk.choices and chunk.choices[0].delta.content:
                break


run({
    "chat": chat,
    "stream": stream,
    "tools": lambda model, key: loop(key, "What is the weather? Use the tool.", model=model),
    "json": json,
    "image": image,
    "thinking": lambda model, key: loop(key, "Think. Use the tool.", model=model, reasoning_effort="high", max_completion_tokens=30_000),
    "turns": turns,
    "errors": errors,
    "cancel": cancel,
})
