//! Measures a large chain: writes revisions (10,000 unless an argument says otherwise, 5 % of them merges) into a temporary
//! folder, and prints how long it takes to load, check and plan them.
#![expect(clippy::print_stdout, reason = "the measurements are the output of this program")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use runner_chain::planning::{self, PlanIdentity};
use runner_chain::{Chain, Dialect, Revision, Versions, directory};

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).map_or(Ok(10_000), |text| text.parse::<usize>())?;
    let folder = tempfile::tempdir()?;
    write(folder.path(), count)?;

    for round in 1..=3 {
        println!("round {round}, {count} revisions");
        let chain =
            timed("load and validate", || directory::load(&[directory::Location::new(folder.path(), "migrations")]))?;
        let revisions = chain.revisions().to_vec();
        timed("validate again, without files", || Chain::new(revisions))?;
        let heads = ["heads".parse()?];
        let up = timed("plan an upgrade of everything", || planning::upgrade(&chain, &Versions::none(), &heads))?;
        let done = timed("plan an upgrade of nothing", || planning::upgrade(&chain, &up.after, &heads))?;
        let base = "base".parse()?;
        let down = timed("plan a downgrade of everything", || planning::downgrade(&chain, &up.after, &base))?;
        assert_eq!((up.steps.len(), done.steps.len(), down.steps.len()), (count, 0, count));
        let identity =
            PlanIdentity { operation: "upgrade", dialect: Dialect::Sqlite, target: "x", environment: "development" };
        timed("hash the upgrade", || planning::plan_hash(&up, &chain, &identity, |_| false));
        timed("all checksums", || chain.revisions().iter().map(Revision::checksum).max());
        timed("all SQL checksums", || chain.revisions().iter().map(Revision::sql_checksum).max());
    }
    Ok(())
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("  {what:<32} {:>9.2} ms", start.elapsed().as_secs_f64() * 1000.0);
    result
}

/// A trunk; of every twenty revisions two are parallel and a third joins them.
fn write(folder: &Path, count: usize) -> Result<(), Box<dyn Error>> {
    let folder = Dir::open_ambient_dir(folder, ambient_authority())?;
    let id = |number: usize| format!("{:012x}", (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16);
    for number in 0..count {
        let parents = match (number, number % 20) {
            (0, _) => "base".to_owned(),
            (_, 18) => id(number - 2),
            (_, 19) => format!("{}, {}", id(number - 1), id(number - 2)),
            _ => id(number - 1),
        };
        let text = format!(
            "-- Add the table number {number}\n--\n-- Revision ID: {}\n-- Revises: {parents}\n\
             -- Create Date: 2026-11-20T12:00:00Z\n-- Env: development, staging\n\n-- migrate:up\n\
             CREATE TABLE t{number} (id integer PRIMARY KEY, name text NOT NULL);\n\
             CREATE INDEX i{number} ON t{number} (name); -- found by name\n\n-- migrate:down\nDROP TABLE t{number};\n",
            id(number)
        );
        folder.write(format!("{}_add_the_table_number_{number}.sql", id(number)), text)?;
    }
    Ok(())
}
