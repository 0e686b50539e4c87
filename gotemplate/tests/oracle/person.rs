//! The types with names that the oracle has too.

use std::sync::LazyLock;

use gotemplate::{
    Definition, Field, Function, FunctionError, IntKind, NamedType, Pointer, Signature, Str, Struct, Type, Value,
};
use serde_json::Value as Json;

use crate::data;

static PERSON: LazyLock<NamedType> = LazyLock::new(|| {
    let person = NamedType::declare("main.Person");
    let pointer = Type::pointer(Type::Named(person.clone()));
    let fields = vec![
        Field::new("Name", Type::String),
        Field::new("Age", Type::INT),
        Field::new("Height", Type::FLOAT64),
        Field::new("Tags", Type::map(Type::String)),
        Field::new("Friend", pointer.clone()),
        Field::new("Friends", Type::list(pointer.clone())),
        Field::new("Mode", Type::Named(MODE.clone())),
        Field::new("Extra", Type::Any),
        Field::new("Numbers", Type::list(Type::INT)),
        Field::new("Limit", Type::pointer(Type::INT64)),
        Field { json: None, ..Field::new("secret", Type::String) },
    ];
    let methods = Methods { person: Type::Named(person.clone()), pointer };
    person.define(methods.of(Definition::structure(fields)));
    person
});

static MODE: LazyLock<NamedType> = LazyLock::new(|| {
    let mode = NamedType::declare("main.Mode");
    let display = |value: &Value| match value.underlying() {
        Value::Int(0, _) => "Off".into(),
        Value::Int(1, _) => "On".into(),
        Value::Int(2, _) => "Auto".into(),
        Value::Int(other, _) => format!("Mode({other})").into(),
        _ => Str::default(),
    };
    let signature = Signature::new(vec![Type::Named(mode.clone())], Type::String);
    let string = Function::with_signature(signature, move |_, arguments| Ok(display(&arguments[0]).into()));
    mode.define(Definition::of(Type::Int(IntKind::Int32)).method("String", string).display(display));
    mode
});

static ERROR: LazyLock<NamedType> = LazyLock::new(|| {
    let error = NamedType::declare("errors.errorString");
    let text = |value: &Value| match value {
        Value::Pointer(pointer) => pointer.target().map(message).unwrap_or_default(),
        value => message(value),
    };
    let receiver = Type::pointer(Type::Named(error.clone()));
    let method = Function::with_signature(Signature::new(vec![receiver], Type::String), move |_, arguments| {
        Ok(text(&arguments[0]).into())
    });
    let fields = vec![Field { json: None, ..Field::new("s", Type::String) }];
    let definition = Definition::structure(fields).pointer_method("Error", method).display(text);
    error.define(Definition { display_of_pointer: true, ..definition });
    error
});

struct Methods {
    person: Type,
    pointer: Type,
}

impl Methods {
    fn of(&self, definition: Definition) -> Definition {
        let on_value = |parameters: &[Type], result| {
            Signature::new([std::slice::from_ref(&self.person), parameters].concat(), result)
        };
        let on_pointer = |result| Signature::new(vec![self.pointer.clone()], result);
        let greeting = Function::with_signature(on_value(&[], Type::String), |_, arguments| {
            Ok(format!("hello, {}", name(&arguments[0])).into())
        });
        let add = Function::with_signature(on_value(&[Type::INT, Type::INT], Type::INT), |_, arguments| {
            match (&arguments[1], &arguments[2]) {
                (Value::Int(a, _), Value::Int(b, _)) => Ok(Value::int(a.wrapping_add(*b))),
                _ => Err(FunctionError::new("not numbers")),
            }
        });
        let joined = Signature::variadic(vec![self.person.clone(), Type::String, Type::String], Type::String);
        let join = Function::with_signature(joined, |_, arguments| {
            let texts: Vec<String> = arguments[1..].iter().map(text).collect();
            Ok(texts[1..].join(&texts[0]).into())
        });
        let fail = Function::with_signature(Signature { can_fail: true, ..on_value(&[], Type::String) }, |_, _| {
            Err(FunctionError::new("no such thing"))
        });
        let echo = Function::with_signature(on_value(&[Type::Any], Type::Any), |_, arguments| Ok(arguments[1].clone()));
        let get_name =
            Function::with_signature(on_pointer(Type::String), |_, arguments| Ok(name(&arguments[0]).into()));
        let get_friend = Function::with_signature(on_pointer(self.pointer.clone()), |_, arguments| {
            let friend = target(&arguments[0]).and_then(|person| person.field("Friend").cloned());
            Ok(friend.unwrap_or_else(|| Pointer::nil(Type::Named(person_type())).into()))
        });
        definition
            .method("Greeting", greeting)
            .method("Add", add)
            .method("Join", join)
            .method("Fail", fail)
            .method("Echo", echo)
            .pointer_method("GetName", get_name)
            .pointer_method("GetFriend", get_friend)
    }
}

/// `main.Person`
pub(crate) fn person_type() -> NamedType {
    PERSON.clone()
}

/// A `Person` of these fields.
pub(crate) fn person(fields: &Json) -> Value {
    let fields = fields.as_object().unwrap().iter().map(|(name, json)| {
        let position = PERSON.position(name.as_bytes()).unwrap_or_else(|| panic!("a Person has no {name}"));
        (name.as_str(), field(&PERSON.fields()[position].field_type, json))
    });
    Struct::new(PERSON.clone(), fields.collect::<Vec<_>>()).into()
}

/// JSON as a value of a field: what has a tag says itself what it is.
fn field(wanted: &Type, json: &Json) -> Value {
    let is_tagged =
        json.as_object().is_some_and(|entries| entries.len() == 1 && entries.keys().all(|k| k.starts_with('$')));
    match (wanted, json) {
        _ if is_tagged => data::value(json),
        (_, Json::Null) => wanted.zero(),
        (Type::List(element), Json::Array(items)) => {
            gotemplate::List::new((**element).clone(), items.iter().map(|item| field(element, item)).collect()).into()
        }
        (Type::Map(_, element), Json::Object(entries)) => {
            let entries: Vec<_> = entries.iter().map(|(key, item)| (key.as_str(), field(element, item))).collect();
            gotemplate::Map::of((**element).clone(), entries).into()
        }
        (Type::Pointer(element), json) => Pointer::new(field(element, json)).into(),
        (Type::Named(named), json) if *named == *PERSON => person(json),
        (Type::Named(_), json) => mode(json.as_i64().unwrap()),
        (wanted, json) => data::typed(wanted, json),
    }
}

/// A `Mode`.
pub(crate) fn mode(number: i64) -> Value {
    Value::named(MODE.clone(), Value::Int(number, IntKind::Int32))
}

/// An error, as `errors.New` makes it.
pub(crate) fn error(text: &str) -> Value {
    Pointer::new(Struct::new(ERROR.clone(), [("s", Value::from(text))]).into()).into()
}

/// The name of a person, or "" of none.
pub(crate) fn name(person: &Value) -> String {
    target(person).and_then(|person| person.field("Name")).map(text).unwrap_or_default()
}

fn target(person: &Value) -> Option<&Struct> {
    match person {
        Value::Struct(person) => Some(person),
        Value::Pointer(pointer) => pointer.target().and_then(target),
        _ => None,
    }
}

fn message(error: &Value) -> Str {
    match error {
        Value::Struct(error) => error.field("s").map(text).unwrap_or_default().into(),
        _ => Str::default(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_text().into_owned(),
        _ => String::new(),
    }
}
