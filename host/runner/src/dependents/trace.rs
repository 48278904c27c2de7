//! What becomes of things while the statements of a plan run.

use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::VecDeque;

use runner_chain::Dialect;
use runner_chain::sql::Effect;
use runner_chain::sql::RemovalKind;
use runner_chain::sql::effects;
use runner_chain::sql::removals;
use runner_database::Bond;
use runner_database::Dependency;
use runner_database::Entity;
use runner_database::EntityKind;

use super::DependentReport;
use super::Fate;
use super::Scene;
use crate::backup::affected::Planned;

/// A thing, or one column of it.
pub(super) type Spot = (usize, Option<String>);

/// What is taken away by a statement.
pub(super) struct Root {
    pub(super) spot: Spot,
    pub(super) kind: RemovalKind,
    pub(super) shown: String,
    pub(super) cascade: bool,
}

pub(super) struct Trace<'a> {
    pub(super) scene: Scene<'a>,
    pub(super) statements: &'a [Planned<'a>],
    /// What a name stands for after the statements so far; `None`: something new, or nothing.
    pub(super) renamed: HashMap<(String, String), Option<usize>>,
    pub(super) columns: HashMap<(usize, String), String>,
    /// What is gone, and which statement took it.
    pub(super) gone: HashMap<usize, usize>,
    pub(super) gone_columns: HashSet<Spot>,
    /// What stays behind without what it needs, and where it is in the report.
    pub(super) broken: Vec<(usize, usize, usize)>,
    /// Names in statements so far that define something, so that it may be another thing than the one in the catalogue.
    pub(super) defined: HashSet<String>,
    /// Whether a statement so far may have done anything.
    pub(super) in_doubt: bool,
    pub(super) keys_act: bool,
    pub(super) reports: Vec<DependentReport>,
}

