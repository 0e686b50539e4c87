//! Values that hold others, and those that print by a method of theirs.

use super::scalar::Integer;
use super::{Printer, Result};
use crate::named::NamedType;
use crate::stack;
use crate::text::Str;
use crate::types::{Kind, Type, UintKind};
use crate::value::{List, Map, Pointer, Struct, Value};

/// There are no addresses to show. This one looks like Go's.
const ADDRESS: u64 = 0xc0_0001_2340;

/// Where a value stands.
#[derive(Clone, Copy)]
struct Position {
    /// Not an argument itself, but within one.
    is_nested: bool,
    /// Within a field that is not exported: methods are not called.
    is_hidden: bool,
}

const TOP: Position = Position { is_nested: false, is_hidden: false };

impl Printer<'_> {
    /// Appends an argument.
    pub(super) fn argument(&mut self, value: &Value, verb: char) -> Result<()> {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.padded(b"<nil>"),
            (_, 'T') => {
                let name = value.type_of().map(|own| own.to_string()).unwrap_or_default();
                self.text(name.as_bytes(), 's')?;
            }
            (Value::Nil, _) => self.bad_verb(value, verb)?,
            (_, 'p') => self.address(value, verb)?,
            (Value::List(list), _) if *list.element_type() == Type::Uint(UintKind::Uint8) => {
                self.bytes(list, verb, TOP)?;
            }
            _ if self.scalar(value, verb)? => {}
            _ if self.by_method(value, verb)? => {}
            _ => self.contents(value, verb, TOP)?,
        }
        self.settle()
    }

    /// Appends `%!verb(type=value)`.
    fn bad_verb(&mut self, value: &Value, verb: char) -> Result<()> {
        self.push(b"%!");
        self.push_character(verb);
        self.push(b"(");
        match value.type_of() {
            None => self.push(b"<nil>"),
            Some(own) => {
                self.push(own.to_string().as_bytes());
                self.push(b"=");
                let was_complaining = std::mem::replace(&mut self.is_complaining, true);
                self.contents(value, 'v', TOP)?;
                self.is_complaining = was_complaining;
            }
        }
        self.push(b")");
        Ok(())
    }

    /// Appends what the value's own method says, if it has one and the verb is for texts.
    fn by_method(&mut self, value: &Value, verb: char) -> Result<bool> {
        if self.is_complaining {
            return Ok(false);
        }
        if verb == 'w' {
            self.bad_verb(value, verb)?;
            return Ok(true);
        }
        if self.specification.sharp_value || !matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            return Ok(false);
        }
        match display(value) {
            Displayed::No => Ok(false),
            Displayed::OfNil => {
                self.push(b"<nil>");
                Ok(true)
            }
            Displayed::As(text) => self.text(text.as_bytes(), verb),
        }
    }

    /// Appends a value within another.
    fn nested(&mut self, value: &Value, verb: char, hidden: bool) -> Result<()> {
        self.budget.step()?;
        self.settle()?;
        match value {
            Value::Nil if self.specification.sharp_value => self.push(b"interface {}(nil)"),
            Value::Nil => self.push(b"<nil>"),
            value => {
                if hidden || !self.by_method(value, verb)? {
                    let position = Position { is_nested: true, is_hidden: hidden };
                    stack::with_room(|| self.contents(value, verb, position))?;
                }
            }
        }
        Ok(())
    }

    fn contents(&mut self, value: &Value, verb: char, position: Position) -> Result<()> {
        match value.underlying() {
            Value::Map(map) => self.map(value, map, verb, position),
            Value::Struct(structure) => self.structure(structure, verb, position),
            Value::List(list) => self.list(value, list, verb, position),
            Value::Pointer(pointer) => self.pointer(value, pointer, verb, position),
            Value::Function(_) => self.address(value, verb),
            scalar => match self.scalar(scalar, verb)? {
                true => Ok(()),
                false => self.bad_verb(value, verb),
            },
        }
    }

    fn map(&mut self, value: &Value, map: &Map, verb: char, position: Position) -> Result<()> {
        let close: &[u8] = match self.specification.sharp_value {
            true => {
                self.type_name(value);
                if map.is_nil() {
                    self.push(b"(nil)");
                    return Ok(());
                }
                self.push(b"{");
                b"}"
            }
            false => {
                self.push(b"map[");
                b"]"
            }
        };
        for (place, (key, item)) in map.entries().into_iter().enumerate() {
            self.separator(place);
            self.nested(&key.into_value(), verb, position.is_hidden)?;
            self.push(b":");
            self.nested(&item, verb, position.is_hidden)?;
        }
        self.push(close);
        Ok(())
    }

    fn structure(&mut self, structure: &Struct, verb: char, position: Position) -> Result<()> {
        let specification = self.specification;
        if specification.sharp_value {
            self.push(structure.struct_type().name().as_bytes());
        }
        self.push(b"{");
        for (place, (field, item)) in structure.struct_type().fields().iter().zip(structure.fields()).enumerate() {
            self.separator(place);
            if specification.plus_value || specification.sharp_value {
                self.push(field.name.as_bytes());
                self.push(b":");
            }
            self.nested(item, verb, position.is_hidden || !field.is_exported())?;
        }
        self.push(b"}");
        Ok(())
    }

    fn list(&mut self, value: &Value, list: &List, verb: char, position: Position) -> Result<()> {
        let is_bytes = list.element_type().kind() == Kind::Uint(UintKind::Uint8);
        if is_bytes && matches!(verb, 's' | 'q' | 'x' | 'X') {
            return self.bytes(list, verb, position);
        }
        let close: &[u8] = match self.specification.sharp_value {
            true => {
                self.type_name(value);
                if list.is_nil() {
                    self.push(b"(nil)");
                    return Ok(());
                }
                self.push(b"{");
                b"}"
            }
            false => {
                self.push(b"[");
                b"]"
            }
        };
        for (place, item) in list.iter().enumerate() {
            self.separator(place);
            self.nested(item, verb, position.is_hidden)?;
        }
        self.push(close);
        Ok(())
    }

    /// A list of bytes, which the verbs for texts take for a text.
    fn bytes(&mut self, list: &List, verb: char, position: Position) -> Result<()> {
        let byte = |item: &Value| match item.underlying() {
            Value::Uint(byte, _) => *byte as u8,
            _ => 0,
        };
        match verb {
            's' | 'x' | 'X' => {
                self.budget.allocate(list.len())?;
                let bytes: Vec<u8> = list.iter().map(byte).collect();
                self.text(&bytes, verb).map(drop)
            }
            'q' => {
                let bytes: Vec<u8> = list.iter().map(byte).collect();
                self.quoted(&bytes)
            }
            'v' | 'd' if self.specification.sharp_value && !position.is_nested => self.byte_literals(list, byte),
            'v' | 'd' => {
                self.push(b"[");
                for (place, item) in list.iter().enumerate() {
                    self.separator(place);
                    self.integer(Integer::Unsigned(u64::from(byte(item))), 'd');
                    self.settle()?;
                }
                self.push(b"]");
                Ok(())
            }
            _ => self.list(&Value::List(list.clone()), list, verb, position),
        }
    }

    fn byte_literals(&mut self, list: &List, byte: impl Fn(&Value) -> u8) -> Result<()> {
        self.push(b"[]byte");
        if list.is_nil() {
            self.push(b"(nil)");
            return Ok(());
        }
        self.push(b"{");
        for (place, item) in list.iter().enumerate() {
            self.separator(place);
            self.hexadecimal(u64::from(byte(item)), true);
            self.settle()?;
        }
        self.push(b"}");
        Ok(())
    }

    fn pointer(&mut self, value: &Value, pointer: &Pointer, verb: char, position: Position) -> Result<()> {
        match pointer.target() {
            Some(target) if !position.is_nested && matches!(target.kind(), Kind::List | Kind::Map | Kind::Struct) => {
                self.push(b"&");
                // By its contents: a method of the value would have been one of the pointer.
                let inner = Position { is_nested: true, ..position };
                if self.is_complaining || !self.by_method(target, verb)? {
                    self.contents(target, verb, inner)?;
                }
                Ok(())
            }
            _ => self.address(value, verb),
        }
    }

    /// Appends a made-up address, for the verbs that show one.
    fn address(&mut self, value: &Value, verb: char) -> Result<()> {
        if !matches!(value.kind(), Kind::Function | Kind::Map | Kind::Pointer | Kind::List) {
            return self.bad_verb(value, verb);
        }
        let address = if value.is_nil() { 0 } else { ADDRESS };
        let sharp = self.specification.sharp;
        match verb {
            'v' if self.specification.sharp_value => {
                self.push(b"(");
                self.type_name(value);
                self.push(b")(");
                match address {
                    0 => self.push(b"nil"),
                    address => self.hexadecimal(address, true),
                }
                self.push(b")");
            }
            'v' if address == 0 => self.padded(b"<nil>"),
            'v' | 'p' => self.hexadecimal(address, !sharp),
            'b' | 'o' | 'd' | 'x' | 'X' => {
                self.integer(Integer::Unsigned(address), verb);
            }
            _ => self.bad_verb(value, verb)?,
        }
        Ok(())
    }

    fn type_name(&mut self, value: &Value) {
        let name = value.type_of().map(|own| own.to_string()).unwrap_or_default();
        self.push(name.as_bytes());
    }

    fn separator(&mut self, place: usize) {
        match (place, self.specification.sharp_value) {
            (0, _) => {}
            (_, true) => self.push(b", "),
            (_, false) => self.push(b" "),
        }
    }
}

/// What a value's own method says.
enum Displayed {
    No,
    /// The method wants a value where there is only nil.
    OfNil,
    As(Str),
}

fn display(value: &Value) -> Displayed {
    let own = |named: &NamedType| {
        let definition = named.definition();
        definition.display.clone().map(|display| (display, definition.display_of_pointer))
    };
    match value {
        Value::Struct(structure) => match own(structure.struct_type()) {
            Some((display, false)) => Displayed::As(display(value)),
            _ => Displayed::No,
        },
        Value::Named(named) => match own(named.named_type()) {
            Some((display, false)) => Displayed::As(display(value)),
            _ => Displayed::No,
        },
        Value::Pointer(pointer) => {
            let Type::Named(named) = pointer.target_type() else { return Displayed::No };
            match (own(named), pointer.target()) {
                (None, _) => Displayed::No,
                (Some(_), None) => Displayed::OfNil,
                (Some((display, true)), Some(_)) => Displayed::As(display(value)),
                (Some((display, false)), Some(target)) => Displayed::As(display(target)),
            }
        }
        _ => Displayed::No,
    }
}
