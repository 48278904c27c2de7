//! The traits a policy implements, and how they answer the calls of the host.

use serde::de::DeserializeOwned;

use crate::AppliedRevision;
use crate::Context;
use crate::Description;
use crate::Event;
use crate::Exported;
use crate::Failure;
use crate::Finding;
use crate::Judgement;
use crate::Level;
use crate::Message;
use crate::Plan;
use crate::Rule;
use crate::Ruling;
use crate::SettingProblem;
use crate::Source;
use crate::bindings;
use crate::revision_lint;

/// What every policy states, whatever its roles.
pub trait Policy {
    /// Its settings. Give the type `#[serde(deny_unknown_fields, default)]`: a misspelt setting is then refused with its
    /// path when the policy is loaded, instead of being ignored.
    type Settings: DeserializeOwned;

    /// Name, version and needs of the policy.
    fn describe() -> Description;

    /// Checks what `serde` can't, such as two settings that exclude each other. Gives every problem found.
    fn check(settings: &Self::Settings) -> Vec<SettingProblem> {
        let _ = settings;
        Vec::new()
    }
}

/// The role `environment`: which environments exist, what is this one, may this step run in it?
pub trait Environments: Policy {
    /// All environments, lowest level first.
    ///
    /// # Errors
    /// A failure is a denial.
    fn levels(settings: &Self::Settings, context: &Context) -> Result<Vec<Level>, Failure>;

    /// The level that `context.environment.name` stands for.
    ///
    /// # Errors
    /// An unknown name is a failure; a failure is a denial.
    fn identify(settings: &Self::Settings, context: &Context) -> Result<Level, Failure>;

    /// Exactly one ruling a step, in the order of the plan.
    ///
    /// # Errors
    /// A failure is a denial.
    fn judge(
        settings: &Self::Settings,
        context: &Context,
        plan: &Plan,
        applied: &[AppliedRevision],
    ) -> Result<Judgement, Failure>;
}

/// The role `gate`: may this plan run, for this actor, here and now?
pub trait Gate: Policy {
    /// Decides on the plan.
    ///
    /// # Errors
    /// A failure is a denial.
    fn review(settings: &Self::Settings, context: &Context, plan: &Plan) -> Result<Ruling, Failure>;
}

/// The role `lint`: what is wrong with this revision?
pub trait Lint: Policy {
    /// All rules, ordered by name.
    fn rules() -> Vec<Rule>;

    /// Looks for problems.
    ///
    /// # Errors
    /// A failure is a denial.
    fn check(settings: &Self::Settings, context: &Context, sources: &[Source]) -> Result<Vec<Finding>, Failure>;
}

/// The role `lint`, asked about one revision at a time. See [`revision_lint`] for what is said and answered.
pub trait RevisionLint: Policy {
    /// All rules, ordered by name.
    fn rules() -> Vec<revision_lint::Rule>;

    /// Looks for problems.
    ///
    /// # Errors
    /// A failure is a denial.
    fn check(
        settings: &Self::Settings,
        circumstances: &revision_lint::Circumstances,
        source: &revision_lint::Source,
        surroundings: &revision_lint::Surroundings,
    ) -> Result<revision_lint::Report, Failure>;
}

/// The role `notify`: who must hear of this event, and how is it worded?
pub trait Notify: Policy {
    /// Words the messages for an event.
    ///
    /// # Errors
    /// A failure is reported and stops nothing.
    fn announce(
        settings: &Self::Settings,
        context: &Context,
        plan: &Plan,
        event: &Event,
    ) -> Result<Vec<Message>, Failure>;
}

/// Settings of a policy that has none: any key is refused.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize, schemars::JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// Checks settings, a JSON object, as the host does when it loads the policy.
///
/// # Errors
/// Everything that is wrong with them, each with its path.
pub fn check_settings<P: Policy>(settings: &str) -> Result<P::Settings, Vec<SettingProblem>> {
    let settings = read::<P>(settings).map_err(|problem| vec![problem])?;
    let problems = P::check(&settings);
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

/// Reads settings, with the path of what is wrong.
fn read<P: Policy>(settings: &str) -> Result<P::Settings, SettingProblem> {
    let mut source = serde_json::Deserializer::from_str(settings);
    serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let path = error.path().to_string();
        SettingProblem { path: if path == "." { String::new() } else { path }, message: without_place(error.inner()) }
    })
}

/// The settings were TOML; a place in the JSON that the host made of them would mislead.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(place) => text[..place].to_owned(),
        None => text,
    }
}

fn settings<P: Policy>(settings: &str) -> Result<P::Settings, Failure> {
    read::<P>(settings).map_err(|problem| {
        let message = match problem.path.as_str() {
            "" => format!("wrong settings: {}", problem.message),
            path => format!("wrong setting `{path}`: {}", problem.message),
        };
        Failure { message, help: None }
    })
}

impl<P: Policy> bindings::plugin::exports::runner::policy::plugin::Guest for Exported<P> {
    fn describe() -> Description {
        P::describe()
    }

    fn check_settings(settings: String) -> Result<(), Vec<SettingProblem>> {
        check_settings::<P>(&settings).map(|_| ())
    }
}