impl<'a> Trace<'a> {
    pub(super) fn new(statements: &'a [Planned<'a>], scene: Scene<'a>) -> Self {
        Trace {
            scene,
            statements,
            renamed: HashMap::new(),
            columns: HashMap::new(),
            gone: HashMap::new(),
            gone_columns: HashSet::new(),
            broken: Vec::new(),
            defined: HashSet::new(),
            in_doubt: false,
            keys_act: scene.keys_act,
            reports: Vec::new(),
        }
    }

    /// Follows one statement after the others.
    pub(super) fn statement(&mut self, index: usize, planned: &Planned<'_>) {
        self.listen(planned);
        self.look_at_broken(planned);
        self.remove(index, planned);
        self.rename(planned);
        self.note(planned);
    }

    /// SQLite changes no table while a view or a trigger can't be understood.
    fn look_at_broken(&mut self, planned: &Planned<'_>) {
        if self.scene.dialect != Dialect::Sqlite || self.broken.is_empty() {
            return;
        }
        let changes = effects(planned.text, Dialect::Sqlite).into_iter().find_map(|effect| match effect {
            Effect::RenameTable { from, .. } => Some(from.to_string()),
            Effect::RenameColumn { table, .. } | Effect::DropColumn { table, .. } => Some(table.to_string()),
            _ => None,
        });
        let Some(object) = changes else { return };
        // Foreign keys may lead nowhere.
        let is_text = |broken: usize| {
            self.entity(broken).is_some_and(|entity| matches!(entity.kind, EntityKind::View | EntityKind::Trigger))
        };
        let is_direct = |broken: usize, needed: usize| {
            self.scene.found.edges.iter().any(|edge| edge.dependent == broken && edge.on == needed)
        };
        let still = self
            .broken
            .iter()
            .filter(|(broken, ..)| !self.gone.contains_key(broken) && is_text(*broken))
            .filter(|(broken, needed, _)| is_direct(*broken, *needed));
        let still: Vec<_> = still.copied().collect();
        for (dependent, needed, _) in still {
            let (Some(entity), Some(needed)) = (self.entity(dependent).cloned(), self.entity(needed).cloned()) else {
                continue;
            };
            let fate = if self.in_doubt { Fate::MayRefuse } else { Fate::Refuses };
            let message = format!(
                "{} needs `{}`, which is gone by then, and SQLite changes no table while that is so",
                self.shown(&entity, None),
                needed.name
            );
            self.report(planned, &object, &entity, None, fate, message);
        }
        self.broken.clear();
    }

    fn remove(&mut self, index: usize, planned: &Planned<'_>) {
        let removals = removals(planned.text, self.scene.dialect);
        let roots: Vec<Root> = removals.iter().filter_map(|removal| self.root(removal)).collect();
        let roots: Vec<Root> = roots
            .into_iter()
            .filter(|root| !self.gone.contains_key(&root.spot.0) && !self.gone_columns.contains(&root.spot))
            .collect();
        for root in &roots {
            match root.kind {
                RemovalKind::ColumnType => self.change_type(planned, root),
                RemovalKind::Rows => self.empty(planned, root, &roots),
                _ => self.drop_one(index, planned, root, &roots),
            }
        }
        for root in roots {
            match (root.kind, root.spot) {
                (RemovalKind::ColumnType | RemovalKind::Rows, _) => {}
                (_, spot) => self.take(&spot, index),
            }
        }
    }

    /// Notes that something is gone.
    fn take(&mut self, spot: &Spot, index: usize) {
        match &spot.1 {
            None => drop(self.gone.entry(spot.0).or_insert(index)),
            Some(_) => drop(self.gone_columns.insert(spot.clone())),
        }
    }

    /// What depends on a spot, with what happens to it.
    fn edges_on<'e>(&'e self, spot: &'e Spot) -> impl Iterator<Item = (&'e Dependency, Bond)> {
        self.scene.found.edges.iter().filter(move |edge| edge.on == spot.0).filter_map(move |edge| match &spot.1 {
            None => Some((edge, edge.bond)),
            Some(column) => {
                let columns = edge.columns.as_deref().unwrap_or_default();
                let uses = columns.iter().any(|name| self.fold(name) == *column);
                match uses {
                    true => Some((edge, edge.column_bond)),
                    false => edge.takes_all.then_some((edge, Bond::Nothing)),
                }
            }
        })
    }

    /// Follows everything that depends on what is dropped.
    fn drop_one(&mut self, index: usize, planned: &Planned<'_>, root: &Root, roots: &[Root]) {
        let is_root = |spot: &Spot| {
            roots.iter().any(|root| root.spot.0 == spot.0 && (root.spot.1.is_none() || root.spot == *spot))
        };
        let mut order: Vec<Spot> = Vec::new();
        let mut reached: HashMap<Spot, Vec<(Bond, Spot, bool)>> = HashMap::new();
        let mut waiting = VecDeque::from([root.spot.clone()]);
        let mut seen = HashSet::from([root.spot.clone()]);
        while let Some(spot) = waiting.pop_front() {
            for (edge, bond) in self.edges_on(&spot) {
                // What `*` passes on is a column of the view.
                let column = match bond {
                    Bond::Nothing => spot.1.clone(),
                    _ => edge.dependent_column.clone(),
                };
                let next: Spot = (edge.dependent, column);
                if is_root(&next) {
                    continue;
                }
                // It goes along with something else that the statement drops.
                let goes_with_another = next.1.is_none() && self.goes_along_with(next.0, root, roots);
                let bond = match bond {
                    Bond::Refuses if goes_with_another && self.scene.dialect == Dialect::Postgres => continue,
                    Bond::Refuses if goes_with_another => Bond::MayRefuse,
                    bond => bond,
                };
                let is_clear = spot.1.as_deref().is_none_or(|column| !self.is_ambiguous(edge, column));
                if bond != Bond::Nothing {
                    if !reached.contains_key(&next) {
                        order.push(next.clone());
                    }
                    reached.entry(next.clone()).or_default().push((bond, spot.clone(), is_clear));
                }
                // Where nothing goes along by itself, what refuses ends it.
                let ends = self.scene.dialect != Dialect::Postgres && matches!(bond, Bond::Refuses | Bond::MayRefuse);
                if !ends && !self.gone.contains_key(&next.0) && seen.insert(next.clone()) {
                    waiting.push_back(next);
                }
            }
        }
        // What goes along by one way goes along, whatever it would do by another.
        for spot in order {
            let ways = reached.remove(&spot).unwrap_or_default();
            let Some(entity) = self.entity(spot.0).cloned() else { continue };
            let silent = ways.iter().any(|(bond, ..)| *bond == Bond::GoesAlong);
            let Some((bond, through, is_clear)) =
                ways.into_iter().find(|(bond, ..)| !silent || *bond == Bond::GoesAlong)
            else {
                continue;
            };
            let through = (through != root.spot).then_some(through.0);
            self.one(index, planned, root, &spot, &entity, bond, through, is_clear);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all of it is about one dependent")]
    fn one(
        &mut self,
        index: usize,
        planned: &Planned<'_>,
        root: &Root,
        spot: &Spot,
        entity: &Entity,
        bond: Bond,
        through: Option<usize>,
        is_clear: bool,
    ) {
        let what = self.shown(entity, spot.1.as_deref());
        let via = through.and_then(|through| self.entity(through)).map(|entity| self.shown(entity, None));
        let via = via.map(|via| format!(", because of {via}")).unwrap_or_default();
        let object = root.shown.clone();
        if let Some(&by) = self.gone.get(&spot.0) {
            if bond != Bond::GoesAlong && by != index {
                let message = format!("{what} is dropped before, by {}", self.place(by));
                self.report(planned, &object, entity, spot.1.as_deref(), Fate::DroppedBefore, message);
            }
            return;
        }
        let is_key = entity.kind == EntityKind::ForeignKey;
        let bond = match bond {
            Bond::Refuses
                if is_key && !self.keys_act && self.scene.dialect == Dialect::Mysql && root.spot.1.is_none() =>
            {
                Bond::Breaks
            }
            Bond::Breaks if is_key && self.keys_act && self.scene.dialect == Dialect::Sqlite => Bond::MayRefuse,
            Bond::Refuses if !is_clear || self.is_doubtful(entity) => Bond::MayRefuse,
            bond => bond,
        };
        let later = self.dropped_later(index, entity);
        let (fate, message) = match bond {
            Bond::GoesAlong => {
                self.take(spot, index);
                if !self.is_worth_telling(root, entity) {
                    return;
                }
                (Fate::GoesAlong, format!("{what} is dropped along with `{object}`"))
            }
            Bond::Refuses | Bond::MayRefuse if root.cascade => {
                self.take(spot, index);
                if root.kind == RemovalKind::Schema && entity.schema.as_deref() == Some(root.shown.as_str()) {
                    return;
                }
                (Fate::Cascade, format!("{what} would be dropped by CASCADE{via}"))
            }
            Bond::Refuses => {
                let later = later.map(|by| format!("; {} drops it too late", self.place(by))).unwrap_or_default();
                (Fate::Refuses, format!("{what} keeps `{object}` from being dropped{via}{later}"))
            }
            Bond::MayRefuse if is_key && self.scene.dialect == Dialect::Sqlite => {
                (Fate::MayRefuse, format!("{what} keeps `{object}` from being dropped if rows refer to it"))
            }
            Bond::MayRefuse => (Fate::MayRefuse, format!("{what} may keep `{object}` from being dropped{via}")),
            Bond::Breaks => match later {
                Some(by) => (Fate::DroppedLater, format!("{what} is dropped as well, by {}", self.place(by))),
                None => {
                    if root.spot.1.is_none() {
                        self.broken.push((spot.0, root.spot.0, self.reports.len()));
                    }
                    let stays = if is_clear { "stays behind broken" } else { "may stay behind broken" };
                    (Fate::Breaks, format!("{what} {stays}: it needs `{object}`{via}"))
                }
            },
            Bond::Nothing => return,
        };
        if fate == Fate::DroppedLater && root.spot.1.is_none() {
            self.broken.push((spot.0, root.spot.0, self.reports.len()));
        }
        self.report(planned, &object, entity, spot.1.as_deref(), fate, message);
    }

    /// PostgreSQL changes no type of a column that something with a query uses, and `CASCADE` is no way out.
    fn change_type(&mut self, planned: &Planned<'_>, root: &Root) {
        let of_query = |kind: &EntityKind| {
            matches!(
                kind,
                EntityKind::View
                    | EntityKind::MaterializedView
                    | EntityKind::Rule
                    | EntityKind::Policy
                    | EntityKind::Trigger
                    | EntityKind::Routine
            )
        };
        let found: Vec<(usize, Fate)> = self
            .edges_on(&root.spot)
            .filter(|(_, bond)| *bond == Bond::Refuses)
            .filter_map(|(edge, _)| {
                let entity = self.entity(edge.dependent)?;
                match self.scene.dialect {
                    Dialect::Postgres if of_query(&entity.kind) => {
                        let fate = if self.is_doubtful(entity) { Fate::MayRefuse } else { Fate::Refuses };
                        Some((edge.dependent, fate))
                    }
                    Dialect::Mysql if entity.kind == EntityKind::ForeignKey && self.keys_act => {
                        Some((edge.dependent, Fate::MayRefuse))
                    }
                    _ => None,
                }
            })
            .collect();
        for (dependent, fate) in found {
            let Some(entity) = self.entity(dependent).cloned() else { continue };
            let (what, object) = (self.shown(&entity, None), root.shown.clone());
            if let Some(&by) = self.gone.get(&dependent) {
                let message = format!("{what} is dropped before, by {}", self.place(by));
                self.report(planned, &object, &entity, None, Fate::DroppedBefore, message);
                continue;
            }
            let keeps = if fate == Fate::Refuses { "keeps" } else { "may keep" };
            let message = format!("{what} {keeps} `{object}` from getting another type");
            self.report(planned, &object, &entity, None, fate, message);
        }
    }

    /// `TRUNCATE` of what others refer to.
    fn empty(&mut self, planned: &Planned<'_>, root: &Root, roots: &[Root]) {
        if !self.keys_act {
            return;
        }
        let found: Vec<usize> = self
            .edges_on(&root.spot)
            .filter(|(_, bond)| *bond == Bond::Refuses)
            .map(|(edge, _)| edge.dependent)
            .filter(|dependent| self.entity(*dependent).is_some_and(|entity| entity.kind == EntityKind::ForeignKey))
            .collect();
        for dependent in found {
            let Some(entity) = self.entity(dependent).cloned() else { continue };
            let is_there_too = roots
                .iter()
                .filter_map(|root| self.entity(root.spot.0))
                .any(|table| Some(&table.name) == entity.table.as_ref() && table.schema == entity.schema);
            if is_there_too || self.gone.contains_key(&dependent) {
                continue;
            }
            let (what, object) = (self.shown(&entity, None), root.shown.clone());
            let (fate, message) = match () {
                () if root.cascade => (Fate::Cascade, format!("the table of {what} would be emptied by CASCADE")),
                () if self.is_doubtful(&entity) => {
                    (Fate::MayRefuse, format!("{what} may keep `{object}` from being emptied"))
                }
                () => (Fate::Refuses, format!("{what} keeps `{object}` from being emptied")),
            };
            self.report(planned, &object, &entity, None, fate, message);
        }
    }

    /// What goes along with a column is told, and with a table what is no mere part of it.
    fn is_worth_telling(&self, root: &Root, entity: &Entity) -> bool {
        match &entity.kind {
            EntityKind::Trigger | EntityKind::Table | EntityKind::View | EntityKind::MaterializedView => true,
            EntityKind::Constraint | EntityKind::ForeignKey | EntityKind::Policy => root.spot.1.is_some(),
            EntityKind::Index => {
                let of_constraint = |edge: &Dependency| {
                    self.entity(edge.dependent) == Some(entity)
                        && self.entity(edge.on).is_some_and(|on| on.kind == EntityKind::Constraint)
                };
                root.spot.1.is_some() && !self.scene.found.edges.iter().any(of_constraint)
            }
            EntityKind::Other(word) => word != "internal" && word != "toast table",
            _ => false,
        }
    }

    pub(super) fn place(&self, index: usize) -> String {
        self.statements
            .get(index)
            .map(|planned| format!("`{}` statement {}", planned.revision, planned.statement))
            .unwrap_or_default()
    }

    /// As in a sentence: with the schema if it is not the one of names without.
    pub(super) fn shown(&self, entity: &Entity, column: Option<&str>) -> String {
        let is_own = entity.schema.as_deref() == self.scene.schema;
        let entity = Entity { schema: entity.schema.clone().filter(|_| !is_own), ..entity.clone() };
        match column {
            Some(column) => format!("column `{}.{column}`", entity.full_name()),
            None => format!("{} `{}`", entity.kind.word(), entity.full_name()),
        }
    }

    fn report(
        &mut self,
        planned: &Planned<'_>,
        object: &str,
        entity: &Entity,
        column: Option<&str>,
        fate: Fate,
        message: String,
    ) {
        let bare = Entity { schema: None, ..entity.clone() }.full_name();
        let report = DependentReport {
            revision: planned.revision.to_owned(),
            statement: planned.statement,
            object: object.to_owned(),
            kind: if column.is_some() { "column" } else { entity.kind.word() }.to_owned(),
            schema: entity.schema.clone(),
            name: column.map_or(bare.clone(), |column| format!("{bare}.{column}")),
            fate,
            message,
        };
        if !self.reports.contains(&report) {
            self.reports.push(report);
        }
    }
}
