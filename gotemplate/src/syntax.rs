//! The syntax tree of a template.
//!
//! Blocks and pipelines, the only things that nest, are kept in two flat lists and refer to each other by number: a tree
//! as deep as a hostile text makes it is dropped without recursion.

mod display;
pub(crate) mod number;
mod place;
pub(crate) mod quote;

use bstr::ByteSlice;
use smallvec::SmallVec;

pub(crate) use place::Place;

use crate::function::Function;
use crate::text::Str;
use crate::value::Value;

/// Offset in bytes from the beginning of the text.
pub(crate) type Position = u32;

/// All that was parsed from one text: its blocks and pipelines, whatever template they belong to.
#[derive(Debug)]
pub(crate) struct Syntax {
    /// Name under which the text was parsed; errors in all templates of the text give it.
    pub(crate) name: Str,
    /// The text, to find line and column of a position.
    pub(crate) text: Vec<u8>,
    /// Names of the variables, with their `$`; a [`Symbol`] is an index here.
    pub(crate) variables: Vec<Str>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) pipelines: Vec<Pipeline>,
}

/// Which of [`Syntax::blocks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockId(pub(crate) u32);

/// Which of [`Syntax::pipelines`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PipelineId(pub(crate) u32);

/// Which of [`Syntax::variables`]. `$` is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Symbol(pub(crate) u32);

impl Symbol {
    /// `$`, the data of the template.
    pub(crate) const ROOT: Self = Self(0);
}

/// What stands between two keywords.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) nodes: Vec<Node>,
}

/// A piece of text, or what stands between two delimiters.
#[derive(Debug)]
pub(crate) enum Node {
    /// Bytes `start..end` of the text, trimmed as the markers around them ask.
    Text {
        start: Position,
        end: Position,
    },
    /// A pipeline whose value is printed, unless it declares or assigns.
    Action {
        position: Position,
        pipeline: PipelineId,
    },
    If(Branch),
    With(Branch),
    Range(Branch),
    /// `{{template "name" pipeline}}`, and the place of a `{{block}}`.
    Template {
        position: Position,
        name: Str,
        pipeline: Option<PipelineId>,
    },
    Break {
        position: Position,
    },
    Continue {
        position: Position,
    },
}

/// `{{if}}`, `{{with}}` or `{{range}}`. An `{{else if}}` is an [`Node::If`] alone in the other block.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) position: Position,
    pub(crate) pipeline: PipelineId,
    pub(crate) body: BlockId,
    pub(crate) otherwise: Option<BlockId>,
}

/// `$x, $y := command | command`.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) position: Position,
    /// The variables before `:=` or `=`: at most one, or two in a `{{range}}`.
    pub(crate) variables: Vec<Variable>,
    /// With `=`, not `:=`.
    pub(crate) assigns: bool,
    /// At least one.
    pub(crate) commands: SmallVec<[Command; 1]>,
}

/// A variable where it is declared or assigned.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) symbol: Symbol,
}

/// A first word and its arguments.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) position: Position,
    /// At least one.
    pub(crate) operands: SmallVec<[Operand; 1]>,
}

/// One word of a command.
#[derive(Debug)]
pub(crate) struct Operand {
    pub(crate) position: Position,
    pub(crate) term: Term,
}

/// What a word may be.
#[derive(Debug)]
pub(crate) enum Term {
    Bool(bool),
    Nil,
    Dot,
    Number(Box<Number>),
    /// What it means, and where it ends, with its quotes, in the text of the template.
    String {
        value: Value,
        end: Position,
    },
    /// `.a.b`: at least one name.
    Field(Names),
    /// `$x.a.b`.
    Variable {
        symbol: Symbol,
        fields: Names,
    },
    /// The name of a function.
    Function(NamedFunction),
    /// `(pipeline).a.b`, and `name.a`: at least one field name. The base is a pipeline or a function.
    Chain {
        base: Box<Operand>,
        fields: Box<[Str]>,
    },
    /// `(pipeline)`.
    Pipeline(PipelineId),
}

/// One behind the other, mostly a single one.
pub(crate) type Names = SmallVec<[Str; 1]>;

/// A function as the template names it.
#[derive(Debug)]
pub(crate) struct NamedFunction {
    pub(crate) name: Str,
    pub(crate) function: Function,
}

/// A literal number, which may be of several kinds until it is known what is wanted.
#[derive(Debug)]
pub(crate) struct Number {
    /// As it is written.
    pub(crate) text: Str,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    /// Real and imaginary part; absent unless it is written as one.
    pub(crate) complex: Option<(f64, f64)>,
    /// What it is where no kind is wanted. Absent from an unsigned number too large for `int`: an error when executed.
    pub(crate) ideal: Option<Value>,
}

impl Pipeline {
    /// The word, where it is nothing but that.
    pub(crate) fn only_word(&self) -> Option<&Operand> {
        match (self.variables.as_slice(), self.commands.as_slice()) {
            ([], [Command { operands, .. }]) => match operands.as_slice() {
                [word] => Some(word),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Syntax {
    pub(crate) fn block(&self, id: BlockId) -> &[Node] {
        &self.blocks[id.0 as usize].nodes
    }

    pub(crate) fn pipeline(&self, id: PipelineId) -> &Pipeline {
        &self.pipelines[id.0 as usize]
    }

    pub(crate) fn variable(&self, symbol: Symbol) -> &Str {
        &self.variables[symbol.0 as usize]
    }

    pub(crate) fn span(&self, start: Position, end: Position) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Line, from 1, and bytes between its beginning and the position, as Go's execution errors give them.
    pub(crate) fn location(&self, position: Position) -> (usize, usize) {
        let before = self.text.get(..position as usize).unwrap_or(&self.text);
        let line_start = before.rfind_byte(b'\n').map_or(0, |at| at + 1);
        (1 + before.find_iter(b"\n").count(), before.len() - line_start)
    }
}
