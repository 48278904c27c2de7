//! What a secret looks like. Every byte is looked at once: what is searched for is found by a sign in it that is rare elsewhere.

use std::ops::Range;

use crate::lexeme::Lexeme;
use crate::script::Before;

/// Beginnings of tokens that end in `_` or `-`, how many characters follow at least, and what they are.
const PREFIXES: [(&str, usize, &str); 22] = [
    ("ghp_", 30, "a GitHub token"),
    ("gho_", 30, "a GitHub token"),
    ("ghu_", 30, "a GitHub token"),
    ("ghs_", 30, "a GitHub token"),
    ("ghr_", 30, "a GitHub token"),
    ("github_pat_", 22, "a GitHub token"),
    ("glpat-", 20, "a GitLab token"),
    ("xoxb-", 10, "a Slack token"),
    ("xoxp-", 10, "a Slack token"),
    ("xoxa-", 10, "a Slack token"),
    ("xoxr-", 10, "a Slack token"),
    ("xoxs-", 10, "a Slack token"),
    ("xapp-", 10, "a Slack token"),
    ("sk_live_", 16, "a Stripe key"),
    ("rk_live_", 16, "a Stripe key"),
    ("npm_", 30, "an npm token"),
    ("pypi-", 50, "a PyPI token"),
    ("sk-ant-", 20, "an Anthropic key"),
    ("sk-proj-", 20, "an OpenAI key"),
    ("dop_v1_", 40, "a DigitalOcean token"),
    ("shpat_", 30, "a Shopify token"),
    ("hf_", 30, "a Hugging Face token"),
];

/// Signs that are worth a look.
const LOOK: [bool; 256] = {
    let mut look = [false; 256];
    look[b'_' as usize] = true;
    look[b'-' as usize] = true;
    look[b':' as usize] = true;
    look[b'.' as usize] = true;
    look[b'K' as usize] = true;
    look[b'z' as usize] = true;
    look
};

/// The first secret in a text, and what it is.
pub(super) fn find(text: &str) -> Option<(Range<usize>, &'static str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let sign = bytes[at];
        if LOOK[usize::from(sign)] {
            let found = match sign {
                b'_' => token(text, at),
                b'-' if bytes.get(at + 1) == Some(&b'-') => private_key(text, at),
                b'-' => token(text, at),
                b':' => password_in_url(text, at),
                b'.' => jwt(text, at),
                b'K' => aws(text, at),
                _ => google(text, at),
            };
            if found.is_some() {
                return found;
            }
            // A line of dashes is not looked at dash by dash.
            if sign == b'-' {
                while bytes.get(at + 1) == Some(&b'-') {
                    at += 1;
                }
            }
        }
        at += 1;
    }
    None
}

/// The end of what goes on while signs are those of a token.
fn run(bytes: &[u8], from: usize, goes_on: fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|byte| !goes_on(*byte)).map_or(bytes.len(), |length| from + length)
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_boundary(bytes: &[u8], start: usize) -> bool {
    start.checked_sub(1).is_none_or(|before| !bytes[before].is_ascii_alphanumeric())
}

/// A token with a known beginning, which ends at `at`.
fn token(text: &str, at: usize) -> Option<(Range<usize>, &'static str)> {
    let bytes = text.as_bytes();
    let (prefix, least, what) =
        PREFIXES.into_iter().find(|(prefix, _, _)| bytes[..=at].ends_with(prefix.as_bytes()))?;
    let start = at + 1 - prefix.len();
    let end = run(bytes, at + 1, is_base64);
    (end - at > least && is_boundary(bytes, start)).then_some((start..end, what))
}

fn private_key(text: &str, at: usize) -> Option<(Range<usize>, &'static str)> {
    let rest = text.get(at..)?.strip_prefix("-----BEGIN ")?;
    let head = rest.split("-----").next().unwrap_or_default();
    (head.len() < 40 && head.ends_with("PRIVATE KEY")).then(|| (at..at + 16 + head.len(), "a private key"))
}

/// `scheme://user:password@host`
fn password_in_url(text: &str, at: usize) -> Option<(Range<usize>, &'static str)> {
    let bytes = text.as_bytes();
    let rest = text.get(at..)?.strip_prefix("://")?;
    let authority =
        &rest[..rest.find(|sign: char| sign.is_whitespace() || "/'\"`<>".contains(sign)).unwrap_or(rest.len())];
    let (user, _host) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    let start = at + 3 + user.len() - password.len();
    let has_scheme = at > 0 && bytes[at - 1].is_ascii_alphanumeric();
    (has_scheme && !is_placeholder(password)).then(|| (start..start + password.len(), "a URL with its password"))
}

/// Three parts in base64, of which the first two begin with `{"`.
fn jwt(text: &str, at: usize) -> Option<(Range<usize>, &'static str)> {
    let bytes = text.as_bytes();
    if !bytes[at + 1..].starts_with(b"eyJ") {
        return None;
    }
    let before = bytes[..at].iter().rev().take(4096).take_while(|byte| is_base64(**byte)).count();
    let start = at - before;
    let payload = run(bytes, at + 1, is_base64);
    let signed = bytes.get(payload) == Some(&b'.') && run(bytes, payload + 1, is_base64) - payload > 10;
    (bytes[start..].starts_with(b"eyJ") && before > 10 && payload - at > 10 && signed)
        .then(|| (start..run(bytes, payload + 1, is_base64), "a JSON web token"))
}

