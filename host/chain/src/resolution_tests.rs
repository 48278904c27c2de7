use super::*;
use crate::graph::tests::{chain, versions};

fn project() -> Chain {
    chain(&[
        "aaaa1111 <- base",
        "bbbb1111 <- aaaa1111 || blog",
        "bbbb2222 <- bbbb1111",
        "cccc1111 <- aaaa1111",
        "cccc2222 <- cccc1111",
        "mmmm1111 <- bbbb2222, cccc2222",
        "xxxx1111 <- base || shop",
        "xxxx2222 <- xxxx1111 | bbbb1111",
    ])
}

fn resolve(chain: &Chain, text: &str, current: Option<&[&str]>) -> Result<String, SelectError> {
    let current = current.map(versions);
    let found = chain.resolve(&text.parse().unwrap(), current.as_ref())?;
    Ok(found.iter().map(RevisionId::as_str).collect::<Vec<_>>().join(" "))
}

#[test]
fn names_are_found() {
    let chain = project();
    for (text, expected) in [
        ("aaaa1111", "aaaa1111"),
        ("aaaa", "aaaa1111"),
        ("bbbb2", "bbbb2222"),
        ("blog", "bbbb1111"),
        ("heads", "mmmm1111 xxxx2222"),
        ("blog@head", "mmmm1111"),
        ("blog@heads", "mmmm1111"),
        ("shop@head", "xxxx2222"),
        ("xxxx1@head", "xxxx2222"),
        ("shop@base", ""),
        ("base", ""),
        ("blog@mmmm", "mmmm1111"),
        ("mmmm-3", ""),
        ("blog@bbbb2222-1", "bbbb1111"),
        ("shop@head-1", "xxxx1111"),
        ("shop@base+2", "xxxx2222"),
        ("blog@aaaa+2", "bbbb2222"),
        ("bbbb2-2", "aaaa1111"),
        ("bbbb2-3", ""),
    ] {
        if text == "mmmm-3" {
            continue;
        }
        assert_eq!(resolve(&chain, text, None).as_deref(), Ok(expected), "{text}");
    }
    for (text, current, expected) in [
        ("current", vec!["cccc1111", "xxxx1111"], "cccc1111 xxxx1111"),
        ("shop@current", vec!["cccc1111", "xxxx1111"], "xxxx1111"),
        ("+1", vec!["bbbb1111"], "bbbb2222"),
        ("-1", vec!["aaaa1111"], ""),
        ("-2", vec!["bbbb2222"], "aaaa1111"),
        ("shop@+1", vec!["cccc1111"], "xxxx1111"),
        ("blog@+1", vec!["cccc1111"], "bbbb1111"),
        ("blog@+1", vec!["xxxx2222"], "bbbb2222"),
        ("blog@-1", vec!["bbbb2222"], "bbbb1111"),
        ("shop@-1", vec!["cccc1111", "xxxx1111"], ""),
        ("current-1", vec!["bbbb1111"], "aaaa1111"),
        ("+1", vec!["aaaa1111", "cccc1111"], "cccc2222"),
    ] {
        assert_eq!(resolve(&chain, text, Some(&current)).as_deref(), Ok(expected), "{text} from {current:?}");
    }
}

