//! Whether a revision belongs in an environment, and what follows if it does not.

use runner_policy_sdk::AppliedRevision;
use runner_policy_sdk::Direction;
use runner_policy_sdk::EnvironmentTag;
use runner_policy_sdk::Reason;
use runner_policy_sdk::Recorded;
use runner_policy_sdk::Step;
use runner_policy_sdk::StepDecision;
use runner_policy_sdk::StepRuling;

use crate::Mode;
use crate::Settings;

/// The environment that the command runs in.
pub(crate) struct Here<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) mode: Mode,
    pub(crate) name: &'a str,
    pub(crate) level: u32,
}

/// How the tags of a revision relate to an environment.
#[derive(Debug, PartialEq, Eq)]
enum Fit {
    Belongs,
    /// Only exact tags, none of them matches.
    OtherExactly(String),
    /// Meant for a higher environment.
    Higher(String, u32),
    /// A tag that no environment has.
    Unknown(String),
}

impl Here<'_> {
    /// Decides on one step.
    pub(crate) fn judge(&self, step: &Step) -> StepRuling {
        let id = &step.revision.id;
        let fit = self.fit(&step.revision.environments);
        if step.direction == Direction::Down {
            // What ran must be undone, wherever it ran. Only data that an exact tag kept out has nothing to undo.
            return match fit {
                Fit::OtherExactly(tags) if step.recorded != Some(Recorded::Applied) => {
                    StepRuling::new(StepDecision::Skip, self.exactly(&tags), id)
                }
                _ => StepRuling::allow(id),
            };
        }
        match fit {
            Fit::Belongs => StepRuling::allow(id),
            // In every mode: development data must never reach production.
            Fit::OtherExactly(tags) => StepRuling::new(StepDecision::Skip, self.exactly(&tags), id),
            Fit::Unknown(tag) if self.mode != Mode::Off => StepRuling::new(StepDecision::Deny, self.unknown(&tag), id),
            Fit::Higher(tag, level) => match self.mode {
                Mode::Off => StepRuling::allow(id),
                Mode::Warn => StepRuling::new(StepDecision::Warn, self.higher(&tag, level), id),
                Mode::Skip => StepRuling::new(StepDecision::Skip, self.higher(&tag, level), id),
                Mode::Strict => StepRuling::new(
                    StepDecision::Deny,
                    self.higher(&tag, level)
                        .help("run it in the right environment, or change the `Env:` of the revision"),
                    id,
                ),
            },
            Fit::Unknown(_) => StepRuling::allow(id),
        }
    }

    /// What is odd about a revision that is already applied.
    pub(crate) fn remark(&self, revision: &AppliedRevision) -> Option<Reason> {
        if self.mode == Mode::Off || revision.recorded == Recorded::Skipped {
            return None;
        }
        let reason = match self.fit(&revision.environments) {
            Fit::Belongs | Fit::Unknown(_) => return None,
            Fit::OtherExactly(_) if revision.recorded != Recorded::Applied => return None,
            Fit::OtherExactly(tags) => self.exactly(&tags),
            Fit::Higher(tag, level) => self.higher(&tag, level),
        };
        let message = format!("is already applied, but {}", reason.message);
        Some(Reason { message, ..reason }.about(&revision.id))
    }

    fn fit(&self, tags: &[EnvironmentTag]) -> Fit {
        if tags.is_empty() {
            return Fit::Belongs;
        }
        let mut lowest: Option<(&str, u32)> = None;
        let mut unknown = None;
        for tag in tags {
            match self.settings.find(&tag.name) {
                None => unknown = unknown.or(Some(&tag.name)),
                Some((name, _)) if tag.exact && name == self.name => return Fit::Belongs,
                Some(_) if tag.exact => {}
                Some((name, level)) => {
                    if lowest.is_none_or(|(_, least)| level < least) {
                        lowest = Some((name, level));
                    }
                }
            }
        }
        match (unknown, lowest) {
            (Some(_), _) if tags.iter().all(|tag| tag.exact) && self.mode == Mode::Off => Fit::OtherExactly(list(tags)),
            (Some(tag), _) => Fit::Unknown(tag.clone()),
            (None, None) => Fit::OtherExactly(list(tags)),
            (None, Some((_, level))) if self.level >= level => Fit::Belongs,
            (None, Some((name, level))) => Fit::Higher(name.to_owned(), level),
        }
    }

    fn exactly(&self, tags: &str) -> Reason {
        Reason::new("exact-environment", format!("is for {tags} only, this is {}", self.name))
    }

    fn higher(&self, tag: &str, level: u32) -> Reason {
        Reason::new(
            "environment-hierarchy",
            format!("is for {tag} (level {level}) and above, this is {} (level {})", self.name, self.level),
        )
    }

    fn unknown(&self, tag: &str) -> Reason {
        let reason = Reason::new("unknown-environment", format!("is tagged `{tag}`, which is not an environment"));
        match self.settings.nearest(tag) {
            Some(nearest) => reason.help(format!("did you mean `{nearest}`?")),
            None => reason.help("`runner environments` lists all"),
        }
    }
}

