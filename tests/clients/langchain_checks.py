"""What LangChain's chat models are asked, whoever's they are."""

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel, Field

from check import FULL, PICTURE, SLOWLY, fails, run


class Person(BaseModel):
    """Somebody."""

    name: str = Field(min_length=1)
    age: int = Field(ge=0, le=150)


@tool
def weather(place: str) -> str:
    """The weather at a place"""
    return "sunny"


def used(answer):
    usage = answer.usage_metadata
    return {"input": usage["input_tokens"], "output": usage["output_tokens"]}


def loop(chat, text):
    messages = [HumanMessage(text)]
    bound = chat.bind_tools([weather])
    first = bound.invoke(messages)
    assert first.tool_calls, "no call"
    messages += [first, *(ToolMessage("sunny", tool_call_id=call["id"]) for call in first.tool_calls)]
    assert bound.invoke(messages).text, "no text"


def try_with(at, thinking):
    """at: function of (model, key, more) → a chat model; thinking: what more it is given for that"""

    def chat(model, key):
        answer = at(model, key).invoke([SystemMessage("Be brief."), HumanMessage("Hello.")])
        assert answer.text, "no text"
        return used(answer)

    def stream(model, key):
        chunks = list(at(model, key, stream_usage=True).stream("Hello."))
        answer = sum(chunks[1:], chunks[0])
        assert answer.text, "no text"
        return used(answer)

    def json(model, key):
        answer = at(model, key).with_structured_output(Person, include_raw=True).invoke("Name somebody.")
        error = answer["parsing_error"]
        assert answer["parsed"] or "validation error" in str(error), error or "not as the schema says"

    def image(model, key):
        content = [{"type": "text", "text": "What is it?"}, {"type": "image", "base64": PICTURE, "mime_type": "image/png"}]
        assert at(model, key).invoke([HumanMessage(content=content)]).text, "no text"

    def turns(model, key):
        messages = []
        for text in ["Hello.", "And?", "So?"]:
            messages.append(HumanMessage(text))
            messages.append(at(model, key).invoke(messages))

    def errors(model, key):
        fails(lambda: at(f"{model}-none", key).invoke("Hello."), 404)
        fails(lambda: at(model, "mk_none_none").invoke("Hello."), 401)
        fails(lambda: at(model, key).invoke(FULL), 429)

    def cancel(model, key):
        chunks = at(model, key).stream(SLOWLY)
        for chunk in chunks:
            if chunk.text:
                break
        chunks.close()

    run({
        "chat": chat,
        "stream": stream,
        "tools": lambda model, key: loop(at(model, key), "What is the weather? Use the tool."),
        "json": json,
        "image": image,
        "thinking": lambda model, key: loop(at(model, key, **thinking), "Think. Use the tool."),
        "turns": turns,
        "errors": errors,
        "cancel": cancel,
    })
