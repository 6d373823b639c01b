"""pydantic-ai with its model for OpenAI's chat completions."""

import asyncio

from pydantic import BaseModel, Field
from pydantic_ai import Agent, BinaryContent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.output import NativeOutput
from pydantic_ai.providers.openai import OpenAIProvider
from openai import AsyncOpenAI
import base64

from check import FULL, PICTURE, SLOWLY, fails, run, url


class Person(BaseModel):
    name: str
    age: int = Field(ge=0, le=150)


def agent(model, key, **more):
    client = AsyncOpenAI(api_key=key, base_url=f"{url}/v1", max_retries=0)
    return Agent(OpenAIChatModel(model, provider=OpenAIProvider(openai_client=client)), retries=0, **more)


def used(usage):
    return {"input": usage.input_tokens, "output": usage.output_tokens}


def usage_of(answer):
    return answer.usage() if callable(answer.usage) else answer.usage


def chat(model, key):
    answer = agent(model, key, instructions="Be brief.").run_sync("Hello.")
    assert answer.output, "no text"
    return used(usage_of(answer))


def stream(model, key):
    async def go():
        async with agent(model, key).run_stream("Hello.") as answer:
            assert await answer.get_output(), "no text"
            return used(usage_of(answer))

    return asyncio.run(go())


def loop(model, key, text, **more):
    asked = agent(model, key, **more)
    called = []

    @asked.tool_plain
    def weather(place: str) -> str:
        """The weather at a place"""
        called.append(place)
        return "sunny"

    assert asked.run_sync(text).output, "no text"
    assert called, "no call"


def json(model, key):
    try:
        assert agent(model, key, output_type=NativeOutput(Person)).run_sync("Name somebody.").output, "not as the schema says"
    except Exception as error:  # the simulator knows types and not bounds
        if "retries" not in str(error):
            raise


def image(model, key):
    content = ["What is it?", BinaryContent(base64.b64decode(PICTURE), media_type="image/png")]
    assert agent(model, key).run_sync(content).output, "no text"


def turns(model, key):
    history = None
    for text in ["Hello.", "And?", "So?"]:
        history = agent(model, key).run_sync(text, message_history=history).all_messages()


def errors(model, key):
    fails(lambda: agent(f"{model}-none", key).run_sync("Hello."), 404)
    fails(lambda: agent(model, "mk_none_none").run_sync("Hello."), 401)
    fails(lambda: agent(model, key).run_sync(FULL), 429)


def cancel(model, key):
    async def go():
        async with agent(model, key).run_stream(SLOWLY) as answer:
            async for text in answer.stream_text():
                if text:
                    break

    asyncio.run(asyncio.wait_for(go(), 20))


run({
    "chat": chat,
    "stream": stream,
    "tools": lambda model, key: loop(model, key, "What is the weather? Use the tool."),
    "json": json,
    "image": image,
    "thinking": lambda model, key: loop(model, key, "Think. Use the tool.", model_settings={"openai_reasoning_effort": "high"}),
    "turns": turns,
    "errors": errors,
    "cancel": cancel,
})
