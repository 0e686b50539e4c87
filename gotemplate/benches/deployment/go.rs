//! What Go itself needs.

use std::error::Error;
use std::path::Path;
use std::process::Command;

/// Go tells the mean of a second; the shortest of so many counts.
const RUNS: usize = 3;

/// Nanoseconds that Go takes to parse and to execute.
///
/// # Errors
/// Where there is no Go, or the oracle does not run.
pub(crate) fn times() -> Result<(f64, f64), Box<dyn Error>> {
    let mut shortest = (f64::INFINITY, f64::INFINITY);
    for _ in 0..RUNS {
        let (parse, execute) = run()?;
        shortest = (shortest.0.min(parse), shortest.1.min(execute));
    }
    Ok(shortest)
}

fn run() -> Result<(f64, f64), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixture = folder.join("benches/deployment");
    let output = Command::new("go")
        .current_dir(folder.join("oracle"))
        .args(["run", ".", "bench"])
        .args([fixture.join("deployment.tmpl"), fixture.join("deployment.json")])
        .output()
        .map_err(|error| format!("go: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned().into());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok((figure(&text, "parse")?, figure(&text, "execute")?))
}

/// The number in the line `NAME NUMBER`.
fn figure(text: &str, name: &str) -> Result<f64, Box<dyn Error>> {
    let number = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(number.ok_or_else(|| format!("no line `{name} NUMBER` in {text:?}"))?.trim().parse()?)
}
