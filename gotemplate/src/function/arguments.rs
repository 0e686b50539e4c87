//! Closures of Rust as functions of templates.

use super::{Function, FunctionError, Signature};
use crate::limits::Budget;
use crate::text::Str;
use crate::types::{FloatKind, IntKind, Type, UintKind};
use crate::value::{List, Map, Value};

/// A type of Rust that a function can take.
pub trait FromArgument: Sized {
    /// What it is in Go.
    fn parameter_type() -> Type;

    /// Makes it from a value of that type.
    ///
    /// # Errors
    /// When the value is of another type after all.
    fn from_argument(value: &Value) -> Result<Self, FunctionError>;

    /// Steps that a call is charged for it: a function may look at all of a text.
    fn effort(_value: &Value) -> u64 {
        0
    }
}

/// A type of Rust that a function can return.
pub trait IntoReturn {
    /// What it is in Go.
    fn result_type() -> Type;

    /// Whether it can be an error instead.
    fn can_fail() -> bool {
        false
    }

    /// Makes a value from it.
    ///
    /// # Errors
    /// The error that it is.
    fn into_return(self) -> Result<Value, FunctionError>;
}

/// The rest of the arguments, any number of them: the last parameter of a function.
#[derive(Clone, Debug)]
pub struct Variadic<T>(pub Vec<T>);

/// A closure that can be a [`Function`]. It has up to five parameters that are [`FromArgument`], the last of which may
/// be [`Variadic`], and before them may take a [`Budget`] by reference.
pub trait IntoFunction<Parameters> {
    /// The function.
    fn into_function(self) -> Function;
}

/// Stands for itself.
impl IntoFunction<()> for Function {
    fn into_function(self) -> Function {
        self
    }
}

/// Markers that tell the kinds of closures apart.
mod marker {
    pub struct Plain;
    pub struct Budgeted;
    pub struct Rest;
    pub struct BudgetedRest;
}

macro_rules! closures {
    ($($parameter:ident $position:tt),*) => {
        impl<F, R: IntoReturn, $($parameter: FromArgument),*> IntoFunction<(marker::Plain, R, $($parameter,)*)> for F
        where
            F: Fn($($parameter),*) -> R + Send + Sync + 'static,
        {
            fn into_function(self) -> Function {
                let signature = Signature::new(vec![$($parameter::parameter_type()),*], R::result_type());
                let signature = Signature { can_fail: R::can_fail(), ..signature };
                Function::with_signature(signature, move |_budget, _arguments| {
                    self($(argument::<$parameter>(_budget, at(_arguments, $position))?),*).into_return()
                })
            }
        }

        impl<F, R: IntoReturn, $($parameter: FromArgument),*> IntoFunction<(marker::Budgeted, R, $($parameter,)*)> for F
        where
            F: Fn(&Budget, $($parameter),*) -> R + Send + Sync + 'static,
        {
            fn into_function(self) -> Function {
                let signature = Signature::new(vec![$($parameter::parameter_type()),*], R::result_type());
                let signature = Signature { can_fail: R::can_fail(), ..signature };
                Function::with_signature(signature, move |budget, _arguments| {
                    self(budget, $(argument::<$parameter>(budget, at(_arguments, $position))?),*).into_return()
                })
            }
        }

        impl<F, R: IntoReturn, V: FromArgument, $($parameter: FromArgument),*>
            IntoFunction<(marker::Rest, R, V, $($parameter,)*)> for F
        where
            F: Fn($($parameter,)* Variadic<V>) -> R + Send + Sync + 'static,
        {
            fn into_function(self) -> Function {
                let parameters = vec![$($parameter::parameter_type(),)* V::parameter_type()];
                let signature = Signature { can_fail: R::can_fail(), ..Signature::variadic(parameters, R::result_type()) };
                let required = signature.required();
                Function::with_signature(signature, move |budget, arguments| {
                    self($(argument::<$parameter>(budget, at(arguments, $position))?,)* rest(budget, arguments, required)?)
                        .into_return()
                })
            }
        }

        impl<F, R: IntoReturn, V: FromArgument, $($parameter: FromArgument),*>
            IntoFunction<(marker::BudgetedRest, R, V, $($parameter,)*)> for F
        where
            F: Fn(&Budget, $($parameter,)* Variadic<V>) -> R + Send + Sync + 'static,
        {
            fn into_function(self) -> Function {
                let parameters = vec![$($parameter::parameter_type(),)* V::parameter_type()];
                let signature = Signature { can_fail: R::can_fail(), ..Signature::variadic(parameters, R::result_type()) };
                let required = signature.required();
                Function::with_signature(signature, move |budget, arguments| {
                    self(
                        budget,
                        $(argument::<$parameter>(budget, at(arguments, $position))?,)*
                        rest(budget, arguments, required)?,
                    )
                    .into_return()
                })
            }
        }
    };
}

