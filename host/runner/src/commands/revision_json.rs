//! A revision as the commands show it: as the JSON that scripts rely on, as a line, and in full.

use runner_chain::Chain;
use runner_chain::Revision;
use runner_chain::Versions;
use serde_json::Value;
use serde_json::json;

use crate::output::Style;

pub(super) fn document(chain: &Chain, revision: &Revision) -> Value {
    json!({
        "revision": revision.id.to_string(),
        "parents": texts(&revision.parents),
        "depends_on": revision.depends_on,
        "branch_labels": texts(&revision.labels),
        "message": revision.title,
        "environments": texts(&revision.environments),
        "created": revision.created,
        "file": revision.file,
        "is_head": chain.is_head(revision),
        "is_base": chain.is_base(revision),
        "is_merge": chain.is_merge(revision),
        "is_branch_point": chain.is_branch_point(revision),
    })
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

/// `a1b2 -> c3d4 (billing) (head), Add email`, as Alembic writes it.
pub(super) fn line(chain: &Chain, revision: &Revision, current: Option<&Versions>) -> String {
    let parents = if revision.parents.is_empty() { "<base>".to_owned() } else { texts(&revision.parents).join(", ") };
    format!("{parents} -> {}{}, {}", Style::Strong.paint(&revision.id), marks(chain, revision, current), revision.title)
}

/// The same without the parents, and with what it depends on.
pub(super) fn short(chain: &Chain, revision: &Revision, current: Option<&Versions>) -> String {
    let depends = match revision.depends_on.len() {
        0 => String::new(),
        _ => format!(" (depends on {})", revision.depends_on.join(", ")),
    };
    let marks = marks(chain, revision, current);
    format!("{}{marks}{depends}, {}", Style::Strong.paint(&revision.id), revision.title)
}

fn marks(chain: &Chain, revision: &Revision, current: Option<&Versions>) -> String {
    let mut marks = String::new();
    if !revision.labels.is_empty() {
        marks.push_str(&format!(" ({})", texts(&revision.labels).join(", ")));
    }
    if !revision.environments.is_empty() {
        marks.push_str(&format!(" [{}]", texts(&revision.environments).join(", ")));
    }
    let is_current = current.is_some_and(|versions| versions.contains(revision.id.as_str()));
    for (applies, mark) in [
        (chain.is_head(revision) && chain.is_effective_head(revision), "head"),
        // Another revision depends on it, so a database that has everything has no row for it.
        (chain.is_head(revision) && !chain.is_effective_head(revision), "effective head"),
        (is_current, "current"),
        (chain.is_branch_point(revision), "branchpoint"),
        (chain.is_merge(revision), "mergepoint"),
    ] {
        if applies {
            marks.push_str(&format!(" ({mark})"));
        }
    }
    marks
}

/// Everything that the header says.
pub(super) fn full(chain: &Chain, revision: &Revision, current: Option<&Versions>) -> String {
    let mut text = format!("{} {}{}\n", Style::Strong.paint("Rev:"), revision.id, marks(chain, revision, current));
    let mut field = |name: &str, values: Vec<String>| {
        if !values.is_empty() {
            text.push_str(&format!("{name}: {}\n", values.join(", ")));
        }
    };
    match revision.parents.len() {
        0 => field("Parent", vec!["<base>".to_owned()]),
        1 => field("Parent", texts(&revision.parents)),
        _ => field("Merges", texts(&revision.parents)),
    }
    field("Also depends on", revision.depends_on.iter().map(ToString::to_string).collect());
    if chain.is_branch_point(revision) {
        field("Branches into", chain.children(revision).map(|child| child.id.to_string()).collect());
    }
    field("Branch names", texts(&revision.labels));
    field("Environments", texts(&revision.environments));
    field("Created", revision.created.clone().into_iter().collect());
    field("Path", vec![revision.file.clone()]);
    text.push_str(&format!("\n    {}\n", revision.title));
    for line in revision.description.lines() {
        text.push_str(&format!("    {line}\n"));
    }
    text
}
