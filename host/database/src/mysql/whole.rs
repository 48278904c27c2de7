//! The database as a whole: what is in it, and how to be rid of it.

use super::link::Link;
use super::link::text;
use super::literal::quoted;

/// What a database can hold, in an order in which it can be removed; triggers go with their tables.
const OBJECTS: &str = "\
 SELECT 'VIEW', table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type LIKE '%VIEW' \
 UNION ALL SELECT 'TABLE', table_name FROM information_schema.tables \
   WHERE table_schema = DATABASE() AND table_type NOT LIKE '%VIEW' AND table_type NOT IN ('SEQUENCE', 'TEMPORARY') \
 UNION ALL SELECT 'SEQUENCE', table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'SEQUENCE' \
 UNION ALL SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = DATABASE() \
 UNION ALL SELECT 'EVENT', event_name FROM information_schema.events WHERE event_schema = DATABASE()";

/// Kinds and names of all objects but the runner's tables.
pub(super) async fn objects(
    link: &mut Link,
    is_own: &(dyn Fn(&str) -> bool + Send + Sync),
) -> Result<Vec<(String, String)>, sqlx::Error> {
    let found = link.ask(OBJECTS.to_owned()).await.complete()?;
    let mut objects = Vec::new();
    for row in found.sets.iter().flatten() {
        let (kind, name) = (text(row, 0)?.unwrap_or_default(), text(row, 1)?.unwrap_or_default());
        if !(kind == "TABLE" && is_own(&name)) {
            objects.push((kind, name));
        }
    }
    Ok(objects)
}

/// A statement that removes an object. The body of a package of MariaDB goes with the package.
pub(super) fn removal((kind, name): &(String, String)) -> String {
    format!("DROP {kind} IF EXISTS {}", quoted(name))
}
