//! Keeps secrets out of everything that is shown, wherever the text comes from.

/// Replaces the password of every URL in a text, and the value of every `password=`, by `***`.
pub(crate) fn mask(text: &str) -> String {
    mask_parameters(&mask_urls(text))
}

/// The same for a JSON document: what is masked are its texts, so that it stays a JSON document.
pub(crate) fn mask_json(document: &str) -> String {
    let mut masked = String::with_capacity(document.len());
    let mut rest = document;
    while let Some(start) = rest.find('"') {
        let (before, literal) = rest.split_at(start);
        masked.push_str(before);
        let (literal, after) = literal.split_at(literal_end(literal));
        match serde_json::from_str::<String>(literal) {
            Ok(text) => masked.push_str(&serde_json::Value::String(mask(&text)).to_string()),
            Err(_) => masked.push_str(literal),
        }
        rest = after;
    }
    masked.push_str(rest);
    masked
}

/// Where a JSON text that begins with a quote ends.
fn literal_end(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |end| end + 2)
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
        // What follows an `@` in the name of an artifact is its digest; a password has no place there.
        let is_artifact = before.ends_with("oci://");
        let in_word = || if is_artifact { None } else { authority[..word].rfind('@') };
        let user_end = authority[..end].rfind('@').or_else(in_word);
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
    use super::mask_json;

    #[test]
    fn a_masked_document_is_a_document() {
        for (text, masked) in [
            (
                r#"{"a": "SET password=\"x\", b\n", "b": [1, "c"]}"#,
                r#"{"a": "SET password=***\"x\", b\n", "b": [1, "c"]}"#,
            ),
            (r#"["password=s3cret\nSELECT", "\\"]"#, r#"["password=***\nSELECT", "\\"]"#),
            (r#"["postgres://a:b@c", "ü"]"#, r#"["postgres://a:***@c", "ü"]"#),
        ] {
            assert_eq!(mask_json(text), masked);
        }
    }

    #[test]
    fn passwords_are_masked_wherever_they_stand() {
        for (text, masked) in [
            ("postgres://app:s3cret@db/app", "postgres://app:***@db/app"),
            ("url = \"postgres://app:s3/cr@t@db/app\"", "url = \"postgres://app:***@db/app\""),
            ("postgres://db/app?user=a&password=s3cret&x=1", "postgres://db/app?user=a&password=***&x=1"),
            ("at sqlite:///srv/a.db, mysql://u:p@h", "at sqlite:///srv/a.db, mysql://u:***@h"),
            ("nothing here: a@b", "nothing here: a@b"),
            ("oci://localhost:5000/lint:1.0@sha256:ab", "oci://localhost:5000/lint:1.0@sha256:ab"),
            ("oci://u:s3cret@ghcr.io/lint:1.0@sha256:ab", "oci://u:***@ghcr.io/lint:1.0@sha256:ab"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }
}
