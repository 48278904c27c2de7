"""Production is not changed from Friday afternoon to Sunday night."""

from datetime import datetime, timedelta, timezone

from wit_world.exports.gate import Decision_Allow, Decision_Confirm, Decision_Deny, Ruling
from wit_world.imports.types import Direction, Reason

RULE = "weekend-freeze"
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6


def review(settings, context, plan):
    steps = [step for step in plan.steps if not step.skipped]
    production = context.environment.production
    # What nobody knows not to be production is taken for production.
    if production is False or not steps:
        return Ruling(Decision_Allow(), [], [])
    start = settings.freeze_from
    now = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=context.now.seconds)
    weekday = now.weekday()
    frozen = weekday in (SATURDAY, SUNDAY) or (weekday == FRIDAY and now.hour >= start)
    if not frozen:
        if weekday == FRIDAY and now.hour + 1 == start:
            minutes = 60 - now.minute
            question = f"production is frozen from {start:02}:00 UTC, in {minutes} minutes: change it now?"
            return Ruling(Decision_Confirm(question), [], [])
        return Ruling(Decision_Allow(), [], [])
    waiting = [step for step in steps if step.direction == Direction.UP]
    if not waiting:
        notice = "FROZEN until Monday 00:00 UTC; this only undoes revisions"
        return Ruling(Decision_Allow(), [], [notice])
    doubt = f" (nobody says that `{context.environment.name}` is not production)" if production is None else ""
    message = (
        f"production is frozen from Friday {start:02}:00 to Sunday 24:00 UTC, "
        f"and it is {WEEKDAYS[weekday]} {now:%H:%M}{doubt}"
    )
    reasons = [Reason(RULE, None, message, "wait until Monday; revisions can be undone meanwhile")]
    for step in waiting:
        reasons.append(Reason(RULE, step.revision.id, f"`{step.revision.title}` has to wait", None))
    return Ruling(Decision_Deny(), reasons, [])
