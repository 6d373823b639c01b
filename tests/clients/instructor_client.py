"""instructor over OpenAI's SDK for Python: answers by a schema, in two of its modes."""

import instructor
from openai import OpenAI
from pydantic import BaseModel, Field

from check import fails, run, url


class Person(BaseModel):
    name: str
    age: int = Field(ge=0, le=1000)


def at(key, mode):
    return instructor.from_openai(OpenAI(api_key=key, base_url=f"{url}/v1", max_retries=0), mode=mode)


def ask(model, key, mode):
    return at(key, mode).create(model=model, messages=[{"role": "user", "content": "Name somebody."}], response_model=Person, max_retries=1)


def errors(model, key):
    fails(lambda: at(key, instructor.Mode.TOOLS).client.chat.completions.create(model=f"{model}-none", messages=[{"role": "user", "content": "Hello."}]), 404)


run({
    "json": lambda model, key: [ask(model, key, mode) for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA)] and None,
    "errors": errors,
})
