use std::path::PathBuf;
use std::process::Command;

use crate::architecture::root;
use crate::program::Program;

/// Names a Python with the packages of `tests/peers/requirements.txt`.
const VARIABLE: &str = "WEIGHBRIDGE_TEST_PYTHON";

/// A Python with the peers' packages: that of the environment variable `WEIGHBRIDGE_TEST_PYTHON`, or the one that
/// `tests/install-peers` made.
///
/// # Panics
/// When there is none.
pub fn python() -> PathBuf {
    let installed = root().join("target/python-venv/bin/python");
    let python = std::env::var_os(VARIABLE).map_or(installed, PathBuf::from);
    assert!(
        python.exists(),
        "{} is missing: run tests/install-peers, or name a Python in {VARIABLE} that has the packages of \
         tests/peers/requirements.txt",
        python.display()
    );
    python
}

/// A program in `tests/peers/`.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub &'static str);

impl Peer {
    /// Starts it with these arguments.
    pub fn start(self, arguments: &[&str]) -> Program {
        Program::start(self.command(arguments))
    }

    /// Runs it to its end and returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn answer(self, arguments: &[&str]) -> String {
        let finished = Program::finish(self.command(arguments));
        assert!(finished.status.success(), "{} failed: {}\n{}", self.0, finished.stdout, finished.stderr);
        finished.stdout.trim().to_owned()
    }

    fn command(self, arguments: &[&str]) -> Command {
        let mut command = Command::new(python());
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
        command.arg(root().join("tests/peers").join(self.0)).args(arguments);
        command
    }
}
