use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::dialect::Dialect;
use crate::graph::Chain;
use crate::graph::tests::{chain, versions};
use crate::revision::Revision;
use crate::selector::Selector;

fn project() -> Chain {
    chain(&[
        "aaaa <- base",
        "bbbb1111 <- aaaa || blog",
        "bbbb2222 <- bbbb1111",
        "cccc1111 <- aaaa",
        "cccc2222 <- cccc1111",
        "mmmm <- bbbb2222, cccc2222",
        "xxxx1111 <- base || shop",
        "xxxx2222 <- xxxx1111 | bbbb1111",
    ])
}

fn selectors(text: &str) -> Vec<Selector> {
    text.split_whitespace().map(|text| text.parse().unwrap()).collect()
}

/// `-bbbb +cccc` for the steps, each followed by what happens to the rows.
fn shown(chain: &Chain, plan: &Plan) -> String {
    let steps = plan.steps.iter().map(|step| {
        let sign = if step.direction == Direction::Up { '+' } else { '-' };
        let rows = step.rows.delete.iter().map(|id| format!("-{id}"));
        let rows: Vec<String> = rows.chain(step.rows.insert.iter().map(|id| format!("+{id}"))).collect();
        format!("{sign}{}({})", chain.revisions()[step.revision].id, rows.join(" "))
    });
    steps.collect::<Vec<_>>().join(" ")
}

#[test]
fn upgrades() {
    let chain = project();
    for (rows, targets, expected, after) in [
        (
            vec![],
            "mmmm",
            "+aaaa(+aaaa) +bbbb1111(-aaaa +bbbb1111) +bbbb2222(-bbbb1111 +bbbb2222) +cccc1111(+cccc1111) \
             +cccc2222(-cccc1111 +cccc2222) +mmmm(-bbbb2222 -cccc2222 +mmmm)",
            "mmmm",
        ),
        (
            vec![],
            "shop@head",
            "+aaaa(+aaaa) +bbbb1111(-aaaa +bbbb1111) +xxxx1111(+xxxx1111) +xxxx2222(-bbbb1111 -xxxx1111 +xxxx2222)",
            "xxxx2222",
        ),
        (vec!["aaaa"], "cccc1111", "+cccc1111(-aaaa +cccc1111)", "cccc1111"),
        (vec!["mmmm"], "bbbb1111 base", "", "mmmm"),
        (vec!["bbbb1111"], "+1", "+bbbb2222(-bbbb1111 +bbbb2222)", "bbbb2222"),
        (
            vec!["cccc1111"],
            "blog@+1 shop@+1",
            "+bbbb1111(+bbbb1111) +xxxx1111(+xxxx1111)",
            "bbbb1111, cccc1111, xxxx1111",
        ),
        // A row that says nothing more goes with the first step.
        (vec!["aaaa", "bbbb1111"], "bbbb2222", "+bbbb2222(-aaaa -bbbb1111 +bbbb2222)", "bbbb2222"),
    ] {
        let plan = upgrade(&chain, &versions(&rows), &selectors(targets)).unwrap();
        assert_eq!(shown(&chain, &plan), expected, "{targets} from {rows:?}");
        assert_eq!(plan.after.to_string(), after);
    }
}

