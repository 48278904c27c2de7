//! Writes into a case file what a policy says now. Everything else of the file, comments included, stays as it is.

use runner_policy::Answer;
use toml_edit::DocumentMut;
use toml_edit::Item;
use toml_edit::TableLike;
use toml_edit::Value;

use super::Case;
use super::CaseFile;
use super::Ran;
use super::answers;
use super::difference::Pair;
use super::difference::pairs;
use super::expect::ExpectedMessage;
use super::expect::ExpectedVerdict;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Rewrites the expectations of cases that differ. Gives how many were rewritten.
///
/// # Errors
/// The file can't be written.
pub(crate) fn update(file: &CaseFile, ran: &[Ran]) -> Result<usize> {
    let shown = file.path.display();
    let failed = |why: String| Error::new(ErrorKind::Io, format!("the case file `{shown}` can't be rewritten: {why}"));
    let mut document: DocumentMut =
        file.text.parse().map_err(|error: toml_edit::TomlError| failed(error.to_string()))?;
    let mut count = 0;
    for (case, ran) in file.cases.iter().zip(ran).filter(|(_, ran)| !ran.differences.is_empty()) {
        let expect = expect_of(&mut document, case)
            .ok_or_else(|| failed(format!("the case `{}` is not where it was", case.name)))?;
        for (key, value) in changes(case, ran) {
            match value {
                Some(text) => {
                    let value: Value = text.parse().map_err(|error: toml_edit::TomlError| failed(error.to_string()))?;
                    replace(expect, key, value);
                }
                None => {
                    expect.remove(key);
                }
            }
        }
        count += 1;
    }
    if count > 0 {
        std::fs::write(&file.path, document.to_string()).map_err(|error| failed(error.to_string()))?;
    }
    Ok(count)
}

/// The table `expect` of a case.
fn expect_of<'a>(document: &'a mut DocumentMut, case: &Case) -> Option<&'a mut dyn TableLike> {
    let table: &mut dyn TableLike = match case.index {
        None => document.as_table_mut(),
        Some(index) => match document.get_mut("case")? {
            Item::ArrayOfTables(cases) => cases.get_mut(index)?,
            cases => cases.as_array_mut()?.get_mut(index)?.as_inline_table_mut()?,
        },
    };
    table.get_mut("expect")?.as_table_like_mut()
}

/// Puts a value in the place of another, with the blanks and the comment around it.
fn replace(expect: &mut dyn TableLike, key: &str, mut value: Value) {
    match expect.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            expect.insert(key, Item::Value(value));
        }
    }
}

/// The keys of `expect` that change, with their new value in TOML; `None`: the key goes.
fn changes(case: &Case, ran: &Ran) -> Vec<(&'static str, Option<String>)> {
    let expect = &case.expect;
    let answer = &ran.answer;
    let outcome = || Some(quoted_name(answers::outcome_name(answer.review.outcome)));
    let list = |texts: Vec<String>| Some(array(texts.iter().map(|text| answers::quoted(text)).collect()));
    let mut changes = Vec::new();
    for difference in &ran.differences {
        let value = match difference.what {
            "outcome" => outcome(),
            "refusal" => refusal(answer),
            "verdicts" => Some(array(verdicts(expect.verdicts.as_deref().unwrap_or_default(), answer))),
            "notices" => list(answers::notices(answer)),
            "prompts" => list(answers::prompts(answer)),
            "steps" => list(answers::fates(answer).iter().map(|fate| fate.name().to_owned()).collect()),
            "environment" => Some(environment(answer)),
            "messages" => Some(array(messages(expect.messages.as_deref().unwrap_or_default(), answer))),
            "fuel-at-most" => Some(ran.fuel().to_string()),
            _ => continue,
        };
        changes.push((difference.what, value));
    }
    let loses_refusal = changes.iter().any(|(key, value)| *key == "refusal" && value.is_none());
    if loses_refusal && expect.outcome.is_none() {
        // A case that expects nothing could not fail.
        changes.push(("outcome", outcome()));
    }
    changes
}

fn quoted_name(name: &str) -> String {
    format!("\"{name}\"")
}

/// What a case expects that takes the answer as it is.
pub(super) fn expectation(answer: &Answer, says_environment: bool) -> String {
    let mut text = format!("outcome = \"{}\"\n", answers::outcome_name(answer.review.outcome));
    let mut key = |key: &str, value: String| text.push_str(&format!("{key} = {value}\n"));
    let list = |texts: Vec<String>| array(texts.iter().map(|text| answers::quoted(text)).collect());
    if let Some(refusal) = refusal(answer) {
        key("refusal", refusal);
    }
    key("verdicts", array(verdicts(&[], answer)));
    let (notices, prompts) = (answers::notices(answer), answers::prompts(answer));
    if !notices.is_empty() {
        key("notices", list(notices));
    }
    if !prompts.is_empty() {
        key("prompts", list(prompts));
    }
    let fates: Vec<String> = answers::fates(answer).iter().map(|fate| fate.name().to_owned()).collect();
    if fates.iter().any(|fate| fate == "skip") {
        key("steps", list(fates));
    }
    if says_environment {
        key("environment", environment(answer));
    }
    text
}

fn refusal(answer: &Answer) -> Option<String> {
    answers::refusals(answer).first().and_then(|verdict| verdict.rule.as_deref()).map(answers::quoted)
}

fn environment(answer: &Answer) -> String {
    let identity = &answer.identity;
    let mut fields = vec![format!("name = {}", answers::quoted(&identity.name))];
    fields.extend(identity.level.map(|level| format!("level = {level}")));
    fields.extend(identity.production.map(|production| format!("production = {production}")));
    format!("{{ {} }}", fields.join(", "))
}

/// The verdicts as they are, those that were expected in the words of the case.
fn verdicts(expected: &[ExpectedVerdict], answer: &Answer) -> Vec<String> {
    let got = answers::verdicts(answer);
    merged(
        pairs(expected.len(), got.len(), |i, j| expected[i].matches(got[j])),
        |i| expected[i].shown(),
        |j| answers::shown(got[j]),
    )
}

fn messages(expected: &[ExpectedMessage], answer: &Answer) -> Vec<String> {
    let got = &answer.messages;
    merged(
        pairs(expected.len(), got.len(), |i, j| expected[i].matches(&got[j])),
        |i| expected[i].shown(),
        |j| answers::shown_message(&got[j]),
    )
}

fn merged(pairs: Vec<Pair>, expected: impl Fn(usize) -> String, got: impl Fn(usize) -> String) -> Vec<String> {
    pairs
        .into_iter()
        .filter_map(|pair| match pair {
            Pair::Both(i, _) => Some(expected(i)),
            Pair::Got(j) => Some(got(j)),
            Pair::Expected(_) => None,
        })
        .collect()
}

/// A list in TOML, an entry a line.
fn array(entries: Vec<String>) -> String {
    if entries.is_empty() {
        return "[]".to_owned();
    }
    format!("[\n{}]", entries.into_iter().map(|entry| format!("    {entry},\n")).collect::<String>())
}