impl<P: Environments> bindings::environment::exports::runner::policy::environment::Guest for Exported<P> {
    fn levels(context: Context) -> Result<Vec<Level>, Failure> {
        P::levels(&settings::<P>(&context.settings)?, &context)
    }

    fn identify(context: Context) -> Result<Level, Failure> {
        P::identify(&settings::<P>(&context.settings)?, &context)
    }

    fn judge(context: Context, plan: Plan, applied: Vec<AppliedRevision>) -> Result<Judgement, Failure> {
        P::judge(&settings::<P>(&context.settings)?, &context, &plan, &applied)
    }
}

impl<P: Gate> bindings::gate::exports::runner::policy::gate::Guest for Exported<P> {
    fn review(context: Context, plan: Plan) -> Result<Ruling, Failure> {
        P::review(&settings::<P>(&context.settings)?, &context, &plan)
    }
}

impl<P: Lint> bindings::lint::exports::runner::policy::lint::Guest for Exported<P> {
    fn rules() -> Vec<Rule> {
        P::rules()
    }

    fn check(context: Context, sources: Vec<Source>) -> Result<Vec<Finding>, Failure> {
        <P as Lint>::check(&settings::<P>(&context.settings)?, &context, &sources)
    }
}

impl<P: RevisionLint> bindings::revision_lint::exports::runner::policy::revision_lint::Guest for Exported<P> {
    fn rules() -> Vec<revision_lint::Rule> {
        P::rules()
    }

    fn check(
        circumstances: revision_lint::Circumstances,
        source: revision_lint::Source,
        surroundings: revision_lint::Surroundings,
    ) -> Result<revision_lint::Report, Failure> {
        <P as RevisionLint>::check(&settings::<P>(&circumstances.settings)?, &circumstances, &source, &surroundings)
    }
}

impl<P: Notify> bindings::notify::exports::runner::policy::notify::Guest for Exported<P> {
    fn announce(context: Context, plan: Plan, event: Event) -> Result<Vec<Message>, Failure> {
        P::announce(&settings::<P>(&context.settings)?, &context, &plan, &event)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    #[expect(dead_code, reason = "what is read is not looked at")]
    enum Severe {
        Warn,
        Deny { after: u32 },
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    #[expect(dead_code, reason = "what is read is not looked at")]
    struct Window {
        from: u8,
        severe: Option<Severe>,
    }

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
    struct Settings {
        windows: Vec<Window>,
        levels: BTreeMap<String, u32>,
    }

    struct Tested;

    impl Policy for Tested {
        type Settings = Settings;

        fn describe() -> Description {
            Description::new("tested", "1.0.0", "Tests")
        }

        fn check(settings: &Settings) -> Vec<SettingProblem> {
            let late = settings.windows.iter().enumerate().filter(|(_, window)| window.from > 23);
            late.map(|(index, _)| SettingProblem::new(format!("windows[{index}].from"), "is no hour")).collect()
        }
    }

    fn problem(settings: &str) -> String {
        match check_settings::<Tested>(settings) {
            Ok(settings) => format!("{settings:?}"),
            Err(problems) => {
                let shown = problems.iter().map(|problem| format!("`{}`: {}", problem.path, problem.message));
                shown.collect::<Vec<_>>().join("; ")
            }
        }
    }

    #[test]
    fn a_wrong_setting_is_reported_with_its_path() {
        for (settings, expected) in [
            (r#"{"window": []}"#, "`window`: unknown field `window`, expected `windows` or `levels`"),
            (r#"{"levels": {"qa": "x"}}"#, "`levels.qa`: invalid type: string \"x\", expected u32"),
            (r#"{"levels": {"qa": -1}}"#, "`levels.qa`: invalid value: integer `-1`, expected u32"),
            (r#"{"windows": [{"from": 1}, {}]}"#, "`windows[1]`: missing field `from`"),
            (
                r#"{"windows": [{"from": 1, "to": 2}]}"#,
                "`windows[0].to`: unknown field `to`, expected `from` or `severe`",
            ),
            (
                r#"{"windows": [{"from": 1, "severe": "off"}]}"#,
                "`windows[0].severe`: unknown variant `off`, expected `warn` or `deny`",
            ),
            (
                r#"{"windows": [{"from": 1, "severe": {"deny": {"after": "x"}}}]}"#,
                "`windows[0].severe.deny.after`: invalid type: string \"x\", expected u32",
            ),
            (
                r#"{"windows": [{"from": 24}, {"from": 3}, {"from": 25}]}"#,
                "`windows[0].from`: is no hour; `windows[2].from`: is no hour",
            ),
            ("null", "``: invalid type: null, expected struct Settings"),
        ] {
            assert_eq!(problem(settings), expected, "{settings}");
        }
    }

    #[test]
    fn settings_that_are_not_there_refuse_every_key() {
        struct Bare;
        impl Policy for Bare {
            type Settings = NoSettings;

            fn describe() -> Description {
                Description::new("bare", "1.0.0", "Has no settings").with_settings::<NoSettings>()
            }
        }
        assert_eq!(check_settings::<Bare>("{}"), Ok(NoSettings {}));
        let problems = check_settings::<Bare>(r#"{"a": 1}"#).unwrap_err();
        assert_eq!(problems[0].path, "a");
        assert!(Bare::describe().settings_schema.contains("\"additionalProperties\": false"));
    }
}
