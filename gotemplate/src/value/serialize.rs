//! Values from anything that serde can serialize.

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Error as _};

use super::{Key, List, Map, Value};
use crate::stack;
use crate::types::{IntKind, Type, UintKind};

/// A value of Rust has no counterpart in Go, or its `Serialize` failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerializeError(String);

impl Value {
    /// The value that `value` serializes to.
    ///
    /// Numbers keep their sizes: a `u16` is a `uint16`, an `f64` a `float64`. `None` and `()` are nil. Structs and maps
    /// are `map[string]interface {}` by the names that serde gives the fields, so that `{{.name}}` finds `name`; a map
    /// with integers for keys is `map[int64]interface {}` or `map[uint64]interface {}`. Sequences and tuples are
    /// `[]interface {}`, bytes are `[]uint8`. A variant of an enum is its name, or a map of its name to its content.
    ///
    /// # Errors
    /// When a key of a map is neither a text nor an integer, or a number has more than 64 bits, or serializing fails.
    pub fn from_serialize(value: &(impl Serialize + ?Sized)) -> Result<Self, SerializeError> {
        stack::with_room(|| value.serialize(Serializer))
    }
}

struct Serializer;

/// A list in the making.
struct Items {
    variant: Option<&'static str>,
    items: Vec<Value>,
}

/// A map in the making.
struct Entries {
    variant: Option<&'static str>,
    key: Option<Key>,
    entries: Vec<(Key, Value)>,
}

fn within(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(name) => Map::of(Type::Any, [(name, value)]).into(),
        None => value,
    }
}

macro_rules! plain {
    ($($method:ident: $rust:ty;)*) => {$(
        fn $method(self, value: $rust) -> Result<Value, SerializeError> {
            Ok(Value::from(value))
        }
    )*};
}

impl ser::Serializer for Serializer {
    type Ok = Value;
    type Error = SerializeError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    plain! {
        serialize_bool: bool;
        serialize_i8: i8;
        serialize_i16: i16;
        serialize_i32: i32;
        serialize_i64: i64;
        serialize_u8: u8;
        serialize_u16: u16;
        serialize_u32: u32;
        serialize_u64: u64;
        serialize_f32: f32;
        serialize_f64: f64;
        serialize_str: &str;
    }

