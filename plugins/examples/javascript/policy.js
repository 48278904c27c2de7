// Rules of a team: production is not changed from Friday afternoon to Sunday night, and every revision names a ticket.
//
// Each interface that the world exports is an object with its functions; a function that can fail throws its error.

import * as freeze from "./freeze.js";
import * as ticket from "./ticket.js";
import { SCHEMA, read } from "./settings.js";

export const plugin = {
  describe() {
    return {
      name: "team-rules",
      version: "0.1.0",
      summary: "No production changes at the weekend, and a ticket for every revision",
      needs: [],
      settingsSchema: SCHEMA,
    };
  },

  checkSettings(text) {
    const [, problems] = read(text);
    if (problems.length > 0) {
      throw problems;
    }
  },
};

export const gate = {
  review(context, plan) {
    const [settings] = read(context.settings);
    return freeze.review(settings, context, plan);
  },
};

export const lint = {
  rules() {
    return [ticket.RULE];
  },

  check(context, sources) {
    const [settings] = read(context.settings);
    return sources.map((source) => ticket.check(settings, source)).filter((finding) => finding !== undefined);
  },
};
