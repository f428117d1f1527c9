use crate::dlt645::ErrorByte;
use crate::modbus::ExceptionCode;

/// How an exchange ends, unless the line stays silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What was asked for. DL/T 645: the bytes after the identifier, without the shift by 33H. Modbus: the
    /// registers, two bytes each, as sent.
    Payload(Vec<u8>),
    /// The device is there and does not want to.
    Refused(Refusal),
}

/// A device's refusal, which is not a fault of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// DL/T 645 reply D1H.
    #[error("the meter refuses: error byte {0}")]
    Dlt645(ErrorByte),
    /// Modbus exception.
    #[error("the device refuses: exception {0}")]
    Modbus(ExceptionCode),
    /// DL/T 645 reply B1H: the value goes on in another frame, where one that fits into a single frame was
    /// asked for.
    #[error("the meter announces more frames for a value that fits into one")]
    FollowUp,
}

/// What a complete frame means to who waits for a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The answer to the request.
    Answer(Outcome),
    /// The own request, heard back.
    Echo,
    /// Somebody else's, or an answer to another request.
    Foreign,
}
