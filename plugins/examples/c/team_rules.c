// Rules of a team: production is not changed from Friday afternoon to Sunday night, and every revision names a ticket.
//
// Each function that the world exports has a name made of package, interface and function. One that can fail writes its
// answer to `ret` and gives true, or its error to `err` and gives false. A call sees a fresh instance, so nothing is freed.

#include <stdlib.h>

#include "rules.h"
#include "text.h"

void exports_runner_policy_plugin_describe(exports_runner_policy_plugin_description_t *ret) {
  *ret = (exports_runner_policy_plugin_description_t){
      .name = text("team-rules"),
      .version = text("0.1.0"),
      .summary = text("No production changes at the weekend, and a ticket for every revision"),
      .settings_schema = text("%s", SETTINGS_SCHEMA),
  };
}

bool exports_runner_policy_plugin_check_settings(policy_string_t *json,
                                                 exports_runner_policy_plugin_list_setting_problem_t *err) {
  settings_t settings;
  *err = settings_read(json, &settings);
  return err->len == 0;
}

bool exports_runner_policy_gate_review(context_t *context, plan_t *plan, ruling_t *ret,
                                       exports_runner_policy_gate_failure_t *err) {
  (void)err;
  settings_t settings;
  settings_read(&context->settings, &settings);
  *ret = freeze_review(&settings, context, plan);
  return true;
}

void exports_runner_policy_lint_rules(exports_runner_policy_lint_list_rule_t *ret) {
  *ret = (exports_runner_policy_lint_list_rule_t){malloc(sizeof(rule_t)), 1};
  ret->ptr[0] = ticket_rule();
}

bool exports_runner_policy_lint_check(context_t *context, exports_runner_policy_lint_list_source_t *sources,
                                      exports_runner_policy_lint_list_finding_t *ret,
                                      exports_runner_policy_lint_failure_t *err) {
  (void)err;
  settings_t settings;
  settings_read(&context->settings, &settings);
  *ret = (exports_runner_policy_lint_list_finding_t){malloc(sizeof(finding_t) * (sources->len + 1)), 0};
  for (size_t index = 0; index < sources->len; index++) {
    ret->len += ticket_check(&settings, &sources->ptr[index], &ret->ptr[ret->len]);
  }
  return true;
}
