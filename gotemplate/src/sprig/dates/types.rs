//! Go's types for dates, and the values of Rust that stand for them.

use std::sync::LazyLock;

use super::time::Time;
use crate::function::{FromArgument, FunctionError, IntoReturn};
use crate::named::NamedType;
use crate::text::Str;
use crate::types::Type;
use crate::value::{Pointer, Struct, Value};

pub(super) static TIME: LazyLock<NamedType> = LazyLock::new(|| NamedType::declare("time.Time"));
pub(super) static MONTH: LazyLock<NamedType> = LazyLock::new(|| NamedType::declare("time.Month"));
pub(super) static WEEKDAY: LazyLock<NamedType> = LazyLock::new(|| NamedType::declare("time.Weekday"));
pub(super) static DURATION: LazyLock<NamedType> = LazyLock::new(|| NamedType::declare("time.Duration"));
pub(super) static LOCATION: LazyLock<NamedType> = LazyLock::new(|| NamedType::declare("time.Location"));

/// `time.Duration`: nanoseconds
pub(super) struct Duration(pub(super) i64);

/// `time.Month`, from 1
pub(super) struct Month(pub(super) i64);

/// `time.Weekday`, from 0 for Sunday
pub(super) struct Weekday(pub(super) i64);

/// `*time.Location`, with its name
pub(super) struct Location(pub(super) Str);

impl Time {
    /// The time that a value is, if it is one.
    pub(super) fn of_value(value: &Value) -> Option<Self> {
        match value {
            Value::Struct(structure) if *structure.struct_type() == *TIME => {
                Some(structure.hidden::<Self>().cloned().unwrap_or_else(Self::zero))
            }
            _ => None,
        }
    }
}

impl FromArgument for Time {
    fn parameter_type() -> Type {
        Type::Named(TIME.clone())
    }

    fn from_argument(value: &Value) -> Result<Self, FunctionError> {
        Self::of_value(value).ok_or_else(|| wrong_type(&Self::parameter_type()))
    }
}

impl FromArgument for Duration {
    fn parameter_type() -> Type {
        Type::Named(DURATION.clone())
    }

    fn from_argument(value: &Value) -> Result<Self, FunctionError> {
        number(value, &DURATION).map(Self)
    }
}

impl FromArgument for Month {
    fn parameter_type() -> Type {
        Type::Named(MONTH.clone())
    }

    fn from_argument(value: &Value) -> Result<Self, FunctionError> {
        number(value, &MONTH).map(Self)
    }
}

impl FromArgument for Weekday {
    fn parameter_type() -> Type {
        Type::Named(WEEKDAY.clone())
    }

    fn from_argument(value: &Value) -> Result<Self, FunctionError> {
        number(value, &WEEKDAY).map(Self)
    }
}

impl FromArgument for Location {
    fn parameter_type() -> Type {
        Type::pointer(Type::Named(LOCATION.clone()))
    }

    fn from_argument(value: &Value) -> Result<Self, FunctionError> {
        let target = match value {
            Value::Pointer(pointer) => pointer.target().unwrap_or(value),
            value => value,
        };
        match target {
            Value::Struct(structure) if *structure.struct_type() == *LOCATION => {
                Ok(Self(structure.hidden::<Str>().cloned().unwrap_or_default()))
            }
            _ => Err(wrong_type(&Self::parameter_type())),
        }
    }
}

impl IntoReturn for Time {
    fn result_type() -> Type {
        Type::Named(TIME.clone())
    }

    fn into_return(self) -> Result<Value, FunctionError> {
        Ok(Struct::hiding(TIME.clone(), self).into())
    }
}

impl IntoReturn for Duration {
    fn result_type() -> Type {
        Type::Named(DURATION.clone())
    }

    fn into_return(self) -> Result<Value, FunctionError> {
        Ok(Value::named(DURATION.clone(), i64::into_return(self.0)?))
    }
}

impl IntoReturn for Month {
    fn result_type() -> Type {
        Type::Named(MONTH.clone())
    }

    fn into_return(self) -> Result<Value, FunctionError> {
        Ok(Value::named(MONTH.clone(), Value::int(self.0)))
    }
}

impl IntoReturn for Weekday {
    fn result_type() -> Type {
        Type::Named(WEEKDAY.clone())
    }

    fn into_return(self) -> Result<Value, FunctionError> {
        Ok(Value::named(WEEKDAY.clone(), Value::int(self.0)))
    }
}

impl IntoReturn for Location {
    fn result_type() -> Type {
        Type::pointer(Type::Named(LOCATION.clone()))
    }

    fn into_return(self) -> Result<Value, FunctionError> {
        Ok(Pointer::new(Struct::hiding(LOCATION.clone(), self.0).into()).into())
    }
}

fn number(value: &Value, wanted: &NamedType) -> Result<i64, FunctionError> {
    match value {
        Value::Named(named) if named.named_type() == wanted => match named.value() {
            Value::Int(value, _) => Ok(*value),
            _ => Ok(0),
        },
        _ => Err(wrong_type(&Type::Named(wanted.clone()))),
    }
}

fn wrong_type(wanted: &Type) -> FunctionError {
    FunctionError::new(format!("wrong type for value; expected {wanted}"))
}