#[test]
fn downgrades() {
    let chain = project();
    for (rows, target, expected, after) in [
        (
            vec!["mmmm"],
            "bbbb1111",
            "-mmmm(-mmmm +bbbb2222 +cccc2222) -bbbb2222(-bbbb2222 +bbbb1111)",
            "bbbb1111, cccc2222",
        ),
        // Through the dependency: what depends on a removed revision goes as well.
        (
            vec!["xxxx2222"],
            "aaaa",
            "-xxxx2222(-xxxx2222 +bbbb1111 +xxxx1111) -bbbb1111(-bbbb1111 +aaaa)",
            "aaaa, xxxx1111",
        ),
        (vec!["xxxx2222"], "shop@base", "-xxxx2222(-xxxx2222 +bbbb1111 +xxxx1111) -xxxx1111(-xxxx1111)", "bbbb1111"),
        (vec!["cccc1111", "xxxx1111"], "base", "-xxxx1111(-xxxx1111) -cccc1111(-cccc1111 +aaaa) -aaaa(-aaaa)", "base"),
        (vec!["bbbb1111", "cccc1111"], "blog@aaaa", "-bbbb1111(-bbbb1111)", "cccc1111"),
        (vec!["cccc1111"], "-1", "-cccc1111(-cccc1111 +aaaa)", "aaaa"),
        (vec!["aaaa"], "-1", "-aaaa(-aaaa)", "base"),
        (vec!["bbbb1111", "cccc1111"], "blog@-1", "-bbbb1111(-bbbb1111)", "cccc1111"),
        // Steps leave the trees alone that they do not pass.
        (vec!["xxxx1111"], "-1", "-xxxx1111(-xxxx1111)", "base"),
        (vec!["xxxx2222"], "-2", "-xxxx2222(-xxxx2222 +bbbb1111 +xxxx1111) -xxxx1111(-xxxx1111)", "bbbb1111"),
        (vec!["cccc2222"], "current", "", "cccc2222"),
    ] {
        let plan = downgrade(&chain, &versions(&rows), &target.parse().unwrap()).unwrap();
        assert_eq!(shown(&chain, &plan), expected, "{target} from {rows:?}");
        assert_eq!(plan.after.to_string(), after);
    }
}

#[test]
fn branches_without_a_common_row_can_share_a_base() {
    // Alembic takes the base of the branch, and with it everything that descends from that base.
    let chain = project();
    let plan =
        downgrade(&chain, &versions(&["bbbb1111", "cccc1111", "xxxx1111"]), &"blog@base".parse().unwrap()).unwrap();
    assert_eq!(plan.after.to_string(), "xxxx1111");
}

