//! Versions as values, with the methods that templates call.

use std::cmp::Ordering;
use std::sync::LazyLock;

use super::version::{Version, check_metadata, check_prerelease};
use crate::function::{FromArgument, Function, FunctionError, IntoFunction, IntoReturn};
use crate::named::{Definition, Field, NamedType};
use crate::sprig::panics::nil_dereference;
use crate::text::Str;
use crate::types::{Type, UintKind};
use crate::value::{Pointer, Struct, Value};

/// `*semver.Version`
pub(super) struct Shared(pub(super) Option<Version>);

/// `semver.Version`, as a receiver too.
struct Plain(Version);

/// The type by name, for the signatures of its own methods.
static DECLARED: LazyLock<NamedType> = LazyLock::new(|| NamedType::declare("semver.Version"));

static VERSION: LazyLock<NamedType> = LazyLock::new(|| {
    let fields = ["major", "minor", "patch"].map(|name| Field::new(name, Type::Uint(UintKind::Uint64)));
    let texts = ["pre", "metadata", "original"].map(|name| Field::new(name, Type::String));
    let definition = Definition::structure(fields.into_iter().chain(texts).collect())
        .display(|value| read(value).unwrap_or_default().to_string().into())
        .json(|value| Ok(read(value).unwrap_or_default().to_string().into()));
    let definition = with_readers(definition);
    let definition = with_changes(definition);
    DECLARED.define(with_comparisons(definition));
    DECLARED.clone()
});

/// Makes sure that the type is defined before anybody looks at it.
pub(super) fn define() {
    LazyLock::force(&VERSION);
}

fn with_readers(definition: Definition) -> Definition {
    definition
        .method("String", (|version: Plain| version.0.to_string()).into_function())
        .method("Major", (|version: Plain| version.0.major).into_function())
        .method("Minor", (|version: Plain| version.0.minor).into_function())
        .method("Patch", (|version: Plain| version.0.patch).into_function())
        .method("Prerelease", (|version: Plain| version.0.prerelease).into_function())
        .method("Metadata", (|version: Plain| version.0.metadata).into_function())
        .pointer_method("Original", (|version: Shared| version.get().map(|version| version.original)).into_function())
}

fn with_changes(definition: Definition) -> Definition {
    let release = |version: &mut Version| {
        version.prerelease.clear();
        version.metadata.clear();
    };
    let patch = move |version: Plain| {
        let is_release = version.0.prerelease.is_empty();
        Plain(version.0.changed(|changed| {
            release(changed);
            changed.patch = changed.patch.wrapping_add(u64::from(is_release));
        }))
    };
    let minor = move |version: Plain| {
        Plain(version.0.changed(|changed| {
            release(changed);
            changed.patch = 0;
            changed.minor = changed.minor.wrapping_add(1);
        }))
    };
    let major = move |version: Plain| {
        Plain(version.0.changed(|changed| {
            release(changed);
            changed.patch = 0;
            changed.minor = 0;
            changed.major = changed.major.wrapping_add(1);
        }))
    };
    let prerelease = |version: Plain, prerelease: Str| {
        check_prerelease(&prerelease.to_text())?;
        let change = |changed: &mut Version| changed.prerelease = prerelease.to_text().into_owned();
        Ok::<_, FunctionError>(Plain(version.0.changed(change)))
    };
    let metadata = |version: Plain, metadata: Str| {
        check_metadata(&metadata.to_text())?;
        let change = |changed: &mut Version| changed.metadata = metadata.to_text().into_owned();
        Ok::<_, FunctionError>(Plain(version.0.changed(change)))
    };
    definition
        .method("IncPatch", patch.into_function())
        .method("IncMinor", minor.into_function())
        .method("IncMajor", major.into_function())
        .method("SetPrerelease", prerelease.into_function())
        .method("SetMetadata", metadata.into_function())
}

fn with_comparisons(definition: Definition) -> Definition {
    let comparison = |holds: fn(Ordering) -> bool| -> Function {
        (move |version: Shared, other: Shared| Ok::<_, FunctionError>(holds(version.get()?.compare(&other.get()?))))
            .into_function()
    };
    definition
        .pointer_method("LessThan", comparison(Ordering::is_lt))
        .pointer_method("LessThanEqual", comparison(Ordering::is_le))
        .pointer_method("GreaterThan", comparison(Ordering::is_gt))
        .pointer_method("GreaterThanEqual", comparison(Ordering::is_ge))
        .pointer_method(
            "Equal",
            (|version: Shared, other: Shared| match (version.0, other.0) {
                (Some(version), Some(other)) => version.compare(&other).is_eq(),
                (version, other) => version.is_none() && other.is_none(),
            })
            .into_function(),
        )
        .pointer_method(
            "Compare",
            (|version: Shared, other: Shared| Ok::<_, FunctionError>(version.get()?.compare(&other.get()?) as isize))
                .into_function(),
        )
}

impl Shared {
    fn get(self) -> Result<Version, FunctionError> {
        self.0.ok_or_else(nil_dereference)
    }
}

impl FromArgument for Shared {
    fn parameter_type() -> Type {
        Type::pointer(Type::Named(DECLARED.clone()))
    }

    fn from_argument(value: &Value) -> Result<Self, FunctionError> {
        match value {
            Value::Pointer(pointer) => Ok(Self(pointer.target().and_then(read))),
            _ => Ok(Self(read(value))),
        }
    }
}

impl IntoReturn for Shared {
    fn result_type() -> Type {
        Self::parameter_type()
    }

    fn into_return(self) -> Result<Value, FunctionError> {
        Ok(match self.0 {
            Some(version) => Pointer::new(structure(&version).into()).into(),
            None => Pointer::nil(Type::Named(VERSION.clone())).into(),
        })
    }
}

impl FromArgument for Plain {
    fn parameter_type() -> Type {
        Type::Named(DECLARED.clone())
    }

    fn from_argument(value: &Value) -> Result<Self, FunctionError> {
        match value {
            Value::Pointer(pointer) => pointer.target().and_then(read).map(Self).ok_or_else(nil_dereference),
            _ => read(value).map(Self).ok_or_else(nil_dereference),
        }
    }
}

impl IntoReturn for Plain {
    fn result_type() -> Type {
        Self::parameter_type()
    }

    fn into_return(self) -> Result<Value, FunctionError> {
        Ok(structure(&self.0).into())
    }
}

fn structure(version: &Version) -> Struct {
    let number = |number| Value::Uint(number, UintKind::Uint64);
    let fields = [
        ("major", number(version.major)),
        ("minor", number(version.minor)),
        ("patch", number(version.patch)),
        ("pre", version.prerelease.clone().into()),
        ("metadata", version.metadata.clone().into()),
        ("original", version.original.clone().into()),
    ];
    Struct::new(VERSION.clone(), fields)
}

fn read(value: &Value) -> Option<Version> {
    let Value::Struct(structure) = value else { return None };
    let number = |name: &str| match structure.field(name) {
        Some(Value::Uint(number, _)) => *number,
        _ => 0,
    };
    let text = |name: &str| match structure.field(name) {
        Some(Value::String(text)) => text.clone(),
        _ => Str::default(),
    };
    (structure.struct_type() == &*VERSION).then(|| Version {
        major: number("major"),
        minor: number("minor"),
        patch: number("patch"),
        prerelease: text("pre").to_text().into_owned(),
        metadata: text("metadata").to_text().into_owned(),
        original: text("original"),
    })
}
