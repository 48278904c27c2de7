//! {{summary}}

%%if environment
use runner_policy_sdk::AppliedRevision;
%%end
%%if environment gate lint notify
use runner_policy_sdk::Context;
%%end
use runner_policy_sdk::Description;
%%if environment
use runner_policy_sdk::Environments;
%%end
%%if notify
use runner_policy_sdk::Event;
%%end
use runner_policy_sdk::Failure;
%%if lint
use runner_policy_sdk::Finding;
%%end
%%if gate
use runner_policy_sdk::Gate;
%%end
%%if environment
use runner_policy_sdk::Judgement;
use runner_policy_sdk::Level;
%%end
%%if lint
use runner_policy_sdk::Lint;
%%end
%%if notify
use runner_policy_sdk::Message;
%%end
%%if not gate lint notify
use runner_policy_sdk::NoSettings;
%%end
%%if notify
use runner_policy_sdk::Notify;
%%end
%%if environment gate notify
use runner_policy_sdk::Plan;
%%end
use runner_policy_sdk::Policy;
%%if environment
use runner_policy_sdk::Reason;
%%end
%%if lint
use runner_policy_sdk::Rule;
%%end
%%if gate
use runner_policy_sdk::Ruling;
%%end
%%if lint notify
use runner_policy_sdk::Severity;
%%end
%%if lint
use runner_policy_sdk::Source;
%%end
%%if environment
use runner_policy_sdk::StepDecision;
use runner_policy_sdk::StepRuling;
%%end

/// The policy. Everything it may say is asked of it through the traits below.
struct {{type}};

%%if gate lint notify
/// What an operator can change. A setting that is misspelt or of the wrong type is refused with its path.
#[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Settings {
%%if gate
    /// How many steps a plan may have in production.
    max_steps: usize,
%%end
%%if lint
    /// How many statements a revision may have.
    max_statements: usize,
%%end
%%if notify
    /// The channel that messages go to.
    channel: String,
%%end
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
%%if gate
            max_steps: 10,
%%end
%%if lint
            max_statements: 20,
%%end
%%if notify
            channel: "deployments".to_owned(),
%%end
        }
    }
}

%%end
impl Policy for {{type}} {
    type Settings = {{settings}};

    fn describe() -> Description {
        Description::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_DESCRIPTION"))
            .with_settings::<{{settings}}>()
    }
}

%%if environment
/// The environments, lowest level first.
fn environments() -> Vec<Level> {
    vec![
        Level::new("development", 10).alias("dev"),
        Level::new("staging", 30).alias("stage"),
        Level::new("production", 100).alias("prod").production(),
    ]
}

fn find(name: &str) -> Option<Level> {
    environments().into_iter().find(|level| level.name == name || level.aliases.iter().any(|alias| alias == name))
}

impl Environments for {{type}} {
    fn levels(_settings: &{{settings}}, _context: &Context) -> Result<Vec<Level>, Failure> {
        Ok(environments())
    }

    fn identify(_settings: &{{settings}}, context: &Context) -> Result<Level, Failure> {
        let name = &context.environment.name;
        find(name).ok_or_else(|| {
            Failure::new(format!("`{name}` is not an environment")).help("`runner environments` lists all")
        })
    }

    fn judge(
        settings: &{{settings}},
        context: &Context,
        plan: &Plan,
        _applied: &[AppliedRevision],
    ) -> Result<Judgement, Failure> {
        let here = Self::identify(settings, context)?;
        let judge = |step: &runner_policy_sdk::Step| {
            let id = &step.revision.id;
            let tags = &step.revision.environments;
            // `Env: staging` runs from staging upwards, `Env: =test` in test and nowhere else.
            let fits = tags.iter().any(|tag| match find(&tag.name) {
                Some(level) if tag.exact => level.name == here.name,
                Some(level) => here.level >= level.level,
                None => false,
            });
            if tags.is_empty() || fits {
                StepRuling::allow(id)
            } else {
                let reason = Reason::new("other-environment", format!("is not meant for {}", here.name));
                StepRuling::new(StepDecision::Deny, reason, id)
            }
        };
        Ok(Judgement { steps: plan.steps.iter().map(judge).collect(), remarks: Vec::new() })
    }
}

