//! How fast a template of some 500 lines is parsed and executed, beside minijinja and Go.
//!
//! `cargo bench -p gotemplate` prints the times of each and, at the end, a table of the ratios. Go is asked through the
//! oracle; where there is no Go, its column is missing.

mod go;
mod jinja;
mod table;

use std::error::Error;
use std::hint::black_box;
use std::io;
use std::time::Instant;

use criterion::Criterion;
use gotemplate::{Functions, Limits, Template, Value};
use minijinja::value::Serde;
use table::{Engine, Operation, Table};

const TEMPLATE: &str = include_str!("deployment.tmpl");
const DATA: &str = include_str!("deployment.json");

fn main() -> Result<(), Box<dyn Error>> {
    let data: serde_json::Value = serde_json::from_str(DATA)?;
    let mut criterion = Criterion::default().without_plots().configure_from_args();
    let mut table = Table::default();

    let functions = Functions::new();
    let limits = Limits::default();
    let template = Template::parse("deployment", TEMPLATE, &functions)?;
    let values = Value::from(&data);
    let jinja = jinja::environment()?;
    let jinja_template = jinja.template_from_str(jinja::TEMPLATE)?;
    let jinja_values = minijinja::Value::from(Serde(&data));
    let rendered = template.render(&values, &limits)?;
    let jinja_rendered = jinja_template.render(&jinja_values)?;
    let differing = rendered.lines().zip(jinja_rendered.lines()).find(|(own, other)| own != other);
    assert_eq!((differing, rendered.len()), (None, jinja_rendered.len()), "the templates do not render the same text");

    let mut time = |operation, engine, run: &mut dyn FnMut()| {
        let samples = measure(&mut criterion, operation, engine, run);
        table.record(operation, engine, &samples);
    };
    time(Operation::Parse, Engine::Gotemplate, &mut || {
        let _ = black_box(Template::parse("deployment", black_box(TEMPLATE), &functions));
    });
    time(Operation::Parse, Engine::Minijinja, &mut || {
        let _ = black_box(jinja.template_from_str(black_box(jinja::TEMPLATE)));
    });
    time(Operation::Execute, Engine::Gotemplate, &mut || {
        let _ = black_box(template.execute(black_box(&values), &mut io::sink(), &limits));
    });
    time(Operation::Execute, Engine::Minijinja, &mut || {
        let _ = black_box(jinja_template.render_captured_to(black_box(&jinja_values), io::sink()));
    });
    criterion.final_summary();

    // As a test every routine runs once, and there is nothing to compare.
    if std::env::args().any(|argument| argument == "--bench") {
        match go::times() {
            Ok((parse, execute)) => {
                table.record(Operation::Parse, Engine::Go, &[parse]);
                table.record(Operation::Execute, Engine::Go, &[execute]);
            }
            Err(why) => table.note(format!("without Go: {why}")),
        }
        table.print(&mut io::stdout().lock())?;
    }
    Ok(())
}

/// Nanoseconds of one run, of each sample that criterion takes.
fn measure(criterion: &mut Criterion, operation: Operation, engine: Engine, run: &mut dyn FnMut()) -> Vec<f64> {
    let mut samples = Vec::new();
    criterion.bench_function(&format!("{}/{}", operation.name(), engine.name()), |bencher| {
        bencher.iter_custom(|rounds| {
            let start = Instant::now();
            for _ in 0..rounds {
                run();
            }
            let elapsed = start.elapsed();
            samples.push(elapsed.as_secs_f64() * 1e9 / rounds as f64);
            elapsed
        });
    });
    samples
}
