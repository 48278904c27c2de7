//! Keeps what a channel must not tell out of every text that is given back.

/// What stands in its place.
const MASK: &str = "***";
/// Shorter texts are too common to be looked for.
const SHORTEST: usize = 3;

/// Texts that are replaced wherever they turn up.
#[derive(Clone, Default)]
pub(crate) struct Mask {
    /// The longest first, so that a part never uncovers the rest.
    hidden: Vec<String>,
}

impl Mask {
    pub(crate) fn of<'a>(hidden: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hidden: Vec<String> =
            hidden.into_iter().filter(|text| text.len() >= SHORTEST).map(str::to_owned).collect();
        hidden.sort_by_key(|text| std::cmp::Reverse(text.len()));
        hidden.dedup();
        Mask { hidden }
    }

    pub(crate) fn apply(&self, text: &str) -> String {
        self.hidden.iter().fold(text.to_owned(), |text, hidden| {
            if text.contains(hidden.as_str()) { text.replace(hidden.as_str(), MASK) } else { text }
        })
    }

    /// The same for a text that was cut off somewhere, as what is read of an answer: at its end there may be a part of what is
    /// hidden.
    pub(crate) fn apply_to_part(&self, text: &str) -> String {
        let masked = self.apply(text);
        let cut = self.hidden.iter().filter_map(|hidden| {
            let parts = hidden.char_indices().map(|(end, _)| end).filter(|end| *end >= SHORTEST).rev();
            parts.filter_map(|end| hidden.get(..end)).find_map(|part| masked.strip_suffix(part))
        });
        match cut.min_by_key(|kept| kept.len()) {
            Some(kept) => format!("{kept}{MASK}"),
            None => masked,
        }
    }
}

/// What of an address must not be shown: all of it, what follows the host, and each part of that which could be a token.
pub(crate) fn parts_of(address: &reqwest::Url) -> Vec<String> {
    /// Shorter values are too common to be looked for.
    const TOKEN: usize = 6;
    let mut parts = vec![address.to_string(), address.to_string().trim_end_matches('/').to_owned()];
    let rest = match address.query() {
        Some(query) => format!("{}?{query}", address.path()),
        None => address.path().to_owned(),
    };
    if rest.len() > 1 {
        parts.push(rest);
    }
    let pieces = address.path_segments().into_iter().flatten().filter(|piece| !is_word(piece)).map(str::to_owned);
    let values = address.query_pairs().map(|(_, value)| value.into_owned());
    let user = [address.username().to_owned(), address.password().unwrap_or_default().to_owned()];
    parts.extend(pieces.chain(values).chain(user).filter(|part| part.len() >= TOKEN));
    parts
}

/// Whether a part of a path is a word such as `services`, which a message may hold as well, rather than a token.
fn is_word(piece: &str) -> bool {
    /// Words are rarely longer.
    const LONGEST_WORD: usize = 20;
    let is_lower = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    piece.len() <= LONGEST_WORD && piece.split(['-', '_']).all(|part| is_lower(part) || part == "v1" || part == "v2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_is_hidden_first() {
        let mask = Mask::of(["token", "https://h/token", "x"]);
        assert_eq!(mask.apply("x at https://h/token: token"), "x at ***: ***");
    }

    #[test]
    fn every_part_of_an_address_that_could_be_a_token_is_hidden() {
        let address =
            reqwest::Url::parse("https://hooks.example/services/T0AAAA/B0BBBB/sEcReT99?key=abcdef12").unwrap();
        let mask = Mask::of(parts_of(&address).iter().map(String::as_str));
        for text in [address.as_str(), "sEcReT99", "key abcdef12", "/services/T0AAAA/B0BBBB/sEcReT99?key=abcdef12"] {
            let masked = mask.apply(text);
            assert!(
                !masked.contains("sEcReT99") && !masked.contains("abcdef12") && !masked.contains("T0AAAA"),
                "{masked}"
            );
        }
    }

    #[test]
    fn words_of_an_address_are_left_in_messages() {
        let address =
            reqwest::Url::parse("https://h.example/api/v2/hooks/production-alerts/T0AAAA/abcdefghijklmnopqrstuv");
        let mask = Mask::of(parts_of(&address.unwrap()).iter().map(String::as_str));
        let said = "production-alerts: table hooks of production, not T0AAAA or abcdefghijklmnopqrstuv";
        assert_eq!(mask.apply(said), "production-alerts: table hooks of production, not *** or ***");
    }

    #[test]
    fn a_part_at_the_end_is_hidden() {
        let mask = Mask::of(["sEcReT-token", "other"]);
        assert_eq!(mask.apply_to_part("Authorization: Bearer sEcReT-tok"), "Authorization: Bearer ***");
        assert_eq!(mask.apply_to_part("sEcReT-token and sEc"), "*** and ***");
        assert_eq!(mask.apply_to_part("nothing"), "nothing");
        assert_eq!(mask.apply_to_part("an oth"), "an ***");
    }
}
