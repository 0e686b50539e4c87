//! Functions that templates call.

mod arguments;
mod error;
mod signature;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

pub use arguments::{FromArgument, IntoFunction, IntoReturn, Variadic};
pub use error::FunctionError;
pub use signature::Signature;

use crate::builtins::Builtin;
use crate::limits::Budget;
use crate::text::Str;
use crate::value::Value;

/// A function with the types of its parameters, which the template's arguments are checked against.
#[derive(Clone)]
pub struct Function(Arc<Implementation>);

struct Implementation {
    signature: Arc<Signature>,
    code: Code,
}

type Closure = dyn Fn(&Budget, &[Value]) -> Result<Value, FunctionError> + Send + Sync;

enum Code {
    /// Known to the execution itself, since it sees more than values.
    Builtin(Builtin),
    Closure(Box<Closure>),
    Nil,
}

impl Function {
    /// A function from a closure of Rust, whose parameters say what it takes:
    ///
    /// ```
    /// use gotemplate::{Function, FunctionError, Str, Variadic};
    ///
    /// Function::new(|count: isize, text: Str| text.to_text().repeat(count.clamp(0, 10) as usize));
    /// Function::new(|name: String| if name.is_empty() { Err(FunctionError::new("no name")) } else { Ok(name) });
    /// Function::new(|parts: Variadic<String>| parts.0.concat());
    /// ```
    pub fn new<Parameters>(function: impl IntoFunction<Parameters>) -> Self {
        function.into_function()
    }

    /// A function from its signature and a closure that gets as many arguments as that asks for, each of the type that
    /// it asks for.
    pub fn with_signature(
        signature: Signature,
        closure: impl Fn(&Budget, &[Value]) -> Result<Value, FunctionError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Implementation { signature: Arc::new(signature), code: Code::Closure(Box::new(closure)) }))
    }

    /// Nil with the type of a function.
    pub fn nil(signature: Signature) -> Self {
        Self(Arc::new(Implementation { signature: Arc::new(signature), code: Code::Nil }))
    }

    /// Whether it is nil.
    pub fn is_nil(&self) -> bool {
        matches!(self.0.code, Code::Nil)
    }

    pub(crate) fn builtin(builtin: Builtin, signature: Signature) -> Self {
        Self(Arc::new(Implementation { signature: Arc::new(signature), code: Code::Builtin(builtin) }))
    }

    /// What it takes and gives.
    pub fn signature(&self) -> &Arc<Signature> {
        &self.0.signature
    }

    pub(crate) fn as_builtin(&self) -> Option<Builtin> {
        match self.0.code {
            Code::Builtin(builtin) => Some(builtin),
            Code::Closure(_) | Code::Nil => None,
        }
    }

    /// Calls it. The arguments must fit its signature.
    ///
    /// # Errors
    /// What the function itself reports.
    pub fn call(&self, budget: &Budget, arguments: &[Value]) -> Result<Value, FunctionError> {
        match &self.0.code {
            Code::Builtin(builtin) => builtin.call_plain(budget, arguments),
            Code::Closure(closure) => closure(budget, arguments),
            Code::Nil => Err(FunctionError::new("reflect.Value.Call: call of nil function")),
        }
    }

    /// A method without its receiver, which is not there: a call ends with this error.
    pub(crate) fn failing(&self, message: String) -> Self {
        Self::with_signature(self.signature().without_receiver(), move |_, _| Err(FunctionError::new(message.clone())))
    }

    /// Whether both are the same function.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({})", self.signature())
    }
}

/// The functions that a template may call by name. Go's own are always among them.
#[derive(Clone, Debug, Default)]
pub struct Functions {
    functions: HashMap<Str, Function>,
    /// Well-known functions that are left out, each with the reason.
    left_out: HashMap<Str, &'static str>,
}

impl Functions {
    /// Go's own functions: `and`, `call`, `eq`, `index`, `printf` and so on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function, in the place of what had that name. A template can call it if the name is a letter or `_`,
    /// followed by letters, digits and `_`.
    pub fn add<Parameters>(&mut self, name: impl Into<Str>, function: impl IntoFunction<Parameters>) -> &mut Self {
        self.functions.insert(name.into(), function.into_function());
        self
    }

    /// Says why a function is not there, as "it reads the clock": part of the error when a template calls it.
    pub fn leave_out(&mut self, name: impl Into<Str>, reason: &'static str) -> &mut Self {
        self.left_out.insert(name.into(), reason);
        self
    }

    /// The function of that name.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&Function> {
        self.find(name.as_ref()).map(|(_, function)| function)
    }

    /// The function of that name, and the name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<(&Str, &Function)> {
        self.functions.get_key_value(name).or_else(|| Builtin::find(name))
    }

    /// Why there is no function of that name, if it was left out on purpose.
    pub fn why_left_out(&self, name: impl AsRef<[u8]>) -> Option<&'static str> {
        self.left_out.get(name.as_ref()).copied()
    }

    /// The names of all functions, Go's own included, in no order.
    pub fn names(&self) -> impl Iterator<Item = &Str> {
        self.functions.keys().chain(Builtin::names())
    }
}
