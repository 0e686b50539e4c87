//! What a body says of itself before it is looked into, even when the rest of it cannot be read.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// The fields by which an AdmissionReview is answered; empty where they are not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) uid: String,
}

impl Envelope {
    /// What can be told from `body`, which may be cut off, nested too deep, or lack anything. Needs no more memory than the
    /// three texts.
    pub(super) fn skim(body: &[u8]) -> Self {
        let mut envelope = Self::default();
        // An error comes after what was told before it.
        let _ = Fields { envelope: &mut envelope, is_request: false }
            .deserialize(&mut serde_json::Deserializer::from_slice(body));
        envelope
    }

    /// Whether it is one that there is an answer to: a version that we speak, and a UID to name.
    pub(super) fn is_answerable(&self) -> bool {
        is_known(&self.api_version, &self.kind) && !self.uid.is_empty()
    }
}

/// Whether this is an AdmissionReview of a version that we speak.
pub(super) fn is_known(api_version: &str, kind: &str) -> bool {
    matches!(api_version, "admission.k8s.io/v1" | "admission.k8s.io/v1beta1") && kind == "AdmissionReview"
}

struct Fields<'a> {
    envelope: &'a mut Envelope,
    is_request: bool,
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an AdmissionReview")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { envelope, is_request } = self;
        while let Some(key) = map.next_key::<String>()? {
            match (is_request, key.as_str()) {
                (false, "apiVersion") => envelope.api_version = map.next_value()?,
                (false, "kind") => envelope.kind = map.next_value()?,
                (false, "request") => map.next_value_seed(Fields { envelope: &mut *envelope, is_request: true })?,
                (true, "uid") => envelope.uid = map.next_value()?,
                // Skipped without recursion, however deep it is.
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(body: &str) -> String {
        Envelope::skim(body.as_bytes()).uid
    }

    #[test]
    fn a_uid_is_told_from_what_cannot_be_read() {
        let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(uid(&format!(r#"{{"request":{{"object":{deep},"uid":"7"}}}}"#)), "7");
        assert_eq!(uid(r#"{"request":{"uid":"7","object":{"a"#), "7");
        assert_eq!(uid(r#"{"request":{"uid":7}}"#), "");
        for body in ["", "[]", "null", r#"{"uid":"7"}"#, r#"{"request":[]}"#, "\u{0}"] {
            assert_eq!(uid(body), "", "{body}");
        }
    }

    #[test]
    fn only_known_versions_are_answered() {
        let envelope = |api_version: &str| {
            let body = format!(
                r#"{{"kind":"AdmissionReview","apiVersion":"{api_version}","request":{{"uid":"7","object":}}}}"#
            );
            Envelope::skim(body.as_bytes())
        };
        assert!(
            envelope("admission.k8s.io/v1").is_answerable() && envelope("admission.k8s.io/v1beta1").is_answerable()
        );
        assert!(!envelope("admission.k8s.io/v2").is_answerable() && !Envelope::default().is_answerable());
    }
}
