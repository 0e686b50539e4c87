//! Names of objects of the cluster, as flags give them: they become parts of the paths that the API server is asked for.

/// The name of a namespace (RFC 1123: a label). Empty is what a script gives that has none to give.
///
/// # Errors
/// When no namespace can have it.
pub fn namespace(text: &str) -> Result<String, String> {
    let is_name = text.len() <= 63 && !text.contains('.') && has_form_of_name(text);
    if is_name || text.is_empty() {
        return Ok(text.to_owned());
    }
    Err("use at most 63 lower-case letters, digits and '-', with a letter or digit at both ends".to_owned())
}

/// The name of another object (RFC 1123: a subdomain).
///
/// # Errors
/// When no object can have it.
pub fn object(text: &str) -> Result<String, String> {
    if text.len() <= 253 && has_form_of_name(text) {
        return Ok(text.to_owned());
    }
    Err("use at most 253 lower-case letters, digits, '-' and '.', with a letter or digit at both ends".to_owned())
}

fn has_form_of_name(text: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(is_alphanumeric)
        && text.ends_with(is_alphanumeric)
        && text.chars().all(|c| is_alphanumeric(c) || matches!(c, '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_elsewhere_is_no_name() {
        for name in ["a/../b", "x?limit=1", "..", "a#b", "a%2fb", "A", "-a", &"a".repeat(254)] {
            assert!(namespace(name).is_err() && object(name).is_err(), "{name}");
        }
        assert!(namespace("demo-1").is_ok() && namespace("").is_ok() && namespace("a.b").is_err());
        assert!(object("istio-ca.v1").is_ok() && object("").is_err());
    }
}
