//! Types with a name of their own: structs, and other types that have methods.

mod member;

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use crate::function::{Function, FunctionError};
use crate::text::Str;
use crate::types::{Kind, Type};
use crate::value::Value;
pub(crate) use member::Member;

/// A type with a name. Two are equal only when one is a clone of the other.
///
/// It is declared first and defined later, so that its fields can be of types that refer to it:
///
/// ```
/// use gotemplate::{Definition, Field, NamedType, Type};
///
/// let person = NamedType::declare("main.Person");
/// person.define(Definition::structure(vec![
///     Field::new("Name", Type::String),
///     Field::new("Friend", Type::pointer(Type::Named(person.clone()))),
/// ]));
/// ```
///
/// Values of it are made with [`Struct::new`](crate::Struct::new), or [`Value::named`] when it is no struct, and methods may be any functions:
///
/// ```
/// use gotemplate::{Definition, Field, Function, Functions, Limits, NamedType, Struct, Template, Type, Value};
///
/// let port = NamedType::declare("main.Port");
/// let is_secure = Function::new(|port: Value| matches!(port.underlying(), Value::Int(443, _)));
/// port.define(Definition::of(Type::INT).method("IsSecure", is_secure));
/// let server = NamedType::declare("main.Server");
/// server.define(Definition::structure(vec![Field::new("Port", Type::Named(port.clone()))]));
///
/// let data = Struct::new(server, [("Port", Value::named(port, Value::int(443)))]).into();
/// let template = Template::parse("url", "http{{if .Port.IsSecure}}s{{end}}://localhost:{{.Port}}", &Functions::new())?;
/// assert_eq!(template.render(&data, &Limits::default())?, "https://localhost:443");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Types are made once and kept: one that refers to itself is never freed.
#[derive(Clone)]
pub struct NamedType(Arc<Declaration>);

struct Declaration {
    name: Str,
    definition: OnceLock<Definition>,
}

/// What a named type is made of.
#[derive(Default)]
pub struct Definition {
    /// The type it is made from, unless it is a struct.
    pub underlying: Option<Type>,
    /// The fields of a struct, in order. A name in lower case is not exported: templates cannot read it.
    pub fields: Vec<Field>,
    /// Methods, in any order.
    pub methods: Vec<Method>,
    /// How a value prints instead of its contents: what Go's `Error` or `String` method gives.
    pub display: Option<Display>,
    /// Whether only a pointer to a value prints so: the method has a pointer receiver.
    pub display_of_pointer: bool,
    /// How a value is written as JSON instead of by its fields: what Go's `MarshalJSON` gives.
    pub json: Option<Json>,
}

/// How a value prints. It is given the receiver of the method: the value, or the pointer where that is the receiver.
pub type Display = Arc<dyn Fn(&Value) -> Str + Send + Sync>;

/// How a value is written as JSON.
pub type Json = Arc<dyn Fn(&Value) -> Result<serde_json::Value, FunctionError> + Send + Sync>;

/// A field of a struct.
#[derive(Clone)]
pub struct Field {
    /// As Go names it.
    pub name: Str,
    /// What it holds.
    pub field_type: Type,
    /// Its name in JSON; absent for a field that JSON leaves out.
    pub json: Option<Str>,
    /// Whether JSON leaves it out when it is false, 0, nil or empty.
    pub omit_empty: bool,
    /// Whether it is an embedded struct, or a pointer to one: templates reach its fields and methods as if they were
    /// the outer struct's own, and in JSON its fields stand in its place unless it has a name there. How it prints is
    /// not inherited.
    pub inline: bool,
}

/// A method. The receiver is the first argument of its function.
pub struct Method {
    /// As Go names it.
    pub name: Str,
    /// Called with the receiver first.
    pub function: Function,
    /// Whether it takes a pointer: then it is a method of the pointer only, and may be called on nil.
    pub pointer_receiver: bool,
}

