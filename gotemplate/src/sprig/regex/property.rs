//! Unicode properties in patterns: `\pL`, `\p{Greek}`.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use crate::sprig::unicode::{assigned, class};

/// What Go knows, each name in its form: categories, their long names and scripts. Go's lookup misses the scripts whose
/// names have several words, so they are not among them.
const NAMES: &str = "
    Adlam Ahom Arabic Armenian Avestan Balinese Bamum Batak Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid C
    Carian Casedletter Cc Cf Chakma Cham Cherokee Chorasmian Closepunctuation Cn Cntrl Co Combiningmark Common
    Connectorpunctuation Control Coptic Cs Cuneiform Currencysymbol Cypriot Cyrillic Dashpunctuation Decimalnumber
    Deseret Devanagari Digit Dogra Duployan Elbasan Elymaic Enclosingmark Ethiopic Finalpunctuation Format Georgian
    Glagolitic Gothic Grantha Greek Gujarati Gurmukhi Han Hangul Hanunoo Hatran Hebrew Hiragana Inherited
    Initialpunctuation Javanese Kaithi Kannada Katakana Kawi Kharoshthi Khmer Khojki Khudawadi L Lao Latin Lc Lepcha
    Letter Letternumber Limbu Lineseparator Lisu Ll Lm Lo Lowercaseletter Lt Lu Lycian Lydian M Mahajani Makasar
    Malayalam Mandaic Manichaean Marchen Mark Mathsymbol Mc Me Medefaidrin Miao Mn Modi Modifierletter Modifiersymbol
    Mongolian Mro Multani Myanmar N Nabataean Nandinagari Nd Newa Nko Nl No Nonspacingmark Number Nushu Ogham
    Openpunctuation Oriya Osage Osmanya Other Otherletter Othernumber Otherpunctuation Othersymbol P Palmyrene
    Paragraphseparator Pc Pd Pe Pf Phoenician Pi Po Privateuse Ps Punct Punctuation Rejang Runic S Samaritan Saurashtra
    Sc Separator Sharada Shavian Siddham Sinhala Sk Sm So Sogdian Soyombo Spaceseparator Spacingmark Sundanese Surrogate
    Symbol Syriac Tagalog Tagbanwa Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Titlecaseletter
    Toto Ugaritic Unassigned Uppercaseletter Vai Vithkuqi Wancho Yezidi Yi Z Zl Zp Zs";

/// The characters of a property; none when there is no such property.
pub(super) fn property(name: &[u8]) -> Option<ClassUnicode> {
    let name = canonical(name)?;
    Some(match name.as_str() {
        "Any" => ClassUnicode::new([ClassUnicodeRange::new('\0', char::MAX)]),
        "Assigned" => assigned().clone(),
        "Ascii" => ClassUnicode::new([ClassUnicodeRange::new('\0', '\x7f')]),
        "Cn" | "Unassigned" => unassigned(),
        "C" | "Other" => {
            let mut other = class(r"\p{C}");
            other.union(&unassigned());
            other
        }
        // Surrogates are no characters of UTF-8.
        "Cs" | "Surrogate" => ClassUnicode::empty(),
        _ if NAMES.split_ascii_whitespace().any(|known| known == name) => class(&format!(r"\p{{{name}}}")),
        _ => return None,
    })
}

fn unassigned() -> ClassUnicode {
    let mut unassigned = assigned().clone();
    unassigned.negate();
    unassigned
}

/// The first letter a capital, the others small, and nothing between words.
fn canonical(name: &[u8]) -> Option<String> {
    let letters: Vec<u8> = name.iter().copied().filter(|byte| !matches!(byte, b'_' | b'-' | b' ')).collect();
    let (first, rest) = letters.split_first()?;
    String::from_utf8([&[first.to_ascii_uppercase()], rest.to_ascii_lowercase().as_slice()].concat()).ok()
}
