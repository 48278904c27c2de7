// {{summary}}
//
// Each function that `wit/world.wit` exports has a name made of package, interface and function; `runner plugin build` makes
// their declarations (`policy.h`). One that can fail writes its answer to `ret` and gives true, or its error to `err` and
// gives false. Texts and lists that are handed over must be on the heap. A call sees a fresh instance, so nothing is freed.

#include <stdlib.h>

#include "json.h"
#include "policy.h"
#include "text.h"

// What an operator can change.
typedef struct {
%%if gate
  // How many steps a plan may have in production.
  long long max_steps;
%%end
%%if lint
  // How many statements a revision may have.
  long long max_statements;
%%end
%%if notify
  // The channel that messages go to.
  policy_string_t channel;
%%end
} settings_t;

static const char *const SCHEMA =
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"additionalProperties\":false,"
    "\"properties\":{"
%%if gate
    "\"max-steps\":{\"type\":\"integer\",\"minimum\":0,\"default\":10,"
    "\"description\":\"How many steps a plan may have in production.\"}"
%%end
%%if gate&lint
    ","
%%end
%%if lint
    "\"max-statements\":{\"type\":\"integer\",\"minimum\":0,\"default\":20,"
    "\"description\":\"How many statements a revision may have.\"}"
%%end
%%if gate&notify lint&notify
    ","
%%end
%%if notify
    "\"channel\":{\"type\":\"string\",\"default\":\"deployments\",\"description\":\"The channel that messages go to.\"}"
%%end
    "}}";

typedef exports_runner_policy_plugin_list_setting_problem_t problems_t;

static void add_problem(problems_t *problems, policy_string_t path, const char *message) {
  problems->ptr = realloc(problems->ptr, (problems->len + 1) * sizeof *problems->ptr);
  problems->ptr[problems->len++] = (exports_runner_policy_plugin_setting_problem_t){path, text("%s", message)};
}
%%if gate lint

static long long number(policy_string_t name, const json_value_t *value, problems_t *problems) {
  long long number = value->kind == JSON_INTEGER ? json_integer(value) : -1;
  if (number < 0) add_problem(problems, name, "is not a whole number from 0 on");
  return number;
}
%%end

// Reads settings, and gives everything that is wrong with them.
static problems_t read_settings(const policy_string_t *json, settings_t *settings) {
  problems_t problems = {0};
  size_t offset = 0;
  policy_string_t name;
  json_value_t value;
  *settings = (settings_t){
%%if gate
      .max_steps = 10,
%%end
%%if lint
      .max_statements = 20,
%%end
%%if notify
      .channel = text("deployments"),
%%end
  };
  while (json_next(json, &offset, &name, &value)) {
%%if gate
    if (text_is(name, "max-steps")) {
      settings->max_steps = number(name, &value, &problems);
      continue;
    }
%%end
%%if lint
    if (text_is(name, "max-statements")) {
      settings->max_statements = number(name, &value, &problems);
      continue;
    }
%%end
%%if notify
    if (text_is(name, "channel")) {
      settings->channel = value.text;
      if (value.kind != JSON_STRING) add_problem(&problems, name, "is not a text");
      continue;
    }
%%end
    add_problem(&problems, name, "there is no such setting");
  }
  return problems;
}

void exports_runner_policy_plugin_describe(exports_runner_policy_plugin_description_t *ret) {
  *ret = (exports_runner_policy_plugin_description_t){
      .name = text("{{name}}"),
      .version = text("0.1.0"),
      .summary = text("{{summary}}"),
      .settings_schema = text("%s", SCHEMA),
  };
}

bool exports_runner_policy_plugin_check_settings(policy_string_t *json, problems_t *err) {
  settings_t settings;
  *err = read_settings(json, &settings);
  return err->len == 0;
}
%%if environment

// The environments, lowest level first, each with one other name.
static const struct {
  const char *name, *alias;
  uint32_t level;
  bool production;
} ENVIRONMENTS[] = {
    {"development", "dev", 10, false},
    {"staging", "stage", 30, false},
    {"production", "prod", 100, true},
};
enum { COUNT = sizeof ENVIRONMENTS / sizeof *ENVIRONMENTS };

static exports_runner_policy_environment_level_t level_at(size_t index) {
  policy_string_t *alias = malloc(sizeof *alias);
  *alias = text("%s", ENVIRONMENTS[index].alias);
  return (exports_runner_policy_environment_level_t){
      .name = text("%s", ENVIRONMENTS[index].name),
      .level = ENVIRONMENTS[index].level,
      .production = ENVIRONMENTS[index].production,
      .aliases = {alias, 1},
  };
}

