//! try: stdin: yaml, then =====, then python-less JSON patch ops: path=value
use serde_json::Value;
fn read(text: &str) -> Result<Value, String> {
    let options: serde_saphyr::Options = serde_saphyr::options! { duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins, legacy_octal_numbers: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|e| e.to_string())
}
fn main() {
    let input = std::io::read_to_string(std::io::stdin()).unwrap();
    let (a, b) = input.split_once("=====\n").unwrap();
    let old = read(a).unwrap();
    let new = read(b).unwrap();
    let out = yamledit::edit(a, &old, &new, &Default::default(), read).unwrap();
    println!("{out}");
    let back = yamledit::edit(&out, &new, &old, &Default::default(), read).unwrap();
    println!("BACK SAME: {}", back == a);
    if back != a {
        println!("{back}");
    }
}
