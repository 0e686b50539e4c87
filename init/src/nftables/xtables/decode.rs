//! The expressions of a rule in the words of `iptables-save`, whichever version of iptables-nft has written it.

use std::fmt::Write;

use crate::nftables::expression::{Comparison, Expression, Register};
use crate::nftables::xtables::matches::not;
use crate::nftables::xtables::{XtMatch, XtTarget};
use crate::rule::{Family, Protocol};

mod condition;
mod words;

use condition::{Condition, Source, Test};
use words::opaque;

/// The body of a rule as `iptables-save` prints it, addresses in Rust's form.
///
/// What iptables has no words for, or is not understood here, becomes `-m [what it is]`: such a body never equals one of
/// ours.
pub fn body(expressions: &[Expression], family: Family) -> String {
    let mut reader = Reader { family, ..Reader::new() };
    for expression in expressions {
        reader.read(expression);
    }
    reader.text()
}

/// A rule, as far as it has been read.
struct Reader {
    family: Family,
    /// What is in the registers.
    loaded: Vec<(Register, Source)>,
    source: Option<String>,
    destination: Option<String>,
    in_interface: Option<String>,
    out_interface: Option<String>,
    protocol: Option<String>,
    /// The protocol that ports are of.
    transport: Option<Protocol>,
    matches: Vec<Part>,
    target: Option<String>,
}

/// One of the conditions that are printed in their order.
enum Part {
    Known(XtMatch),
    /// The `-m tcp` or `-m udp` that conditions on ports are put together in.
    Opaque(String),
}

impl Reader {
    fn new() -> Self {
        Self {
            family: Family::V4,
            loaded: vec![],
            source: None,
            destination: None,
            in_interface: None,
            out_interface: None,
            protocol: None,
            transport: None,
            matches: vec![],
            target: None,
        }
    }

    fn read(&mut self, expression: &Expression) {
        // After its end a rule does nothing; but nobody writes it so.
        if self.target.is_some() {
            return self.opaque(expression.name());
        }
        match expression {
            Expression::Counter => {}
            Expression::Meta(meta, to) => self.load(*to, Source::Meta(*meta)),
            Expression::Payload(piece, to) => self.load(*to, Source::Payload(*piece)),
            Expression::Ct(ct, to) => self.load(*to, Source::Ct(*ct)),
            Expression::Bitwise { from, to, mask, xor } => {
                let masked = self.take(*from).and_then(|source| source.masked(mask, xor));
                self.load(*to, masked.unwrap_or(Source::Unknown));
            }
            Expression::Compare(comparison, from, value) => self.test(*from, Test::of(*comparison, value)),
            Expression::Range { register, is_inverted, first, last } => {
                self.test(*register, Some(Test::Within(first, last, *is_inverted)));
            }
            Expression::Match(extension) => match XtMatch::of(extension) {
                Some(known) => self.matches.push(Part::Known(known)),
                None => self.opaque(&format!("xt-match {}", extension.name)),
            },
            Expression::Target(extension) => {
                let known = XtTarget::of(extension, self.family).map(|target| target.to_string());
                self.target =
                    Some(known.unwrap_or_else(|| format!("-j {} {}", words::word(&extension.name), opaque("…"))));
            }
            Expression::Verdict(verdict) => self.target = Some(words::verdict(verdict)),
            Expression::SetMeta(..)
            | Expression::SetCt(..)
            | Expression::Data(..)
            | Expression::Redirect(_)
            | Expression::Tproxy { .. }
            | Expression::Unknown(_) => self.opaque(expression.name()),
        }
    }

    fn load(&mut self, to: Register, source: Source) {
        self.loaded.retain(|(register, _)| *register != to);
        self.loaded.push((to, source));
    }

    fn take(&self, from: Register) -> Option<Source> {
        self.loaded.iter().find(|(register, _)| *register == from).map(|(_, source)| source.clone())
    }

    fn test(&mut self, from: Register, test: Option<Test<'_>>) {
        let source = self.take(from).unwrap_or(Source::Unknown);
        let condition = test.and_then(|test| Condition::of(&source, &test, self.family));
        if condition.is_none_or(|condition| !self.apply(condition)) {
            self.opaque(&source.name());
        }
    }

    /// Whether there is a place for it.
    fn apply(&mut self, condition: Condition) -> bool {
        let (place, text) = match condition {
            Condition::Source(text) => (&mut self.source, text),
            Condition::Destination(text) => (&mut self.destination, text),
            Condition::InInterface(text) => (&mut self.in_interface, text),
            Condition::OutInterface(text) => (&mut self.out_interface, text),
            Condition::Protocol(number, is_inverted) => {
                if !is_inverted && self.protocol.is_none() {
                    self.transport = words::transport(number);
                }
                (&mut self.protocol, format!("{} -p {}", not(is_inverted), words::protocol(number)))
            }
            Condition::Ports(source, destination) => return self.put_ports(source, destination),
            Condition::Module(known) => {
                self.matches.push(Part::Known(known));
                return true;
            }
        };
        if place.is_some() {
            return false;
        }
        *place = Some(text);
        true
    }

    fn put_ports(&mut self, source: condition::OptionalPorts, destination: condition::OptionalPorts) -> bool {
        use crate::nftables::xtables::Ports;
        let Some(protocol) = self.transport else { return false };
        let there = self.matches.iter_mut().find_map(|part| match part {
            Part::Known(XtMatch::Ports(_, source, destination)) => Some((source, destination)),
            _ => None,
        });
        let Some((old_source, old_destination)) = there else {
            let (source, destination) = (source.unwrap_or(Ports::ALL), destination.unwrap_or(Ports::ALL));
            self.matches.push(Part::Known(XtMatch::Ports(protocol, source, destination)));
            return true;
        };
        for (old, new) in [(old_source, source), (old_destination, destination)] {
            if let Some(new) = new {
                if *old != Ports::ALL {
                    return false;
                }
                *old = new;
            }
        }
        true
    }

    fn opaque(&mut self, what: &str) {
        self.matches.push(Part::Opaque(opaque(what)));
    }

    fn text(self) -> String {
        let mut text = String::new();
        let common = [self.source, self.destination, self.in_interface, self.out_interface, self.protocol];
        for words in common.into_iter().flatten() {
            text.push_str(&words);
        }
        for part in self.matches {
            // Writing to a string cannot fail.
            let _ = match part {
                Part::Known(known) => write!(text, " {known}"),
                Part::Opaque(what) => write!(text, " -m {what}"),
            };
        }
        if let Some(target) = self.target {
            text.push(' ');
            text.push_str(&target);
        }
        text.trim_start().to_owned()
    }
}

impl Test<'_> {
    fn of(comparison: Comparison, value: &[u8]) -> Option<Test<'_>> {
        Some(match comparison {
            Comparison::Equal => Test::Equal(value, false),
            Comparison::Unequal => Test::Equal(value, true),
            Comparison::LessOrEqual => Test::UpTo(value),
            Comparison::Greater => Test::Above(value),
            Comparison::GreaterOrEqual => Test::From(value),
            Comparison::Less => Test::Below(value),
        })
    }
}