// The number of an environment; `COUNT` if there is none of this name.
static size_t find(policy_string_t name) {
  size_t index = 0;
  while (index < COUNT && !text_is(name, ENVIRONMENTS[index].name) && !text_is(name, ENVIRONMENTS[index].alias)) index++;
  return index;
}

bool exports_runner_policy_environment_levels(exports_runner_policy_environment_context_t *context,
                                              exports_runner_policy_environment_list_level_t *ret,
                                              exports_runner_policy_environment_failure_t *err) {
  (void)context;
  (void)err;
  ret->ptr = malloc(COUNT * sizeof *ret->ptr);
  for (ret->len = 0; ret->len < COUNT; ret->len++) ret->ptr[ret->len] = level_at(ret->len);
  return true;
}

bool exports_runner_policy_environment_identify(exports_runner_policy_environment_context_t *context,
                                                exports_runner_policy_environment_level_t *ret,
                                                exports_runner_policy_environment_failure_t *err) {
  policy_string_t name = context->environment.name;
  size_t here = find(name);
  if (here == COUNT) {
    err->message = text("`%.*s` is not an environment", TEXT(name));
    err->help = SOME(text("`runner environments` lists all"));
    return false;
  }
  *ret = level_at(here);
  return true;
}

// `Env: staging` runs from staging upwards, `Env: =test` in test and nowhere else.
static bool fits(const runner_policy_types_revision_t *revision, size_t here) {
  for (size_t index = 0; index < revision->environments.len; index++) {
    const runner_policy_types_environment_tag_t *tag = &revision->environments.ptr[index];
    size_t named = find(tag->name);
    if (named == COUNT) continue;
    if (tag->exact ? named == here : ENVIRONMENTS[here].level >= ENVIRONMENTS[named].level) return true;
  }
  return revision->environments.len == 0;
}

bool exports_runner_policy_environment_judge(exports_runner_policy_environment_context_t *context,
                                             exports_runner_policy_environment_plan_t *plan,
                                             exports_runner_policy_environment_list_applied_revision_t *applied,
                                             exports_runner_policy_environment_judgement_t *ret,
                                             exports_runner_policy_environment_failure_t *err) {
  (void)applied;
  exports_runner_policy_environment_level_t level;
  if (!exports_runner_policy_environment_identify(context, &level, err)) return false;
  size_t here = find(level.name);
  *ret = (exports_runner_policy_environment_judgement_t){0};
  ret->steps.ptr = calloc(plan->steps.len + 1, sizeof *ret->steps.ptr);
  for (size_t index = 0; index < plan->steps.len; index++) {
    const runner_policy_types_revision_t *revision = &plan->steps.ptr[index].revision;
    exports_runner_policy_environment_step_ruling_t *ruling = &ret->steps.ptr[ret->steps.len++];
    ruling->revision = text("%.*s", TEXT(revision->id));
    ruling->decision = EXPORTS_RUNNER_POLICY_ENVIRONMENT_STEP_DECISION_ALLOW;
    if (fits(revision, here)) continue;
    ruling->decision = EXPORTS_RUNNER_POLICY_ENVIRONMENT_STEP_DECISION_DENY;
    ruling->reason.is_some = true;
    ruling->reason.val = (runner_policy_types_reason_t){
        .rule = SOME(text("other-environment")),
        .revision = SOME(text("%.*s", TEXT(revision->id))),
        .message = text("is not meant for %.*s", TEXT(level.name)),
    };
  }
  return true;
}
%%end
%%if gate

bool exports_runner_policy_gate_review(exports_runner_policy_gate_context_t *context,
                                       exports_runner_policy_gate_plan_t *plan,
                                       exports_runner_policy_gate_ruling_t *ret,
                                       exports_runner_policy_gate_failure_t *err) {
  (void)err;
  settings_t settings;
  read_settings(&context->settings, &settings);
  long long steps = 0;
  for (size_t index = 0; index < plan->steps.len; index++) steps += !plan->steps.ptr[index].skipped;
  *ret = (exports_runner_policy_gate_ruling_t){0};
  policy_option_bool_t production = context->environment.production;
  // What nobody knows not to be production is taken for production.
  if ((production.is_some && !production.val) || steps <= settings.max_steps) {
    ret->decision.tag = EXPORTS_RUNNER_POLICY_GATE_DECISION_ALLOW;
    return true;
  }
  ret->decision.tag = EXPORTS_RUNNER_POLICY_GATE_DECISION_DENY;
  ret->reasons.ptr = calloc(1, sizeof *ret->reasons.ptr);
  ret->reasons.len = 1;
  ret->reasons.ptr[0].rule = SOME(text("large-plan"));
  ret->reasons.ptr[0].message =
      text("%lld steps at once are too many for production, %lld are allowed", steps, settings.max_steps);
  return true;
}
%%end
%%if lint

