// The rules of this policy, and shorter names for what they are about.

#pragma once

#include "policy.h"
#include "settings.h"

typedef runner_policy_types_context_t context_t;
typedef runner_policy_types_plan_t plan_t;
typedef runner_policy_types_step_t step_t;
typedef exports_runner_policy_gate_ruling_t ruling_t;
typedef exports_runner_policy_lint_source_t source_t;
typedef exports_runner_policy_lint_finding_t finding_t;
typedef exports_runner_policy_lint_rule_t rule_t;

// Decides whether a plan may run now.
ruling_t freeze_review(const settings_t *settings, const context_t *context, const plan_t *plan);

// The rule that every revision names a ticket.
rule_t ticket_rule(void);

// Whether a revision names no ticket, and the finding about that.
bool ticket_check(const settings_t *settings, const source_t *source, finding_t *finding);
