//! Modbus TCP by tokio-modbus. After any fault the connection is given up: a late answer dies with it.

use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_modbus::client::{Context, Reader, tcp};
use tokio_modbus::prelude::SlaveContext;
use tokio_modbus::{ExceptionCode, Slave};
use weighbridge_protocol::modbus::{self, ReadFunction};
use weighbridge_protocol::{Dropped, Outcome, Query, Refusal};

use super::plan::PlannedExchange;
use super::{Attempt, Fault};
use crate::clock::Clock;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Added to the device's turn-round: what a network and a serial server take.
const NETWORK_LATENCY: Duration = Duration::from_millis(500);

/// One connection to a device or gateway.
pub(super) struct TcpConnection {
    context: Context,
    given_up: bool,
}

impl TcpConnection {
    pub(super) async fn open(host: &str, port: u16) -> Result<Self, String> {
        let connected = timeout(CONNECT_TIMEOUT, connect(host, port)).await;
        let stream = connected.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        let stream = stream.map_err(|why| format!("cannot connect to {host}:{port}: {why}"))?;
        Ok(Self { context: tcp::attach(stream), given_up: false })
    }

    pub(super) async fn exchange(&mut self, planned: &PlannedExchange, clock: &Clock) -> Attempt {
        let asked = clock.instant();
        let answered = timeout(planned.max_turn_round + NETWORK_LATENCY, self.read(&planned.query)).await;
        self.given_up = !matches!(answered, Ok(Ok(_)));
        let outcome = answered.unwrap_or(Err(Fault::NoAnswer));
        Attempt::new(outcome, asked, clock.instant() - asked, Dropped::default())
    }

    /// Whether a late answer may still come, so that the connection must be replaced before the next request.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up
    }

    async fn read(&mut self, query: &Query) -> Result<Outcome, Fault> {
        let Query::ModbusRead { unit, function, start, count } = *query else {
            return Err(Fault::LinkDown("only Modbus devices can be asked over Modbus TCP".to_owned()));
        };
        self.context.set_slave(Slave(unit.get()));
        let words = match function {
            ReadFunction::HoldingRegisters => self.context.read_holding_registers(start, count).await,
            ReadFunction::InputRegisters => self.context.read_input_registers(start, count).await,
        };
        match words {
            Ok(Ok(words)) => Ok(Outcome::Payload(words.iter().flat_map(|word| word.to_be_bytes()).collect())),
            // A gateway speaks for a device that is not there: that device did not answer.
            Ok(Err(ExceptionCode::GatewayTargetDevice)) => Err(Fault::NoAnswer),
            Ok(Err(code)) => Ok(Outcome::Refused(Refusal::Modbus(modbus::ExceptionCode(code.into())))),
            Err(lost) => Err(Fault::LinkDown(lost.to_string())),
        }
    }
}

async fn connect(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let mut failed = std::io::ErrorKind::NotFound.into();
    for address in lookup_host((host, port)).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => return stream.set_nodelay(true).map(|()| stream),
            Err(why) => failed = why,
        }
    }
    Err(failed)
}
