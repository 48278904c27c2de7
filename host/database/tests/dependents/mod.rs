//! What depends on what, in a short notation.

use std::time::Duration;

use runner_database::*;

/// A line an edge: what depends, what happens to it when the other goes or when one of its columns goes, on what.
pub(crate) async fn edges(session: &mut Session, names: &[&str]) -> Vec<String> {
    let found = dependencies(session, names, Duration::from_secs(30)).await;
    assert_eq!(found.unknown, [""; 0]);
    let shown = |index: usize| {
        let entity = &found.entities[index];
        format!("{} {}", entity.kind.word(), entity.full_name())
    };
    let mut lines: Vec<String> = found
        .edges
        .iter()
        .map(|edge| {
            let column = edge.dependent_column.as_ref().map(|column| format!("/{column}")).unwrap_or_default();
            let bonds = if edge.columns.is_some() && edge.bond != edge.column_bond {
                format!("{:?}/{:?}", edge.bond, edge.column_bond)
            } else {
                format!("{:?}", edge.bond)
            };
            format!("{}{column} {bonds} {}", shown(edge.dependent), shown(edge.on))
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

/// What depends on things of these names.
pub(crate) async fn dependencies(session: &mut Session, names: &[&str], limit: Duration) -> Dependencies {
    let (dialect, schema) = (session.dialect(), session.default_schema());
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut reading = session.read().await.unwrap();
    let found = Dependencies::read(&mut reading, dialect, schema.as_deref(), &names, limit).await.unwrap();
    reading.finish().await.unwrap();
    found
}

/// Which of the lines begin with this.
pub(crate) fn about(lines: &[String], begin: &str) -> Vec<String> {
    lines.iter().filter(|line| line.starts_with(begin)).cloned().collect()
}
