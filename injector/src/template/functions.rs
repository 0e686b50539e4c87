//! The functions that templates may call, beside those of Go's `text/template`: the ones of Istio and sprig that the
//! default template and simple custom ones need.

use std::sync::Arc;

use gotmpl::{FuncMap, TemplateError, Value, ValueFunc};

use crate::annotations::items;

type Function = fn(&[Value]) -> Result<Value, TemplateError>;

const FUNCTIONS: [(&str, usize, Function); 15] = [
    ("annotation", 3, annotation),
    ("contains", 2, |args| Ok(Value::Bool(text(&args[1]).contains(&text(&args[0]))))),
    ("default", 2, |args| Ok(args[usize::from(gotmpl::is_true(&args[1]))].clone())),
    ("excludeInboundPort", 2, exclude_inbound_port),
    ("fail", 1, |args| Err(TemplateError::Exec(text(&args[0])))),
    ("indent", 2, |args| Ok(string(indent(&args[0], &text(&args[1]))?))),
    ("isset", 2, |args| Ok(Value::Bool(args[0].field(&text(&args[1])).is_some()))),
    ("nindent", 2, |args| Ok(string(nindent(&args[0], &text(&args[1]))?))),
    ("quote", 1, |args| Ok(string(quote(&text(&args[0]))))),
    ("toJSON", 1, to_json),
    ("toJson", 1, to_json),
    ("toLower", 1, |args| Ok(string(text(&args[0]).to_lowercase()))),
    ("toYaml", 1, to_yaml),
    ("trim", 1, |args| Ok(string(text(&args[0]).trim().to_owned()))),
    ("valueOrDefault", 2, value_or_default),
];

pub(super) fn all() -> FuncMap {
    FUNCTIONS
        .iter()
        .map(|&(name, arguments, function)| {
            let checked: ValueFunc = Arc::new(move |args: &[Value]| match args.len() {
                given if given == arguments => function(args),
                given => Err(TemplateError::ArgCount { name: name.to_owned(), expected: arguments, got: given }),
            });
            (name.to_owned(), checked)
        })
        .collect()
}

/// `annotation meta name default`: the annotation if there is one, even an empty one, else the default as text.
fn annotation(args: &[Value]) -> Result<Value, TemplateError> {
    let annotations = args[0].field("Annotations").or_else(|| args[0].field("annotations"));
    let found = annotations.and_then(|annotations| annotations.field(&text(&args[1]))).cloned();
    Ok(found.unwrap_or_else(|| string(text(&args[2]))))
}

/// `excludeInboundPort port list`: the list with the port at its end, unless it is in it, empty or 0.
fn exclude_inbound_port(args: &[Value]) -> Result<Value, TemplateError> {
    let (port, list) = (text(&args[0]).trim().to_owned(), text(&args[1]));
    if matches!(port.as_str(), "" | "0") || items(&list).any(|item| item == port) {
        return Ok(string(list));
    }
    let ports: Vec<&str> = items(&list).chain([port.as_str()]).collect();
    Ok(string(ports.join(",")))
}

/// `valueOrDefault value default`: the default in place of nil and the empty string; 0 and false stay.
fn value_or_default(args: &[Value]) -> Result<Value, TemplateError> {
    let is_absent = match &args[0] {
        Value::Nil => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    Ok(args[usize::from(is_absent)].clone())
}

/// Istio's `indent`, unlike sprig's, leaves the first line where it is.
fn indent(width: &Value, text: &str) -> Result<String, TemplateError> {
    let padding = padding(width)?;
    Ok(text.lines().collect::<Vec<_>>().join(&format!("\n{padding}")) + if text.ends_with('\n') { "\n" } else { "" })
}

fn nindent(width: &Value, text: &str) -> Result<String, TemplateError> {
    let padding = padding(width)?;
    Ok(text.split('\n').map(|line| format!("\n{padding}{line}")).collect())
}

fn padding(width: &Value) -> Result<String, TemplateError> {
    let width = width.as_int().and_then(|width| usize::try_from(width).ok()).filter(|width| *width <= 256);
    width.map(|width| " ".repeat(width)).ok_or_else(|| TemplateError::Exec("indent by 0 to 256 spaces".to_owned()))
}

fn to_json(args: &[Value]) -> Result<Value, TemplateError> {
    let text = serde_json::to_string(&to_serde(&args[0])?).map_err(|error| TemplateError::Exec(error.to_string()))?;
    Ok(string(escape_for_yaml(&text)))
}

/// A string as JSON writes it is one scalar in YAML too, whatever it contains.
fn quote(text: &str) -> String {
    escape_for_yaml(&serde_json::Value::from(text).to_string())
}

/// Escapes what JSON takes as it is and YAML does not print (YAML 1.2, production `c-printable`), or takes for the end
/// of a line. In JSON such characters occur inside strings only.
fn escape_for_yaml(json: &str) -> String {
    use std::fmt::Write;
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                // Writing to a string does not fail.
                let _ = write!(escaped, "\\u{:04x}", u32::from(c));
            }
            printable => escaped.push(printable),
        }
    }
    escaped
}

