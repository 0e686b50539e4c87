//! Values of types that the caller defines, as Go treats its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use gotemplate::{
    Budget, Definition, Field, Function, Functions, IntKind, Key, Limits, List, Map, NamedType, Pointer, Signature,
    Struct, Template, Type, Value, Variadic,
};

/// A method that takes nothing and gives the name of its type, its receiver and the kind of that.
fn method(receiver: Type) -> Function {
    Function::with_signature(Signature::new(vec![receiver], Type::String), |budget, arguments| {
        let receiver = &arguments[0];
        Ok(format!("{} {}", receiver.kind().name(), receiver.to_text(budget)?).into())
    })
}

fn embedded(name: &str, field_type: Type) -> Field {
    Field { inline: true, json: None, ..Field::new(name, field_type) }
}

fn defined(name: &str, definition: impl FnOnce(Type) -> Definition) -> NamedType {
    let named = NamedType::declare(name);
    named.define(definition(Type::Named(named.clone())));
    named
}

/// A `main.Outer` and a nil pointer to one. It embeds a `Base`, a pointer to a `Middle`, which embeds a `Deep`, and
/// `Left` and `Right`, which have a field of the same name.
fn outer(middle_is_nil: bool) -> (Value, Value) {
    let base = defined("main.Base", |base| {
        Definition::structure(vec![Field::new("ID", Type::String)])
            .method("ByValue", method(base.clone()))
            .pointer_method("ByPointer", method(Type::pointer(base)))
    });
    let deep = defined("main.Deep", |deep| {
        Definition::structure(vec![Field::new("Far", Type::String)]).method("FarMethod", method(deep))
    });
    let middle = defined("main.Middle", |_| Definition::structure(vec![embedded("Deep", Type::Named(deep.clone()))]));
    let twin = |name| defined(name, |_| Definition::structure(vec![Field::new("Twin", Type::String)]));
    let (left, right) = (twin("main.Left"), twin("main.Right"));
    let outer = defined("main.Outer", |_| {
        Definition::structure(vec![
            embedded("Base", Type::Named(base.clone())),
            embedded("Middle", Type::pointer(Type::Named(middle.clone()))),
            embedded("Left", Type::Named(left)),
            embedded("Right", Type::Named(right)),
            Field::new("Any", Type::Any),
        ])
    });
    let far = Struct::new(deep, [("Far", Value::from("far"))]);
    let middle = Struct::new(middle, [("Deep", Value::from(far))]);
    let mut fields = vec![
        ("Base", Value::from(Struct::new(base, [("ID", Value::from("1"))]))),
        ("Any", List::any(vec![Value::int(1)]).into()),
    ];
    if !middle_is_nil {
        fields.push(("Middle", Pointer::new(middle.into()).into()));
    }
    (Struct::new(outer.clone(), fields).into(), Pointer::nil(Type::Named(outer)).into())
}

/// What the template renders, or what is behind `executing …: ` in the error.
fn rendered(text: &str, data: &Value, functions: &Functions) -> String {
    match Template::parse("test", text, functions).unwrap().render(data, &Limits::default()) {
        Ok(text) => text,
        Err(error) => error.message().to_owned(),
    }
}

fn check(data: &Value, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(rendered(text, data, &Functions::new()), *expected, "{text}");
    }
}

#[test]
fn what_is_embedded_is_reached_as_if_it_were_the_outer_structs_own() {
    let (value, _) = outer(false);
    check(
        &value,
        &[
            ("{{.ID}} {{.Base.ID}} {{.Far}} {{.Deep.Far}}", "1 1 far far"),
            ("{{.ByValue}}, {{.FarMethod}}", "struct {1}, struct {far}"),
            ("{{.ByValue 1}}", "wrong number of args for ByValue: want 0 got 1"),
            ("{{.ByPointer}}", "can't evaluate field ByPointer in type main.Outer"),
            ("{{.Twin}}", "can't evaluate field Twin in type main.Outer"),
            ("{{.Left.Twin}}", ""),
        ],
    );
    check(&Pointer::new(value).into(), &[("{{.ByPointer}}", "ptr &{1}"), ("{{.Base.ByPointer}}", "ptr &{1}")]);
}

