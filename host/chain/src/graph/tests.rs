use super::*;
use crate::file::parse;
use crate::version::Versions;

/// A chain from lines of `id <- parents | depends on | labels`; the files have names of no order.
pub(crate) fn chain(lines: &[&str]) -> Chain {
    let revisions = lines.iter().enumerate().map(|(number, line)| {
        let (id, rest) = line.split_once(" <- ").unwrap();
        let mut parts = rest.split('|').map(str::trim).chain(std::iter::repeat(""));
        let (parents, depends, labels) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let text = format!(
            "-- Title of {id}\n-- Revision ID: {id}\n-- Revises: {parents}\n-- Depends On: {depends}\n\
             -- Branch Labels: {labels}\n-- migrate:up\nUP {id};\n-- migrate:down\nDOWN {id};\n"
        );
        parse(&format!("{}.sql", number * 7 % 10), text.as_bytes()).unwrap()
    });
    Chain::new(revisions.collect()).unwrap()
}

pub(crate) fn versions(ids: &[&str]) -> Versions {
    ids.iter().map(|id| RevisionId::new(id).unwrap()).collect()
}

fn ids<'a>(revisions: impl Iterator<Item = &'a Revision>) -> Vec<&'a str> {
    revisions.map(|revision| revision.id.as_str()).collect()
}

fn shop() -> Chain {
    chain(&[
        "merge <- c2, d2",
        "c2 <- c1",
        "c1 <- root",
        "d2 <- d1",
        "d1 <- root || blog",
        "root <- base",
        "x2 <- x1 | d1",
        "x1 <- base || shop",
    ])
}

#[test]
fn what_is_required_comes_first_and_ties_go_by_id() {
    assert_eq!(ids(shop().revisions().iter()), ["root", "c1", "c2", "d1", "d2", "merge", "x1", "x2"]);
}

#[test]
fn neighbours_and_kinds() {
    let chain = shop();
    let get = |id: &str| chain.get(id).unwrap();
    assert_eq!(ids(chain.heads()), ["merge", "x2"]);
    assert_eq!(ids(chain.effective_heads()), ["merge", "x2"]);
    assert_eq!(ids(chain.bases()), ["root", "x1"]);
    assert_eq!(ids(chain.branch_points()), ["root"]);
    assert_eq!(ids(chain.children(get("root"))), ["c1", "d1"]);
    assert_eq!(ids(chain.parents(get("merge"))), ["c2", "d2"]);
    assert_eq!(ids(chain.dependencies(get("x2"))), ["d1"]);
    assert_eq!(ids(chain.dependents(get("d1"))), ["x2"]);
    assert!(chain.is_head(get("x2")) && chain.is_base(get("x1")) && chain.is_merge(get("merge")));
    assert!(chain.is_branch_point(get("root")) && !chain.is_branch_point(get("d1")));
    assert_eq!(chain.labelled("blog").map(|revision| revision.id.as_str()), Some("d1"));
    let stranger = parse("s.sql", b"-- Revision ID: s\n-- Revises: root\n-- migrate:up\n").unwrap();
    assert_eq!(chain.children(&stranger).count(), 0);
}

#[test]
fn a_head_that_others_depend_on_is_not_effective() {
    let chain = chain(&["a <- base", "b <- base | a"]);
    assert_eq!(ids(chain.heads()), ["a", "b"]);
    assert_eq!(ids(chain.effective_heads()), ["b"]);
    assert!(chain.is_head(chain.get("a").unwrap()) && !chain.is_effective_head(chain.get("a").unwrap()));
}

#[test]
fn labels_spread_along_their_branch() {
    let chain = chain(&["a <- base", "b <- a", "c <- b || one", "d <- c || two", "e <- b", "f <- d, e", "g <- f"]);
    let labels = |id: &str| chain.labels(chain.get(id).unwrap()).iter().map(Label::as_str).collect::<Vec<_>>();
    for (id, expected) in [
        ("a", vec![]),
        ("b", vec![]),
        // `f` is a merge, so `two` goes no further down than the revision that gives it.
        ("c", vec!["one"]),
        ("d", vec!["one", "two"]),
        ("e", vec![]),
        ("f", vec!["one", "two"]),
        ("g", vec!["one", "two"]),
    ] {
        assert_eq!(labels(id), expected, "{id}");
    }
    let members = chain.branch_members("one").unwrap();
    assert_eq!(ids(members.iter().map(|index| &chain.revisions()[index])), ["a", "b", "c", "d", "f", "g"]);
    assert_eq!(chain.branch_members("three"), None);
}

#[test]
fn rows_stand_for_all_they_require() {
    let chain = shop();
    let applied = chain.applied(&versions(&["x2"])).unwrap();
    assert_eq!(ids(applied.iter().map(|index| &chain.revisions()[index])), ["root", "d1", "x1", "x2"]);
    assert!(applied.contains(chain.index("d1").unwrap()) && !applied.contains(chain.index("d2").unwrap()));
    let error = chain.applied(&versions(&["gone", "lost", "d1"])).unwrap_err();
    assert_eq!(error.to_string(), "the database is at `gone`, `lost`, which no file in the chain defines");
}

#[test]
fn a_chain_may_be_very_long() {
    let revisions = (0..100_000).map(|number| {
        let parent = if number == 0 { "base".to_owned() } else { format!("r{}", number - 1) };
        let text = format!("-- Revision ID: r{number}\n-- Revises: {parent}\n-- migrate:up\n");
        parse("x.sql", text.as_bytes()).unwrap()
    });
    let chain = Chain::new(revisions.collect()).unwrap();
    assert_eq!(ids(chain.heads()), ["r99999"]);
    assert_eq!(chain.applied(&versions(&["r99999"])).unwrap().len(), 100_000);
    assert_eq!(chain.lineage(5).len(), 100_000);
}
