//! dump
use granit_parser::{Parser, options};
fn main() {
    let text = std::io::read_to_string(std::io::stdin()).unwrap();
    for doc in text.split("=====\n") {
        println!("#### {doc:?}");
        let o = options! { emit_anchor_events: true };
        for e in Parser::new_from_str_with_options(doc, o) {
            match e { Ok((ev, span)) => println!("{:>3}..{:<3} {:?} indent={:?} tag={:?} | {ev:?}", span.start.byte_offset().unwrap(), span.end.byte_offset().unwrap(), span.slice(doc), span.indent, span.tag_span().and_then(|s| s.byte_range())),
              Err(e) => println!("ERR {e}") }
        }
    }
}
