//! Keeps secrets out of everything that is shown, wherever the text comes from.

/// Replaces the password of every URL in a text, and the value of every `password=`, by `***`.
pub(crate) fn mask(text: &str) -> String {
    mask_parameters(&mask_urls(text))
}

fn mask_urls(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(scheme) = rest.find("://") {
        let (before, authority) = rest.split_at(scheme + 3);
        masked.push_str(before);
        let end =
            authority.find(|end: char| end.is_whitespace() || "/\"'`<>?".contains(end)).unwrap_or(authority.len());
        // A password may itself hold an `@`, or a `/` that should have been escaped: the last `@` of the word counts.
        let word = authority.find(|end: char| end.is_whitespace() || "\"'`<>".contains(end)).unwrap_or(authority.len());
        let user_end = authority[..end].rfind('@').or_else(|| authority[..word].rfind('@'));
        match user_end.and_then(|at| authority[..at].find(':').map(|colon| (colon, at))) {
            Some((colon, at)) => {
                masked.push_str(&authority[..=colon]);
                masked.push_str("***");
                rest = &authority[at..];
            }
            None => rest = authority,
        }
    }
    masked.push_str(rest);
    masked
}

fn mask_parameters(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = rest.to_ascii_lowercase().find("password=") {
        let (before, value) = rest.split_at(found + "password=".len());
        masked.push_str(before);
        masked.push_str("***");
        let end = value.find(|end: char| end.is_whitespace() || "&\"'`".contains(end)).unwrap_or(value.len());
        rest = &value[end..];
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn passwords_are_masked_wherever_they_stand() {
        for (text, masked) in [
            ("postgres://app:s3cret@db/app", "postgres://app:***@db/app"),
            ("url = \"postgres://app:s3/cr@t@db/app\"", "url = \"postgres://app:***@db/app\""),
            ("postgres://db/app?user=a&password=s3cret&x=1", "postgres://db/app?user=a&password=***&x=1"),
            ("at sqlite:///srv/a.db, mysql://u:p@h", "at sqlite:///srv/a.db, mysql://u:***@h"),
            ("nothing here: a@b", "nothing here: a@b"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }
}
