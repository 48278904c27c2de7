//! Every revision names a ticket.

use runner_policy_sdk::Finding;
use runner_policy_sdk::Rule;
use runner_policy_sdk::Severity;
use runner_policy_sdk::Source;

use crate::Settings;

pub(crate) fn rule() -> Rule {
    Rule::new("ticket", Severity::Error, "Title or description of a revision names a ticket")
}

pub(crate) fn check(settings: &Settings, source: &Source) -> Option<Finding> {
    let prefix = settings.ticket_prefix.as_str();
    let description = format!("{}\n{}", source.revision.title, source.revision.description);
    let tickets = tickets(&description);
    if tickets.iter().any(|ticket| prefix.is_empty() || ticket.split('-').next() == Some(prefix)) {
        return None;
    }
    let (message, named) = match tickets.first() {
        Some(ticket) => (format!("names `{ticket}`, which is no ticket of `{prefix}`"), *ticket),
        None if prefix.is_empty() => ("names no ticket".to_owned(), source.revision.title.as_str()),
        None => (format!("names no ticket of `{prefix}`"), source.revision.title.as_str()),
    };
    let (line, column) = source.place_of(named).unwrap_or((1, 1));
    let example = if prefix.is_empty() { "OPS" } else { prefix };
    Some(
        rule()
            .finding(source, message)
            .at_place(line, column)
            .help(format!("write it into the title or the text below, as in `{example}-123`")),
    )
}

/// Everything that looks like a ticket: capital letters, a dash, digits; not in the middle of a word.
fn tickets(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let run = |from: usize, is: fn(&u8) -> bool| bytes[from..].iter().take_while(|byte| is(byte)).count();
    let mut found = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let word = run(start, u8::is_ascii_alphanumeric);
        let letters = run(start, u8::is_ascii_uppercase);
        let dash = start + letters;
        if letters > 0 && bytes.get(dash) == Some(&b'-') {
            let digits = run(dash + 1, u8::is_ascii_digit);
            if digits > 0 {
                found.push(&text[start..=dash + digits]);
            }
        }
        start += word.max(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use runner_policy_sdk::testing;

    use super::*;

    fn finding(prefix: &str, title: &str) -> Option<(String, Option<u32>, Option<u32>)> {
        let settings = Settings { ticket_prefix: prefix.to_owned(), ..Settings::default() };
        let text = format!("-- {title}\n-- Revision ID: r1\n-- Revises: base\n-- migrate:up\nSELECT 1;\n");
        check(&settings, &testing::source(&text)).map(|finding| (finding.message, finding.line, finding.column))
    }

    #[test]
    fn tickets_are_found_between_words() {
        assert_eq!(tickets("OPS-12: see AB-3x, xAB-4, A-, -5, É-6 Ab-7 (Z-8)"), ["OPS-12", "AB-3", "Z-8"]);
    }

    #[test]
    fn a_revision_must_name_one() {
        assert_eq!(finding("", "Add email (OPS-12)"), None);
        assert_eq!(finding("OPS", "Add email (OPS-12)"), None);
        assert_eq!(finding("", "Add email"), Some(("names no ticket".to_owned(), Some(1), Some(4))));
        let other = Some(("names `WEB-7`, which is no ticket of `OPS`".to_owned(), Some(1), Some(14)));
        assert_eq!(finding("OPS", "Größe 🦷 – WEB-7"), other);
    }
}