closures!();
closures!(A 0);
closures!(A 0, B 1);
closures!(A 0, B 1, C 2);
closures!(A 0, B 1, C 2, D 3);
closures!(A 0, B 1, C 2, D 3, E 4);

fn at(arguments: &[Value], position: usize) -> &Value {
    arguments.get(position).unwrap_or(&Value::Nil)
}

fn argument<T: FromArgument>(budget: &Budget, value: &Value) -> Result<T, FunctionError> {
    match T::effort(value) {
        0 => {}
        effort => budget.work(effort)?,
    }
    T::from_argument(value)
}

fn rest<T: FromArgument>(budget: &Budget, arguments: &[Value], required: usize) -> Result<Variadic<T>, FunctionError> {
    let rest = arguments.iter().skip(required);
    rest.map(|value| argument(budget, value)).collect::<Result<_, _>>().map(Variadic)
}

/// Bytes that a function looks at in the time of a step, if it wants a text.
const TEXT_PER_STEP: usize = 8;
/// As much for a function that wants any value: most leave a text as it is.
const ANY_TEXT_PER_STEP: usize = 64;

fn text_effort(value: &Value, per_step: usize) -> u64 {
    match value {
        Value::String(text) => (text.len() / per_step) as u64,
        _ => 0,
    }
}

fn unexpected<T: FromArgument>(value: &Value) -> FunctionError {
    let given = value.type_of().map_or_else(|| "nil".to_owned(), |given| given.to_string());
    FunctionError::new(format!("wrong type for value; expected {}; got {given}", T::parameter_type()))
}

macro_rules! arguments {
    ($($rust:ty: $go:expr, $pattern:pat => $argument:expr;)*) => {$(
        impl FromArgument for $rust {
            fn parameter_type() -> Type {
                $go
            }

            fn from_argument(value: &Value) -> Result<Self, FunctionError> {
                match value {
                    $pattern => Ok($argument),
                    other => Err(unexpected::<Self>(other)),
                }
            }
        }
    )*};
}

arguments! {
    bool: Type::Bool, Value::Bool(value) => *value;
    f64: Type::FLOAT64, Value::Float(value, FloatKind::Float64) => *value;
    f32: Type::Float(FloatKind::Float32), Value::Float(value, FloatKind::Float32) => *value as f32;
    isize: Type::INT, Value::Int(value, IntKind::Int) => *value as isize;
    i8: Type::Int(IntKind::Int8), Value::Int(value, IntKind::Int8) => *value as i8;
    i16: Type::Int(IntKind::Int16), Value::Int(value, IntKind::Int16) => *value as i16;
    i32: Type::Int(IntKind::Int32), Value::Int(value, IntKind::Int32) => *value as i32;
    i64: Type::INT64, Value::Int(value, IntKind::Int64) => *value;
    usize: Type::Uint(UintKind::Uint), Value::Uint(value, UintKind::Uint) => *value as usize;
    u8: Type::Uint(UintKind::Uint8), Value::Uint(value, UintKind::Uint8) => *value as u8;
    u16: Type::Uint(UintKind::Uint16), Value::Uint(value, UintKind::Uint16) => *value as u16;
    u32: Type::Uint(UintKind::Uint32), Value::Uint(value, UintKind::Uint32) => *value as u32;
    u64: Type::Uint(UintKind::Uint64), Value::Uint(value, UintKind::Uint64) => *value;
    List: Type::list(Type::Any), Value::List(list) => list.clone();
    Map: Type::map(Type::Any), Value::Map(map) => map.clone();
}