#[test]
fn nil_on_the_way_to_what_is_embedded_is_an_error() {
    let (value, nil) = outer(true);
    let dereference =
        |name| format!("error calling {name}: runtime error: invalid memory address or nil pointer dereference");
    let indirection = "reflect: indirection through nil pointer to embedded struct field Middle";
    check(
        &value,
        &[("{{.Far}}", indirection), ("{{.Deep}}", indirection), ("{{.FarMethod}}", &dereference("FarMethod"))],
    );
    check(
        &nil,
        &[
            ("{{.Far}}", "nil pointer evaluating *main.Outer.Far"),
            ("{{.Unknown}}", "can't evaluate field Unknown in type *main.Outer"),
            ("{{.ByValue}}", &dereference("ByValue")),
            ("{{.ByPointer}}", &dereference("ByPointer")),
            ("{{.ByPointer 1}}", "wrong number of args for ByPointer: want 0 got 1"),
        ],
    );
}

#[test]
fn arguments_are_checked_before_a_value_method_misses_its_value() {
    let base = defined("main.Base", |base| Definition::structure(vec![]).method("ByValue", method(base)));
    let called = "error calling ByValue: value method main.Base.ByValue called using nil *Base pointer";
    let nil = Pointer::nil(Type::Named(base));
    check(
        &nil.clone().into(),
        &[("{{.ByValue}}", called), ("{{.ByValue 1}}", "wrong number of args for ByValue: want 0 got 1")],
    );
    check(
        &Pointer::new(nil.into()).into(),
        &[("{{.ByValue}}", called), ("{{.X}}", "can't evaluate field X in type **main.Base")],
    );
}

#[test]
fn keys_of_maps_keep_their_types() {
    let name = defined("main.Name", |_| Definition::of(Type::String));
    let map = Map::with_keys(Type::Named(name), Type::INT);
    map.insert_key(Key::String("k".into()), Value::int(1));
    let any = Map::with_keys(Type::Any, Type::Any);
    any.insert_key(Key::String("k".into()), Value::int(1));
    let data =
        Map::of(Type::Any, [("named", Value::from(map)), ("any", any.into()), ("list", List::any(vec![]).into())]);
    check(
        &data.into(),
        &[
            (
                "{{range $k, $v := .named}}{{printf `%T %v` $k $k}} {{eq $k `k`}} {{index $.named $k}}{{end}}",
                "main.Name k true 1",
            ),
            ("{{range $k, $v := .named}}{{printf $k}}{{end}}", "wrong type for value; expected string; got main.Name"),
            ("{{index .named `k`}}", "error calling index: value has type string; should be main.Name"),
            ("{{.named.k}}", "can't evaluate field k in type interface {}"),
            ("{{.any.k}} {{index .any `k`}} {{index .any 1}}", "1 1 <no value>"),
            ("{{range $k, $v := .any}}{{$k.x}}{{end}}", "can't evaluate field x in type interface {}"),
            ("{{index .any .list}}", "error calling index: runtime error: hash of unhashable type []interface {}"),
        ],
    );
}

