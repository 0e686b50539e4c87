//! A real Kubernetes API server as a guard: kube-apiserver with its etcd, and kubectl to talk to it.
//!
//! There are no nodes and no controllers: what is created stays as admission left it. See `tests/apiserver/README.md`.
#![expect(clippy::disallowed_methods, reason = "reads the logs of the server that it starts")]

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

use crate::eventually::eventually;
use crate::namespace::Namespace;
use crate::process::{self, Process};

mod program;

pub use program::{find as find_api_server, require_api_server};

/// How long a start may take. On an idle machine it takes three seconds.
const START: Duration = Duration::from_secs(120);

/// How long an end may take, after which it is forced.
const STOP: Duration = Duration::from_secs(10);

/// How long kubectl may take.
const KUBECTL: Duration = Duration::from_secs(60);

/// How many lines of the log an error shows.
const LAST_LINES: usize = 15;

/// A server that was not started, or a command that it refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no program to start. [`require_api_server`] tells before.
    #[error("{0}")]
    Missing(String),
    /// Its folder or a file in it could not be made or read.
    #[error("cannot use the folder of the API server: {0}")]
    Folder(#[from] io::Error),
    /// It was not ready in time, or ended before.
    #[error("the API server did not become ready: {said}\n{log}")]
    NotReady {
        /// What it said about that.
        said: String,
        /// The last lines of its log.
        log: String,
    },
    /// It, or kubectl, was not started, did not end, or ended badly.
    #[error(transparent)]
    Process(#[from] process::Error),
}

/// Where and how a server runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the network namespace that it and kubectl run in, as of [`Namespace::name`]; `None` is the machine's own.
    pub namespace: Option<String>,
    /// Where it listens. Its certificate is for this address and for 127.0.0.1.
    pub address: IpAddr,
    /// Further arguments of kube-apiserver.
    pub arguments: Vec<String>,
}

/// A running server with an empty cluster. Dropped, it is killed and its folder is removed; when the test program ends
/// without that (it was killed, or the server is in a `static`), the server does the same on its own.
#[derive(Debug)]
pub struct ApiServer {
    // Dropped in this order: the process writes into the folder.
    process: Mutex<Option<Process>>,
    address: String,
    program: PathBuf,
    options: Options,
    folder: TempDir,
}

impl Default for Options {
    /// On the machine's own 127.0.0.1.
    fn default() -> Self {
        Self { namespace: None, address: Ipv4Addr::LOCALHOST.into(), arguments: Vec::new() }
    }
}

impl Options {
    /// In this network namespace, at one of its addresses. Needs root.
    pub fn inside(namespace: &Namespace, address: IpAddr) -> Self {
        Self { namespace: Some(namespace.name().to_owned()), address, ..Self::default() }
    }
}

impl ApiServer {
    /// Starts a server on a free port and waits until it is ready.
    ///
    /// # Errors
    /// [`Error`], with the end of the log when it did not become ready.
    pub fn start(options: Options) -> Result<Self, Error> {
        let program = program::find().map_err(Error::Missing)?.to_owned();
        let folder = tempfile::Builder::new().prefix("sidecar-apiserver-").tempdir()?;
        let mut server = Self { process: Mutex::new(None), address: String::new(), program, options, folder };
        server.address = server.launch()?;
        Ok(server)
    }

    /// The one server that all tests of a program share, in the machine's own network; each test makes a namespace of
    /// its own in it. `None` where tests with a server are skipped, as by [`require_api_server`].
    ///
    /// # Panics
    /// When it cannot be started.
    #[expect(clippy::panic, reason = "this is how a test fails")]
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Result<ApiServer, Error>> = OnceLock::new();
        if !require_api_server() {
            return None;
        }
        match SHARED.get_or_init(|| Self::start(Options::default())) {
            Ok(server) => Some(server),
            Err(error) => panic!("{error}"),
        }
    }

    /// Its address, as in `https://127.0.0.1:20443`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A kubeconfig with the certificate of an administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// The certificate of the authority that has signed the server's, as PEM.
    pub fn certificate_authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// kubectl as administrator, in the server's network namespace; without arguments yet.
    pub fn kubectl(&self) -> Command {
        let mut command = self.command();
        command.args(["kubectl", "--kubeconfig"]).arg(self.kubeconfig());
        command.arg("--cache-dir").arg(self.folder.path().join("kubectl-cache"));
        command
    }

    /// Runs kubectl with these arguments to its end and returns what it printed, without line ends at the end.
    ///
    /// # Errors
    /// [`Error::Process`], with what kubectl said, when the server refused.
    pub fn run<A: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<String, Error> {
        let mut command = self.kubectl();
        command.args(arguments);
        Ok(Process::start(command)?.succeed(KUBECTL)?.stdout.trim_end_matches('\n').to_owned())
    }

    /// Runs `kubectl apply` on the objects of a YAML or JSON text and returns what it printed.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub fn apply(&self, objects: &str) -> Result<String, Error> {
        let file = tempfile::Builder::new().suffix(".yaml").tempfile_in(self.folder.path())?;
        fs::write(file.path(), objects)?;
        self.run(["apply".as_ref(), "-f".as_ref(), file.path().as_os_str()])
    }

    /// The audit log: one event of `audit.k8s.io/v1` as JSON a line, for each change of a pod that has been answered,
    /// with request, response and the annotations that webhooks gave it. The last may come a moment after the answer.
    ///
    /// # Errors
    /// [`Error::Folder`].
    pub fn audit_log(&self) -> Result<String, Error> {
        Ok(fs::read_to_string(self.folder.path().join("audit.log"))?)
    }

    /// Ends it properly: clients are refused from now on. Does nothing when it is not running.
    ///
    /// # Errors
    /// [`Error::Process`] when it did not end in time; then it is killed.
    pub fn stop(&self) -> Result<(), Error> {
        let Some(mut process) = self.process().take() else { return Ok(()) };
        process.terminate()?;
        process.succeed(STOP)?;
        Ok(())
    }

    /// Ends it, if it runs, and starts it on the same port with the same data and certificates.
    ///
    /// # Errors
    /// Those of [`stop`](Self::stop) and [`start`](Self::start).
    pub fn restart(&self) -> Result<(), Error> {
        self.stop()?;
        self.launch().map(drop)
    }

    /// Starts the process and returns its address when it is ready.
    fn launch(&self) -> Result<String, Error> {
        let mut command = self.command();
        command.args(["serve", "--temporary", "--directory"]).arg(self.folder.path());
        command.args(["--address", &self.options.address.to_string(), "--"]).args(&self.options.arguments);
        let mut process = Process::start_held(command)?;
        let ready = eventually(START, || {
            if let Some(address) = process.stdout().iter().find_map(|line| line.strip_prefix("ready ")) {
                return Ok(Ok(address.to_owned()));
            }
            match process.ended() {
                Ok(None) => Err("it still starts"),
                _ => Ok(Err(process.wait(STOP).map_or_else(|error| error.to_string(), |output| output.stderr))),
            }
        });
        match ready.unwrap_or_else(|late| Err(late.to_string())) {
            Ok(address) => {
                *self.process() = Some(process);
                Ok(address)
            }
            Err(said) => Err(Error::NotReady { said: said.trim_end().to_owned(), log: self.end_of_log() }),
        }
    }

    /// The program, to be run in the namespace.
    fn command(&self) -> Command {
        let Some(namespace) = &self.options.namespace else { return Command::new(&self.program) };
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).arg(&self.program);
        command
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        // It is set or not, so a panic elsewhere cannot have left it half-changed.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_of_log(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default().join("\n")
    }
}
