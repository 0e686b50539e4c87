//! Makes syntax trees of a text: the first of its tokens that does not fit ends it, with Go's message.

mod control;
mod pipeline;
mod scope;
mod tokens;

use std::collections::HashMap;

use crate::error::ParseError;
use crate::format::quote;
use crate::function::Functions;
use crate::lexer::{Delimiters, Keyword, Lexer, LoopKeywords, Token, TokenKind};
use crate::stack;
use crate::syntax::quote::unquote;
use crate::syntax::{Block, BlockId, Node, Position, Symbol, Syntax};
use crate::text::Str;
use crate::unicode;
use control::{Item, Terminator};
use scope::Scope;

/// What was parsed from one text.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) syntax: Syntax,
    /// The templates that the text defines, each name once. The text itself is one of them, unless it is empty and
    /// defines a template of its own name.
    pub(crate) trees: Vec<Tree>,
}

/// A template.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) name: Str,
    pub(crate) root: BlockId,
    /// Nothing but white space and comments: it does not replace a template of that name that another text defined.
    pub(crate) empty: bool,
}

/// How much a text may ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParseLimits {
    /// Bytes in the text. No text is longer than a [`Position`] can tell.
    pub(crate) text: usize,
    /// Parentheses within parentheses, as in Go.
    pub(crate) expression_depth: usize,
    /// Control structures within each other, each `{{else if}}` within the one before. Go has no limit.
    pub(crate) block_depth: usize,
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self { text: Position::MAX as usize, expression_depth: 10_000, block_depth: 10_000 }
    }
}

/// Parses a text as the template of that name, with whatever templates it defines.
///
/// A function is known when it is in `functions`; one named `break` or `continue` takes that keyword away.
pub(crate) fn parse(
    name: &Str,
    text: &[u8],
    delimiters: Delimiters<'_>,
    functions: &Functions,
    limits: ParseLimits,
) -> Result<Parsed, ParseError> {
    let longest = limits.text.min(Position::MAX as usize);
    if text.len() > longest {
        let message = format!("text is longer than {longest} bytes");
        return Err(ParseError::new(name.clone(), 1, 1, message.into()));
    }
    let mut parser = Parser::new(name, text, delimiters, functions, limits);
    let root = parser.text()?;
    parser.define(name.clone(), root)?;
    Ok(Parsed { syntax: parser.syntax, trees: parser.trees })
}

struct Parser<'a> {
    text: &'a [u8],
    lexer: Lexer<'a>,
    functions: &'a Functions,
    limits: ParseLimits,
    /// Tokens that were looked at and put back, the next one last: never more than three.
    pending: Vec<Token>,
    scope: Scope,
    block_depth: usize,
    syntax: Syntax,
    symbols: HashMap<Str, Symbol>,
    trees: Vec<Tree>,
    /// Which of the trees has that name.
    defined: HashMap<Str, usize>,
}

impl<'a> Parser<'a> {
    fn new(
        name: &Str,
        text: &'a [u8],
        delimiters: Delimiters<'a>,
        functions: &'a Functions,
        limits: ParseLimits,
    ) -> Self {
        let loop_keywords =
            LoopKeywords { breaks: functions.get(b"break").is_none(), continues: functions.get(b"continue").is_none() };
        let root = Str::from("$");
        Self {
            text,
            lexer: Lexer::new(text, delimiters, loop_keywords),
            functions,
            limits,
            pending: Vec::new(),
            scope: Scope::default(),
            block_depth: 0,
            syntax: Syntax {
                name: name.clone(),
                text: text.to_vec(),
                variables: vec![root.clone()],
                blocks: Vec::new(),
                pipelines: Vec::new(),
            },
            symbols: HashMap::from([(root, Symbol::ROOT)]),
            trees: Vec::new(),
            defined: HashMap::new(),
        }
    }

    /// The whole text. Only here, outside of everything else, templates are defined with `{{define}}`.
    fn text(&mut self) -> Result<BlockId, ParseError> {
        let mut nodes = Vec::new();
        while self.peek().kind != TokenKind::EndOfText {
            if self.peek().kind == TokenKind::LeftDelimiter {
                let delimiter = self.next();
                let first = self.next_word();
                if first.kind == TokenKind::Keyword(Keyword::Define) {
                    self.definition()?;
                    continue;
                }
                self.put_back(first);
                self.put_back(delimiter);
            }
            match self.item()? {
                Item::Node(node) => nodes.push(node),
                Item::Terminator(terminator) => return Err(self.error(&format!("unexpected {terminator}"))),
            }
        }
        Ok(self.add_block(nodes))
    }

    /// `{{define "name"}} … {{end}}`, behind the keyword.
    fn definition(&mut self) -> Result<(), ParseError> {
        const CONTEXT: &str = "define clause";
        let outer = std::mem::take(&mut self.scope);
        let token = self.next_word();
        let name = self.template_name(token, CONTEXT)?;
        self.expect_right_delimiter(CONTEXT)?;
        let (root, terminator) = self.items()?;
        if terminator != Terminator::End {
            return Err(self.error(&format!("unexpected {terminator} in {CONTEXT}")));
        }
        self.define(name, root)?;
        self.scope = outer;
        Ok(())
    }

    fn template_name(&mut self, token: Token, context: &str) -> Result<Str, ParseError> {
        match token.kind {
            TokenKind::String | TokenKind::RawString => self.unquoted(token),
            _ => Err(self.unexpected(token, context)),
        }
    }

    fn unquoted(&self, token: Token) -> Result<Str, ParseError> {
        match unquote(self.text_of(token)) {
            Ok(text) => Ok(text.into()),
            Err(error) => Err(self.error(&error.to_string())),
        }
    }

    /// A template may be defined again while it is empty, and by an empty one, which has no effect then.
    fn define(&mut self, name: Str, root: BlockId) -> Result<(), ParseError> {
        let empty = self.syntax.block(root).iter().all(|node| match node {
            Node::Text { start, end } => unicode::is_blank(self.span(*start, *end)),
            _ => false,
        });
        let defined = self.defined.get(&name).and_then(|&at| self.trees.get_mut(at));
        match defined {
            Some(tree) if tree.empty => *tree = Tree { name, root, empty },
            Some(_) if empty => {}
            Some(_) => {
                return Err(self.error(&format!("template: multiple definition of template {}", quote(&name))));
            }
            None => {
                self.defined.insert(name.clone(), self.trees.len());
                self.trees.push(Tree { name, root, empty });
            }
        }
        Ok(())
    }

    fn add_block(&mut self, nodes: Vec<Node>) -> BlockId {
        self.syntax.blocks.push(Block { nodes });
        BlockId(index(self.syntax.blocks.len() - 1))
    }

    fn symbol(&mut self, name: &[u8]) -> Symbol {
        if let Some(&symbol) = self.symbols.get(name) {
            return symbol;
        }
        let symbol = Symbol(index(self.syntax.variables.len()));
        let name = Str::from(name);
        self.syntax.variables.push(name.clone());
        self.symbols.insert(name, symbol);
        symbol
    }

    /// Goes one level deeper.
    fn nested<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, ParseError>) -> Result<T, ParseError> {
        if self.block_depth >= self.limits.block_depth {
            return Err(self.error("max block depth exceeded"));
        }
        self.block_depth += 1;
        let result = stack::with_room(|| run(self));
        self.block_depth -= 1;
        result
    }

    fn span(&self, start: Position, end: Position) -> &'a [u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }
}

/// There is less of everything than bytes in the text, whose length fits.
fn index(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
