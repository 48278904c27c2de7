//! Texts that fit: receivers have limits, and foreign text must not break a form.

/// The beginning of a text of at most `most` characters; where something is missing, it ends with `…`.
#[must_use]
pub fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// One line without control characters, of at most `most` characters, for what a receiver says.
pub(crate) fn line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_whitespace() || letter.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    clipped(&words.join(" "), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_end_where_they_must() {
        assert_eq!(clipped("abcdef", 6), "abcdef");
        assert_eq!(clipped("abc def", 5), "abc…");
        assert_eq!(clipped("äöü", 2), "ä…");
        assert_eq!(line("no\r\nsuch \u{1b}[2J team\n", 40), "no such [2J team");
    }
}
