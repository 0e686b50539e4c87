//! Reading as the injector does.

use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Options};

/// Reads a document as the injector does.
///
/// # Errors
/// When it is not YAML.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    let options: Options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        legacy_octal_numbers: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}