/// `AKIA` and 16 capitals or digits.
fn aws(text: &str, at: usize) -> Option<(Range<usize>, &'static str)> {
    let bytes = text.as_bytes();
    let start = at.checked_sub(1)?;
    let is_key = bytes[start..].starts_with(b"AKIA");
    let end = run(bytes, at, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (is_key && end - start == 20 && is_boundary(bytes, start)).then_some((start..end, "an AWS access key"))
}

/// `AIza` and 35 more.
fn google(text: &str, at: usize) -> Option<(Range<usize>, &'static str)> {
    let bytes = text.as_bytes();
    let start = at.checked_sub(2)?;
    let end = run(bytes, at, is_base64);
    (bytes[start..].starts_with(b"AIza") && end - start == 39).then_some((start..end, "a Google API key"))
}

/// Whether a string is a password, by the words before it: `IDENTIFIED BY '…'`, `PASSWORD '…'`, `SET password = '…'`.
pub(super) fn is_password(text: &str, string: &str, before: Before) -> bool {
    const NAMES: [&str; 10] = [
        "PASSWORD",
        "PASSWD",
        "PWD",
        "SECRET",
        "API_KEY",
        "APIKEY",
        "SECRET_KEY",
        "CLIENT_SECRET",
        "ACCESS_TOKEN",
        "AUTH_TOKEN",
    ];
    let is = |at: usize, name: &str| before.words[at].is_some_and(|word: Lexeme| word.is_word(text, name));
    let named = NAMES.iter().any(|name| is(0, name));
    // `IDENTIFIED BY '…'`, `IDENTIFIED BY PASSWORD '…'`, `IDENTIFIED WITH plugin BY '…'`
    let identified = (is(0, "BY") || is(0, "AS")) && (1..4).any(|at| is(at, "IDENTIFIED"));
    let value = string.trim_matches(['\'', '"']);
    (named || identified) && !is_placeholder(value) && !is_hash(value)
}

/// What nobody can log in with.
fn is_placeholder(value: &str) -> bool {
    let first = value.chars().next();
    value.len() < 2
        || first.is_some_and(|sign| "${<%:?{[".contains(sign))
        || value.chars().all(|sign| Some(sign) == first)
        || value.contains("${")
        || value.contains("{{")
}

/// What a password is checked with, rather than the password.
fn is_hash(value: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let starts = ["$2", "$1$", "$5$", "$6$", "$argon2", "pbkdf2", "scrypt", "bcrypt", "SCRAM-", "{SSHA", "*"];
    starts.iter().any(|start| value.starts_with(start))
        || value.len() >= 32 && is_hex(value)
        || value.strip_prefix("md5").is_some_and(|rest| rest.len() == 32 && is_hex(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together, so that no scanner takes this file for what it is about.
    fn sample(parts: &[&str]) -> String {
        parts.concat()
    }

    #[test]
    fn secrets_are_found_where_they_begin_and_end() {
        let long = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
        let jwt = sample(&[
            "ey",
            "JhbGciOiJIUzI1NiJ9",
            ".ey",
            "JzdWIiOiIxMjM0NTY3ODkwIn0",
            ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
        ]);
        for (secret, what) in [
            (sample(&["AK", "IAIOSFODNN7EXAMPLE"]), "an AWS access key"),
            (sample(&["gh", "p_", long]), "a GitHub token"),
            (sample(&["gl", "pat-", long]), "a GitLab token"),
            (sample(&["xo", "xb-123456789012-", long]), "a Slack token"),
            (sample(&["sk_", "live_", long]), "a Stripe key"),
            (sample(&["AI", "zaSyA1234567890abcdefghijklmnopqrstuv"]), "a Google API key"),
            (sample(&["-----BEGIN RSA PRIV", "ATE KEY-----"]), "a private key"),
            (jwt, "a JSON web token"),
        ] {
            let text = format!("x {secret} y");
            let (range, found) = find(&text).unwrap_or_else(|| panic!("{secret}"));
            assert_eq!((&text[range], found), (secret.as_str(), what));
        }
        let url = "postgres://app:hunter2@db.example.org/shop";
        assert_eq!(find(url), Some((15..22, "a URL with its password")));
    }

    #[test]
    fn what_only_looks_alike_is_left_alone() {
        for text in [
            "AKIA",
            "xAKIAIOSFODNN7EXAMPLE",
            "AKIAIOSFODNN7EXAMPLEX",
            "ghp_short",
            "-----BEGIN PUBLIC KEY-----",
            "https://example.org/a:b@c",
            "postgres://app:${PASSWORD}@db/shop",
            "postgres://app:***@db/shop",
            "postgres://app@db/shop",
            "user@example.org: hello",
            "a.eyJ",
            "eyJ.eyJ.x",
            "://a:b@c",
            "-----------------",
            "snake_case_names_everywhere",
            "é-é_é:é.éKézé",
            "1.5",
            "",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