#[test]
fn arguments_take_the_names_of_their_parameters() {
    let numbers = defined("main.Numbers", |_| Definition::of(Type::list(Type::INT)));
    let level = defined("main.Level", |_| Definition::of(Type::Int(IntKind::Int8)));
    let callback =
        defined("main.Callback", |_| Definition::of(Type::Function(Function::new(|| 1_i64).signature().clone())));
    let mut functions = Functions::new();
    for (name, parameter) in [
        ("named", Type::Named(numbers.clone())),
        ("plain", Type::list(Type::INT)),
        ("level", Type::Named(level)),
        ("function", callback.underlying().unwrap().clone()),
    ] {
        let signature = Signature::new(vec![parameter], Type::String);
        let type_of = |_: &Budget, arguments: &[Value]| Ok(arguments[0].type_of().unwrap().to_string().into());
        functions.add(name, Function::with_signature(signature, type_of));
    }
    let plain = List::new(Type::INT, vec![Value::int(1)]);
    let named = Value::named(numbers, plain.clone().into());
    let called = Value::named(callback, Function::new(|| 1_i64).into());
    let data = Map::of(Type::Any, [("plain", Value::from(plain)), ("named", named), ("call", called)]).into();
    for (text, expected) in [
        (
            "{{named .plain}} {{plain .named}} {{level 3}} {{function .call}}",
            "main.Numbers []int main.Level func() int64",
        ),
        ("{{named 1}}", "can't handle 1 for arg of type main.Numbers"),
        ("{{level `a`}}", "expected integer; found `a`"),
        ("{{call .call}}", "1"),
        ("{{.call}}", "can't print {{.call}} of type main.Callback"),
        ("{{call .named}}", "error calling call: non-function .named of type main.Numbers"),
    ] {
        assert_eq!(rendered(text, &data, &functions), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_compared_is_found_in_a_struct_too() {
    let plain = defined("main.Plain", |_| Definition::structure(vec![Field::new("Any", Type::Any)]));
    let data: Value = Struct::new(plain, [("Any", Value::from(List::any(vec![])))]).into();
    check(&data, &[("{{eq . .}}", "error calling eq: runtime error: comparing uncomparable type []interface {}")]);
}

#[test]
fn any_closure_can_be_a_method() {
    let named = defined("main.T", |_| {
        Definition::structure(vec![])
            .method("None", Function::new(|| "none"))
            .method("Rest", Function::new(|all: Variadic<Value>| all.0.len()))
    });
    check(&Struct::zero(named).into(), &[("{{.None}} {{.Rest}} {{.Rest 1 2}}", "none 1 3")]);
}

#[test]
fn a_type_may_be_looked_at_before_it_is_defined() {
    let named = NamedType::declare("main.T");
    assert!(named.fields().is_empty());
    named.define(Definition::structure(vec![Field::new("A", Type::INT)]));
    assert_eq!(named.fields().len(), 1);
}

#[test]
fn a_type_made_from_one_with_a_name_is_made_from_what_that_is_made_from() {
    let first = defined("main.First", |_| Definition::of(Type::list(Type::INT)));
    let second = defined("main.Second", |_| Definition::of(Type::Named(first.clone())));
    let numbers = Value::named(first, List::new(Type::INT, vec![Value::int(7)]).into());
    check(
        &Value::named(second, numbers),
        &[("{{len .}} {{index . 0}} {{range .}}{{.}}{{end}} {{printf `%T` .}}", "1 7 7 main.Second")],
    );
}

#[test]
fn a_deep_clone_shares_no_map() {
    let map = Map::any();
    let holder = defined("main.Holder", |_| Definition::structure(vec![Field::new("Map", Type::map(Type::Any))]));
    let pointer = Value::from(Pointer::new(Struct::new(holder, [("Map", Value::from(map.clone()))]).into()));
    let data: Value = List::any(vec![pointer.clone(), pointer, map.clone().into()]).into();
    let text = "{{$_ := set (index . 0).Map `a` 1}}{{(index . 1).Map}} {{index . 2}} {{eq (index . 0) (index . 1)}}";
    assert_eq!(rendered(text, &data.deep_clone(), &Functions::sprig()), "map[a:1] map[a:1] true");
    assert!(map.is_empty());
    // As a tree it has 2^60 leaves.
    let shared = (0..60).fold(Value::from(map), |value, _| List::any(vec![value.clone(), value]).into());
    drop(shared.deep_clone());
}
