//! What happened on a line, as the line itself knows it.

/// Counts since the line was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Whole requests that a device recognised as its own.
    pub requests_heard: u64,
    /// Bytes from the master at a rate at which no device listens.
    pub unheard_bytes: u64,
    /// Requests that began less than 3.5 characters after the last reply.
    pub requests_too_early: u64,
    /// Replies that a device has sent to the last byte, garbled ones included.
    pub replies_sent: u64,
    /// Times when two sides sent at once; what was on the wire then is garbled.
    pub collisions: u64,
    /// Bytes with a bit turned over.
    pub flipped_bytes: u64,
    /// Bytes that did not arrive.
    pub lost_bytes: u64,
    /// Replies with stray bytes before them.
    pub glitches: u64,
    /// Requests that the device was made to ignore.
    pub muted_requests: u64,
    /// Replies that were made late.
    pub late_replies: u64,
    /// Frames of another address put before a reply.
    pub foreign_frames: u64,
}

impl Statistics {
    /// All faults that were injected.
    pub fn faults_injected(&self) -> u64 {
        self.flipped_bytes
            + self.lost_bytes
            + self.glitches
            + self.muted_requests
            + self.late_replies
            + self.foreign_frames
    }
}
