//! Netlink attributes: a length, a type and a payload, padded to four bytes. Those of nf_tables hold big-endian numbers.

/// Set in the type of an attribute that holds attributes.
const NESTED: u16 = 0x8000;
/// What of a type is left without its flags.
const TYPE_MASK: u16 = 0x3fff;
/// Bytes before the payload.
const HEADER: usize = 4;

/// Appends an attribute.
///
/// A payload that is too long for its length field gets the longest there is, which the kernel refuses.
pub fn put(bytes: &mut Vec<u8>, kind: u16, payload: &[u8]) {
    let start = open(bytes, kind);
    bytes.extend_from_slice(payload);
    close(bytes, start);
}

/// Appends a big-endian number.
pub fn put_u32(bytes: &mut Vec<u8>, kind: u16, value: u32) {
    put(bytes, kind, &value.to_be_bytes());
}

/// Appends a big-endian number of 64 bits.
pub fn put_u64(bytes: &mut Vec<u8>, kind: u16, value: u64) {
    put(bytes, kind, &value.to_be_bytes());
}

/// Appends a text with its terminating zero.
pub fn put_text(bytes: &mut Vec<u8>, kind: u16, text: &str) {
    let start = open(bytes, kind);
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
    close(bytes, start);
}

/// Appends an attribute that holds what `content` appends.
pub fn nest(bytes: &mut Vec<u8>, kind: u16, content: impl FnOnce(&mut Vec<u8>)) {
    let start = open(bytes, kind | NESTED);
    content(bytes);
    close(bytes, start);
}

fn open(bytes: &mut Vec<u8>, kind: u16) -> usize {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&kind.to_ne_bytes());
    start
}

fn close(bytes: &mut Vec<u8>, start: usize) {
    let length = u16::try_from(bytes.len() - start).unwrap_or(u16::MAX);
    bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// The attributes in some bytes: type without flags, and payload. Ends where the bytes are not attributes any more.
#[derive(Clone, Debug)]
pub struct Attributes<'a>(&'a [u8]);

/// The attributes in `bytes`.
pub fn attributes(bytes: &[u8]) -> Attributes<'_> {
    Attributes(bytes)
}

impl<'a> Attributes<'a> {
    /// The payload of the first attribute of a type.
    pub fn get(&self, kind: u16) -> Option<&'a [u8]> {
        self.clone().find_map(|(found, payload)| (found == kind).then_some(payload))
    }

    /// A big-endian number.
    pub fn u32(&self, kind: u16) -> Option<u32> {
        self.get(kind)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// A big-endian number of 64 bits.
    pub fn u64(&self, kind: u16) -> Option<u64> {
        self.get(kind)?.try_into().ok().map(u64::from_be_bytes)
    }

    /// A text, with or without its terminating zero.
    pub fn text(&self, kind: u16) -> Option<&'a str> {
        let bytes = self.get(kind)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        str::from_utf8(&bytes[..end]).ok()
    }

    /// The attributes within an attribute; none if it is not there.
    pub fn nested(&self, kind: u16) -> Attributes<'a> {
        Attributes(self.get(kind).unwrap_or_default())
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (header, _) = self.0.split_first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]) & TYPE_MASK;
        let payload = self.0.get(HEADER..length)?;
        // The last one may lack its padding.
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, payload))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_put_is_found_again() {
        let mut bytes = vec![];
        put_u32(&mut bytes, 1, 7);
        nest(&mut bytes, 2, |bytes| put_text(bytes, 3, "lo"));
        put_u64(&mut bytes, 4, u64::MAX - 1);
        assert_eq!(bytes.len() % 4, 0);
        let found = attributes(&bytes);
        assert_eq!(found.u32(1), Some(7));
        assert_eq!(found.nested(2).text(3), Some("lo"));
        assert_eq!(found.nested(2).get(3), Some(&b"lo\0"[..]));
        assert_eq!(found.u64(4), Some(u64::MAX - 1));
        assert_eq!(found.u32(5), None);
    }

    #[test]
    fn a_payload_that_is_too_long_is_not_wrapped_around() {
        let mut bytes = vec![];
        put(&mut bytes, 1, &vec![0; 70_000]);
        assert_eq!(bytes[..2], u16::MAX.to_ne_bytes());
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let total: usize = attributes(&bytes).map(|(_, payload)| payload.len() + HEADER).sum();
            prop_assert!(total <= bytes.len());
        }
    }
}
