"""Every revision names a ticket."""

import re

from wit_world.exports.lint import Finding, Rule
from wit_world.imports.types import Severity

RULE = Rule(
    name="ticket",
    severity=Severity.ERROR,
    summary="Title or description of a revision names a ticket",
    explanation="",
)

# Capital letters, a dash, digits; not in the middle of a word.
TICKET = re.compile(r"(?<![A-Za-z0-9])[A-Z]+-[0-9]+")


def check(settings, source):
    """The finding about a revision, if it names no ticket."""
    prefix = settings.ticket_prefix
    revision = source.revision
    tickets = TICKET.findall(f"{revision.title}\n{revision.description}")
    if any(prefix == "" or ticket.split("-")[0] == prefix for ticket in tickets):
        return None
    if tickets:
        message, named = f"names `{tickets[0]}`, which is no ticket of `{prefix}`", tickets[0]
    else:
        message, named = (f"names no ticket of `{prefix}`" if prefix else "names no ticket"), revision.title
    line, column = place_of(named, source.text)
    return Finding(
        rule=RULE.name,
        severity=RULE.severity,
        revision=revision.id,
        message=message,
        line=line,
        column=column,
        help=f"write it into the title or the text below, as in `{prefix or 'OPS'}-123`",
    )


def place_of(text, file):
    """Line and column of a text, both from 1."""
    before = file[: max(file.find(text), 0)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
