//! `kube-inject` and `uninject` over many inputs: what they read, what they write, and what they exit with.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]
#![expect(clippy::disallowed_methods, reason = "a test of files makes and reads files")]

mod addresses;
mod hostile;
mod in_place;
mod inputs;
mod mistakes;
mod outputs;
mod patches;
mod reports;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a # mine\nspec:\n  containers:\n  - name: app\n";
const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name:   s}\n";
const OUT: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: out\n  labels: {sidecar.istio.io/inject: \"false\"}\nspec:\n  containers:\n  - name: app\n";

/// A folder with these files, to run in.
struct Folder(TempDir);

/// What a run came to.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Folder {
    fn of(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
        program.arg(command).args(arguments).current_dir(self.path()).env_remove("NO_COLOR");
        program
    }

    fn kube_inject(&self, arguments: &[&str]) -> Ran {
        self.command("kube-inject", arguments).output().unwrap().into()
    }

    fn uninject(&self, arguments: &[&str]) -> Ran {
        self.command("uninject", arguments).output().unwrap().into()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    /// Fails unless it exits with `code` and says all of `expected` on standard error.
    #[track_caller]
    fn exits(&self, code: i32, expected: &[&str]) -> &Self {
        let Self { code: found, stderr, .. } = self;
        assert_eq!(*found, code, "{stderr}");
        for text in expected {
            assert!(stderr.contains(text), "no `{text}` in: {stderr}");
        }
        assert!(!stderr.contains("panicked"), "{stderr}");
        self
    }
}