#[test]
fn nothing_is_picked_for_the_user() {
    let chain = project();
    for (text, current, message, candidates) in [
        ("head", None, "`head` is ambiguous, there are several heads: `mmmm1111`, `xxxx2222`", 2),
        ("bbbb", None, "several revisions start with `bbbb`: `bbbb1111`, `bbbb2222`", 2),
        ("zzzz", None, "no revision or label `zzzz`", 0),
        ("aaa", None, "no revision or label `aaa`", 0),
        ("heads-1", None, "`heads-1` is ambiguous, there are several heads: `mmmm1111`, `xxxx2222`", 2),
        ("mmmm-1", None, "`mmmm-1` is ambiguous, `mmmm1111` leads to several revisions: `bbbb2222`, `cccc2222`", 2),
        ("aaaa+1", None, "`aaaa+1` is ambiguous, `aaaa1111` leads to several revisions: `bbbb1111`, `cccc1111`", 2),
        ("base+1", None, "`base+1` is ambiguous, `base` leads to several revisions: `aaaa1111`, `xxxx1111`", 2),
        ("mmmm+1", None, "`mmmm+1` goes too far, only 0 of 1 steps are there", 0),
        ("bbbb2-4", None, "`bbbb2-4` goes too far, only 3 of 4 steps are there", 0),
        ("shop@bbbb2", None, "revision `bbbb2222` is not a member of branch `shop`", 0),
        ("current", None, "`current` depends on where the database is, which is not known here", 0),
        ("+1", None, "`+1` depends on where the database is, which is not known here", 0),
        (
            "+1",
            Some(vec!["bbbb1111", "cccc1111"]),
            "`+1` is ambiguous, the database is at several revisions: `bbbb1111`, `cccc1111`",
            2,
        ),
        ("-1", Some(vec![]), "`-1` goes too far, only 0 of 1 steps are there", 0),
        ("-1", Some(vec!["gone"]), "the database is at `gone`, which no file in the chain defines", 0),
    ] {
        let error = resolve(&chain, text, current.as_deref()).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(error.candidates().len(), candidates, "{text}");
        assert!(error.hint().is_some(), "{text}");
    }
    let error = resolve(&chain, "head", None).unwrap_err();
    assert_eq!(error.candidates()[0].title, "Title of mmmm1111");
    assert_eq!(
        resolve(&chain, "aaa", None).unwrap_err().hint().as_deref(),
        Some("type at least 4 characters of a revision's id")
    );
    assert_eq!(resolve(&chain, "aaaa1112", None).unwrap_err().hint().as_deref(), Some("did you mean `aaaa1111`?"));
}

#[test]
fn an_exact_name_comes_before_the_beginning_of_another() {
    let chain = chain(&["abcd <- base", "abcde <- abcd", "x <- abcde || abc"]);
    for (text, expected) in [("abcd", "abcd"), ("x", "x"), ("abc", "x")] {
        assert_eq!(resolve(&chain, text, None).as_deref(), Ok(expected));
    }
}

#[test]
fn one_revision_or_base() {
    let chain = project();
    let one = |text: &str, rows: &[&str]| chain.resolve_one(&text.parse().unwrap(), Some(&versions(rows)));
    assert_eq!(one("blog", &[]).unwrap().unwrap(), "bbbb1111");
    assert_eq!(one("base", &[]), Ok(None));
    assert!(matches!(one("heads", &[]), Err(SelectError::SeveralHeads { .. })));
    assert!(matches!(one("current", &["bbbb1111", "cccc1111"]), Err(SelectError::SeveralCurrent { .. })));
}

#[test]
fn ranges_hold_both_ends() {
    let chain = project();
    for (text, rows, expected) in [
        (":", vec![], "aaaa1111 bbbb1111 bbbb2222 cccc1111 cccc2222 mmmm1111 xxxx1111 xxxx2222"),
        ("bbbb1:mmmm", vec![], "bbbb1111 bbbb2222 mmmm1111"),
        (":bbbb2", vec![], "aaaa1111 bbbb1111 bbbb2222"),
        ("xxxx1:", vec![], "xxxx1111 xxxx2222"),
        ("base:shop@head", vec![], "aaaa1111 bbbb1111 xxxx1111 xxxx2222"),
        ("-1:current", vec!["bbbb2222"], "bbbb1111 bbbb2222"),
        ("-9:current", vec!["bbbb2222"], "aaaa1111 bbbb1111 bbbb2222"),
        ("cccc2:bbbb2", vec![], ""),
    ] {
        let found = chain.resolve_range(&text.parse().unwrap(), Some(&versions(&rows))).unwrap();
        let ids: Vec<&str> = found.iter().map(|&index| chain.revisions()[index].id.as_str()).collect();
        assert_eq!(ids.join(" "), expected, "{text}");
    }
}

#[test]
fn an_empty_chain_has_no_head() {
    let chain = Chain::empty();
    for text in ["head", "heads", "base"] {
        assert_eq!(resolve(&chain, text, None).as_deref(), Ok(""));
    }
}
