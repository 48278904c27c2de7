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

/// Looks at each byte a fixed number of times: the text may be long, and be made to make this slow.
fn mask_urls(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut word = Word::default();
    // Where what is not yet written begins.
    let mut at = 0;
    while let Some(scheme) = text[at..].find("://") {
        let start = at + scheme + 3;
        masked.push_str(&text[at..start]);
        let authority = &text[start..];
        // Seen again by the next round at most up to its `/`.
        let end = authority.find(|end: char| is_end_of_word(end) || end == '/' || end == '?');
        let end = end.unwrap_or(authority.len());
        if start >= word.end {
            word = Word::at(text, start);
        }
        // A password may itself hold an `@`, or a `/` that should have been escaped: the last `@` of the word counts. What
        // follows an `@` in the name of an artifact is its digest; a password has no place there.
        let is_artifact = text[..start].ends_with("oci://");
        let in_word = || word.last_at.filter(|last| !is_artifact && *last >= start).map(|last| last - start);
        let user_end = authority[..end].rfind('@').or_else(in_word);
        at = start;
        if let Some((colon, user_end)) =
            user_end.and_then(|user_end| Some((authority[..user_end].find(':')?, user_end)))
        {
            masked.push_str(&authority[..=colon]);
            masked.push_str("***");
            at = start + user_end;
        }
    }
    masked.push_str(&text[at..]);
    masked
}

/// A part of a text without blanks and quotes, by where it ends.
#[derive(Default)]
struct Word {
    end: usize,
    last_at: Option<usize>,
}

impl Word {
    fn at(text: &str, start: usize) -> Self {
        let end = text[start..].find(is_end_of_word).map_or(text.len(), |length| start + length);
        Word { end, last_at: text[start..end].rfind('@').map(|at| start + at) }
    }
}

fn is_end_of_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '\'' | '`' | '<' | '>')
}

fn mask_parameters(text: &str) -> String {
    const KEY: &str = "password=";
    let mut masked = String::with_capacity(text.len());
    // Of the same length, byte by byte.
    let lower = text.to_ascii_lowercase();
    let mut at = 0;
    while let Some(found) = lower[at..].find(KEY) {
        let value = at + found + KEY.len();
        masked.push_str(&text[at..value]);
        masked.push_str("***");
        let is_end = |end: char| end.is_whitespace() || matches!(end, '&' | '"' | '\'' | '`');
        // In quotes of its own, as in SQL; a quote with a blank behind it is the end of what is around.
        let quote = text[value..].chars().next().filter(|first| matches!(first, '"' | '\'' | '`'));
        let quoted = quote.and_then(|quote| {
            let inner = value + quote.len_utf8();
            let length = text[inner..].find(|end: char| end.is_whitespace() || end == quote)?;
            text[inner + length..].starts_with(quote).then_some(inner + length + quote.len_utf8())
        });
        let bare = || text[value..].find(is_end).map_or(text.len(), |length| value + length);
        at = quoted.unwrap_or_else(bare);
    }
    masked.push_str(&text[at..]);
    masked
}

#[cfg(test)]
mod tests {
    use super::mask;
    use super::mask_json;

    #[test]
    fn a_masked_document_is_a_document() {
        for (text, masked) in [
            (r#"{"a": "SET password=\"x\", b\n", "b": [1, "c"]}"#, r#"{"a": "SET password=***, b\n", "b": [1, "c"]}"#),
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
            ("ALTER USER a password='s3cret' x, PASSWORD=\"t0p\"", "ALTER USER a password=*** x, PASSWORD=***"),
            ("url = \"postgres://h?password=\" and \"b\"", "url = \"postgres://h?password=***\" and \"b\""),
            ("at sqlite:///srv/a.db, mysql://u:p@h", "at sqlite:///srv/a.db, mysql://u:***@h"),
            ("nothing here: a@b", "nothing here: a@b"),
            ("oci://localhost:5000/lint:1.0@sha256:ab", "oci://localhost:5000/lint:1.0@sha256:ab"),
            ("oci://u:s3cret@ghcr.io/lint:1.0@sha256:ab", "oci://u:***@ghcr.io/lint:1.0@sha256:ab"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }

    /// Text of others may be made to make this slow. Each of these has some hundred thousand places to look at; a look at
    /// the rest of the text from each of them would take hours.
    #[test]
    fn long_texts_are_masked_in_one_go() {
        const SIZE: usize = 1 << 20;
        for piece in
            ["://", "a://b", "://:", "://@", "://:@", "oci://:@", "password=", "Password= ", "a:b@", "\"", "\\"]
        {
            let text = piece.repeat(SIZE / piece.len());
            assert!(!mask(&text).is_empty() && !mask_json(&text).is_empty(), "{piece}");
        }
        let hidden = format!("{}u:s3cret@db \"a\"", "://".repeat(SIZE / 3));
        let masked = mask(&hidden);
        assert!(!masked.contains("s3cret") && masked.ends_with("***@db \"a\""));
    }
}