fn to_yaml(args: &[Value]) -> Result<Value, TemplateError> {
    crate::yaml::write(&to_serde(&args[0])?).map(string).map_err(|error| TemplateError::Exec(error.to_string()))
}

fn to_serde(value: &Value) -> Result<serde_json::Value, TemplateError> {
    Ok(match value {
        Value::Nil => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Uint(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(value) => value.as_ref().into(),
        Value::List(values) => values.iter().map(to_serde).collect::<Result<_, _>>()?,
        Value::Map(entries) => {
            let entry = |(key, value): (&Arc<str>, _)| Ok((key.as_ref().to_owned(), to_serde(value)?));
            serde_json::Value::Object(entries.iter().map(entry).collect::<Result<_, TemplateError>>()?)
        }
        Value::Function(_) => return Err(TemplateError::Exec("a function has no JSON form".to_owned())),
    })
}

fn string(text: impl Into<Arc<str>>) -> Value {
    Value::String(text.into())
}

/// As Go prints it; nothing at all is `<nil>`, which [`super::Template::render`] does not let through.
fn text(value: &Value) -> String {
    match value {
        Value::Nil => "<nil>".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, args: &[Value]) -> String {
        all()[name](args).unwrap().to_string()
    }

    #[test]
    fn a_port_is_added_once_and_only_when_it_is_one() {
        let list = |port: &str, list: &str| call("excludeInboundPort", &[string(port), string(list)]);
        assert_eq!(list("15020", ""), "15020");
        assert_eq!(list("15020", "80, 90"), "80,90,15020");
        assert_eq!(list("80", "80, 90"), "80, 90");
        assert_eq!(list("0", "80"), "80");
    }

    #[test]
    fn quoting_survives_any_string() {
        for hostile in
            ["a\nb", "a\"b: c", "\u{7}", "'", "{{", "# x", "é", "\u{7f}\u{85}\u{2028}\u{feff}\u{fffe}", "\u{1f600}"]
        {
            let quoted = call("quote", &[string(hostile)]);
            assert!(!quoted.contains('\n'));
            let read: String = crate::yaml::read_config(&quoted).unwrap();
            assert_eq!(read, hostile);
        }
    }

    #[test]
    fn indentation_comes_in_two_kinds() {
        assert_eq!(call("indent", &[Value::Int(2), string("a\nb\n")]), "a\n  b\n");
        assert_eq!(call("nindent", &[Value::Int(2), string("a\nb")]), "\n  a\n  b");
        assert!(all()["indent"](&[Value::Int(-1), string("a")]).is_err());
    }

    #[test]
    fn defaults_replace_what_is_empty() {
        assert_eq!(call("default", &[string("d"), string("")]), "d");
        assert_eq!(call("default", &[string("d"), string("v")]), "v");
        assert_eq!(call("valueOrDefault", &[Value::Int(0), string("d")]), "0");
        assert_eq!(call("valueOrDefault", &[Value::Nil, string("d")]), "d");
    }

    #[test]
    fn the_number_of_arguments_is_checked() {
        assert!(all()["quote"](&[]).is_err());
        assert!(all()["annotation"](&[Value::Nil]).is_err());
    }
}
