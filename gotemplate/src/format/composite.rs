//! Operands of any kind, and values made of others.

use super::printer::Printer;
use super::scalar::{Integer, Unprinted};
use crate::function::FunctionError;
use crate::named::Display;
use crate::types::{Kind, Type, UintKind};
use crate::value::{List, Map, Pointer, Struct, Value};

/// Stands for all addresses, so that the same template prints the same text each time.
const ADDRESS: u64 = 0xc0_0001_2340;

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place {
    /// Not within another value: there a pointer shows what it points to.
    is_top: bool,
    /// Not within a field that is not exported: only then it is asked how it prints.
    is_exported: bool,
}

impl Printer<'_> {
    /// Prints an operand as a verb asks for.
    pub(super) fn operand(&mut self, operand: &Value, verb: char) -> Result<(), FunctionError> {
        let operand = without_interface(operand);
        match (operand, verb) {
            (Value::Nil, 'T' | 'v') => self.padded(|out| out.extend_from_slice(b"<nil>")),
            (Value::Nil, _) => self.complaint(operand, verb),
            (_, 'T') => {
                let name = operand.type_of().map(|given| given.to_string()).unwrap_or_default();
                self.string(name.as_bytes(), 's').or_else(|unprinted| self.recover(unprinted, operand, verb))
            }
            (_, 'p') => self.address(operand, verb),
            (Value::List(list), 'v' | 'd' | 's' | 'q' | 'x' | 'X') if *list.element_type() == BYTE => {
                self.byte_list(list, verb, "[]byte")
            }
            (Value::List(list), _) if *list.element_type() == BYTE => self.contents(operand, verb, Place::TOP),
            _ => {
                if is_scalar(operand) || !self.by_method(operand, verb)? {
                    self.contents(operand, verb, Place::TOP)?;
                }
                Ok(())
            }
        }
    }

    /// Prints that a verb is not for such an operand: `%!d(string=x)`.
    fn complaint(&mut self, operand: &Value, verb: char) -> Result<(), FunctionError> {
        self.complaint_of(operand.type_of().as_ref(), operand, verb)
    }

    fn complaint_of(&mut self, given: Option<&Type>, operand: &Value, verb: char) -> Result<(), FunctionError> {
        self.is_complaint = true;
        self.text("%!");
        self.character(verb);
        self.text("(");
        match given {
            None => self.text("<nil>"),
            Some(given) => {
                self.display(given);
                self.text("=");
                self.contents(operand, 'v', Place::TOP)?;
            }
        }
        self.text(")");
        self.is_complaint = false;
        Ok(())
    }

    fn recover(&mut self, unprinted: Unprinted, operand: &Value, verb: char) -> Result<(), FunctionError> {
        match unprinted {
            Unprinted::BadVerb => self.complaint(operand, verb),
            Unprinted::Failed(error) => Err(error),
        }
    }

    /// Prints by the operand's `Error` or `String` method, if it has one and the verb is for texts.
    fn by_method(&mut self, operand: &Value, verb: char) -> Result<bool, FunctionError> {
        match verb {
            _ if self.is_complaint => return Ok(false),
            'w' => self.complaint(operand, verb)?,
            'v' | 's' | 'x' | 'X' | 'q' if !self.flags.go_syntax => match display_of(operand) {
                None => return Ok(false),
                // Go calls the method all the same, and prints this when it fails for lack of a receiver.
                Some((_, None)) => self.text("<nil>"),
                Some((display, Some(receiver))) => {
                    let text = display(receiver);
                    self.string(&text, verb).or_else(|unprinted| self.recover(unprinted, operand, verb))?;
                }
            },
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Prints a value within another, which is declared to be of type `declared` there.
    fn nested(&mut self, value: &Value, declared: &Type, verb: char, is_exported: bool) -> Result<(), FunctionError> {
        self.step()?;
        let value = without_interface(value);
        if matches!(value, Value::Nil) {
            return match declared.kind() {
                Kind::Interface | Kind::Invalid if self.flags.go_syntax => {
                    self.display(declared);
                    self.text("(nil)");
                    Ok(())
                }
                Kind::Interface | Kind::Invalid => {
                    self.text("<nil>");
                    Ok(())
                }
                Kind::Function => self.address_of(declared, 0, value, verb),
                _ => self.contents(&declared.zero(), verb, Place { is_top: false, is_exported }),
            };
        }
        if is_exported && self.by_method(value, verb)? {
            return Ok(());
        }
        self.contents(value, verb, Place { is_top: false, is_exported })
    }

    /// Prints a value as it is, without asking it.
    fn contents(&mut self, value: &Value, verb: char, place: Place) -> Result<(), FunctionError> {
        let mut plain = value;
        while let Value::Named(named) = plain {
            plain = named.value();
        }
        match plain {
            Value::List(list) => self.list(value, list, verb, place),
            Value::Map(map) => self.map(value, map, verb, place),
            Value::Struct(structure) => self.structure(value, structure, verb, place),
            Value::Pointer(pointer) => self.pointer(value, pointer, verb, place),
            Value::Function(_) => self.address(value, verb),
            Value::Nil => self.padded(|out| out.extend_from_slice(b"<nil>")),
            scalar => self.scalar(scalar, verb).or_else(|unprinted| self.recover(unprinted, value, verb)),
        }
    }

    fn list(&mut self, value: &Value, list: &List, verb: char, place: Place) -> Result<(), FunctionError> {
        let element = list.element_type();
        let is_bytes = element.kind() == Kind::Uint(UintKind::Uint8);
        if is_bytes && matches!(verb, 's' | 'q' | 'x' | 'X') {
            return self.byte_list(list, verb, "");
        }
        if self.open(value, list.is_nil(), "[") {
            return Ok(());
        }
        self.descend(|this| {
            for (position, item) in list.iter().enumerate() {
                this.separator(position);
                this.nested(item, element, verb, place.is_exported)?;
            }
            Ok(())
        })?;
        self.text(if self.flags.go_syntax { "}" } else { "]" });
        Ok(())
    }

    /// Prints a list of bytes, as a text for the verbs that are for texts.
    fn byte_list(&mut self, list: &List, verb: char, type_name: &str) -> Result<(), FunctionError> {
        let bytes = list.iter().map(|item| match item.underlying() {
            Value::Uint(byte, _) => *byte as u8,
            _ => 0,
        });
        if !matches!(verb, 'v' | 'd') {
            let text: Vec<u8> = bytes.collect();
            return self.string(&text, verb).or_else(|unprinted| match unprinted {
                Unprinted::BadVerb => Ok(()),
                Unprinted::Failed(error) => Err(error),
            });
        }
        let go_syntax = self.flags.go_syntax;
        if go_syntax {
            self.text(type_name);
            if list.is_nil() {
                self.text("(nil)");
                return Ok(());
            }
        }
        self.text(if go_syntax { "{" } else { "[" });
        for (position, byte) in bytes.enumerate() {
            self.separator(position);
            self.step()?;
            match go_syntax {
                true => self.hexadecimal(u64::from(byte), true)?,
                false => self.digits(Integer { bits: u64::from(byte), is_signed: false }, 'd')?,
            }
        }
        self.text(if go_syntax { "}" } else { "]" });
        Ok(())
    }

    fn map(&mut self, value: &Value, map: &Map, verb: char, place: Place) -> Result<(), FunctionError> {
        if self.open(value, map.is_nil(), "map[") {
            return Ok(());
        }
        let (key_type, element) = (map.key_type(), map.element_type());
        self.descend(|this| {
            for (position, (key, item)) in map.entries().into_iter().enumerate() {
                this.separator(position);
                let key = match key_type {
                    Type::Named(named) if named.kind() != Kind::Interface => {
                        Value::named(named.clone(), key.into_value())
                    }
                    _ => key.into_value(),
                };
                this.nested(&key, key_type, verb, place.is_exported)?;
                this.text(":");
                this.nested(&item, element, verb, place.is_exported)?;
            }
            Ok(())
        })?;
        self.text(if self.flags.go_syntax { "}" } else { "]" });
        Ok(())
    }

    fn structure(&mut self, value: &Value, structure: &Struct, verb: char, place: Place) -> Result<(), FunctionError> {
        self.open(value, false, "{");
        let has_names = self.flags.field_names || self.flags.go_syntax;
        self.descend(|this| {
            let fields = structure.struct_type().fields().iter().zip(structure.fields());
            for (position, (field, item)) in fields.enumerate() {
                this.separator(position);
                if has_names {
                    this.bytes(field.name.as_bytes())?;
                    this.text(":");
                }
                this.nested(item, &field.field_type, verb, place.is_exported && field.is_exported())?;
            }
            Ok(())
        })?;
        self.text("}");
        Ok(())
    }

    fn pointer(&mut self, value: &Value, pointer: &Pointer, verb: char, place: Place) -> Result<(), FunctionError> {
        match pointer.target() {
            Some(target) if place.is_top && matches!(target.kind(), Kind::List | Kind::Struct | Kind::Map) => {
                self.text("&");
                self.nested(target, pointer.target_type(), verb, place.is_exported)
            }
            _ => self.address(value, verb),
        }
    }

    /// Begins a list, map or struct. True when that was all, since it is nil and prints so.
    fn open(&mut self, value: &Value, is_nil: bool, bracket: &str) -> bool {
        if !self.flags.go_syntax {
            self.text(bracket);
            return false;
        }
        if let Some(given) = value.type_of() {
            self.display(given);
        }
        self.text(if is_nil { "(nil)" } else { "{" });
        is_nil
    }

    fn separator(&mut self, position: usize) {
        if position > 0 {
            self.text(if self.flags.go_syntax { ", " } else { " " });
        }
    }

    /// Prints where a value is, if it is of a kind that has an address.
    fn address(&mut self, value: &Value, verb: char) -> Result<(), FunctionError> {
        match (value.type_of(), value.kind()) {
            (Some(given), Kind::Pointer | Kind::Map | Kind::List | Kind::Function) => {
                self.address_of(&given, if value.is_nil() { 0 } else { ADDRESS }, value, verb)
            }
            _ => self.complaint(value, verb),
        }
    }

    fn address_of(&mut self, given: &Type, address: u64, value: &Value, verb: char) -> Result<(), FunctionError> {
        match verb {
            'v' if self.flags.go_syntax => {
                self.text("(");
                self.display(given);
                self.text(")(");
                match address {
                    0 => self.text("nil"),
                    _ => self.hexadecimal(address, true)?,
                }
                self.text(")");
                Ok(())
            }
            'v' if address == 0 => self.padded(|out| out.extend_from_slice(b"<nil>")),
            'v' | 'p' => self.hexadecimal(address, !self.flags.sharp),
            'b' | 'o' | 'd' | 'x' | 'X' => self.digits(Integer { bits: address, is_signed: false }, verb),
            _ => self.complaint_of(Some(given), value, verb),
        }
    }
}

impl Place {
    const TOP: Self = Self { is_top: true, is_exported: true };
}

const BYTE: Type = Type::Uint(UintKind::Uint8);

/// A variable of an interface type shows what it holds.
fn without_interface(value: &Value) -> &Value {
    let mut value = value;
    while let Value::Named(named) = value {
        if named.named_type().kind() != Kind::Interface {
            break;
        }
        value = named.value();
    }
    value
}

fn is_scalar(value: &Value) -> bool {
    matches!(
        value,
        Value::Bool(_) | Value::Int(..) | Value::Uint(..) | Value::Float(..) | Value::Complex(..) | Value::String(_)
    )
}

/// How a value prints by a method, and the receiver; none for a nil pointer. A method with a pointer receiver gets the
/// pointer.
fn display_of(value: &Value) -> Option<(&Display, Option<&Value>)> {
    let (named, pointer) = match value {
        Value::Struct(structure) => (structure.struct_type(), None),
        Value::Named(named) => (named.named_type(), None),
        Value::Pointer(pointer) => match pointer.target_type() {
            Type::Named(named) => (named, Some(pointer)),
            _ => return None,
        },
        _ => return None,
    };
    let definition = named.definition();
    let display = definition.display.as_ref()?;
    match (pointer, definition.display_of_pointer) {
        (None, true) => None,
        (None, false) => Some((display, Some(value))),
        (Some(pointer), true) => Some((display, pointer.target().map(|_| value))),
        (Some(pointer), false) => Some((display, pointer.target())),
    }
}
