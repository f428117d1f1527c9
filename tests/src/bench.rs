use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::agent::Agent;
use crate::port::Port;
use crate::program::{Finished, Program};

/// A temporary folder with a site file, and a port for its agent's API.
#[derive(Debug)]
pub struct Bench {
    folder: TempDir,
    http: Port,
}

/// The program under test, beside the test's own executable. `cargo build` makes it, and so does a test of the whole workspace.
///
/// # Panics
/// When it is not there.
pub fn weighbridge() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test.parent().and_then(Path::parent).expect("a test lies in target/<profile>/deps");
    let program = profile.join("weighbridge");
    assert!(program.exists(), "{} is not there: run `cargo build` first", program.display());
    program
}

impl Bench {
    /// An empty folder. Its name is short, since paths of sockets and ports are.
    ///
    /// # Panics
    /// When the system gives none.
    pub fn new() -> Self {
        let folder =
            tempfile::Builder::new().prefix("wb-").tempdir().expect("a temporary folder can be made");
        Self { folder, http: Port::claim() }
    }

    /// A folder with a site file: `site` followed by where the agent listens and stores.
    pub fn with_site(site: impl FnOnce(&Self) -> String) -> Self {
        let bench = Self::new();
        let text = site(&bench);
        bench.write("site.toml", &format!("{text}\n{}", bench.outlets()));
        bench
    }

    /// `[http]` and `[buffer]` of this bench.
    pub fn outlets(&self) -> String {
        format!("[http]\nlisten = \"{}\"\n\n[buffer]\npath = \"store\"\n", self.http.address())
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The buffer's folder.
    pub fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Writes a file into the folder, making folders as needed.
    ///
    /// # Panics
    /// When that fails.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a path in a folder"))
            .expect("a temporary folder can be written");
        std::fs::write(path, text).expect("a temporary folder can be written");
    }

    /// A command of `weighbridge` in this folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(weighbridge());
        command.args(arguments).current_dir(self.folder.path()).env("WEIGHBRIDGE_LOG", "info");
        command
    }

    /// Runs a command to its end.
    pub fn finish(&self, arguments: &[&str]) -> Finished {
        Program::finish(self.command(arguments))
    }

    /// Starts the agent on `site.toml` and waits until its API answers.
    pub fn run(&self) -> Agent {
        self.start().ready()
    }

    /// Starts the agent on `site.toml`.
    pub fn start(&self) -> Agent {
        Agent::start(self.command(&["run", "site.toml"]), self.http.address(), &self.store())
    }

    /// Starts the simulated lines of `site.toml` and waits until the ports are there.
    ///
    /// # Panics
    /// When they do not appear.
    pub fn simulate(&self, ports: &[&str]) -> Program {
        let mut lines = Program::start(self.command(&["simulate", "site.toml"]));
        crate::until("the simulated ports", || {
            assert_eq!(lines.ended(), None, "`weighbridge simulate` ended: {}", lines.stderr());
            ports.iter().all(|port| self.path(port).exists()).then_some(())
        });
        lines
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}
