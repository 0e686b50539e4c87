//! The flags, width and precision of a directive.

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Specification {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    /// `-`: pads on the right.
    pub(super) minus: bool,
    /// `+`: always with a sign; nothing but ASCII in `%q`.
    pub(super) plus: bool,
    /// `#`: the alternate form.
    pub(super) sharp: bool,
    /// ` `: room for a sign that is left out, spaces between bytes.
    pub(super) space: bool,
    /// `0`: pads with zeros.
    pub(super) zero: bool,
    /// `%+v`: structs with the names of their fields.
    pub(super) plus_value: bool,
    /// `%#v`: as Go's source would write it.
    pub(super) sharp_value: bool,
}

impl Specification {
    /// `+` and `#` mean something else in `%v`.
    pub(super) fn for_values(self) -> Self {
        Self { plus_value: self.plus, sharp_value: self.sharp, plus: false, sharp: false, ..self }
    }
}
