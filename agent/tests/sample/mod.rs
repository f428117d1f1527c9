//! A small site for the tests that need several modules: meters whose counters roll over after 100 kWh.

use std::sync::Arc;

use weighbridge_config::{Profile, ProfileLibrary, Site};

/// Counter of 4 digits at 0.01 kWh.
const METER: &str = r#"
[profile]
name = "sample/meter"
vendor = "Sample"
model = "meter"
kind = "electricity"
protocol = "modbus-rtu"
sources = ["none: made for tests"]
[line]
baud = 19200
[limits]
max_turn_round = "100 ms"
min_gap = "5 ms"
[modbus]
function = 3
[[channel]]
name = "energy"
kind = "counter"
unit = "kWh"
register = 0
type = "uint32"
scale = "0.01"
digits = 4
[[channel]]
name = "power"
kind = "gauge"
unit = "kW"
register = 8
type = "float32"
"#;

/// The beginning of every sample site; devices, broker and more follow.
const SITE: &str = r#"
[site]
name = "works"
gateway = "gateway"
timezone = "Asia/Shanghai"
[[link]]
name = "trunk"
serial = { port = "/dev/null", baud = 19200 }
[[section]]
name = "front"
[[section]]
name = "back"
[[model]]
name = "M"
[[factor]]
name = "grid"
carrier = "electricity"
source = "grid"
value = "0.5 kgCO2e/kWh"
uncertainty = "5 %"
origin = "made for tests"
"#;

/// A meter on the trunk, polled every 10 s, that can pass 100 counts (1 kWh) a second.
pub(crate) fn meter(name: &str, address: u8, section: &str) -> String {
    format!(
        r#"
[[device]]
name = "{name}"
link = "trunk"
profile = "sample/meter"
address = {address}
poll = {{ energy = "10 s" }}
measures = {{ carrier = "electricity", source = "grid", section = "{section}" }}
rated_maximum = "3600 kW"
instrument = {{ class = "B", certificate = "C-1", valid_from = 2026-01-01, valid_until = 2026-12-31 }}
"#
    )
}

/// The site with these tables added.
pub(crate) fn site(tables: &str) -> Arc<Site> {
    let mut library = ProfileLibrary::shipped();
    library.add(Profile::parse("meter.toml", METER).unwrap());
    Arc::new(Site::parse("site.toml", &format!("{SITE}{tables}"), &library).unwrap().site)
}
