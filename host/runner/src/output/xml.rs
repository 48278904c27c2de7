//! Text for XML.

/// Text of an element or attribute. What XML can't hold is shown as what it is.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter if letter.is_control() => escaped.push_str(&runner_policy::printable(&letter.to_string())),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_can_not_hold_is_escaped() {
        assert_eq!(escaped("a<b> & \"c\"\n\u{1}\u{ffff}ü"), "a&lt;b&gt; &amp; &quot;c&quot;&#10;\\u{1}\u{fffd}ü");
    }
}
