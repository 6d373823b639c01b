"""Anthropic's SDK for Python."""

from anthropic import Anthropic
from pydantic import BaseModel, Field

from check import FULL, PICTURE, SLOWLY, WEATHER, fails, run, url


class Person(BaseModel):
    name: str = Field(min_length=1)
    age: int = Field(ge=0, le=150)


TOOLS = [{"name": "weather", "description": "The weather at a place", "input_schema": WEATHER}]


def at(key):
    return Anthropic(api_key=key, base_url=url, max_retries=0).messages


def user(content):
    return {"role": "user", "content": content}


def said(answer):
    return "".join(block.text for block in answer.content if block.type == "text")


def used(usage):
    return {"input": usage.input_tokens, "output": usage.output_tokens}


def chat(model, key):
    answer = at(key).create(model=model, max_tokens=4096, system="Be brief.", messages=[user("Hello.")])
    assert said(answer), "no text"
    return used(answer.usage)


def stream(model, key):
    with at(key).stream(model=model, max_tokens=4096, messages=[user("Hello.")]) as events:
        answer = events.get_final_message()
    assert said(answer), "no text"
    return used(answer.usage)


def loop(key, text, **ask):
    messages = [user(text)]
    first = at(key).create(messages=messages, tools=TOOLS, max_tokens=4096, **ask)
    results = [{"type": "tool_result", "tool_use_id": block.id, "content": "sunny"} for block in first.content if block.type == "tool_use"]
    assert results, "no call"
    messages += [{"role": "assistant", "content": first.content}, user(results)]
    assert said(at(key).create(messages=messages, tools=TOOLS, max_tokens=4096, **ask)), "no text"
    return first


def thinking(model, key):
    first = loop(key, "Think. Use the tool.", model=model, thinking={"type": "enabled", "budget_tokens": 2048})
    assert any(block.type == "thinking" for block in first.content), "no thoughts"


def json(model, key):
    try:
        assert at(key).parse(model=model, max_tokens=4096, messages=[user("Name somebody.")], output_format=Person).parsed_output, "not as the schema says"
    except ValueError as error:  # the simulator knows types and not bounds
        if "validation error" not in str(error):
            raise


def image(model, key):
    content = [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}, {"type": "text", "text": "What is it?"}]
    assert said(at(key).create(model=model, max_tokens=4096, messages=[user(content)])), "no text"


def turns(model, key):
    messages = []
    for text in ["Hello.", "And?", "So?"]:
        messages.append(user(text))
        messages.append({"role": "assistant", "content": at(key).create(model=model, max_tokens=4096, messages=messages).content})


def errors(model, key):
    fails(lambda: at(key).create(model=f"{model}-none", max_tokens=9, messages=[user("Hello.")]), 404)
    fails(lambda: at("mk_none_none").create(model=model, max_tokens=9, messages=[user("Hello.")]), 401)
    fails(lambda: at(key).create(model=model, max_tokens=9, messages=[user(FULL)]), 429)


def cancel(model, key):
    with at(key).create(model=model, max_tokens=4096, messages=[user(SLOWLY)], stream=True) as events:
        for event in events:
            if event.type == "content_block_delta":
                break


run({
    "chat": chat,
    "stream": stream,
    "tools": lambda model, key: loop(key, "What is the weather? Use the tool.", model=model) and None,
    "json": json,
    "image": image,
    "thinking": thinking,
    "turns": turns,
    "errors": errors,
    "cancel": cancel,
})
