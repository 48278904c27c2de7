"""What an operator can change. Settings come as the text of a JSON object."""

import json
import re
from dataclasses import dataclass

from wit_world.exports.plugin import SettingProblem

SCHEMA = json.dumps(
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings",
        "description": "Settings, all optional.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "ticket-prefix": {
                "type": "string",
                "default": "",
                "description": "The project whose tickets count, as in `OPS` for `OPS-123`. Empty: any.",
            },
            "freeze-from": {
                "type": "integer",
                "minimum": 0,
                "maximum": 23,
                "default": 15,
                "description": "The hour of Friday, in UTC, from which production is frozen. "
                "The hour before it asks for confirmation.",
            },
        },
    }
)


@dataclass
class Settings:
    ticket_prefix: str = ""
    freeze_from: int = 15


def read(text):
    """The settings, and everything that is wrong with them."""
    given = json.loads(text)
    for name, value in given.items():
        wrong = problem_of(name, value)
        if wrong is not None:
            return None, [SettingProblem(name, wrong)]
    settings = Settings(given.get("ticket-prefix", ""), given.get("freeze-from", 15))
    problems = []
    if not re.fullmatch("[A-Z]*", settings.ticket_prefix):
        problems.append(SettingProblem("ticket-prefix", "a prefix consists of the letters A to Z"))
    if settings.freeze_from > 23:
        problems.append(SettingProblem("freeze-from", "is not an hour from 0 to 23"))
    return settings, problems


def problem_of(name, value):
    if name == "ticket-prefix":
        return None if isinstance(value, str) else f"invalid type: {shown(value)}, expected a string"
    if name == "freeze-from":
        # A truth value is a number in Python, and not in JSON.
        if not isinstance(value, int) or isinstance(value, bool):
            return f"invalid type: {shown(value)}, expected u32"
        return None if 0 <= value <= 0xFFFFFFFF else f"invalid value: {shown(value)}, expected u32"
    return f"unknown field `{name}`, expected `ticket-prefix` or `freeze-from`"


def shown(value):
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean `{str(value).lower()}`"
        case int():
            return f"integer `{value}`"
        case float():
            return f"floating point `{value}`"
        case str():
            return "string " + json.dumps(value, ensure_ascii=False)
        case list():
            return "sequence"
        case _:
            return "map"
