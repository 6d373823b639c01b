"""OpenAI's agents for Python, by responses."""

import asyncio

from agents import Agent, ModelSettings, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from openai.types.shared import Reasoning
from pydantic import BaseModel, Field

from check import FULL, PICTURE, SLOWLY, fails, run, url

set_tracing_disabled(True)


class Person(BaseModel):
    name: str
    age: int = Field(ge=0, le=150)


@function_tool
def weather(place: str) -> str:
    """The weather at a place"""
    return "sunny"


def agent(model, key, **more):
    client = AsyncOpenAI(api_key=key, base_url=f"{url}/v1", max_retries=0)
    return Agent(name="helper", instructions="Be brief.", model=OpenAIResponsesModel(model=model, openai_client=client), **more)


def used(answer):
    usage = answer.context_wrapper.usage
    return {"input": usage.input_tokens, "output": usage.output_tokens}


def chat(model, key):
    answer = Runner.run_sync(agent(model, key), "Hello.")
    assert answer.final_output, "no text"
    return used(answer)


def stream(model, key):
    async def go():
        answer = Runner.run_streamed(agent(model, key), "Hello.")
        async for _ in answer.stream_events():
            pass
        assert answer.final_output, "no text"
        return used(answer)

    return asyncio.run(go())


def loop(model, key, text, **more):
    answer = Runner.run_sync(agent(model, key, tools=[weather], **more), text)
    assert answer.final_output, "no text"
    assert len(answer.raw_responses) > 1, "no call"


def json(model, key):
    try:
        assert Runner.run_sync(agent(model, key, output_type=Person), "Name somebody.").final_output, "not as the schema says"
    except Exception as error:  # the simulator knows types and not bounds
        if "Invalid JSON" not in str(error):
            raise


def image(model, key):
    content = [{"type": "input_text", "text": "What is it?"}, {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PICTURE}"}]
    assert Runner.run_sync(agent(model, key), [{"role": "user", "content": content}]).final_output, "no text"


def turns(model, key):
    items = []
    for text in ["Hello.", "And?", "So?"]:
        items = Runner.run_sync(agent(model, key), [*items, {"role": "user", "content": text}]).to_input_list()


def errors(model, key):
    fails(lambda: Runner.run_sync(agent(f"{model}-none", key), "Hello."), 404)
    fails(lambda: Runner.run_sync(agent(model, "mk_none_none"), "Hello."), 401)
    fails(lambda: Runner.run_sync(agent(model, key), FULL), 429)


def cancel(model, key):
    async def go():
        answer = Runner.run_streamed(agent(model, key), SLOWLY)
        async for event in answer.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                break
        answer.cancel()
        await asyncio.sleep(0.5)

    asyncio.run(go())


run({
    "chat": chat,
    "stream": stream,
    "tools": lambda model, key: loop(model, key, "What is the weather? Use the tool."),
    "json": json,
    "image": image,
    "thinking": lambda model, key: loop(model, key, "Think. Use the tool.", model_settings=ModelSettings(reasoning=Reasoning(effort="high", summary="auto"))),
    "turns": turns,
    "errors": errors,
    "cancel": cancel,
})
