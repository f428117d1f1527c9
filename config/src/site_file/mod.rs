//! Reading a site file: TOML text to [`Site`].

mod account;
mod cross;
mod device;
mod instrument;
mod link;
mod measure;
mod outlet;
mod poll;

pub use measure::ELECTRICITY;
pub use outlet::{DEFAULT_BUFFER_PATH, DEFAULT_LISTEN};
pub use poll::DEFAULT_POLL_INTERVAL_MS;

use std::cell::RefCell;
use std::ops::Range;

use weighbridge_protocol::DeviceAddress;

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Faults};
use crate::library::ProfileLibrary;
use crate::profile_file::is_identifier;
use crate::raw::{Document, Names, Report, Reported, Table, Value, nearest};
use crate::site::{Buffer, Device, Factor, Http, Link, Model, Mqtt, Section, Site};

/// Name of the gateway where the file states none.
pub const DEFAULT_GATEWAY: &str = "gateway-1";

const KEYS: &[&str] = &["site", "link", "device", "section", "model", "factor", "mqtt", "http", "buffer"];
const IDENTITY_KEYS: &[&str] = &["name", "gateway", "timezone"];

/// A valid site, and what its author should look at again.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The site.
    pub site: Site,
    /// Findings with `W` codes, in the order of the file.
    pub warnings: Vec<Diagnostic>,
}

impl Site {
    /// Reads a site from the text of a TOML file. `name` is the file's name, for messages; `library` holds
    /// the profiles that the file may name.
    ///
    /// # Errors
    /// Every fault of the file at once, and its warnings beside them.
    pub fn parse(name: &str, text: &str, library: &ProfileLibrary) -> Result<Checked, Faults> {
        let report = Report::new(name, text);
        let document = Document::parse(&report);
        let outcome = document.top(&report, KEYS).and_then(|top| Parts::read(&top, library).finish());
        report.close(outcome).map(|(site, warnings)| Checked { site, warnings })
    }
}

/// Everything in the file, each part read or reported.
struct Parts<'a> {
    identity: Result<Identity, Reported>,
    links: Entries<'a, Link>,
    devices: Entries<'a, Device>,
    sections: Entries<'a, Section>,
    models: Entries<'a, Model>,
    factors: Entries<'a, Factor>,
    mqtt: Result<Option<Mqtt>, Reported>,
    http: Result<Http, Reported>,
    buffer: Result<Buffer, Reported>,
}

/// The entries of one `[[list]]` beside the tables that they come from.
struct Entries<'a, T> {
    tables: Vec<Table<'a>>,
    read: Vec<Result<T, Reported>>,
    /// Set where the list as a whole could not be walked.
    whole: Result<(), Reported>,
}

/// What a device refers to.
struct Surroundings<'s, 'a> {
    library: &'s ProfileLibrary,
    links: &'s [Result<Link, Reported>],
    link_names: Names<'a>,
    section_names: Names<'a>,
    /// Addresses taken so far: by link, with the place where they are stated.
    addresses: RefCell<Vec<(usize, DeviceAddress, Range<usize>)>>,
}

impl<'a> Parts<'a> {
    fn read(top: &Table<'a>, library: &ProfileLibrary) -> Self {
        let links = Entries::read(top, "link", link::KEYS, link::read_link);
        let sections = Entries::read(top, "section", account::SECTION_KEYS, account::read_section);
        let models = Entries::read(top, "model", account::MODEL_KEYS, account::read_model);
        let factors = Entries::read(top, "factor", account::FACTOR_KEYS, account::read_factor);
        models.names();
        factors.names();
        link::refuse_shared_ports(&links.tables);
        let surroundings = Surroundings {
            library,
            links: &links.read,
            link_names: links.names(),
            section_names: sections.names(),
            addresses: RefCell::default(),
        };
        let read_device = |table: &Table<'a>| device::read_device(table, &surroundings);
        let devices = Entries::read(top, "device", device::KEYS, read_device);
        devices.names();
        Parts {
            identity: top.required("site", Identity::read),
            devices,
            links,
            sections,
            models,
            factors,
            mqtt: top.optional("mqtt", outlet::read_mqtt),
            http: outlet::read_http(top),
            buffer: outlet::read_buffer(top),
        }
    }

    fn finish(self) -> Result<Site, Reported> {
        cross::check(&self);
        let Parts { identity, links, devices, sections, models, factors, mqtt, http, buffer } = self;
        let Identity { name, gateway, timezone } = identity?;
        Ok(Site {
            name,
            gateway,
            timezone,
            links: links.into_all()?,
            devices: devices.into_all()?,
            sections: sections.into_all()?,
            models: models.into_all()?,
            factors: factors.into_all()?,
            mqtt: mqtt?,
            http: http?,
            buffer: buffer?,
        })
    }
}

impl<'a, T> Entries<'a, T> {
    fn read(
        top: &Table<'a>,
        key: &str,
        keys: &[&str],
        read_entry: impl FnMut(&Table<'a>) -> Result<T, Reported>,
    ) -> Self {
        match top.entries(key, keys) {
            Ok(tables) => Entries { read: tables.iter().map(read_entry).collect(), tables, whole: Ok(()) },
            Err(reported) => Entries { tables: Vec::new(), read: Vec::new(), whole: Err(reported) },
        }
    }

    /// The names of the entries; names that stand twice are reported.
    fn names(&self) -> Names<'a> {
        Names::collect(&self.tables, &self.read, self.whole)
    }

    /// The entries that could be read, with their index and table.
    fn good(&self) -> impl Iterator<Item = (usize, &T, &Table<'a>)> {
        let pairs = self.read.iter().zip(&self.tables).enumerate();
        pairs.filter_map(|(index, (entry, table))| Some((index, entry.as_ref().ok()?, table)))
    }

    /// Whether every entry could be read, so that what no entry mentions is mentioned nowhere.
    fn is_whole(&self) -> bool {
        self.whole.is_ok() && self.read.iter().all(Result::is_ok)
    }

    fn into_all(self) -> Result<Vec<T>, Reported> {
        self.whole?;
        self.read.into_iter().collect()
    }
}

struct Identity {
    name: String,
    gateway: String,
    timezone: chrono_tz::Tz,
}

impl Identity {
    fn read(value: &Value<'_>) -> Result<Identity, Reported> {
        let table = value.table("[site]", Some(IDENTITY_KEYS))?;
        let name = table.required("name", read_identifier);
        let gateway = table.or("gateway", DEFAULT_GATEWAY.to_owned(), read_identifier);
        let timezone = table.required("timezone", read_timezone);
        Ok(Identity { name: name?, gateway: gateway?, timezone: timezone? })
    }
}

fn read_timezone(value: &Value<'_>) -> Result<chrono_tz::Tz, Reported> {
    let text = value.text()?;
    text.parse().map_err(|_| {
        let known = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let hint = match nearest(text, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write a name of the IANA time zone database such as \"Asia/Shanghai\"".to_owned(),
        };
        let fault = value.fault(Code::UnknownWord, format!("there is no time zone `{text}`"));
        value.report.error(fault.label("not known").hint(hint))
    })
}

/// A name that can stand in a topic, a path and a report.
fn read_identifier(value: &Value<'_>) -> Result<String, Reported> {
    let text = value.text()?;
    if is_identifier(text) {
        return Ok(text.to_owned());
    }
    let fault = value.fault(Code::BadName, format!("`{text}` cannot be a name"));
    let hint = "1 to 64 letters and digits of any script, `-`, `_` and `.`: names stand in MQTT topics";
    Err(value.report.error(fault.label("holds other characters, or too many").hint(hint)))
}
