//! Go's own functions.

mod compare;
mod escape;
mod index;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::LazyLock;

use smallvec::SmallVec;

use crate::exec::{Seen, Slot};
use crate::format;
use crate::function::{Function, FunctionError, Signature};
use crate::limits::Budget;
use crate::text::Str;
use crate::types::Type;
use crate::value::Value;

/// One of Go's own functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    And,
    Call,
    Eq,
    Ge,
    Gt,
    Html,
    Index,
    Js,
    Le,
    Len,
    Lt,
    Ne,
    Not,
    Or,
    Print,
    Printf,
    Println,
    Slice,
    Urlquery,
}

static BUILTINS: LazyLock<HashMap<Str, Function>> = LazyLock::new(|| {
    use Builtin::{
        And, Call, Eq, Ge, Gt, Html, Index, Js, Le, Len, Lt, Ne, Not, Or, Print, Printf, Println, Slice, Urlquery,
    };
    let any = || vec![Type::Any];
    let one = |result| Signature::new(any(), result);
    let two = || Signature { can_fail: true, ..Signature::new(vec![Type::Any, Type::Any], Type::Bool) };
    let many = |parameters, result| Signature::variadic(parameters, result);
    let one_and_more = |result| Signature::variadic(vec![Type::Any, Type::Any], result);
    [
        ("and", And, one_and_more(Type::Any)),
        ("call", Call, one_and_more(Type::Any)),
        ("eq", Eq, one_and_more(Type::Bool)),
        ("ge", Ge, two()),
        ("gt", Gt, two()),
        ("html", Html, many(any(), Type::String)),
        ("index", Index, one_and_more(Type::Any)),
        ("js", Js, many(any(), Type::String)),
        ("le", Le, two()),
        ("len", Len, one(Type::INT)),
        ("lt", Lt, two()),
        ("ne", Ne, two()),
        ("not", Not, one(Type::Bool)),
        ("or", Or, one_and_more(Type::Any)),
        ("print", Print, many(any(), Type::String)),
        ("printf", Printf, many(vec![Type::String, Type::Any], Type::String)),
        ("println", Println, many(any(), Type::String)),
        ("slice", Slice, one_and_more(Type::Any)),
        ("urlquery", Urlquery, many(any(), Type::String)),
    ]
    .into_iter()
    .map(|(name, builtin, signature)| (Str::from(name), Function::builtin(builtin, signature)))
    .collect()
});

impl Builtin {
    /// The function of that name, and the name.
    pub(crate) fn find(name: &[u8]) -> Option<(&'static Str, &'static Function)> {
        BUILTINS.get_key_value(name)
    }

    /// All names, in no order.
    pub(crate) fn names<'a>() -> impl Iterator<Item = &'a Str> {
        BUILTINS.keys()
    }

    /// Calls it with values alone, as when Rust calls it.
    pub(crate) fn call_plain(self, budget: &Budget, arguments: &[Value]) -> Result<Value, FunctionError> {
        let arguments: Vec<Seen<'_>> = arguments.iter().map(Seen::of_value).collect();
        self.apply(budget, &arguments).map(|slot| slot.value)
    }

    /// Calls it. The number of arguments is that of its signature.
    pub(crate) fn apply(self, budget: &Budget, arguments: &[Seen<'_>]) -> Result<Slot, FunctionError> {
        let mut text = Vec::new();
        Ok(Slot::of(match self {
            Self::And | Self::Or => return Ok(decisive(self, arguments).map(Seen::to_slot).unwrap_or_default()),
            Self::Call => return call(budget, || "call".into(), arguments),
            Self::Index => return index::index(arguments),
            Self::Slice => return index::slice(arguments),
            Self::Len => Value::int(index::len(at(arguments, 0)?)?),
            Self::Not => Value::Bool(!at(arguments, 0)?.value.is_true()),
            Self::Eq => Value::Bool(compare::eq(budget, arguments)?),
            Self::Ne => Value::Bool(!compare::eq(budget, arguments)?),
            Self::Lt => Value::Bool(less(budget, arguments)?),
            Self::Le => Value::Bool(less(budget, arguments)? || compare::eq(budget, arguments)?),
            Self::Gt => Value::Bool(!(less(budget, arguments)? || compare::eq(budget, arguments)?)),
            Self::Ge => Value::Bool(!less(budget, arguments)?),
            Self::Html => Value::string(escape::html(budget, arguments)?),
            Self::Js => Value::string(escape::js(budget, arguments)?),
            Self::Urlquery => Value::string(escape::urlquery(budget, arguments)?),
            Self::Print => {
                format::print(&mut text, budget, &values(arguments))?;
                Value::string(text)
            }
            Self::Println => {
                format::println(&mut text, budget, &values(arguments))?;
                Value::string(text)
            }
            Self::Printf => {
                let values = values(arguments);
                let Some((Value::String(format), rest)) = values.split_first() else {
                    return Err("wrong type for value; expected string".into());
                };
                format::printf(&mut text, budget, format.as_bytes(), rest)?;
                Value::string(text)
            }
        }))
    }
}

/// The built-in `call`: calls a function that is a value. `callee` is how the template writes it, which errors show.
pub(crate) fn call(budget: &Budget, callee: impl Fn() -> Str, arguments: &[Seen<'_>]) -> Result<Slot, FunctionError> {
    let Some((function, arguments)) = arguments.split_first() else {
        return Err("call of nil".into());
    };
    let function = match function.value.underlying() {
        Value::Function(function) => function,
        Value::Nil => return Err("call of nil".into()),
        _ => {
            let given = Slot::of(function.value.clone()).type_name();
            return Err(format!("non-function {} of type {given}", callee()).into());
        }
    };
    let signature = function.signature();
    let (given, required) = (arguments.len(), signature.required());
    if signature.is_variadic && given < required {
        return Err(format!("wrong number of args for {}: got {given} want at least {required}", callee()).into());
    }
    if !signature.is_variadic && given != required {
        return Err(format!("wrong number of args for {}: got {given} want {required}", callee()).into());
    }
    let mut values = Vec::with_capacity(given);
    for (position, argument) in arguments.iter().enumerate() {
        let wanted = signature.parameter(position).unwrap_or(&Type::Any);
        let value = index::as_parameter(argument.value, wanted);
        values.push(value.map_err(|error| FunctionError::new(format!("arg {position}: {error}")))?);
    }
    Ok(Slot::typed(function.call(budget, &values)?, &signature.result))
}

/// The argument that `and` or `or` gives.
fn decisive<'v>(builtin: Builtin, arguments: &[Seen<'v>]) -> Option<Seen<'v>> {
    let decides = |argument: &&Seen<'_>| argument.value.is_true() == (builtin == Builtin::Or);
    arguments.iter().find(decides).or(arguments.last()).copied()
}

fn less(budget: &Budget, arguments: &[Seen<'_>]) -> Result<bool, FunctionError> {
    let order = compare::order(budget, at(arguments, 0)?.value, at(arguments, 1)?.value)?;
    Ok(order == Some(Ordering::Less))
}

fn at<'v>(arguments: &[Seen<'v>], position: usize) -> Result<Seen<'v>, FunctionError> {
    arguments.get(position).copied().ok_or_else(|| FunctionError::new("missing argument"))
}

fn values<'v>(arguments: &[Seen<'v>]) -> SmallVec<[&'v Value; 4]> {
    arguments.iter().map(|argument| argument.value).collect()
}
