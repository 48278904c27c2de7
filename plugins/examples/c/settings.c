#include "settings.h"

#include <stdlib.h>

#include "json.h"
#include "text.h"

const char *const SETTINGS_SCHEMA =
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"Settings\","
    "\"description\":\"Settings, all optional.\",\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"ticket-prefix\":{\"type\":\"string\",\"default\":\"\","
    "\"description\":\"The project whose tickets count, as in `OPS` for `OPS-123`. Empty: any.\"},"
    "\"freeze-from\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":23,\"default\":15,"
    "\"description\":\"The hour of Friday, in UTC, from which production is frozen. The hour before it asks for "
    "confirmation.\"}}}";

typedef exports_runner_policy_plugin_list_setting_problem_t problems_t;

static void add(problems_t *problems, policy_string_t path, policy_string_t message) {
  problems->ptr = realloc(problems->ptr, (problems->len + 1) * sizeof *problems->ptr);
  problems->ptr[problems->len++] = (exports_runner_policy_plugin_setting_problem_t){path, message};
}

static policy_string_t shown(const json_value_t *value) {
  switch (value->kind) {
    case JSON_NULL: return text("null");
    case JSON_BOOLEAN: return text("boolean `%.*s`", TEXT(value->text));
    case JSON_INTEGER: return text("integer `%.*s`", TEXT(value->text));
    case JSON_FLOAT: return text("floating point `%.*s`", TEXT(value->text));
    case JSON_STRING: return text("string \"%.*s\"", TEXT(value->text));
    case JSON_ARRAY: return text("sequence");
    default: return text("map");
  }
}

// Reads one setting; false: the problem was added.
static bool read_setting(policy_string_t name, const json_value_t *value, settings_t *settings, problems_t *problems) {
  if (text_is(name, "ticket-prefix")) {
    settings->ticket_prefix = value->text;
    if (value->kind == JSON_STRING) return true;
    add(problems, name, text("invalid type: %.*s, expected a string", TEXT(shown(value))));
  } else if (text_is(name, "freeze-from")) {
    long long hour = value->kind == JSON_INTEGER ? json_integer(value) : -1;
    settings->freeze_from = (unsigned)hour;
    if (hour >= 0 && hour <= 0xffffffffLL) return true;
    const char *what = value->kind == JSON_INTEGER ? "value" : "type";
    add(problems, name, text("invalid %s: %.*s, expected u32", what, TEXT(shown(value))));
  } else {
    add(problems, name, text("unknown field `%.*s`, expected `ticket-prefix` or `freeze-from`", TEXT(name)));
  }
  return false;
}

problems_t settings_read(const policy_string_t *json, settings_t *settings) {
  *settings = (settings_t){.freeze_from = 15};
  problems_t problems = {0};
  size_t offset = 0;
  policy_string_t name;
  json_value_t value;
  while (json_next(json, &offset, &name, &value)) {
    if (!read_setting(name, &value, settings, &problems)) return problems;
  }
  for (size_t index = 0; index < settings->ticket_prefix.len; index++) {
    uint8_t letter = settings->ticket_prefix.ptr[index];
    if (letter < 'A' || letter > 'Z') {
      add(&problems, text("ticket-prefix"), text("a prefix consists of the letters A to Z"));
      break;
    }
  }
  if (settings->freeze_from > 23) add(&problems, text("freeze-from"), text("is not an hour from 0 to 23"));
  return problems;
}
