//! What the role `lint` is asked about one revision at a time, and what it answers. The trait is
//! [`RevisionLint`](crate::RevisionLint).

pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Blocked;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Circumstances;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Edit;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Finding;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Fix;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::FollowUp;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Level;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Lock;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Note;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Relative;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Report;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Rule;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Section;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Source;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Span;
pub use crate::bindings::revision_lint::exports::runner::policy::revision_lint::Surroundings;

impl Circumstances {
    /// Whether this is production, or may be: where nobody knows, a careful policy takes it for production.
    pub fn may_be_production(&self) -> bool {
        self.environment.production.unwrap_or(true)
    }
}

impl Note {
    /// A note about one thing.
    pub fn about(name: impl Into<String>, text: impl Into<String>) -> Self {
        Note { about: vec![name.into()], text: text.into() }
    }
}

impl Rule {
    /// The severity that its findings have here.
    pub fn severity_in(&self, circumstances: &Circumstances) -> crate::Severity {
        if circumstances.may_be_production() { self.severity_in_production } else { self.severity }
    }
}