macro_rules! texts {
    ($($rust:ty: $text:ident => $argument:expr;)*) => {$(
        impl FromArgument for $rust {
            fn parameter_type() -> Type {
                Type::String
            }

            fn from_argument(value: &Value) -> Result<Self, FunctionError> {
                match value {
                    Value::String($text) => Ok($argument),
                    other => Err(unexpected::<Self>(other)),
                }
            }

            fn effort(value: &Value) -> u64 {
                text_effort(value, TEXT_PER_STEP)
            }
        }
    )*};
}

texts! {
    Str: text => text.clone();
    String: text => text.to_text().into_owned();
}

/// Any value, nil included.
impl FromArgument for Value {
    fn parameter_type() -> Type {
        Type::Any
    }

    fn effort(value: &Value) -> u64 {
        text_effort(value, ANY_TEXT_PER_STEP)
    }

    fn from_argument(value: &Value) -> Result<Self, FunctionError> {
        Ok(value.clone())
    }
}

macro_rules! returns {
    ($($rust:ty: $go:expr, $value:ident => $result:expr;)*) => {$(
        impl IntoReturn for $rust {
            fn result_type() -> Type {
                $go
            }

            fn into_return(self) -> Result<Value, FunctionError> {
                let $value = self;
                Ok($result)
            }
        }
    )*};
}

returns! {
    bool: Type::Bool, value => Value::Bool(value);
    Str: Type::String, text => Value::String(text);
    String: Type::String, text => Value::String(text.into());
    &str: Type::String, text => Value::String(text.into());
    Vec<u8>: Type::String, text => Value::String(text.into());
    f64: Type::FLOAT64, value => Value::float(value);
    f32: Type::Float(FloatKind::Float32), value => Value::Float(f64::from(value), FloatKind::Float32);
    isize: Type::INT, value => Value::int(value as i64);
    i8: Type::Int(IntKind::Int8), value => Value::Int(i64::from(value), IntKind::Int8);
    i16: Type::Int(IntKind::Int16), value => Value::Int(i64::from(value), IntKind::Int16);
    i32: Type::Int(IntKind::Int32), value => Value::Int(i64::from(value), IntKind::Int32);
    i64: Type::INT64, value => Value::Int(value, IntKind::Int64);
    usize: Type::Uint(UintKind::Uint), value => Value::Uint(value as u64, UintKind::Uint);
    u8: Type::Uint(UintKind::Uint8), value => Value::Uint(u64::from(value), UintKind::Uint8);
    u16: Type::Uint(UintKind::Uint16), value => Value::Uint(u64::from(value), UintKind::Uint16);
    u32: Type::Uint(UintKind::Uint32), value => Value::Uint(u64::from(value), UintKind::Uint32);
    u64: Type::Uint(UintKind::Uint64), value => Value::Uint(value, UintKind::Uint64);
    List: Type::list(Type::Any), list => Value::List(list);
    Map: Type::map(Type::Any), map => Value::Map(map);
    Value: Type::Any, value => value;
    Vec<Value>: Type::list(Type::Any), items => List::any(items).into();
    Vec<Str>: Type::list(Type::String), items => List::new(Type::String, items.into_iter().map(Value::String).collect()).into();
}

impl<T: IntoReturn, E: Into<FunctionError>> IntoReturn for Result<T, E> {
    fn result_type() -> Type {
        T::result_type()
    }

    fn can_fail() -> bool {
        true
    }

    fn into_return(self) -> Result<Value, FunctionError> {
        self.map_err(Into::into)?.into_return()
    }
}
