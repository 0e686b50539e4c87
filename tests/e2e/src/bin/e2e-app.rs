//! The application of a test's pod, and the client of a test.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sidecar_e2e::{app, client};

const USAGE: &str = "\
usage: e2e-app serve --port PORT
       e2e-app get [--timeout SECONDS] URL

serve  answers every HTTP request with what it saw of it, as JSON
get    prints status and body of the answer; exit code 1 without an answer or with a status from 400 on";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<ExitCode> {
    match arguments {
        ["serve", "--port", port] => {
            let port = port.parse().with_context(|| format!("not a port: `{port}`"))?;
            app::serve(port).with_context(|| format!("cannot serve on port {port}"))?;
        }
        ["get", url] => get(url, Duration::from_secs(5))?,
        ["get", "--timeout", seconds, url] => {
            let seconds = seconds.parse().with_context(|| format!("not a number of seconds: `{seconds}`"))?;
            get(url, Duration::from_secs(seconds))?;
        }
        _ => {
            writeln!(io::stderr(), "{USAGE}")?;
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn get(url: &str, patience: Duration) -> Result<()> {
    let client::Answer { status, body } = client::get(url, patience)?;
    writeln!(io::stdout(), "{status}\n{body}")?;
    if status >= 400 {
        bail!("{url} answered {status}");
    }
    Ok(())
}
