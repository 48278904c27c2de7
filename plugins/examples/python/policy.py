"""Rules of a team: production is not changed from Friday afternoon to Sunday night, and every revision names a ticket.

Each interface that the world exports is a class with its functions; a function that can fail raises `Err` with its error.
"""

import freeze
import settings
import ticket
from componentize_py_types import Err
from wit_world.exports import plugin


class Plugin:
    def describe(self):
        return plugin.Description(
            name="team-rules",
            version="0.1.0",
            summary="No production changes at the weekend, and a ticket for every revision",
            needs=[],
            settings_schema=settings.SCHEMA,
        )

    def check_settings(self, text):
        _, problems = settings.read(text)
        if problems:
            raise Err(problems)


class Gate:
    def review(self, context, plan):
        known, _ = settings.read(context.settings)
        return freeze.review(known, context, plan)


class Lint:
    def rules(self):
        return [ticket.RULE]

    def check(self, context, sources):
        known, _ = settings.read(context.settings)
        findings = (ticket.check(known, source) for source in sources)
        return [finding for finding in findings if finding is not None]
