//! Collections of one type that functions return.

use crate::function::{FunctionError, IntoReturn};
use crate::text::Str;
use crate::types::Type;
use crate::value::{List, Map, Value};

/// `[]string`, or a nil one.
pub(super) struct Strings(pub(super) Option<Vec<Str>>);

/// `[]int`
pub(super) struct Ints(pub(super) Vec<isize>);

/// `map[string]string`
pub(super) struct StringMap(pub(super) Vec<(Str, Str)>);

impl IntoReturn for Strings {
    fn result_type() -> Type {
        Type::list(Type::String)
    }

    fn into_return(self) -> Result<Value, FunctionError> {
        let texts = |texts: Vec<Str>| List::new(Type::String, texts.into_iter().map(Value::String).collect());
        Ok(self.0.map_or_else(|| List::nil(Type::String), texts).into())
    }
}

impl IntoReturn for Ints {
    fn result_type() -> Type {
        Type::list(Type::INT)
    }

    fn into_return(self) -> Result<Value, FunctionError> {
        Ok(List::new(Type::INT, self.0.into_iter().map(|value| Value::int(value as i64)).collect()).into())
    }
}

impl IntoReturn for StringMap {
    fn result_type() -> Type {
        Type::map(Type::String)
    }

    fn into_return(self) -> Result<Value, FunctionError> {
        let entries = self.0.into_iter().map(|(key, text)| (key, Value::String(text)));
        Ok(Map::of(Type::String, entries).into())
    }
}
