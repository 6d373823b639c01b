"""OpenAI's SDK for Python, responses."""

from openai import OpenAI
from pydantic import BaseModel, Field

from check import FULL, PICTURE, SLOWLY, WEATHER, fails, run, url


class Person(BaseModel):
    name: str = Field(min_length=1)
    age: int = Field(ge=0, le=150)


TOOLS = [{"type": "function", "name": "weather", "description": "The weather at a place", "parameters": WEATHER, "strict": True}]


def at(key):
    return OpenAI(api_key=key, base_url=f"{url}/v1", max_retries=0).responses


def used(usage):
    return {"input": usage.input_tokens, "output": usage.output_tokens}


def chat(model, key):
    answer = at(key).create(model=model, instructions="Be brief.", input="Hello.")
    assert answer.output_text, "no text"
    return used(answer.usage)


def stream(model, key):
    with at(key).stream(model=model, input="Hello.") as events:
        answer = events.get_final_response()
    assert answer.output_text, "no text"
    return used(answer.usage)


def loop(key, text, **ask):
    items = [{"role": "user", "content": text}]
    first = at(key).create(input=items, tools=TOOLS, store=False, **ask)
    calls = [item for item in first.output if item.type == "function_call"]
    assert calls, "no call"
    items += [*first.output, *({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"} for call in calls)]
    assert at(key).create(input=items, tools=TOOLS, store=False, **ask).output_text, "no text"


def json(model, key):
    try:
        assert at(key).parse(model=model, input="Name somebody.", text_format=Person).output_parsed, "not as the schema says"
    except ValueError as error:  # the simulator knows types and not bounds
        if "validation error" not in str(error):
            raise


def image(model, key):
    content = [{"type": "input_text", "text": "What is it?"}, {"type": "input_image", "image_url": f"data:image/png;base64,{PICTURE}"}]
    assert at(key).create(model=model, input=[{"role": "user", "content": content}]).output_text, "no text"


def turns(model, key):
    items = []
    for text in ["Hello.", "And?", "So?"]:
        items.append({"role": "user", "content": text})
        items += at(key).create(model=model, input=items, store=False).output


def errors(model, key):
    fails(lambda: at(key).create(model=f"{model}-none", input="Hello."), 404)
    fails(lambda: at("mk_none_none").create(model=model, input="Hello."), 401)
    fails(lambda: at(key).create(model=model, input=FULL), 429)


def cancel(model, key):
    with at(key).create(model=model, input=SLOWLY, stream=True) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                break


run({
    "chat": chat,
    "stream": stream,
    "tools": lambda model, key: loop(key, "What is the weather? Use the tool.", model=model),
    "json": json,
    "image": image,
    "thinking": lambda model, key: loop(key, "Think. Use the tool.", model=model, reasoning={"effort": "high", "summary": "auto"}, include=["reasoning.encrypted_content"]),
    "turns": turns,
    "errors": errors,
    "cancel": cancel,
})
