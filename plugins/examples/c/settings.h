// What an operator can change.

#pragma once

#include "policy.h"

typedef struct {
  // The project whose tickets count, as in `OPS` for `OPS-123`. Empty: any.
  policy_string_t ticket_prefix;
  // The hour of Friday, in UTC, from which production is frozen.
  unsigned freeze_from;
} settings_t;

// JSON Schema of the settings.
extern const char *const SETTINGS_SCHEMA;

// Reads settings, and gives everything that is wrong with them.
exports_runner_policy_plugin_list_setting_problem_t settings_read(const policy_string_t *json, settings_t *settings);
