//! Renders a template: `render [--sprig] TEMPLATE_FILE DATA_JSON_FILE`.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::{env, fs};

use gotemplate::{Functions, Limits, Template, Value};

fn main() -> ExitCode {
    let (flags, files): (Vec<String>, Vec<String>) = env::args().skip(1).partition(|word| word.starts_with("--"));
    let functions = match flags.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Functions::new(),
        ["--sprig"] => Functions::sprig(),
        _ => return usage(),
    };
    let [template, data] = files.as_slice() else { return usage() };
    match render(template, data, &functions) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn render(template: &str, data: &str, functions: &Functions) -> Result<(), Box<dyn Error>> {
    let text = read(template)?;
    let json: serde_json::Value = serde_json::from_slice(&read(data)?).map_err(|error| format!("{data}: {error}"))?;
    let template = Template::parse(template, text, functions)?;
    template.execute(&Value::from(json), &mut io::stdout().lock(), &Limits::default())?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a program reads the files it is given")]
fn read(path: &str) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{path}: {error}"))
}

fn usage() -> ExitCode {
    let _ = writeln!(io::stderr(), "usage: render [--sprig] TEMPLATE_FILE DATA_JSON_FILE");
    ExitCode::from(2)
}
