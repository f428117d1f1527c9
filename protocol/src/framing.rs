//! # Policy
//!
//! Candidates are tested strictly in the order of their first byte. Where a frame may have begun but is not
//! complete, the search waits; it does not look behind. So a frame that lies inside a longer one is never
//! taken for one of its own, and how the stream was cut into pieces makes no difference. A candidate that
//! fails costs one byte of noise, and the search goes on with the next byte: the length that an unproven
//! frame states is never skipped. When the line falls silent, a frame that is still incomplete never was one,
//! and what lies behind its first byte is searched after all.
//!
//! Memory is bounded: no frame is longer than `LONGEST_FRAME`, so what waits is shorter, plus one piece of
//! new bytes.

/// The longest frame of any protocol here, in bytes: a Modbus RTU reply with 125 registers.
pub(crate) const LONGEST_FRAME: usize = 255;

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sight<F> {
    /// No frame begins here, or one that was damaged.
    Noise,
    /// A frame may begin here; its length in bytes, once the bytes tell.
    Incomplete { len: Option<usize> },
    /// A frame of `len` bytes with a good check.
    Frame { frame: F, len: usize },
}

impl<F> Sight<F> {
    pub(crate) fn map<G>(self, meaning: impl FnOnce(F) -> G) -> Sight<G> {
        match self {
            Self::Noise => Sight::Noise,
            Self::Incomplete { len } => Sight::Incomplete { len },
            Self::Frame { frame, len } => Sight::Frame { frame: meaning(frame), len },
        }
    }

    /// What `decode` refuses is noise.
    pub(crate) fn and_then<G>(self, decode: impl FnOnce(F) -> Option<G>) -> Sight<G> {
        match self {
            Self::Frame { frame, len } => {
                decode(frame).map_or(Sight::Noise, |frame| Sight::Frame { frame, len })
            }
            Self::Noise => Sight::Noise,
            Self::Incomplete { len } => Sight::Incomplete { len },
        }
    }
}

/// Whether more bytes may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Open,
    Silent,
}

/// Bytes from a line, of which those that no frame claimed are counted.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    bytes: Vec<u8>,
    /// Everything before this index is dealt with.
    start: usize,
    /// A byte that may stand before a frame and is no noise.
    preamble: Option<u8>,
    noise_bytes: u32,
}

impl Stream {
    pub(crate) const fn new(preamble: Option<u8>) -> Self {
        Self { bytes: Vec::new(), start: 0, preamble, noise_bytes: 0 }
    }

    /// Bytes cut into pieces that may be pushed one after the other while the stream is searched in between.
    pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
        bytes.chunks(LONGEST_FRAME)
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(piece);
    }

    /// The next frame that `look` sees and its length in bytes; `None` until more bytes come.
    pub(crate) fn next_frame<F>(
        &mut self,
        line: Line,
        look: impl Fn(&[u8]) -> Sight<F>,
    ) -> Option<(F, usize)> {
        while let Some(&first) = self.waiting().first() {
            match look(self.waiting()) {
                Sight::Frame { frame, len } => {
                    self.start += len;
                    return Some((frame, len));
                }
                Sight::Incomplete { .. } if line == Line::Open => return None,
                Sight::Incomplete { .. } | Sight::Noise => self.drop_one(first),
            }
        }
        None
    }

    /// Bytes that are not dealt with yet.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(crate) const fn noise_bytes(&self) -> u32 {
        self.noise_bytes
    }

    #[cfg(test)]
    pub(crate) const fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    fn drop_one(&mut self, byte: u8) {
        self.start += 1;
        if self.preamble != Some(byte) {
            self.noise_bytes = self.noise_bytes.saturating_add(1);
        }
    }
}
