//! One RS-485 pair behind a serial port: silence, request, reply, and quiet again.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_serial::{SerialPort, SerialPortBuilderExt, SerialStream};
use weighbridge_config::profile::{LineSettings, Parity};
use weighbridge_protocol::{Dropped, Exchange, Outcome};

use super::plan::PlannedExchange;
use super::{Attempt, Fault};
use crate::clock::Clock;

/// Added to every time-out: what USB adapters and a busy gateway take between the last bit on the wire and our read.
const ADAPTER_LATENCY: Duration = Duration::from_millis(60);
/// A line that does not fall quiet within this time is not used: something talks without being asked.
const LONGEST_WAIT_FOR_SILENCE: Duration = Duration::from_secs(1);
/// A port whose buffer takes no request for this long is lost: an adapter that hangs would otherwise hold the link for ever.
const LONGEST_WRITE: Duration = Duration::from_secs(2);

/// An open serial port with what stands on it now.
pub(super) struct SerialLine {
    port: SerialStream,
    settings: LineSettings,
    /// When the last byte seen left the wire.
    last_activity: Instant,
    /// Bytes that came while nobody was asked, since they were last reported: late and repeated answers, noise.
    unasked_bytes: u32,
}

impl SerialLine {
    pub(super) fn open(path: &str, settings: LineSettings, clock: &Clock) -> Result<Self, String> {
        let port = tokio_serial::new(path, settings.baud)
            .parity(parity(settings.parity))
            .stop_bits(stop_bits(settings.stop_bits))
            .open_native_async()
            .map_err(|why| format!("cannot open {path}: {why}"))?;
        Ok(Self { port, settings, last_activity: clock.instant(), unasked_bytes: 0 })
    }

    /// One request and its reply. What comes afterwards, late or repeated, is dropped before the next request; that no late reply
    /// meets a request of its own device is the schedule's care.
    pub(super) async fn exchange(&mut self, planned: &PlannedExchange, clock: &Clock) -> Attempt {
        let mut exchange = Exchange::new(planned.query.clone());
        let mut asked = clock.instant();
        let outcome = match self.ask(&exchange, planned, clock).await {
            Ok(sent) => {
                asked = sent;
                self.listen(&mut exchange, planned, asked, clock).await
            }
            Err(fault) => Err(fault),
        };
        let turn_round = self.turn_round(&outcome, planned, asked);
        let mut dropped = exchange.dropped();
        dropped.noise_bytes = dropped.noise_bytes.saturating_add(std::mem::take(&mut self.unasked_bytes));
        Attempt::new(outcome, asked, turn_round, dropped)
    }

    /// Keeps the silence, then sends; returns when the last bit of the request is on the wire.
    async fn ask(
        &mut self,
        exchange: &Exchange,
        planned: &PlannedExchange,
        clock: &Clock,
    ) -> Result<Instant, Fault> {
        self.apply(planned.line)?;
        self.keep_silence(planned.min_gap, clock).await?;
        let begun = clock.instant();
        let taken = timeout_at(begun + LONGEST_WRITE, self.port.write_all(exchange.request())).await;
        taken.map_err(|_| {
            Fault::LinkDown("the serial port takes no bytes; is its adapter alive?".to_owned())
        })??;
        let sent = begun + self.duration(exchange.request().len());
        self.last_activity = sent;
        Ok(sent)
    }

    async fn listen(
        &mut self,
        exchange: &mut Exchange,
        planned: &PlannedExchange,
        asked: Instant,
        clock: &Clock,
    ) -> Result<Outcome, Fault> {
        let reply = self.duration(planned.query.reply_len());
        let deadline = asked + planned.max_turn_round + reply + ADAPTER_LATENCY;
        let mut bytes = [0; 256];
        loop {
            let count = match timeout_at(deadline, self.port.read(&mut bytes)).await {
                Err(_) => {
                    return exchange.handle_silence().ok_or_else(|| silence_or_noise(&exchange.dropped()));
                }
                Ok(Ok(0)) => {
                    return Err(Fault::LinkDown("the serial port was closed at the other end".to_owned()));
                }
                Ok(Err(lost)) => return Err(Fault::LinkDown(lost.to_string())),
                Ok(Ok(count)) => count,
            };
            self.last_activity = clock.instant();
            if let Some(outcome) = exchange.handle_bytes(&bytes[..count]) {
                return Ok(outcome);
            }
            // The rest cannot be there sooner, so there is no use in waking for every byte.
            let rest = self.duration(exchange.missing().saturating_sub(1));
            sleep_until((self.last_activity + rest).min(deadline)).await;
        }
    }

    /// From the request's last bit to the reply's first, reckoned back from its last byte; nothing is measured without values.
    fn turn_round(
        &self,
        outcome: &Result<Outcome, Fault>,
        planned: &PlannedExchange,
        asked: Instant,
    ) -> Duration {
        match outcome {
            Ok(Outcome::Payload(_)) => {
                let reply = self.duration(planned.query.reply_len());
                self.last_activity.saturating_duration_since(asked).saturating_sub(reply)
            }
            _ => Duration::ZERO,
        }
    }

    fn apply(&mut self, settings: LineSettings) -> io::Result<()> {
        if settings != self.settings {
            self.port.set_baud_rate(settings.baud)?;
            self.port.set_parity(parity(settings.parity))?;
            self.port.set_stop_bits(stop_bits(settings.stop_bits))?;
            self.settings = settings;
        }
        Ok(())
    }

    /// Waits until the line has been silent for 3.5 characters and the device's own gap; what arrives meanwhile is dropped.
    async fn keep_silence(&mut self, min_gap: Duration, clock: &Clock) -> Result<(), Fault> {
        let gap = min_gap.max(self.frame_silence());
        let patience = clock.instant() + gap + LONGEST_WAIT_FOR_SILENCE;
        while clock.instant() < patience {
            sleep_until(self.last_activity + gap).await;
            let discarded = self.discard_input()?;
            if discarded == 0 {
                return Ok(());
            }
            self.unasked_bytes = self.unasked_bytes.saturating_add(discarded);
            self.last_activity = clock.instant();
        }
        Err(Fault::Jabber)
    }

    fn discard_input(&mut self) -> io::Result<u32> {
        let (mut bytes, mut discarded) = ([0; 256], 0_u32);
        loop {
            match self.port.try_read(&mut bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => discarded = discarded.saturating_add(u32::try_from(count).unwrap_or(u32::MAX)),
                Err(empty) if empty.kind() == io::ErrorKind::WouldBlock => return Ok(discarded),
                Err(lost) => return Err(lost),
            }
        }
    }

    fn frame_silence(&self) -> Duration {
        Duration::from_nanos(self.settings.frame_silence_ns())
    }

    fn duration(&self, characters: usize) -> Duration {
        Duration::from_nanos(self.settings.duration_ns(characters as u64))
    }
}

fn silence_or_noise(dropped: &Dropped) -> Fault {
    if dropped.noise_bytes > 0 || dropped.foreign_frames > 0 { Fault::Garbled } else { Fault::NoAnswer }
}

const fn parity(parity: Parity) -> tokio_serial::Parity {
    match parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    }
}

const fn stop_bits(bits: u8) -> tokio_serial::StopBits {
    if bits == 2 { tokio_serial::StopBits::Two } else { tokio_serial::StopBits::One }
}
