"""LangChain's ChatOpenAI, for Python."""

from langchain_openai import ChatOpenAI

from check import url
from langchain_checks import try_with


def at(model, key, **more):
    return ChatOpenAI(model=model, api_key=key, base_url=f"{url}/v1", max_retries=0, **more)


try_with(at, {"reasoning_effort": "high"})
