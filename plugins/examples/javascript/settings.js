// What an operator can change. Settings come as the text of a JSON object.

const DEFAULTS = { "ticket-prefix": "", "freeze-from": 15 };

export const SCHEMA = JSON.stringify({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Settings",
  description: "Settings, all optional.",
  type: "object",
  additionalProperties: false,
  properties: {
    "ticket-prefix": {
      type: "string",
      default: "",
      description: "The project whose tickets count, as in `OPS` for `OPS-123`. Empty: any.",
    },
    "freeze-from": {
      type: "integer",
      minimum: 0,
      maximum: 23,
      default: 15,
      description:
        "The hour of Friday, in UTC, from which production is frozen. The hour before it asks for confirmation.",
    },
  },
});

/** The settings, or everything that is wrong with them: `[settings, problems]`. */
export function read(text) {
  const given = JSON.parse(text);
  for (const [name, value] of Object.entries(given)) {
    const wrong = problemOf(name, value);
    if (wrong) {
      return [undefined, [{ path: name, message: wrong }]];
    }
  }
  const settings = { ...DEFAULTS, ...given };
  const problems = [];
  if (!/^[A-Z]*$/.test(settings["ticket-prefix"])) {
    problems.push({ path: "ticket-prefix", message: "a prefix consists of the letters A to Z" });
  }
  if (settings["freeze-from"] > 23) {
    problems.push({ path: "freeze-from", message: "is not an hour from 0 to 23" });
  }
  return [{ ticketPrefix: settings["ticket-prefix"], freezeFrom: settings["freeze-from"] }, problems];
}

function problemOf(name, value) {
  if (name === "ticket-prefix") {
    return typeof value === "string" ? undefined : `invalid type: ${shown(value)}, expected a string`;
  }
  if (name === "freeze-from") {
    if (!Number.isInteger(value)) {
      return `invalid type: ${shown(value)}, expected u32`;
    }
    return value < 0 || value > 0xffffffff ? `invalid value: ${shown(value)}, expected u32` : undefined;
  }
  return `unknown field \`${name}\`, expected \`ticket-prefix\` or \`freeze-from\``;
}

function shown(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "sequence";
  switch (typeof value) {
    case "boolean":
      return `boolean \`${value}\``;
    case "number":
      return `${Number.isInteger(value) ? "integer" : "floating point"} \`${value}\``;
    case "string":
      return `string ${JSON.stringify(value)}`;
    default:
      return "map";
  }
}