#[test]
fn refusals() {
    let chain = project();
    for (rows, target, message) in [
        (vec!["cccc1111"], "bbbb1111", "`bbbb1111` is not a valid downgrade target, the database is at cccc1111"),
        (vec![], "aaaa", "`aaaa` is not a valid downgrade target, the database is at base"),
        // It is applied because another revision depends on it, so nothing can be taken back to it.
        (vec!["xxxx2222"], "bbbb1111", "`bbbb1111` is not a valid downgrade target, the database is at xxxx2222"),
        (vec!["mmmm"], "blog@-1", "`blog@-1` is ambiguous, `mmmm` leads to several revisions: `bbbb2222`, `cccc2222`"),
        (
            vec!["cccc1111"],
            "blog@-1",
            "`blog@-1` goes down from the end of branch `bbbb1111`, and the database is at no revision of it",
        ),
        (vec!["bbbb1111", "cccc1111"], "shop@aaaa", "revision `aaaa` is not a member of branch `shop`"),
        (vec!["aaaa"], "+1", "`+1` leads up from where the database is"),
        (vec!["aaaa"], "-2", "`-2` goes too far, only 1 of 2 steps are there"),
        (vec!["mmmm"], "-1", "`-1` is ambiguous, `mmmm` leads to several revisions: `bbbb2222`, `cccc2222`"),
        (
            vec!["bbbb1111", "cccc1111"],
            "-1",
            "`-1` is ambiguous, the database is at several revisions: `bbbb1111`, `cccc1111`",
        ),
        (vec!["gone"], "base", "the database is at `gone`, which no file in the chain defines"),
        (vec!["aaaa"], "heads", "`heads` is ambiguous, there are several heads: `mmmm`, `xxxx2222`"),
    ] {
        let error = downgrade(&chain, &versions(&rows), &target.parse().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(error.hint().is_some());
    }
    for (rows, target, message) in [
        (vec!["aaaa"], "-1", "`-1` leads down from where the database is"),
        (vec!["aaaa"], "head", "`head` is ambiguous, there are several heads: `mmmm`, `xxxx2222`"),
        (
            vec!["bbbb1111", "cccc1111"],
            "+1",
            "`+1` is ambiguous, the database is at several revisions: `bbbb1111`, `cccc1111`",
        ),
        (vec!["mmmm"], "+1", "`+1` goes too far, only 0 of 1 steps are there"),
        (vec![], "cccc2222 aaaa", "`aaaa` is part of `cccc2222`, and both are asked for"),
        (vec![], "mmmm shop@head blog", "`bbbb1111` is part of `mmmm`, and both are asked for"),
        (vec![], "aaaa-1", "`aaaa-1` goes too far, only 0 of 1 steps are there"),
    ] {
        assert_eq!(upgrade(&chain, &versions(&rows), &selectors(target)).unwrap_err().to_string(), message);
    }
}

#[test]
fn stamps() {
    let chain = project();
    for (rows, targets, steps, after) in [
        (vec![], "mmmm", "+aaaa() +bbbb1111() +bbbb2222() +cccc1111() +cccc2222() +mmmm()", "mmmm"),
        (vec!["aaaa"], "cccc1111", "+cccc1111()", "cccc1111"),
        (vec!["mmmm"], "cccc1111", "-mmmm() -cccc2222() -bbbb2222() -bbbb1111()", "cccc1111"),
        (vec!["bbbb1111", "cccc1111"], "aaaa", "-cccc1111() -bbbb1111()", "aaaa"),
        (vec!["bbbb1111", "cccc1111"], "mmmm", "+bbbb2222() +cccc2222() +mmmm()", "mmmm"),
        (vec!["bbbb1111"], "cccc1111", "+cccc1111()", "bbbb1111, cccc1111"),
        (vec!["cccc1111", "xxxx1111"], "cccc1111", "", "cccc1111, xxxx1111"),
        (vec!["cccc1111", "xxxx1111"], "base", "-xxxx1111() -cccc1111() -aaaa()", "base"),
        (vec!["cccc1111", "xxxx1111"], "shop@base", "-xxxx1111()", "cccc1111"),
        (vec!["bbbb1111"], "blog@heads", "+bbbb2222() +cccc1111() +cccc2222() +mmmm()", "mmmm"),
        (
            vec!["xxxx1111"],
            "heads",
            "+aaaa() +bbbb1111() +bbbb2222() +cccc1111() +cccc2222() +mmmm() +xxxx2222()",
            "mmmm, xxxx2222",
        ),
        (vec!["aaaa"], "aaaa bbbb1111", "+bbbb1111()", "bbbb1111"),
    ] {
        let plan = stamp(&chain, &versions(&rows), &selectors(targets)).unwrap();
        assert_eq!(shown(&chain, &plan), steps, "{targets} from {rows:?}");
        assert_eq!(plan.after.to_string(), after);
    }
    let error = stamp(&chain, &versions(&["cccc1111"]), &selectors("shop@head base")).unwrap_err();
    assert_eq!(error.to_string(), "`base` means no revision at all, and `shop@head` is asked for as well");
    let plan = stamp(&chain, &versions(&["bbbb1111", "cccc1111"]), &selectors("mmmm")).unwrap();
    assert_eq!((plan.rows().delete.len(), plan.rows().insert.len(), plan.is_empty()), (2, 1, false));
}

#[test]
fn a_hash_names_everything_that_was_approved() {
    let chain = project();
    let plan = upgrade(&chain, &versions(&[]), &selectors("aaaa")).unwrap();
    let identity = PlanIdentity { operation: "upgrade", dialect: Dialect::Sqlite, target: "main", environment: "test" };
    let hash = plan_hash(&plan, &chain, &identity, |_| false);
    assert_eq!(hash, plan_hash(&plan.clone(), &project(), &identity, |_| false));
    let further = upgrade(&chain, &versions(&[]), &selectors("bbbb1111")).unwrap();
    for other in [
        plan_hash(&further, &chain, &identity, |_| false),
        plan_hash(&plan, &chain, &identity, |index| index == 0),
        plan_hash(&plan, &chain, &PlanIdentity { operation: "downgrade", ..identity }, |_| false),
        plan_hash(&plan, &chain, &PlanIdentity { dialect: Dialect::Mysql, ..identity }, |_| false),
        plan_hash(&plan, &chain, &PlanIdentity { target: "other", ..identity }, |_| false),
        plan_hash(&plan, &chain, &PlanIdentity { environment: "production", ..identity }, |_| false),
    ] {
        assert_ne!(hash, other);
    }
    let edited = |header: &str, sql: &str| {
        let text = format!("-- T\n-- Revision ID: aaaa\n-- Revises: base\n{header}\n-- migrate:up\n{sql}\n");
        let chain = Chain::new(vec![crate::file::parse("a.sql", text.as_bytes()).unwrap()]).unwrap();
        plan_hash(&upgrade(&chain, &versions(&[]), &selectors("aaaa")).unwrap(), &chain, &identity, |_| false)
    };
    let plain = edited("", "UP aaaa;");
    for other in
        [edited("", "UP bbbb;"), edited("-- Env: =test", "UP aaaa;"), edited("-- Transaction: off", "UP aaaa;")]
    {
        assert_ne!(plain, other);
    }
    assert_eq!(plain, edited("-- A remark", "UP aaaa;\n\n"));
}

/// A random graph: for every revision its parents and dependencies, by number, all of them smaller.
type Graph = Vec<(BTreeSet<usize>, BTreeSet<usize>)>;

fn graph() -> impl Strategy<Value = Graph> {
    prop::collection::vec((prop::collection::vec(any::<u16>(), 0..3), prop::collection::vec(any::<u16>(), 0..2)), 1..14)
        .prop_map(|nodes| {
            let below = |number: usize, picks: Vec<u16>| -> BTreeSet<usize> {
                if number == 0 {
                    BTreeSet::new()
                } else {
                    picks.into_iter().map(|pick| pick as usize % number).collect()
                }
            };
            nodes
                .into_iter()
                .enumerate()
                .map(|(number, (parents, dependencies))| (below(number, parents), below(number, dependencies)))
                .collect()
        })
}

/// Identifiers that do not follow the order of the numbers.
fn id(number: usize) -> String {
    format!("r{:02}x{number}", number * 11 % 17)
}

fn lines(graph: &Graph) -> Vec<String> {
    let list = |numbers: &BTreeSet<usize>| numbers.iter().map(|&number| id(number)).collect::<Vec<_>>().join(", ");
    let line = |(number, (parents, dependencies)): (usize, &(BTreeSet<usize>, BTreeSet<usize>))| {
        let parents = if parents.is_empty() { "base".to_owned() } else { list(parents) };
        format!("{} <- {parents} | {}", id(number), list(dependencies))
    };
    graph.iter().enumerate().map(line).collect()
}

fn build(graph: &Graph) -> Chain {
    chain(&lines(graph).iter().map(String::as_str).collect::<Vec<_>>())
}

/// The naive model: which identifiers each identifier needs directly.
fn needs(graph: &Graph) -> BTreeMap<String, BTreeSet<String>> {
    let needed = |(parents, dependencies): &(BTreeSet<usize>, BTreeSet<usize>)| {
        parents.union(dependencies).map(|&number| id(number)).collect()
    };
    graph.iter().enumerate().map(|(number, node)| (id(number), needed(node))).collect()
}

fn model_rows(needs: &BTreeMap<String, BTreeSet<String>>, applied: &BTreeSet<String>) -> BTreeSet<String> {
    let covered: BTreeSet<&String> = applied.iter().flat_map(|id| &needs[id]).collect();
    applied.iter().filter(|id| !covered.contains(id)).cloned().collect()
}

fn model_closure(needs: &BTreeMap<String, BTreeSet<String>>, id: &str) -> BTreeSet<String> {
    let below = needs[id].iter().flat_map(|needed| model_closure(needs, needed));
    below.chain([id.to_owned()]).collect()
}

/// Takes the steps of a plan in the model and compares the rows after each.
fn follow(
    chain: &Chain,
    plan: &Plan,
    needs: &BTreeMap<String, BTreeSet<String>>,
    applied: &mut BTreeSet<String>,
) -> Result<(), TestCaseError> {
    let mut rows: BTreeSet<String> = plan.before.iter().map(ToString::to_string).collect();
    for step in &plan.steps {
        let id = chain.revisions()[step.revision].id.to_string();
        if step.direction == Direction::Up {
            prop_assert!(needs[&id].is_subset(applied), "{id} came too early");
            prop_assert!(applied.insert(id), "applied twice");
        } else {
            prop_assert!(applied.remove(&id), "was not applied");
            prop_assert!(!applied.iter().any(|other| needs[other].contains(&id)), "{id} was still needed");
        }
        for row in &step.rows.delete {
            prop_assert!(rows.remove(row.as_str()), "{row} was no row");
        }
        for row in &step.rows.insert {
            prop_assert!(rows.insert(row.to_string()), "{row} was a row already");
        }
        prop_assert_eq!(&rows, &model_rows(needs, applied));
    }
    prop_assert_eq!(rows, plan.after.iter().map(ToString::to_string).collect::<BTreeSet<_>>());
    Ok(())
}

proptest! {
    #[test]
    fn plans_agree_with_the_model(graph in graph(), first in any::<u16>(), second in any::<u16>(), back in any::<u16>()) {
        let (chain, needs) = (build(&graph), needs(&graph));
        let pick = |pick: u16| id(pick as usize % graph.len());
        let mut applied = BTreeSet::new();
        let mut rows = Versions::none();
        for target in [pick(first), pick(second)] {
            let plan = upgrade(&chain, &rows, &selectors(&target)).unwrap();
            let new: BTreeSet<String> = model_closure(&needs, &target).difference(&applied).cloned().collect();
            prop_assert_eq!(plan.steps.len(), new.len());
            follow(&chain, &plan, &needs, &mut applied)?;
            rows = plan.after;
        }
        prop_assert_eq!(chain.applied(&rows).unwrap().len(), applied.len());
        let target = pick(back);
        let plan = downgrade(&chain, &rows, &target.parse().unwrap());
        if !applied.contains(&target) {
            let refused = matches!(plan, Err(PlanError::NotADowngradeTarget { .. }));
            prop_assert!(refused);
            return Ok(());
        }
        if matches!(plan, Err(PlanError::NotADowngradeTarget { .. })) {
            // It is applied because others depend on it, and nothing builds on it.
            let builds = |child: &Revision| applied.contains(child.id.as_str());
            prop_assert!(!chain.children(chain.get(&target).unwrap()).any(builds) && !rows.contains(&target));
            return Ok(());
        }
        let plan = plan.unwrap();
        follow(&chain, &plan, &needs, &mut applied)?;
        prop_assert!(applied.contains(&target));
        let target = chain.get(&target).unwrap();
        for child in chain.children(target) {
            prop_assert!(!applied.contains(child.id.as_str()), "{} is still there", child.id);
        }
    }

    #[test]
    fn down_and_up_again_comes_back(graph in graph(), top in any::<u16>(), back in any::<u16>()) {
        let chain = build(&graph);
        let top = selectors(&id(top as usize % graph.len()));
        let up = upgrade(&chain, &Versions::none(), &top).unwrap();
        let target = up.steps[back as usize % up.steps.len()].revision;
        let target = chain.revisions()[target].id.as_str().parse().unwrap();
        let Ok(down) = downgrade(&chain, &up.after, &target) else { return Ok(()) };
        let again = upgrade(&chain, &down.after, &top).unwrap();
        prop_assert_eq!(&again.after, &up.after);
        let order = |plan: &Plan| plan.steps.iter().map(|step| step.revision).collect::<Vec<_>>();
        let mut backwards = order(&down);
        backwards.reverse();
        prop_assert_eq!(order(&again), backwards);
        let all = downgrade(&chain, &up.after, &"base".parse().unwrap()).unwrap();
        prop_assert!(all.after.is_empty());
    }

    #[test]
    fn the_order_does_not_depend_on_the_files(graph in graph(), seed in any::<u64>()) {
        let mut shuffled = lines(&graph);
        let count = shuffled.len();
        for index in (1..count).rev() {
            shuffled.swap(index, (seed as usize).wrapping_mul(index + 31) % (index + 1));
        }
        let other = chain(&shuffled.iter().map(String::as_str).collect::<Vec<_>>());
        let ids = |chain: &Chain| chain.revisions().iter().map(|revision| revision.id.to_string()).collect::<Vec<_>>();
        prop_assert_eq!(ids(&build(&graph)), ids(&other));
    }

    #[test]
    fn stamping_is_upgrading_without_running(graph in graph(), target in any::<u16>()) {
        let chain = build(&graph);
        let target = selectors(&id(target as usize % graph.len()));
        let run = upgrade(&chain, &Versions::none(), &target).unwrap();
        let stamped = stamp(&chain, &Versions::none(), &target).unwrap();
        prop_assert_eq!(&run.after, &stamped.after);
        prop_assert_eq!(run.steps.len(), stamped.steps.len());
        prop_assert_eq!(stamp(&chain, &stamped.after, &target).unwrap().steps.len(), 0);
    }
}
