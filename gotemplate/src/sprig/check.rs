//! Calling functions in tests.

use crate::json::{Style, decode, encode};
use crate::{Budget, FunctionError, Functions, Value};

/// The result of a function.
pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
    let function = Functions::sprig().get(name.as_bytes()).cloned().unwrap();
    function.call(&Budget::default(), arguments)
}

/// The result as JSON, or the message of the error.
pub(super) fn shown(name: &str, arguments: &[Value]) -> String {
    match call(name, arguments) {
        Ok(value) => written(&value),
        Err(error) => error.to_string(),
    }
}

/// As [`shown`], with arguments written as the items of a JSON list.
pub(super) fn shown_of(name: &str, arguments: &str) -> String {
    match read(&format!("[{arguments}]")) {
        Value::List(arguments) => shown(name, &arguments),
        other => panic!("{other:?} is no list"),
    }
}

pub(super) fn read(json: &str) -> Value {
    decode(json.as_bytes(), &Budget::default()).unwrap()
}

pub(super) fn written(value: &Value) -> String {
    String::from_utf8(encode(value, &Budget::default(), Style::Raw).unwrap()).unwrap()
}
