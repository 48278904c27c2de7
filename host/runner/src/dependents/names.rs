//! What names stand for, and how sure that is, after the statements so far.

use runner_chain::Dialect;
use runner_chain::sql::Effect;
use runner_chain::sql::ObjectName;
use runner_chain::sql::Removal;
use runner_chain::sql::RemovalKind;
use runner_chain::sql::effects;
use runner_chain::sql::lexemes;
use runner_chain::sql::removals;
use runner_database::Bond;
use runner_database::Dependency;
use runner_database::Entity;
use runner_database::EntityKind;

use super::Fate;
use super::trace::Root;
use super::trace::Trace;
use crate::backup::affected::Planned;

impl Trace<'_> {
    pub(super) fn fold(&self, name: &str) -> String {
        if self.scene.dialect == Dialect::Postgres { name.to_owned() } else { name.to_lowercase() }
    }

    pub(super) fn key(&self, name: &ObjectName) -> (String, String) {
        let schema = match self.scene.dialect {
            Dialect::Sqlite => "",
            _ => name.schema.as_deref().or(self.scene.schema).unwrap_or_default(),
        };
        (self.fold(schema), self.fold(&name.name))
    }

    pub(super) fn entity(&self, index: usize) -> Option<&Entity> {
        self.scene.found.entities.get(index)
    }

    /// The thing of a name that `is_it` is true for.
    pub(super) fn find(&self, name: &ObjectName, is_it: impl Fn(&Entity) -> bool) -> Option<usize> {
        let (schema, folded) = self.key(name);
        let all = || {
            let named = |entity: &Entity| {
                let bare = match entity.kind {
                    EntityKind::Routine => entity.name.split('(').next().unwrap_or_default(),
                    _ => &entity.name,
                };
                self.fold(bare) == folded && is_it(entity)
            };
            self.scene.found.entities.iter().enumerate().filter(move |(_, entity)| named(entity))
        };
        let here = all().find(|(_, entity)| self.fold(entity.schema.as_deref().unwrap_or_default()) == schema);
        // Without a schema it may be any that the search path leads to.
        let anywhere = || all().next().filter(|_| name.schema.is_none() && self.scene.dialect == Dialect::Postgres);
        here.or_else(anywhere).map(|(index, _)| index)
    }

    /// The table, view, sequence or index of a name.
    pub(super) fn relation(&self, name: &ObjectName) -> Option<usize> {
        if let Some(known) = self.renamed.get(&self.key(name)) {
            return *known;
        }
        self.find(name, |entity| entity.kind.is_relation())
    }

    pub(super) fn root(&self, removal: &Removal) -> Option<Root> {
        let Removal { kind, object, part, cascade } = removal;
        let of_kind = |kinds: &[EntityKind]| self.find(object, |entity| kinds.contains(&entity.kind));
        let part_of = |kinds: &[EntityKind]| {
            let part = self.fold(part.as_deref()?);
            let (schema, table) = self.key(object);
            self.scene.found.entities.iter().position(|entity| {
                kinds.contains(&entity.kind)
                    && self.fold(&entity.name) == part
                    && entity.table.as_deref().map(|name| self.fold(name)) == Some(table.clone())
                    && self.fold(entity.schema.as_deref().unwrap_or_default()) == schema
            })
        };
        let index = match (kind, part) {
            (
                RemovalKind::Table
                | RemovalKind::View
                | RemovalKind::Sequence
                | RemovalKind::Rows
                | RemovalKind::Column
                | RemovalKind::ColumnType,
                _,
            ) => self.relation(object)?,
            (RemovalKind::Index, None) => self.relation(object)?,
            (RemovalKind::Index, Some(_)) => part_of(&[EntityKind::Index])?,
            (RemovalKind::Constraint, _) => part_of(&[EntityKind::ForeignKey, EntityKind::Constraint])?,
            (RemovalKind::Trigger, Some(_)) => part_of(&[EntityKind::Trigger])?,
            (RemovalKind::Trigger, None) => of_kind(&[EntityKind::Trigger])?,
            (RemovalKind::Rule, _) => part_of(&[EntityKind::Rule])?,
            (RemovalKind::Policy, _) => part_of(&[EntityKind::Policy])?,
            (RemovalKind::Default, _) => part_of(&[EntityKind::Default])?,
            (RemovalKind::Routine, _) => of_kind(&[EntityKind::Routine])?,
            (RemovalKind::Type, _) => of_kind(&[EntityKind::Type])?,
            (RemovalKind::Schema, _) => of_kind(&[EntityKind::Schema])?,
            _ => return None,
        };
        let column = match kind {
            RemovalKind::Column | RemovalKind::ColumnType => {
                let folded = self.fold(part.as_deref()?);
                Some(self.columns.get(&(index, folded.clone())).cloned().unwrap_or(folded))
            }
            _ => None,
        };
        let shown = match part {
            Some(part) => format!("{object}.{part}"),
            None => object.to_string(),
        };
        Some(Root { spot: (index, column), kind: *kind, shown, cascade: *cascade })
    }

    /// Settings that change what databases refuse.
    pub(super) fn listen(&mut self, planned: &Planned<'_>) {
        let words: Vec<_> = lexemes(planned.text, self.scene.dialect).collect();
        let has = |word: &str| words.iter().any(|found| found.is(word));
        if has("foreign_key_checks") || has("foreign_keys") {
            let is_off =
                words.iter().any(|found| found.is("0") || found.is("off") || found.is("false") || found.is("no"));
            self.keys_act = !is_off;
        }
        self.in_doubt |= has("search_path") || has("legacy_alter_table") || has("writable_schema");
    }

    pub(super) fn goes_along_with(&self, dependent: usize, root: &Root, roots: &[Root]) -> bool {
        let others = || roots.iter().filter(|other| other.spot.1.is_none() && other.spot.0 != root.spot.0);
        let edges = self.scene.found.edges.iter();
        let mut goes_along = edges.filter(|edge| edge.dependent == dependent && edge.bond == Bond::GoesAlong);
        goes_along.any(|edge| others().any(|other| other.spot.0 == edge.on))
    }

    /// Follows names to where statements move them.
    pub(super) fn rename(&mut self, planned: &Planned<'_>) {
        for effect in effects(planned.text, self.scene.dialect) {
            match effect {
                Effect::RenameTable { from, to } => {
                    let is = self.relation(&from).filter(|is| !self.gone.contains_key(is));
                    self.renamed.insert(self.key(&from), None);
                    let schema = is.and_then(|is| self.entity(is)?.schema.clone());
                    let to = ObjectName { schema: to.schema.or(schema), name: to.name };
                    self.renamed.insert(self.key(&to), is);
                    self.made_anew(planned, &to);
                }
                Effect::RenameColumn { table, from, to } => {
                    if let Some(index) = self.relation(&table) {
                        let folded = self.fold(&from);
                        let original = self.columns.get(&(index, folded.clone())).cloned().unwrap_or(folded);
                        self.columns.insert((index, self.fold(&to)), original);
                    }
                }
                Effect::CreateTable { table, temporary: false, .. } => {
                    let is_there = self.relation(&table).is_some_and(|index| !self.gone.contains_key(&index));
                    if !is_there {
                        self.renamed.insert(self.key(&table), None);
                        self.made_anew(planned, &table);
                    }
                }
                Effect::Opaque { .. } | Effect::RenameSchema { .. } => self.in_doubt = true,
                _ => {}
            }
        }
    }

    /// What needed a table of this name works again.
    pub(super) fn made_anew(&mut self, planned: &Planned<'_>, name: &ObjectName) {
        let key = self.key(name);
        let works = |needed: usize| {
            self.entity(needed).is_some_and(|entity| {
                self.key(&ObjectName { schema: entity.schema.clone(), name: entity.name.clone() }) == key
            })
        };
        let (again, broken): (Vec<_>, Vec<_>) = self.broken.iter().copied().partition(|(_, needed, _)| works(*needed));
        self.broken = broken;
        let place = format!("`{}` statement {}", planned.revision, planned.statement);
        for (dependent, _, at) in again {
            let Some(what) = self.entity(dependent).map(|entity| self.shown(entity, None)) else { continue };
            if let Some(report) = self.reports.get_mut(at).filter(|report| report.fate == Fate::Breaks) {
                report.fate = Fate::Restored;
                report.message =
                    format!("{what} stays, and works again when {place} has made `{}` anew", report.object);
            }
        }
    }

    /// Keeps the names in a statement that defines something.
    pub(super) fn note(&mut self, planned: &Planned<'_>) {
        let words: Vec<_> = lexemes(planned.text, self.scene.dialect).collect();
        let defines = ["CREATE", "ALTER", "RENAME"].iter().any(|verb| words.first().is_some_and(|word| word.is(verb)));
        if defines {
            self.defined.extend(words.iter().map(|word| word.text.to_lowercase()));
        }
    }

    /// Whether something may have become another thing meanwhile.
    pub(super) fn is_doubtful(&self, entity: &Entity) -> bool {
        let table = entity.table.as_ref().filter(|_| entity.kind != EntityKind::Index);
        self.in_doubt || self.defined.contains(&table.unwrap_or(&entity.name).to_lowercase())
    }

    /// Whether a column of that name may be another one than that of the table, by the text of what uses it.
    pub(super) fn is_ambiguous(&self, edge: &Dependency, column: &str) -> bool {
        if self.scene.dialect == Dialect::Postgres {
            return false;
        }
        let others =
            self.scene.found.edges.iter().filter(|other| other.dependent == edge.dependent && other.on != edge.on);
        others.filter_map(|other| self.entity(other.on)).any(|entity| {
            let table = self.scene.tables.iter().find(|table| self.fold(&table.name) == self.fold(&entity.name));
            table.is_none_or(|table| table.columns.iter().any(|of_it| self.fold(&of_it.name) == column))
        })
    }

    /// The later statement that drops something.
    pub(super) fn dropped_later(&self, index: usize, entity: &Entity) -> Option<usize> {
        let name = self.fold(&entity.name);
        let table = entity.table.as_ref().map(|table| self.fold(table));
        let drops = |planned: &Planned<'_>| {
            removals(planned.text, self.scene.dialect).iter().any(|removal| {
                let object = self.fold(&removal.object.name);
                let part = removal.part.as_ref().map(|part| self.fold(part));
                match removal.kind {
                    RemovalKind::Table => object == name && entity.kind == EntityKind::Table || table == Some(object),
                    RemovalKind::View => {
                        object == name && matches!(entity.kind, EntityKind::View | EntityKind::MaterializedView)
                    }
                    RemovalKind::Trigger => entity.kind == EntityKind::Trigger && part.unwrap_or(object) == name,
                    RemovalKind::Constraint => part == Some(name.clone()) && table == Some(object),
                    RemovalKind::Routine => {
                        entity.kind == EntityKind::Routine && name.split('(').next() == Some(object.as_str())
                    }
                    _ => false,
                }
            })
        };
        (index + 1..self.statements.len()).find(|later| self.statements.get(*later).is_some_and(drops))
    }
}
