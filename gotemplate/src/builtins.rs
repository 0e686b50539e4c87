//! Go's own functions.

use std::collections::HashMap;
use std::sync::LazyLock;

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
    /// The function of that name.
    pub(crate) fn function(name: &[u8]) -> Option<&'static Function> {
        BUILTINS.get(name)
    }

    /// All names, in no order.
    pub(crate) fn names<'a>() -> impl Iterator<Item = &'a Str> {
        BUILTINS.keys()
    }

    /// Calls it with values alone, as when a function is called that was handed on as a value.
    pub(crate) fn call_plain(self, _budget: &Budget, _arguments: &[Value]) -> Result<Value, FunctionError> {
        Err(FunctionError::new("not yet"))
    }
}
