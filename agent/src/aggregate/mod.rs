//! From readings to what each batch drew.
//!
//! Readings are pulled from the buffer in order of their sequence and folded into one `counter::Track` for each measured
//! counter. The running figure and a recomputation are the same fold over the same stored readings, so they are equal always.

pub mod batch;
pub mod counter;
pub mod document;
mod ledger;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use self::batch::{BatchCommand, RefusedCommand};
pub use self::ledger::{BatchView, Ledger, Measured};
use crate::buffer::StoreError;
use crate::clock::{Clock, ClockState};

/// Commands that wait: people and an MES give a few a minute. When it is full the giver waits.
pub const QUEUE_COMMANDS: usize = 16;

/// A command and where its answer goes.
#[derive(Debug)]
pub struct Request {
    /// What to do.
    pub command: BatchCommand,
    /// Who says so.
    pub author: String,
    /// Told when the event is durable, or why it is refused.
    pub answer: oneshot::Sender<Result<(), CommandError>>,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It contradicts what stands.
    #[error(transparent)]
    Refused(#[from] RefusedCommand),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps the ledger up to date until the buffer's writer is gone: follows what is stored, takes commands, issues documents.
///
/// Each step reads and writes the store, and a command about the past reads much of it, so steps run where they may block.
pub async fn run(
    mut ledger: Ledger,
    clock: Clock,
    mut stored: watch::Receiver<u64>,
    mut commands: mpsc::Receiver<Request>,
    views: watch::Sender<Arc<Vec<Arc<BatchView>>>>,
) {
    loop {
        let (request, more) = tokio::select! {
            changed = stored.changed() => (None, changed.is_ok()),
            Some(request) = commands.recv() => (Some(request), true),
        };
        let upto = *stored.borrow_and_update();
        let time = clock.clone();
        let step = tokio::task::spawn_blocking(move || {
            let seen = step(&mut ledger, request, upto, &time);
            (ledger, seen)
        });
        let (after, seen) = match step.await {
            Ok(done) => done,
            Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            // The runtime is going down.
            Err(_) => return,
        };
        ledger = after;
        views.send_replace(Arc::new(seen));
        if !more {
            return;
        }
    }
}

fn step(ledger: &mut Ledger, request: Option<Request>, upto: u64, clock: &Clock) -> Vec<Arc<BatchView>> {
    if let Some(Request { command, author, answer }) = request {
        let done = match clock.state() {
            ClockState::Set => ledger.handle_command(command, author, clock.now_utc_us()),
            ClockState::NotSet => Err(RefusedCommand::ClockNotSet.into()),
        };
        // Whoever asked may have gone away; the event stands all the same.
        let _ = answer.send(done);
    }
    if let Err(why) = ledger.follow(upto).and_then(|()| ledger.issue_documents(clock.now_utc_us())) {
        tracing::error!(%why, "batches are not up to date");
    }
    ledger.views()
}
