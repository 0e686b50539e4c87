//! stub
use serde::{Serialize, Deserialize};
use serde_json::Value;
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo(Value);
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("x")]
pub struct UndoError;
pub fn record(a: &Value, _b: &Value) -> Undo { Undo(a.clone()) }
impl Undo { pub fn apply(&self, pod: &mut Value) -> Result<(), UndoError> { *pod = self.0.clone(); Ok(()) } }