void exports_runner_policy_lint_rules(exports_runner_policy_lint_list_rule_t *ret) {
  ret->ptr = calloc(1, sizeof *ret->ptr);
  ret->len = 1;
  ret->ptr[0].name = text("large-revision");
  ret->ptr[0].severity = RUNNER_POLICY_TYPES_SEVERITY_ERROR;
  ret->ptr[0].summary = text("A revision has few statements");
}

bool exports_runner_policy_lint_check(exports_runner_policy_lint_context_t *context,
                                      exports_runner_policy_lint_list_source_t *sources,
                                      exports_runner_policy_lint_list_finding_t *ret,
                                      exports_runner_policy_lint_failure_t *err) {
  (void)err;
  settings_t settings;
  read_settings(&context->settings, &settings);
  ret->ptr = calloc(sources->len + 1, sizeof *ret->ptr);
  ret->len = 0;
  for (size_t index = 0; index < sources->len; index++) {
    const exports_runner_policy_lint_source_t *source = &sources->ptr[index];
    if ((long long)source->up.len <= settings.max_statements) continue;
    const runner_policy_types_statement_t *first_too_many = &source->up.ptr[settings.max_statements];
    ret->ptr[ret->len++] = (exports_runner_policy_lint_finding_t){
        .rule = text("large-revision"),
        .severity = RUNNER_POLICY_TYPES_SEVERITY_ERROR,
        .revision = text("%.*s", TEXT(source->revision.id)),
        .message = text("has %zu statements, %lld are allowed", source->up.len, settings.max_statements),
        .line = {true, first_too_many->line},
        .column = {true, first_too_many->column},
        .help = SOME(text("make a revision of its own of what comes from here on")),
    };
  }
  return true;
}
%%end
%%if notify

bool exports_runner_policy_notify_announce(exports_runner_policy_notify_context_t *context,
                                           exports_runner_policy_notify_plan_t *plan,
                                           exports_runner_policy_notify_event_t *event,
                                           exports_runner_policy_notify_list_message_t *ret,
                                           exports_runner_policy_notify_failure_t *err) {
  (void)plan;
  (void)err;
  settings_t settings;
  read_settings(&context->settings, &settings);
  policy_string_t environment = context->environment.name;
  exports_runner_policy_notify_message_t message = {.channel = settings.channel};
  *ret = (exports_runner_policy_notify_list_message_t){0};
  if (event->tag == EXPORTS_RUNNER_POLICY_NOTIFY_EVENT_FINISHED && event->val.finished.steps > 0) {
    message.severity = RUNNER_POLICY_TYPES_SEVERITY_INFO;
    message.title = text("%u revisions applied in %.*s", event->val.finished.steps, TEXT(environment));
  } else if (event->tag == EXPORTS_RUNNER_POLICY_NOTIFY_EVENT_STEP_FAILED) {
    const exports_runner_policy_notify_step_result_t *result = &event->val.step_failed;
    message.severity = RUNNER_POLICY_TYPES_SEVERITY_ERROR;
    message.title = text("Revision %.*s failed in %.*s", TEXT(result->revision), TEXT(environment));
    if (result->error.is_some) message.text = text("%.*s", TEXT(result->error.val));
  } else {
    return true;
  }
  message.fields.ptr = calloc(2, sizeof *message.fields.ptr);
  message.fields.len = 2;
  message.fields.ptr[0] = (exports_runner_policy_notify_field_t){text("by"), text("%.*s", TEXT(context->actor.name))};
  message.fields.ptr[1] =
      (exports_runner_policy_notify_field_t){text("database"), text("%.*s", TEXT(context->target.name))};
  ret->ptr = malloc(sizeof message);
  ret->ptr[0] = message;
  ret->len = 1;
  return true;
}
%%end
