//! The place of a revision in the chain, and the environments that it is for.

use runner_policy_sdk::EnvironmentTag;
use runner_policy_sdk::revision_lint::Level;
use runner_policy_sdk::revision_lint::Relative;

use super::Case;
use crate::findings::Findings;
use crate::findings::Place;
use crate::rule::ALL;
use crate::rule::CAUTION;
use crate::rule::FAULT;
use crate::rule::Rule;

static HEADS: Rule = Rule::new(
    "multiple-heads",
    CAUTION,
    ALL,
    &["non-linear"],
    "The chain has several ends",
    r"
Two people have written a revision on the same parent, or a branch was never merged. `runner upgrade` can't say what
the newest state is, and databases that took different ways may differ.

```
a1b2 ── c3d4
     └─ e5f6   (two heads: c3d4 and e5f6)
```

Join them with `runner merge`, or change `Revises` of the one that nobody has applied. Branches that are meant to
live on have a `Branch Labels` line, and are left alone.",
);

static SAME_PARENT: Rule = Rule::new(
    "same-parent",
    CAUTION,
    ALL,
    &[],
    "Another revision has the same parent",
    r"
Two revisions that build on the same one were written without knowing of each other. They may contradict each other,
and in which order they run differs from database to database.

```
-- Revision ID: e5f6
-- Revises: a1b2          (and so does c3d4)
```

If nobody has applied it, let it revise the other one; otherwise join both with `runner merge`. A revision with
`Branch Labels` begins a branch on purpose, and is left alone.",
);

static UNKNOWN: Rule = Rule::new(
    "unknown-environment",
    FAULT,
    ALL,
    &[],
    "A tag names no environment",
    r"
The environment policy can't tell where the revision may run, and refuses every plan with it.

```
-- Env: prodution
```

Mend the name. `runner environments` lists all of them with their other names.",
);

static ORDER: Rule = Rule::new(
    "environment-order",
    CAUTION,
    ALL,
    &[],
    "A revision runs where a revision that it builds on does not",
    r"
Where the tags of the parent keep it out, nothing of it is there: no table, no column, no row. The revision finds
something else than where it was tested, and fails there or worse.

```
-- Revision ID: c3d4          (runs everywhere)
-- Revises: a1b2              (says `Env: =development`)
```

Give both the same tags, or, if the revision does not need the other one, let it revise that one's parent. For rows
that only some environments get, a branch of its own with a `Branch Labels` line is clearer.",
);

pub(super) static RULES: &[&Rule] = &[&HEADS, &SAME_PARENT, &UNKNOWN, &ORDER];

pub(super) fn check(case: &Case<'_>, findings: &mut Findings<'_>) {
    let (revision, around) = (&case.source.revision, case.surroundings);
    if !around.other_heads.is_empty() {
        let message =
            format!("is one of {} heads, besides {}", around.other_heads.len() + 1, listed(&around.other_heads));
        findings.add(&HEADS, Place::File, message).help("join them with `runner merge`");
    }
    if !around.siblings.is_empty() && revision.labels.is_empty() {
        let others = listed(&around.siblings);
        let message = match revision.parents.as_slice() {
            [] => format!("is a root, and so is {others}"),
            [parent] => format!("revises `{parent}`, and so does {others}"),
            _ => format!("shares a parent with {others}"),
        };
        findings
            .add(&SAME_PARENT, Place::File, message)
            .help("let one revise the other, or join them with `runner merge`");
    }
    environments(case, findings);
}

/// As in `` `a1b2` and `c3d4` ``; at most three.
fn listed(relatives: &[Relative]) -> String {
    let names: Vec<String> = relatives.iter().take(3).map(|relative| format!("`{}`", relative.id)).collect();
    let more = relatives.len().saturating_sub(3);
    if more > 0 { format!("{} and {more} more", names.join(", ")) } else { names.join(" and ") }
}

fn environments(case: &Case<'_>, findings: &mut Findings<'_>) {
    let levels = case.circumstances.levels.as_slice();
    if levels.is_empty() {
        return;
    }
    let own = &case.source.revision.environments;
    let mut knows_own = true;
    for tag in own.iter().filter(|tag| find(levels, &tag.name).is_none()) {
        knows_own = false;
        let message = format!("is tagged `{}`, which is not an environment", tag.name);
        let help = match nearest(levels, &tag.name) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "`runner environments` lists all".to_owned(),
        };
        let place = super::comments::place_of_value(case, "env", &tag.name);
        findings.add(&UNKNOWN, place, message).help(help);
    }
    if !knows_own {
        return;
    }
    for parent in &case.surroundings.parents {
        if parent.environments.iter().any(|tag| find(levels, &tag.name).is_none()) {
            continue;
        }
        let apart: Vec<&str> = levels
            .iter()
            .filter(|level| belongs(levels, own, level) && !belongs(levels, &parent.environments, level))
            .map(|level| level.name.as_str())
            .collect();
        if !apart.is_empty() {
            let message = format!("runs in {}, where `{}`, on which it builds, does not", apart.join(", "), parent.id);
            let help = "give both the same tags, or build on that one's parent";
            findings.add(&ORDER, Place::File, message).help(help);
        }
    }
}

fn find<'a>(levels: &'a [Level], name: &str) -> Option<&'a Level> {
    let is = |other: &str| other.eq_ignore_ascii_case(name);
    levels.iter().find(|level| is(&level.name) || level.aliases.iter().any(|alias| is(alias)))
}

/// Whether a revision with these tags runs there: an exact tag names it, or another tag it or a lower one.
fn belongs(levels: &[Level], tags: &[EnvironmentTag], here: &Level) -> bool {
    tags.is_empty()
        || tags
            .iter()
            .filter_map(|tag| find(levels, &tag.name).map(|level| (tag, level)))
            .any(|(tag, level)| if tag.exact { level.name == here.name } else { level.level <= here.level })
}

/// The name that somebody may have meant.
fn nearest<'a>(levels: &'a [Level], name: &str) -> Option<&'a str> {
    let names = levels.iter().flat_map(|level| std::iter::once(&level.name).chain(&level.aliases));
    let near = names.map(|known| (strsim::damerau_levenshtein(known, name), known.as_str()));
    near.filter(|(distance, known)| *distance <= known.len().div_ceil(3)).min().map(|(_, known)| known)
}