fn list(tags: &[EnvironmentTag]) -> String {
    let names: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use runner_policy_sdk::testing;

    use super::*;

    fn judge(environment: &str, mode: Mode, text: &str) -> StepDecision {
        let settings = Settings::default();
        let (name, level) = settings.find(environment).unwrap();
        Here { settings: &settings, mode, name, level }.judge(&testing::step("").tagged(text)).decision
    }

    #[test]
    fn a_tag_is_the_lowest_level_from_which_a_revision_runs() {
        use StepDecision::Allow;
        use StepDecision::Warn;
        for (text, expected) in [
            ("", [Allow; 6]),
            ("development", [Allow; 6]),
            ("dev", [Allow; 6]),
            ("test", [Warn, Warn, Allow, Allow, Allow, Allow]),
            ("staging", [Warn, Warn, Warn, Allow, Allow, Allow]),
            ("staging, production", [Warn, Warn, Warn, Allow, Allow, Allow]),
            ("prod", [Warn, Warn, Warn, Warn, Warn, Allow]),
            ("main", [Warn, Warn, Warn, Warn, Warn, Allow]),
        ] {
            let environments = ["development", "local", "test", "staging", "qa", "production"];
            let decisions = environments.map(|environment| judge(environment, Mode::Warn, text));
            assert_eq!(decisions, expected, "tagged `{text}`");
        }
    }

    #[test]
    fn an_exact_tag_that_does_not_match_skips_in_every_mode() {
        for mode in [Mode::Warn, Mode::Strict, Mode::Skip, Mode::Off] {
            assert_eq!(judge("production", mode, "=development, =test"), StepDecision::Skip);
            assert_eq!(judge("test", mode, "=dev, =test"), StepDecision::Allow);
            assert_eq!(judge("local", mode, "=development"), StepDecision::Skip);
        }
        assert_eq!(judge("production", Mode::Off, "=developmnt"), StepDecision::Skip);
    }

    #[test]
    fn exact_and_plain_tags_can_be_mixed() {
        assert_eq!(judge("test", Mode::Strict, "=test, production"), StepDecision::Allow);
        assert_eq!(judge("production", Mode::Strict, "=test, production"), StepDecision::Allow);
        assert_eq!(judge("staging", Mode::Strict, "=test, production"), StepDecision::Deny);
    }

    #[test]
    fn the_mode_decides_what_happens_to_a_revision_for_a_higher_environment() {
        assert_eq!(judge("development", Mode::Strict, "production"), StepDecision::Deny);
        assert_eq!(judge("development", Mode::Skip, "production"), StepDecision::Skip);
        assert_eq!(judge("development", Mode::Off, "production"), StepDecision::Allow);
    }

    #[test]
    fn an_unknown_tag_is_refused() {
        for mode in [Mode::Warn, Mode::Strict, Mode::Skip] {
            assert_eq!(judge("production", mode, "prodction"), StepDecision::Deny);
        }
    }

    #[test]
    fn what_ran_is_undone_wherever_it_ran() {
        let settings = Settings::default();
        let here = Here { settings: &settings, mode: Mode::Strict, name: "development", level: 10 };
        let down = |text, recorded| here.judge(&testing::step("").tagged(text).down(recorded)).decision;
        assert_eq!(down("production", Recorded::Applied), StepDecision::Allow);
        assert_eq!(down("=test", Recorded::Applied), StepDecision::Allow);
        assert_eq!(down("=test", Recorded::Stamped), StepDecision::Skip);
    }

    #[test]
    fn what_is_applied_and_does_not_belong_is_remarked_on() {
        let settings = Settings::default();
        let here = Here { settings: &settings, mode: Mode::Warn, name: "development", level: 10 };
        let remark = |text, recorded| here.remark(&testing::applied("r1", text, recorded)).is_some();
        assert!(remark("production", Recorded::Applied));
        assert!(remark("production", Recorded::Unrecorded));
        assert!(remark("=test", Recorded::Applied));
        assert!(!remark("=test", Recorded::Stamped));
        assert!(!remark("production", Recorded::Skipped));
        assert!(!remark("development", Recorded::Applied));
    }
}
