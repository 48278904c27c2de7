// Production is not changed from Friday afternoon to Sunday night.

const RULE = "weekend-freeze";
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const [SUNDAY, FRIDAY, SATURDAY] = [0, 5, 6];

export function review(settings, context, plan) {
  const steps = plan.steps.filter((step) => !step.skipped);
  // What nobody knows not to be production is taken for production.
  if (context.environment.production === false || steps.length === 0) {
    return ruling({ tag: "allow" });
  }
  const from = `${two(settings.freezeFrom)}:00`;
  // 64-bit numbers come as BigInt.
  const now = new Date(Number(context.now.seconds) * 1000);
  const [weekday, hour, minute] = [now.getUTCDay(), now.getUTCHours(), now.getUTCMinutes()];
  const frozen = weekday === SATURDAY || weekday === SUNDAY || (weekday === FRIDAY && hour >= settings.freezeFrom);
  if (!frozen) {
    if (weekday === FRIDAY && hour + 1 === settings.freezeFrom) {
      const question = `production is frozen from ${from} UTC, in ${60 - minute} minutes: change it now?`;
      return ruling({ tag: "confirm", val: question });
    }
    return ruling({ tag: "allow" });
  }
  const waiting = steps.filter((step) => step.direction === "up");
  if (waiting.length === 0) {
    return ruling({ tag: "allow" }, [], ["FROZEN until Monday 00:00 UTC; this only undoes revisions"]);
  }
  const doubt =
    context.environment.production === undefined
      ? ` (nobody says that \`${context.environment.name}\` is not production)`
      : "";
  const time = `${two(hour)}:${two(minute)}`;
  const reasons = [
    {
      rule: RULE,
      message: `production is frozen from Friday ${from} to Sunday 24:00 UTC, and it is ${WEEKDAYS[weekday]} ${time}${doubt}`,
      help: "wait until Monday; revisions can be undone meanwhile",
    },
    ...waiting.map((step) => ({
      rule: RULE,
      revision: step.revision.id,
      message: `\`${step.revision.title}\` has to wait`,
    })),
  ];
  return ruling({ tag: "deny" }, reasons);
}

function ruling(decision, reasons = [], notices = []) {
  return { decision, reasons, notices };
}

function two(number) {
  return String(number).padStart(2, "0");
}