    fn serialize_char(self, value: char) -> Result<Value, SerializeError> {
        Ok(value.to_string().into())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Value, SerializeError> {
        let items = bytes.iter().map(|byte| Value::from(*byte)).collect();
        Ok(List::new(Type::Uint(UintKind::Uint8), items).into())
    }

    fn serialize_none(self) -> Result<Value, SerializeError> {
        Ok(Value::Nil)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, SerializeError> {
        Value::from_serialize(value)
    }

    fn serialize_unit(self) -> Result<Value, SerializeError> {
        Ok(Value::Nil)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, SerializeError> {
        Ok(Value::Nil)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, SerializeError> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, SerializeError> {
        Value::from_serialize(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, SerializeError> {
        Ok(within(Some(variant), Value::from_serialize(value)?))
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Items, SerializeError> {
        Ok(Items { variant: None, items: Vec::new() })
    }

    fn serialize_tuple(self, _length: usize) -> Result<Items, SerializeError> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _length: usize) -> Result<Items, SerializeError> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Items, SerializeError> {
        Ok(Items { variant: Some(variant), items: Vec::new() })
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Entries, SerializeError> {
        Ok(Entries { variant: None, key: None, entries: Vec::new() })
    }

    fn serialize_struct(self, _: &'static str, _length: usize) -> Result<Entries, SerializeError> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Entries, SerializeError> {
        Ok(Entries { variant: Some(variant), key: None, entries: Vec::new() })
    }
}

macro_rules! sequences {
    ($($trait:ident $method:ident;)*) => {$(
        impl ser::$trait for Items {
            type Ok = Value;
            type Error = SerializeError;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), SerializeError> {
                self.items.push(Value::from_serialize(item)?);
                Ok(())
            }

            fn end(self) -> Result<Value, SerializeError> {
                Ok(within(self.variant, List::any(self.items).into()))
            }
        }
    )*};
}

sequences! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! structs {
    ($($trait:ident;)*) => {$(
        impl ser::$trait for Entries {
            type Ok = Value;
            type Error = SerializeError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), SerializeError> {
                self.entries.push((Key::String(name.into()), Value::from_serialize(value)?));
                Ok(())
            }

            fn end(self) -> Result<Value, SerializeError> {
                Ok(self.finish())
            }
        }
    )*};
}

structs! {
    SerializeStruct;
    SerializeStructVariant;
}

impl ser::SerializeMap for Entries {
    type Ok = Value;
    type Error = SerializeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerializeError> {
        let key = Value::from_serialize(key)?;
        let usable = match key {
            Value::Int(number, _) => Some(Key::Int(number, IntKind::Int64)),
            Value::Uint(number, _) => Some(Key::Uint(number, UintKind::Uint64)),
            Value::String(text) => Some(Key::String(text)),
            _ => None,
        };
        self.key =
            Some(usable.ok_or_else(|| SerializeError::custom("a key of a map is neither a text nor an integer"))?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        let value = Value::from_serialize(value)?;
        let key = self.key.take().ok_or_else(|| SerializeError::custom("a value of a map without its key"))?;
        self.entries.push((key, value));
        Ok(())
    }

    fn end(self) -> Result<Value, SerializeError> {
        let is_mixed =
            |(key, _): &(Key, Value)| std::mem::discriminant(key) != std::mem::discriminant(&self.entries[0].0);
        if self.entries.iter().any(is_mixed) {
            return Err(SerializeError::custom("the keys of a map are of several types"));
        }
        Ok(self.finish())
    }
}

impl Entries {
    fn finish(self) -> Value {
        let key_type = match self.entries.first() {
            Some((Key::Int(..), _)) => Type::INT64,
            Some((Key::Uint(..), _)) => Type::Uint(UintKind::Uint64),
            _ => Type::String,
        };
        let map = Map::with_keys(key_type, Type::Any);
        for (key, value) in self.entries {
            map.insert_key(key, value);
        }
        within(self.variant, map.into())
    }
}

impl fmt::Display for SerializeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SerializeError {}

impl ser::Error for SerializeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Functions, Limits, Template};

    #[derive(Serialize)]
    struct Page {
        title: &'static str,
        port: u16,
        parent: Option<Box<Page>>,
        kind: Shape,
        sizes: BTreeMap<i32, f32>,
    }

    #[derive(Serialize)]
    enum Shape {
        Empty,
        Circle(u8),
        Box { width: i64 },
        Line(u8, u8),
    }

    fn page(kind: Shape) -> Page {
        Page { title: "home", port: 80, parent: None, kind, sizes: BTreeMap::from([(-1, 0.5)]) }
    }

    fn render(template: &str, data: &impl Serialize) -> String {
        let data = Value::from_serialize(data).unwrap();
        Template::parse("test", template, &Functions::new()).unwrap().render(&data, &Limits::default()).unwrap()
    }

    #[test]
    fn fields_have_the_names_that_serde_gives_them_and_numbers_their_sizes() {
        let data = Page { parent: Some(Box::new(page(Shape::Empty))), ..page(Shape::Circle(3)) };
        assert_eq!(
            render("{{.title}} {{printf `%T` .port}} {{.parent.kind}} {{.parent.parent}}", &data),
            "home uint16 Empty <no value>"
        );
        assert_eq!(
            render("{{.kind.Circle}} {{range $k, $v := .sizes}}{{printf `%T %v %T` $k $k $v}}{{end}}", &data),
            "3 int64 -1 float32"
        );
        assert_eq!(render("{{.kind.Box.width}}", &page(Shape::Box { width: -7 })), "-7");
        assert_eq!(render("{{index .kind.Line 1}}", &page(Shape::Line(1, 2))), "2");
    }

    #[test]
    fn what_go_has_no_map_for_is_an_error() {
        assert!(Value::from_serialize(&BTreeMap::from([((1, 2), 3)])).is_err());
        assert!(Value::from_serialize(&u128::MAX).is_err());
    }
}
