//! Queues between tasks, and whether each is bounded by a constant that says why.

use super::rule::Breach;
use super::source::{Call, Source};

/// Channels that hold one thing by nature need no bound.
const KINDS_WITH_ROOM: [&str; 2] = ["mpsc", "broadcast"];
/// Words of queues that have none.
const WITHOUT_BOUND: [&str; 4] = ["unbounded", "unbounded_channel", "UnboundedReceiver", "UnboundedSender"];

/// Queues of a crate that are not bounded by a constant of the crate whose documentation says what happens when it is full.
pub fn unbounded_queues(files: &[(String, Source)]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (file, source) in files {
        let breach = |line, what: &str| Breach { file: file.clone(), line, what: what.to_owned() };
        for path in source
            .paths
            .iter()
            .filter(|path| path.segments.iter().any(|word| WITHOUT_BOUND.contains(&&**word)))
        {
            breaches.push(breach(path.line, "a queue without bound"));
        }
        for path in source.paths.iter().filter(|path| ends_with(&path.segments, "channel")) {
            let is_called =
                source.calls.iter().any(|call| call.line == path.line && call.segments == path.segments);
            if !is_called {
                breaches.push(breach(
                    path.line,
                    "write `mpsc::channel(BOUND)` in full, so that its bound can be seen",
                ));
            }
        }
        for call in source.calls.iter().filter(|call| makes_queue(call)) {
            if let Some(why) = unexplained(call, files) {
                breaches.push(breach(call.line, &why));
            }
        }
    }
    breaches
}

fn ends_with(segments: &[String], word: &str) -> bool {
    segments.len() > 1
        && segments.last().is_some_and(|last| last == word)
        && KINDS_WITH_ROOM.contains(&&*segments[segments.len() - 2])
}

/// A channel with room, or a client that is told the capacity of its own.
fn makes_queue(call: &Call) -> bool {
    ends_with(&call.segments, "channel") || call.segments == ["capacity"] && !call.arguments.is_empty()
}

fn unexplained(call: &Call, files: &[(String, Source)]) -> Option<String> {
    let name = call.arguments.rsplit("::").next().unwrap_or_default().trim();
    let constant =
        files.iter().flat_map(|(_, source)| &source.constants).find(|constant| constant.name == name);
    match constant {
        None => Some(format!("a queue bounded by `{}`, which is no constant of the crate", call.arguments)),
        Some(constant) if !constant.documentation.contains("full") => {
            Some(format!("`{name}` does not say what happens when the queue is full"))
        }
        Some(_) => None,
    }
}
