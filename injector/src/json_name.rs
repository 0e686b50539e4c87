//! Protobuf's names in JSON.

/// Protobuf's JSON form of a field name: `trust_domain` is `trustDomain`.
pub(crate) fn lower_camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        name + &letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined() {
        assert_eq!(["trust_domain", "a", "a_b_cd", ""].map(lower_camel), ["trustDomain", "a", "aBCd", ""]);
    }
}
