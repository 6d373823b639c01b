"""LangChain's ChatAnthropic, for Python."""

from langchain_anthropic import ChatAnthropic

from check import url
from langchain_checks import try_with


def at(model, key, **more):
    return ChatAnthropic(model=model, api_key=key, base_url=url, max_retries=0, max_tokens=4096, **more)


try_with(at, {"thinking": {"type": "enabled", "budget_tokens": 2048}})
