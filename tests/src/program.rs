use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::wait::{LIMIT, until, until_within};

/// A child process. When it is dropped it is killed with all that it started; if the test failed, what it said is shown.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// What a program said and how it ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Program {
    /// Starts a program. Nothing is written to its stdin.
    ///
    /// # Panics
    /// When it does not start; the sentence says what is missing.
    pub fn start(mut command: Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let started = command.spawn();
        let mut child =
            started.unwrap_or_else(|why| panic!("{name} does not start: {why}; run tests/install-peers"));
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let readers = vec![
            collect(child.stdout.take().expect("stdout is a pipe"), &stdout),
            collect(child.stderr.take().expect("stderr is a pipe"), &stderr),
        ];
        Self { name, child, stdout, stderr, readers }
    }

    /// Runs a program to its end.
    ///
    /// # Panics
    /// When it does not start, or does not end within [`LIMIT`].
    pub fn finish(command: Command) -> Finished {
        Self::start(command).finished(LIMIT)
    }

    /// Waits for the end of the program.
    ///
    /// # Panics
    /// When it does not end within the limit.
    pub fn finished(mut self, limit: Duration) -> Finished {
        let end = format!("the end of {}", self.name);
        let status = until_within(limit, &end, || self.ended());
        self.readers.drain(..).for_each(|reader| reader.join().expect("a reader of a pipe does not panic"));
        Finished { status, stdout: self.stdout(), stderr: self.stderr() }
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// What it has written to stdout so far.
    pub fn stdout(&self) -> String {
        text(&self.stdout)
    }

    /// What it has written to stderr so far.
    pub fn stderr(&self) -> String {
        text(&self.stderr)
    }

    /// The rest of the line of stdout that begins with `prefix`, once there is one.
    ///
    /// # Panics
    /// When the program ends without, or takes longer than [`LIMIT`].
    pub fn says(&mut self, prefix: &str) -> String {
        let name = self.name.clone();
        until(&format!("{name} to say `{prefix}`"), || {
            let stdout = self.stdout();
            let whole_lines = stdout.rfind('\n').map_or("", |end| &stdout[..end]);
            let said = whole_lines
                .lines()
                .find_map(|line| line.strip_prefix(prefix))
                .map(|rest| rest.trim().to_owned());
            if said.is_none()
                && let Some(status) = self.ended()
            {
                panic!("{name} ended ({status}) before it said `{prefix}`");
            }
            said
        })
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Panics
    /// When it does not end within [`LIMIT`].
    pub fn terminate(&mut self) -> ExitStatus {
        kill_process(self.pid(), Signal::TERM).expect("a child that was not waited for can be signalled");
        let end = format!("the end of {} after SIGTERM", self.name);
        until(&end, || self.ended())
    }

    /// Kills it (SIGKILL) with all that it started, and waits until it is gone. Does nothing to a program that has ended.
    pub fn kill(&mut self) {
        if self.ended().is_none() {
            // The group may be gone already if the program ends by itself just now.
            let _ = kill_process_group(self.pid(), Signal::KILL);
            let _ = self.child.wait();
        }
    }

    fn pid(&self) -> Pid {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("the system gave this number")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!(
                "---- stdout of {} ----\n{}---- its stderr ----\n{}----",
                self.name,
                self.stdout(),
                self.stderr()
            );
        }
    }
}

fn collect(pipe: impl Read + Send + 'static, into: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let into = into.clone();
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            into.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}

fn text(shared: &Mutex<String>) -> String {
    shared.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
