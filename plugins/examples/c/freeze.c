// Production is not changed from Friday afternoon to Sunday night.

#include <stdlib.h>

#include "rules.h"
#include "text.h"

static const char *const WEEKDAYS[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
enum { SUNDAY = 0, FRIDAY = 5, SATURDAY = 6 };

typedef struct {
  int weekday;
  unsigned hour;
  unsigned minute;
} moment_t;

static moment_t moment_of(int64_t seconds) {
  int64_t of_day = seconds % 86400;
  if (of_day < 0) of_day += 86400;
  // 1970-01-01 was a Thursday.
  int weekday = (int)(((seconds - of_day) / 86400 + 4) % 7);
  return (moment_t){weekday < 0 ? weekday + 7 : weekday, (unsigned)(of_day / 3600), (unsigned)(of_day / 60 % 60)};
}

static ruling_t allow(void) { return (ruling_t){.decision = {EXPORTS_RUNNER_POLICY_GATE_DECISION_ALLOW, {{0}}}}; }

static void add_reason(ruling_t *ruling, policy_option_string_t revision, policy_string_t message,
                       policy_option_string_t help) {
  ruling->reasons.ptr = realloc(ruling->reasons.ptr, (ruling->reasons.len + 1) * sizeof *ruling->reasons.ptr);
  ruling->reasons.ptr[ruling->reasons.len++] =
      (runner_policy_types_reason_t){SOME(text("weekend-freeze")), revision, message, help};
}

ruling_t freeze_review(const settings_t *settings, const context_t *context, const plan_t *plan) {
  size_t running = 0, waiting = 0;
  for (size_t index = 0; index < plan->steps.len; index++) {
    const step_t *step = &plan->steps.ptr[index];
    running += !step->skipped;
    waiting += !step->skipped && step->direction == RUNNER_POLICY_TYPES_DIRECTION_UP;
  }
  ruling_t ruling = allow();
  policy_option_bool_t production = context->environment.production;
  // What nobody knows not to be production is taken for production.
  if ((production.is_some && !production.val) || running == 0) return ruling;
  unsigned from = settings->freeze_from;
  moment_t now = moment_of(context->now.seconds);
  bool frozen = now.weekday == SATURDAY || now.weekday == SUNDAY || (now.weekday == FRIDAY && now.hour >= from);
  if (!frozen) {
    if (now.weekday == FRIDAY && now.hour + 1 == from) {
      ruling.decision.tag = EXPORTS_RUNNER_POLICY_GATE_DECISION_CONFIRM;
      ruling.decision.val.confirm = text("production is frozen from %02u:00 UTC, in %u minutes: change it now?", from,
                                         60 - now.minute);
    }
    return ruling;
  }
  if (waiting == 0) {
    ruling.notices.ptr = malloc(sizeof *ruling.notices.ptr);
    ruling.notices.ptr[ruling.notices.len++] = text("FROZEN until Monday 00:00 UTC; this only undoes revisions");
    return ruling;
  }
  ruling.decision.tag = EXPORTS_RUNNER_POLICY_GATE_DECISION_DENY;
  policy_string_t name = context->environment.name;
  policy_string_t doubt =
      production.is_some ? text("%s", "") : text(" (nobody says that `%.*s` is not production)", TEXT(name));
  policy_string_t message =
      text("production is frozen from Friday %02u:00 to Sunday 24:00 UTC, and it is %s %02u:%02u%.*s", from,
           WEEKDAYS[now.weekday], now.hour, now.minute, TEXT(doubt));
  add_reason(&ruling, NONE, message, SOME(text("wait until Monday; revisions can be undone meanwhile")));
  for (size_t index = 0; index < plan->steps.len; index++) {
    const step_t *step = &plan->steps.ptr[index];
    if (step->skipped || step->direction != RUNNER_POLICY_TYPES_DIRECTION_UP) continue;
    add_reason(&ruling, SOME(text("%.*s", TEXT(step->revision.id))),
               text("`%.*s` has to wait", TEXT(step->revision.title)), NONE);
  }
  return ruling;
}
