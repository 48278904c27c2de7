// {{summary}}
//
// Each interface that `wit/world.wit` exports is an object with its functions, written in camel case. A function that can
// fail throws its error. 64-bit numbers come as BigInt, options as `undefined` or the value, variants as `{ tag, val }`.

/** What an operator can change, with the values that hold if nobody does. */
const DEFAULTS = {
%%if gate
  "max-steps": 10,
%%end
%%if lint
  "max-statements": 20,
%%end
%%if notify
  channel: "deployments",
%%end
};

/** JSON Schema of the settings. */
const SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  additionalProperties: false,
  properties: {
%%if gate
    "max-steps": { type: "integer", minimum: 0, default: 10, description: "How many steps a plan may have in production." },
%%end
%%if lint
    "max-statements": { type: "integer", minimum: 0, default: 20, description: "How many statements a revision may have." },
%%end
%%if notify
    channel: { type: "string", default: "deployments", description: "The channel that messages go to." },
%%end
  },
};

/** Everything that is wrong with settings. */
function problems(settings) {
  const found = [];
  for (const [path, value] of Object.entries(settings)) {
    if (!Object.hasOwn(DEFAULTS, path)) {
      found.push({ path, message: `there is no such setting; known are ${Object.keys(DEFAULTS).join(", ") || "none"}` });
    } else if (typeof DEFAULTS[path] === "number" && !(Number.isInteger(value) && value >= 0)) {
      found.push({ path, message: "is not a whole number from 0 on" });
    } else if (typeof value !== typeof DEFAULTS[path]) {
      found.push({ path, message: "is not a text" });
    }
  }
  return found;
}

%%if gate lint notify
function settingsOf(context) {
  return { ...DEFAULTS, ...JSON.parse(context.settings) };
}

%%end
export const plugin = {
  describe() {
    return {
      name: "{{name}}",
      version: "0.1.0",
      summary: "{{summary}}",
      needs: [],
      settingsSchema: JSON.stringify(SCHEMA),
    };
  },

  checkSettings(text) {
    const found = problems(JSON.parse(text));
    if (found.length > 0) {
      throw found;
    }
  },
};
%%if environment

/** The environments, lowest level first. */
const ENVIRONMENTS = [
  { name: "development", level: 10, production: false, aliases: ["dev"] },
  { name: "staging", level: 30, production: false, aliases: ["stage"] },
  { name: "production", level: 100, production: true, aliases: ["prod"] },
];

function find(name) {
  return ENVIRONMENTS.find((level) => level.name === name || level.aliases.includes(name));
}

export const environment = {
  levels() {
    return ENVIRONMENTS;
  },

  identify(context) {
    const { name } = context.environment;
    const level = find(name);
    if (level === undefined) {
      throw { message: `\`${name}\` is not an environment`, help: "`runner environments` lists all" };
    }
    return level;
  },

  judge(context, plan) {
    const here = environment.identify(context);
    const steps = plan.steps.map(({ revision }) => {
      const tags = revision.environments;
      // `Env: staging` runs from staging upwards, `Env: =test` in test and nowhere else.
      const fits = tags.some((tag) => {
        const level = find(tag.name);
        return level !== undefined && (tag.exact ? level.name === here.name : here.level >= level.level);
      });
      if (tags.length === 0 || fits) {
        return { revision: revision.id, decision: "allow" };
      }
      const message = `is not meant for ${here.name}`;
      const reason = { rule: "other-environment", revision: revision.id, message };
      return { revision: revision.id, decision: "deny", reason };
    });
    return { steps, remarks: [] };
  },
};
%%end
%%if gate

export const gate = {
  review(context, plan) {
    const allowed = settingsOf(context)["max-steps"];
    const steps = plan.steps.filter((step) => !step.skipped).length;
    // What nobody knows not to be production is taken for production.
    if (context.environment.production === false || steps <= allowed) {
      return { decision: { tag: "allow" }, reasons: [], notices: [] };
    }
    const message = `${steps} steps at once are too many for production, ${allowed} are allowed`;
    return { decision: { tag: "deny" }, reasons: [{ rule: "large-plan", message }], notices: [] };
  },
};
%%end
%%if lint

const LARGE_REVISION = {
  name: "large-revision",
  severity: "error",
  summary: "A revision has few statements",
  explanation: "",
};

export const lint = {
  rules() {
    return [LARGE_REVISION];
  },

  check(context, sources) {
    const allowed = settingsOf(context)["max-statements"];
    const large = sources.filter((source) => source.up.length > allowed);
    return large.map((source) => ({
      rule: LARGE_REVISION.name,
      severity: LARGE_REVISION.severity,
      revision: source.revision.id,
      message: `has ${source.up.length} statements, ${allowed} are allowed`,
      line: source.up[allowed].line,
      column: source.up[allowed].column,
      help: "make a revision of its own of what comes from here on",
    }));
  },
};
%%end
%%if notify

export const notify = {
  announce(context, plan, event) {
    const environment = context.environment.name;
    const message = {
      channel: settingsOf(context).channel,
      text: "",
      fields: [
        { name: "by", value: context.actor.name },
        { name: "database", value: context.target.name },
      ],
    };
    if (event.tag === "finished" && event.val.steps > 0) {
      return [{ ...message, severity: "info", title: `${event.val.steps} revisions applied in ${environment}` }];
    }
    if (event.tag === "step-failed") {
      const title = `Revision ${event.val.revision} failed in ${environment}`;
      return [{ ...message, severity: "error", title, text: event.val.error ?? "" }];
    }
    return [];
  },
};
%%end
