//! Where in a template an execution is.

use super::{Command, Node, Operand, Pipeline, Position, Syntax};
use crate::text::Str;

/// What an execution is at, for its errors.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'t> {
    Start,
    Node(&'t Node),
    Pipeline(&'t Pipeline),
    Command(&'t Command),
    Operand(&'t Operand),
}

impl Place<'_> {
    pub(crate) fn position(self) -> Option<Position> {
        match self {
            Self::Start => None,
            Self::Node(node) => Some(node.position()),
            Self::Pipeline(pipeline) => Some(pipeline.position),
            Self::Command(command) => Some(command.position),
            Self::Operand(operand) => Some(operand.position),
        }
    }
}

impl Node {
    fn position(&self) -> Position {
        match self {
            Self::Text { start, .. } => *start,
            Self::Action { position, .. }
            | Self::Template { position, .. }
            | Self::Break { position }
            | Self::Continue { position } => *position,
            Self::If(branch) | Self::With(branch) | Self::Range(branch) => branch.position,
        }
    }
}

impl Syntax {
    /// The place as errors show it.
    pub(crate) fn describe(&self, place: Place<'_>) -> Str {
        match place {
            Place::Start => Str::default(),
            Place::Node(node) => self.node_text(node),
            Place::Pipeline(pipeline) => self.pipeline_text(pipeline),
            Place::Command(command) => self.command_text(command),
            Place::Operand(operand) => self.operand_text(operand),
        }
    }
}
