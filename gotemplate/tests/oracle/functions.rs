//! The functions that the oracle registers too.

use gotemplate::{
    Function, FunctionError, Functions, List, Map, Pointer, Signature, Str, Struct, Type, Value, Variadic,
};

use crate::person;

/// Adds them all.
pub(crate) fn add(functions: &mut Functions) {
    for (name, function) in all() {
        functions.add(name, function);
    }
}

/// The one of that name.
pub(crate) fn named(name: &str) -> Function {
    let found = all().into_iter().find(|(own, _)| *own == name);
    found.unwrap_or_else(|| panic!("no function {name}")).1
}

fn all() -> Vec<(&'static str, Function)> {
    vec![
        ("twice", Function::new(|text: Str| [text.as_bytes(), text.as_bytes()].concat())),
        ("addInts", Function::new(|numbers: Variadic<isize>| numbers.0.into_iter().fold(0, isize::wrapping_add))),
        ("pair", Function::new(|a: Value, b: Value| List::any(vec![a, b]))),
        ("fails", Function::new(|| Err::<String, _>(FunctionError::new("it failed")))),
        // In Go it panics, and that becomes an error.
        ("panics", with_result(Type::String, |_| Err(FunctionError::new("boom")))),
        ("takesInt8", Function::new(|value: i8| value)),
        ("takesUint", Function::new(|value: usize| value)),
        ("takesFloat", Function::new(|value: f64| value)),
        ("takesBool", Function::new(|value: bool| value)),
        ("takesMap", Function::new(|map: Map| map.len() as isize)),
        ("takesList", Function::new(|list: List| list.len() as isize)),
        ("takesPerson", takes(Type::Named(person::person_type()), Type::String, |person| person::name(person).into())),
        (
            "takesPersonPtr",
            takes(Type::pointer(Type::Named(person::person_type())), Type::String, |person| {
                person::name(person).into()
            }),
        ),
        ("takesComplex", takes(Type::Complex, Type::Complex, Value::clone)),
        ("untypedNil", Function::new(|| Value::Nil)),
        (
            "nilPerson",
            with_result(Type::pointer(Type::Named(person::person_type())), |_| {
                Ok(Pointer::nil(Type::Named(person::person_type())).into())
            }),
        ),
        (
            "person",
            with_result(Type::Named(person::person_type()), |_| {
                let fields = [("Name", Value::from("Ada")), ("Age", Value::int(36))];
                Ok(Struct::new(person::person_type(), fields).into())
            }),
        ),
        ("adder", {
            let inner = Type::Function(Signature::new(vec![Type::INT], Type::INT).into());
            let signature = Signature::new(vec![Type::INT], inner);
            Function::with_signature(signature, |_, arguments| {
                let Value::Int(first, _) = arguments[0] else { return Err("not a number".into()) };
                Ok(Value::Function(Function::new(move |second: isize| (first as isize).wrapping_add(second))))
            })
        }),
    ]
}

fn with_result(
    result: Type,
    closure: impl Fn(&[Value]) -> Result<Value, FunctionError> + Send + Sync + 'static,
) -> Function {
    Function::with_signature(Signature::new(Vec::new(), result), move |_, arguments| closure(arguments))
}

fn takes(parameter: Type, result: Type, closure: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Function {
    Function::with_signature(Signature::new(vec![parameter], result), move |_, arguments| Ok(closure(&arguments[0])))
}
