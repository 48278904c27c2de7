use crate::file::{Broken, parse};
use crate::graph::Chain;
use crate::graph::build::assemble;
use crate::identifier::RevisionId;
use crate::revision::Revision;

/// `file id <- parents | depends on | labels`
fn revision(text: &str) -> Revision {
    let (file, rest) = text.split_once(' ').unwrap();
    let (id, rest) = rest.split_once(" <- ").unwrap();
    let mut parts = rest.split('|').map(str::trim).chain(std::iter::repeat(""));
    let (parents, depends, labels) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let text = format!(
        "-- T\n-- Revision ID: {id}\n-- Revises: {parents}\n-- Depends On: {depends}\n-- Branch Labels: {labels}\n-- migrate:up\n"
    );
    parse(file, text.as_bytes()).unwrap()
}

fn problems(revisions: &[&str]) -> Vec<String> {
    let problems = Chain::new(revisions.iter().map(|text| revision(text)).collect()).unwrap_err();
    problems
        .iter()
        .map(|problem| match &problem.label {
            Some(label) => format!("{problem} ({label})"),
            None => problem.to_string(),
        })
        .collect()
}

#[test]
fn every_problem_of_a_graph() {
    for (revisions, expected) in [
        (
            vec!["1 aaaa <- base", "2 aaaa <- base", "3 bbbb <- aaaa"],
            vec!["2:2:17: revision id `aaaa` is used by two files (also in `1`, line 2)"],
        ),
        (
            vec!["1 a1b2c3 <- base", "2 x <- a1b2c4", "3 y <- zzzzzz"],
            vec![
                "2:3:13: missing parent `a1b2c4` (no file has this id; did you mean `a1b2c3`?)",
                "3:3:13: missing parent `zzzzzz` (no file has this id)",
            ],
        ),
        (vec!["1 a <- a"], vec!["1:3:13: revision `a` names itself as its parent"]),
        (vec!["1 a <- base", "2 b <- a, a"], vec!["2:3:16: parent `a` is named twice"]),
        (vec!["1 a <- base | b"], vec!["1:4:16: missing dependency `b` (no file has this id; did you mean `a`?)"]),
        (vec!["1 a <- base | a"], vec!["1:4:16: revision `a` depends on itself"]),
        (vec!["1 a <- base | mine | mine"], vec!["1:4:16: revision `a` depends on itself"]),
        (
            vec!["1 a <- base || x, y, x", "2 b <- base || x"],
            vec![
                "1:5:25: label `x` is written twice",
                "2:5:19: label `x` is used by two revisions (also given by `a` in `1`)",
            ],
        ),
        (
            vec!["1 a <- base || b", "2 b <- base", "3 c <- base | b"],
            vec![
                "1:5:19: label `b` is also a revision id (the id of `2`)",
                "3:4:16: dependency `b` is ambiguous (it could be `a` or `b`)",
            ],
        ),
        (
            vec!["1 a <- c", "2 b <- a", "3 c <- b", "4 d <- c", "5 e <- base | f", "6 f <- e"],
            vec![
                "1:3:13: the revisions form a cycle: a -> b -> c -> a (`c` already comes after `a`)",
                "5:4:16: the revisions form a cycle: e -> f -> e (`f` already comes after `e`)",
            ],
        ),
        (
            vec!["1 a <- base | blog", "2 b <- a || blog"],
            vec!["1:4:16: the revisions form a cycle: a -> b -> a (`b` already comes after `a`)"],
        ),
    ] {
        assert_eq!(problems(&revisions), expected, "{revisions:?}");
        let mut backwards = revisions.clone();
        backwards.reverse();
        assert_eq!(problems(&backwards), expected, "{revisions:?} backwards");
    }
}

#[test]
fn names_of_broken_files_are_not_missing() {
    let broken = || Broken {
        problems: Vec::new(),
        id: Some(RevisionId::new("b").unwrap()),
        labels: vec![crate::identifier::Label::new("l").unwrap()],
    };
    let chain = assemble(vec![revision("1 a <- b | l, b")], vec![broken()]);
    assert!(chain.is_ok());
    assert_eq!(assemble(vec![revision("1 a <- c")], vec![broken()]).unwrap_err().len(), 1);
}
