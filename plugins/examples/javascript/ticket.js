// Every revision names a ticket.

export const RULE = {
  name: "ticket",
  severity: "error",
  summary: "Title or description of a revision names a ticket",
  explanation: "",
};

// Capital letters, a dash, digits; not in the middle of a word.
const TICKET = /(?<![A-Za-z0-9])[A-Z]+-[0-9]+/g;

/** The finding about a revision, if it names no ticket. */
export function check(settings, source) {
  const prefix = settings.ticketPrefix;
  const { title, description } = source.revision;
  const tickets = `${title}\n${description}`.match(TICKET) ?? [];
  if (tickets.some((ticket) => prefix === "" || ticket.split("-")[0] === prefix)) {
    return undefined;
  }
  let message = prefix === "" ? "names no ticket" : `names no ticket of \`${prefix}\``;
  let named = title;
  if (tickets.length > 0) {
    message = `names \`${tickets[0]}\`, which is no ticket of \`${prefix}\``;
    named = tickets[0];
  }
  const [line, column] = placeOf(named, source.text);
  return {
    rule: RULE.name,
    severity: RULE.severity,
    revision: source.revision.id,
    message,
    line,
    column,
    help: `write it into the title or the text below, as in \`${prefix || "OPS"}-123\``,
  };
}

/** Line and column of a text, both from 1. Columns count characters, where JavaScript counts halves of some. */
function placeOf(text, file) {
  const lines = file.slice(0, Math.max(file.indexOf(text), 0)).split("\n");
  return [lines.length, [...lines.at(-1)].length + 1];
}
