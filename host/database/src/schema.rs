//! Everything that a target's schema is made of, as texts that can be compared. The order in which objects were made, and how
//! their SQL was laid out, does not count; the order of columns does.

use std::collections::BTreeMap;

/// The objects of a target, without the runner's own tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    objects: BTreeMap<(String, String), String>,
}

/// An object that two schemas do not have alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is, as in `table` or `foreign key`.
    pub kind: String,
    /// Its name, that of its table in front.
    pub name: String,
    /// How it was; `None`: there was none.
    pub before: Option<String>,
    /// How it is; `None`: there is none.
    pub after: Option<String>,
}

impl Schema {
    /// Adds an object. One of the same kind and name stays, with both definitions.
    pub(crate) fn add(&mut self, kind: impl Into<String>, name: impl Into<String>, definition: impl Into<String>) {
        let definition = definition.into();
        self.objects
            .entry((kind.into(), name.into()))
            .and_modify(|others| {
                let mut all: Vec<&str> = others.split("\n\n").chain([definition.as_str()]).collect();
                all.sort_unstable();
                *others = all.join("\n\n");
            })
            .or_insert(definition);
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// What has come, gone or changed on the way to `later`, ordered by kind and name.
    #[must_use]
    pub fn differences(&self, later: &Schema) -> Vec<Difference> {
        let gone_or_changed = self.objects.iter().filter_map(|(key, before)| {
            let after = later.objects.get(key);
            (after != Some(before)).then_some((key, Some(before), after))
        });
        let come = later.objects.iter().filter(|(key, _)| !self.objects.contains_key(*key));
        let mut all: Vec<_> = gone_or_changed.chain(come.map(|(key, after)| (key, None, Some(after)))).collect();
        all.sort_unstable_by_key(|(key, _, _)| *key);
        all.into_iter()
            .map(|((kind, name), before, after)| Difference {
                kind: kind.clone(),
                name: name.clone(),
                before: before.cloned(),
                after: after.cloned(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_come_gone_and_changed() {
        let mut before = Schema::default();
        before.add("table", "a", "");
        before.add("column", "a.x", "integer");
        before.add("column", "a.y", "text");
        let mut after = Schema::default();
        after.add("column", "a.x", "bigint");
        after.add("table", "a", "");
        after.add("index", "i", "ON a (x)");
        let found: Vec<String> = before.differences(&after).iter().map(|found| found.name.clone()).collect();
        assert_eq!(found, ["a.x", "a.y", "i"]);
        assert_eq!(before.differences(&before.clone()), []);
    }

    #[test]
    fn objects_without_a_name_of_their_own_are_all_kept() {
        let (mut one, mut other) = (Schema::default(), Schema::default());
        for definition in ["b", "a"] {
            one.add("foreign key", "t (x)", definition);
        }
        for definition in ["a", "b"] {
            other.add("foreign key", "t (x)", definition);
        }
        assert_eq!(one, other);
    }
}
