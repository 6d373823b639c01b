"""What the files of Python clients share; see check.mjs, which says the same."""

import json
import os
import sys
import time

given = json.loads(os.environ["CLIENT"])
url = given["url"]
WEATHER = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"], "additionalProperties": False}
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SLOWLY = 'Say it. [[sim: {"chunks": 60, "delay_between_ms": 200}]]'
FULL = 'Say it. [[sim: {"status": 429}]]'


def fails(call, status):
    """Runs `call`, which has to fail with a status."""
    try:
        call()
    except Exception as error:  # noqa: BLE001
        got = getattr(error, "status_code", None)
        assert got == status, f"error {got or repr(error)} where {status} was due"
        return
    raise AssertionError("no error")


def run(checks):
    """checks: {name: function of (model, key)}"""
    for kind, one in given["models"].items():
        for check, work in checks.items():
            try:
                line = {"ok": True, "used": work(one["model"], one["key"])}
            except Exception as error:  # noqa: BLE001
                line = {"ok": False, "why": str(error) or repr(error)}
            print("\n" + json.dumps({"kind": kind, "check": check, "at": int(time.time() * 1000), **line}), flush=True)
    sys.stdout.flush()
    os._exit(0)
