//! A site: everything from the wire to the product model, valid and immutable.
//!
//! Every reference between parts is resolved to an index, so code behind this boundary never meets a name
//! that leads nowhere. How a site file is written shows `examples/meter-factory.toml`.

use std::fmt;

use chrono::NaiveDate;
use weighbridge_protocol::{Decimal, DeviceAddress};

use crate::profile::{ChannelKind, LineSettings, ProfileChannel, SharedProfile};
use crate::unit::Unit;

/// Index into [`Site::links`].
pub type LinkIndex = usize;
/// Index into [`Site::devices`].
pub type DeviceIndex = usize;
/// Index into [`Site::sections`].
pub type SectionIndex = usize;

/// A factory site as one gateway sees it. Made by [`Site::parse`].
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Name of the site; part of every MQTT topic. 1 to 64 letters and digits of any script, `-`, `_`, `.`.
    pub name: String,
    /// Name of this gateway; part of every MQTT topic and of every reading's identity.
    pub gateway: String,
    /// Time zone in which people of the site read times. Stored times are UTC.
    pub timezone: chrono_tz::Tz,
    /// Buses.
    pub links: Vec<Link>,
    /// Instruments on the buses.
    pub devices: Vec<Device>,
    /// Sections of the process.
    pub sections: Vec<Section>,
    /// Product models.
    pub models: Vec<Model>,
    /// Emission factors of the carriers that production uses.
    pub factors: Vec<Factor>,
    /// Where readings go; `None` buffers only.
    pub mqtt: Option<Mqtt>,
    /// Page and API.
    pub http: Http,
    /// The durable buffer.
    pub buffer: Buffer,
}

impl Site {
    /// The factor for one unit of a carrier: that of exactly this source, or else the one for any source.
    pub fn factor(&self, carrier: &str, source: Option<&str>) -> Option<&Factor> {
        let of_carrier = || self.factors.iter().filter(|factor| factor.carrier == carrier);
        let exact = of_carrier().find(|factor| factor.source.is_some() && factor.source.as_deref() == source);
        exact.or_else(|| of_carrier().find(|factor| factor.source.is_none()))
    }
}

/// One bus: a serial line that several devices share, or a Modbus TCP connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Unique name.
    pub name: String,
    /// How the bus is reached.
    pub connection: Connection,
    /// Settings of devices that do not state their own. Without meaning over TCP.
    pub line: LineSettings,
}

/// How a bus is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// A serial port of this machine, by its path; best a stable one under `/dev/serial/by-path/`.
    Serial {
        /// Path of the port.
        port: String,
    },
    /// A Modbus TCP device or gateway.
    ModbusTcp {
        /// Host name or address.
        host: String,
        /// TCP port, usually 502.
        port: u16,
    },
}

impl Connection {
    /// Whether bytes take their time on a serial line of this machine.
    pub const fn is_serial(&self) -> bool {
        matches!(self, Connection::Serial { .. })
    }
}

/// The path of the port, or host and TCP port.
impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial { port } => f.write_str(port),
            Self::ModbusTcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

/// One instrument on a link.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Unique name.
    pub name: String,
    /// The bus that it hangs on.
    pub link: LinkIndex,
    /// What the model offers.
    pub profile: SharedProfile,
    /// Its address on the bus.
    pub address: DeviceAddress,
    /// Line settings of exchanges with this device. Without meaning over TCP.
    pub line: LineSettings,
    /// What is polled, in the profile's order; never empty.
    pub channels: Vec<Channel>,
    /// What the device can pass at most, for the roll-over rule: in the unit of the measured counter per hour
    /// (kW for a kWh counter, kg/h for kg). `None`: a counter that falls is always a break.
    pub rated_maximum_per_hour: Option<Decimal>,
    /// What the device's counters stand for in the carbon account.
    pub measures: Option<Measure>,
    /// Its entry in the instrument ledger.
    pub instrument: Instrument,
}

impl Device {
    /// What the profile says about one of the device's [`channels`](Device::channels).
    pub fn offered(&self, channel: &Channel) -> &ProfileChannel {
        &self.profile.channels[channel.profile_channel]
    }

    /// The counter that stands for the measured amount, if the device measures one.
    pub fn measured_channel(&self) -> Option<&Channel> {
        self.measures.as_ref().map(|measure| &self.channels[measure.channel])
    }
}

/// One quantity of one device in this site.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Name in the profile.
    pub name: String,
    /// Index into the profile's channels.
    pub profile_channel: usize,
    /// How the value behaves in time.
    pub kind: ChannelKind,
    /// Unit of `raw * factor`.
    pub unit: Unit,
    /// What one raw count is worth in `unit`: the profile's scale times the transformer ratios that apply.
    /// Exact.
    pub factor: Decimal,
    /// Poll period on the wall-clock grid, in milliseconds; at least 100.
    pub poll_interval_ms: u32,
}

/// What a counter stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Index into [`Device::channels`]: the counter.
    pub channel: usize,
    /// `"electricity"`, `"natural-gas"`, or the name of a material such as `"solder"`.
    pub carrier: String,
    /// Origin of electricity by table A.4: `"grid"`, `"green"` or `"on-site"`; `None` for other carriers.
    pub source: Option<String>,
    /// The section of the process that it feeds.
    pub section: SectionIndex,
}

/// The ledger's entry of an instrument.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Instrument {
    /// Serial number on the name plate.
    pub serial_number: Option<String>,
    /// Accuracy class as printed: `"0.5S"`, `"B"`, `"III"`, `"1.0"`.
    pub class: Option<String>,
    /// Relative maximum permissible error as a fraction (0.005 for 0.5 %), from the class or stated in the
    /// site.
    pub mpe_relative: Option<f64>,
    /// The calibration certificate's relative expanded uncertainty as a fraction, and its coverage factor k.
    pub calibration: Option<Calibration>,
    /// Number of the certificate.
    pub certificate: Option<String>,
    /// First day on which the certificate holds.
    pub valid_from: Option<NaiveDate>,
    /// Last day on which the certificate holds.
    pub valid_until: Option<NaiveDate>,
}

/// Result of a calibration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Relative expanded uncertainty as a fraction.
    pub expanded_relative: f64,
    /// Coverage factor, usually 2.
    pub coverage_factor: f64,
}

/// A part of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Unique name.
    pub name: String,
    /// Name shown to people, if another.
    pub title: Option<String>,
}

/// A product model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Unique name, as batches state it.
    pub name: String,
    /// Specification printed on reports: `"3x220/380 V 5(60) A class B"`.
    pub specification: Option<String>,
}

/// An emission factor: kgCO2e for one unit of a carrier.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// Unique name.
    pub name: String,
    /// The carrier that it belongs to.
    pub carrier: String,
    /// Origin of electricity that it belongs to; `None`: any.
    pub source: Option<String>,
    /// kgCO2e per `per`.
    pub value: Decimal,
    /// The unit of quantity, e.g. kWh.
    pub per: Unit,
    /// Relative standard uncertainty as a fraction.
    pub relative_standard_uncertainty: f64,
    /// Publication that it is taken from.
    pub origin: String,
}

/// The broker and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mqtt {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whether TLS is spoken (`mqtts://`).
    pub tls: bool,
    /// File with `user:password` on one line; read by the agent, not here.
    pub credentials: Option<String>,
    /// File with the authority's certificates (PEM) when TLS is spoken and the broker's is not publicly
    /// signed.
    pub ca: Option<String>,
}

/// The page and the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Address to listen on; loopback by default.
    pub listen: std::net::SocketAddr,
}

/// The durable buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Folder of the store, relative to the site file unless absolute.
    pub path: String,
}
