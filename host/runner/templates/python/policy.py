"""{{summary}}

Each interface that `wit/world.wit` exports is a class with its functions. A function that can fail raises `Err` with its
error. `componentize-py -d wit -w policy bindings .` writes the types that are imported here, for your editor.
"""

import json

from componentize_py_types import Err
%%if environment
from wit_world.exports.environment import Judgement, Level, StepDecision, StepRuling
%%end
%%if gate
from wit_world.exports.gate import Decision_Allow, Decision_Deny, Ruling
%%end
%%if lint
from wit_world.exports.lint import Finding, Rule
%%end
%%if notify
from wit_world.exports.notify import Event_Finished, Event_StepFailed, Field, Message
%%end
from wit_world.exports.plugin import Description, SettingProblem
%%if environment
from wit_world.imports.types import Failure
%%end
%%if environment gate
from wit_world.imports.types import Reason
%%end
%%if lint notify
from wit_world.imports.types import Severity
%%end

# What an operator can change, with the values that hold if nobody does.
DEFAULTS = {
%%if gate
    "max-steps": 10,
%%end
%%if lint
    "max-statements": 20,
%%end
%%if notify
    "channel": "deployments",
%%end
}

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
%%if gate
        "max-steps": {
            "type": "integer",
            "minimum": 0,
            "default": 10,
            "description": "How many steps a plan may have in production.",
        },
%%end
%%if lint
        "max-statements": {
            "type": "integer",
            "minimum": 0,
            "default": 20,
            "description": "How many statements a revision may have.",
        },
%%end
%%if notify
        "channel": {
            "type": "string",
            "default": "deployments",
            "description": "The channel that messages go to.",
        },
%%end
    },
}


def problems(settings):
    """Everything that is wrong with settings."""
    found = []
    for path, value in settings.items():
        if path not in DEFAULTS:
            known = ", ".join(DEFAULTS) or "none"
            found.append(SettingProblem(path, f"there is no such setting; known are {known}"))
        elif type(DEFAULTS[path]) is int and not (type(value) is int and value >= 0):
            found.append(SettingProblem(path, "is not a whole number from 0 on"))
        elif type(value) is not type(DEFAULTS[path]):
            found.append(SettingProblem(path, "is not a text"))
    return found
%%if gate lint notify


def settings_of(context):
    return DEFAULTS | json.loads(context.settings)
%%end


class Plugin:
    def describe(self):
        return Description(
            name="{{name}}",
            version="0.1.0",
            summary="{{summary}}",
            needs=[],
            settings_schema=json.dumps(SCHEMA),
        )

    def check_settings(self, text):
        found = problems(json.loads(text))
        if found:
            raise Err(found)
%%if environment


# The environments, lowest level first.
ENVIRONMENTS = [
    Level("development", 10, False, ["dev"]),
    Level("staging", 30, False, ["stage"]),
    Level("production", 100, True, ["prod"]),
]


def find(name):
    return next((level for level in ENVIRONMENTS if name in [level.name, *level.aliases]), None)


class Environment:
    def levels(self, context):
        return ENVIRONMENTS

    def identify(self, context):
        name = context.environment.name
        level = find(name)
        if level is None:
            raise Err(Failure(f"`{name}` is not an environment", "`runner environments` lists all"))
        return level

    def judge(self, context, plan, applied):
        here = self.identify(context)

        def fits(tag):
            # `Env: staging` runs from staging upwards, `Env: =test` in test and nowhere else.
            level = find(tag.name)
            if level is None:
                return False
            return level.name == here.name if tag.exact else here.level >= level.level

        steps = []
        for step in plan.steps:
            revision = step.revision
            if not revision.environments or any(fits(tag) for tag in revision.environments):
                steps.append(StepRuling(revision.id, StepDecision.ALLOW, None))
            else:
                reason = Reason("other-environment", revision.id, f"is not meant for {here.name}", None)
                steps.append(StepRuling(revision.id, StepDecision.DENY, reason))
        return Judgement(steps, [])
%%end
%%if gate


class Gate:
    def review(self, context, plan):
        allowed = settings_of(context)["max-steps"]
        steps = sum(not step.skipped for step in plan.steps)
        # What nobody knows not to be production is taken for production.
        if context.environment.production is False or steps <= allowed:
            return Ruling(Decision_Allow(), [], [])
        message = f"{steps} steps at once are too many for production, {allowed} are allowed"
        return Ruling(Decision_Deny(), [Reason("large-plan", None, message, None)], [])
%%end
%%if lint


LARGE_REVISION = Rule("large-revision", Severity.ERROR, "A revision has few statements", "")


class Lint:
    def rules(self):
        return [LARGE_REVISION]

    def check(self, context, sources):
        allowed = settings_of(context)["max-statements"]
        return [
            Finding(
                rule=LARGE_REVISION.name,
                severity=LARGE_REVISION.severity,
                revision=source.revision.id,
                message=f"has {len(source.up)} statements, {allowed} are allowed",
                line=source.up[allowed].line,
                column=source.up[allowed].column,
                help="make a revision of its own of what comes from here on",
            )
            for source in sources
            if len(source.up) > allowed
        ]
%%end
%%if notify


class Notify:
    def announce(self, context, plan, event):
        environment = context.environment.name
        if isinstance(event, Event_Finished) and event.value.steps > 0:
            severity, title, text = Severity.INFO, f"{event.value.steps} revisions applied in {environment}", ""
        elif isinstance(event, Event_StepFailed):
            severity, text = Severity.ERROR, event.value.error or ""
            title = f"Revision {event.value.revision} failed in {environment}"
        else:
            return []
        fields = [Field("by", context.actor.name), Field("database", context.target.name)]
        return [Message(settings_of(context)["channel"], severity, title, text, fields)]
%%end