impl NamedType {
    /// A type of that name, such as `time.Time`, to be defined before it is used.
    pub fn declare(name: impl Into<Str>) -> Self {
        Self(Arc::new(Declaration { name: name.into(), definition: OnceLock::new() }))
    }

    /// Says what it is made of. Only the first definition counts. A type that it is made from must be defined already.
    pub fn define(&self, mut definition: Definition) {
        // As in Go a type made from one with a name is made from what that is made from.
        if let Some(Type::Named(named)) = &definition.underlying {
            definition.fields = named.fields().to_vec();
            definition.underlying = named.underlying().cloned();
        }
        // Set already: then the first stays, as documented.
        let _ = self.0.definition.set(definition);
    }

    /// Its name, with that of the package, as `%T` prints it.
    pub fn name(&self) -> &Str {
        &self.0.name
    }

    /// What it is made of.
    pub fn kind(&self) -> Kind {
        self.underlying().map_or(Kind::Struct, Type::kind)
    }

    /// The type it is made from, unless it is a struct. It has no name itself.
    pub fn underlying(&self) -> Option<&Type> {
        self.definition().underlying.as_ref()
    }

    /// Its definition; that of an empty struct before it has one.
    pub fn definition(&self) -> &Definition {
        static UNDEFINED: LazyLock<Definition> = LazyLock::new(Definition::default);
        self.0.definition.get().unwrap_or(&UNDEFINED)
    }

    /// The fields of a struct.
    pub fn fields(&self) -> &[Field] {
        &self.definition().fields
    }

    /// Where among its fields one is.
    pub fn position(&self, name: impl AsRef<[u8]>) -> Option<usize> {
        self.fields().iter().position(|field| field.name.as_bytes() == name.as_ref())
    }

    /// Its own method of that name.
    pub fn method(&self, name: impl AsRef<[u8]>) -> Option<&Method> {
        self.definition().methods.iter().find(|method| method.name.as_bytes() == name.as_ref())
    }
}

impl Definition {
    /// A struct with these fields.
    pub fn structure(fields: Vec<Field>) -> Self {
        Self { fields, ..Self::default() }
    }

    /// A type made from another.
    pub fn of(underlying: Type) -> Self {
        Self { underlying: Some(underlying), ..Self::default() }
    }

    /// Adds a method with a value receiver, `func (r T) name(…)`.
    #[must_use]
    pub fn method(mut self, name: &str, function: Function) -> Self {
        self.methods.push(Method { name: name.into(), function, pointer_receiver: false });
        self
    }

    /// Adds a method with a pointer receiver, `func (r *T) name(…)`.
    #[must_use]
    pub fn pointer_method(mut self, name: &str, function: Function) -> Self {
        self.methods.push(Method { name: name.into(), function, pointer_receiver: true });
        self
    }

    /// Makes values print so.
    #[must_use]
    pub fn display(mut self, display: impl Fn(&Value) -> Str + Send + Sync + 'static) -> Self {
        self.display = Some(Arc::new(display));
        self
    }

    /// Makes values be written to JSON so.
    #[must_use]
    pub fn json(
        mut self,
        json: impl Fn(&Value) -> Result<serde_json::Value, FunctionError> + Send + Sync + 'static,
    ) -> Self {
        self.json = Some(Arc::new(json));
        self
    }
}

impl Field {
    /// A field whose name in JSON is its own.
    pub fn new(name: impl Into<Str>, field_type: Type) -> Self {
        let name = name.into();
        Self { json: Some(name.clone()), name, field_type, omit_empty: false, inline: false }
    }

    /// Whether templates may read it: its name begins with a capital letter.
    pub fn is_exported(&self) -> bool {
        Self::exports(&self.name)
    }

    pub(crate) fn exports(name: &Str) -> bool {
        name.to_text().chars().next().is_some_and(char::is_uppercase)
    }
}

impl PartialEq for NamedType {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for NamedType {}

/// The name alone: the fields may refer back to the type.
impl fmt::Debug for NamedType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedType({})", self.0.name)
    }
}
