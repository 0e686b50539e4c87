//! What is kept with a rule for whoever wrote it. The kernel keeps it unread; other tools skip types that they do not know.

/// Type of our entry: `S`.
const OURS: u8 = b'S';

/// What marks a rule as ours: an entry of one type byte, one length byte and no content.
pub const MARK: [u8; 2] = [OURS, 0];

/// Whether a rule's data has our entry.
pub fn is_marked(mut data: &[u8]) -> bool {
    while let [kind, length, rest @ ..] = data {
        if *kind == OURS {
            return true;
        }
        data = rest.get(usize::from(*length)..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_entry_is_found_among_others() {
        assert!(is_marked(&MARK));
        assert!(is_marked(&[&[0, 3, b'a', b'b', 0][..], &MARK].concat()));
        assert!(!is_marked(&[0, 2, OURS, 0]));
        assert!(!is_marked(&[0, 200, OURS, 0]));
        assert!(!is_marked(&[]));
        assert!(!is_marked(&[OURS]));
    }
}