%%end
%%if gate
impl Gate for {{type}} {
    fn review(settings: &Settings, context: &Context, plan: &Plan) -> Result<Ruling, Failure> {
        let steps = plan.steps_to_run().count();
        // What nobody knows not to be production is taken for production.
        if context.environment.production == Some(false) || steps <= settings.max_steps {
            return Ok(Ruling::allow());
        }
        let message = format!("{steps} steps at once are too many for production, {} are allowed", settings.max_steps);
        Ok(Ruling::deny("large-plan", message))
    }
}

%%end
%%if lint
fn large_revision() -> Rule {
    Rule::new("large-revision", Severity::Error, "A revision has few statements")
}

impl Lint for {{type}} {
    fn rules() -> Vec<Rule> {
        vec![large_revision()]
    }

    fn check(settings: &Settings, _context: &Context, sources: &[Source]) -> Result<Vec<Finding>, Failure> {
        let mut findings = Vec::new();
        for source in sources {
            let allowed = settings.max_statements;
            if let Some(first_too_many) = source.up.get(allowed) {
                let message = format!("has {} statements, {allowed} are allowed", source.up.len());
                let finding = large_revision().finding(source, message).at(first_too_many);
                findings.push(finding.help("make a revision of its own of what comes from here on"));
            }
        }
        Ok(findings)
    }
}

%%end
%%if notify
impl Notify for {{type}} {
    fn announce(
        settings: &Settings,
        context: &Context,
        _plan: &Plan,
        event: &Event,
    ) -> Result<Vec<Message>, Failure> {
        let environment = &context.environment.name;
        let message = match event {
            Event::Finished(result) if result.steps > 0 => {
                let title = format!("{} revisions applied in {environment}", result.steps);
                Message::new(&settings.channel, Severity::Info, title)
            }
            Event::StepFailed(result) => {
                let title = format!("Revision {} failed in {environment}", result.revision);
                Message::new(&settings.channel, Severity::Error, title)
                    .text(result.error.clone().unwrap_or_default())
            }
            _ => return Ok(Vec::new()),
        };
        Ok(vec![message.field("by", &context.actor.name).field("database", &context.target.name)])
    }
}

%%end
runner_policy_sdk::export_policy!({{type}}: {{roles}});

#[cfg(test)]
mod tests {
    use runner_policy_sdk::testing;

    use super::*;

%%if environment
    #[test]
    fn a_revision_runs_from_its_environment_upwards() {
        let plan = testing::plan([testing::step("SELECT 1").tagged("staging")]);
        for (name, expected) in
            [("dev", StepDecision::Deny), ("staging", StepDecision::Allow), ("prod", StepDecision::Allow)]
        {
            let context = testing::context().in_unknown_environment(name);
            let judgement = {{type}}::judge(&{{default-settings}}, &context, &plan, &[]).unwrap();
            assert_eq!(judgement.steps[0].decision, expected, "{name}");
        }
    }

%%end
%%if gate
    #[test]
    fn a_large_plan_is_refused_in_production_alone() {
        let plan = testing::plan((0..11).map(|_| testing::step("SELECT 1")));
        let ruling = |context: &Context| {{type}}::review(&Settings::default(), context, &plan).unwrap();
        assert_eq!(ruling(&testing::context()), Ruling::allow());
        let refused = ruling(&testing::context().in_production());
        assert_eq!(refused.reasons[0].rule.as_deref(), Some("large-plan"));
    }

%%end
%%if lint
    #[test]
    fn a_revision_of_many_statements_is_found() {
        let settings = Settings { max_statements: 1, ..Settings::default() };
        let check = |sql: &str| {
            <{{type}} as Lint>::check(&settings, &testing::context(), &[testing::source_of(sql)]).unwrap()
        };
        assert_eq!(check("SELECT 1;"), []);
        let findings = check("SELECT 1;\nSELECT 2;");
        assert_eq!((findings[0].line, findings[0].column), (Some(11), Some(1)));
    }

%%end
%%if notify
    #[test]
    fn a_failure_is_told_and_a_beginning_is_not() {
        let announce = |event: &Event| {
            {{type}}::announce(&Settings::default(), &testing::context(), &testing::plan([]), event).unwrap()
        };
        assert_eq!(announce(&Event::Started), []);
        let result = runner_policy_sdk::StepResult {
            revision: "r0001".to_owned(),
            duration_ms: 12,
            error: Some("no such table".to_owned()),
        };
        assert_eq!(announce(&Event::StepFailed(result))[0].text, "no such table");
    }

%%end
}
