use std::net::SocketAddr;

use crate::bench::Bench;

/// Where the lines of [`two_meters`] appear in the bench's folder.
pub const TWO_PORTS: [&str; 2] = ["modbus-trunk", "dlt-trunk"];

/// A site with a Modbus and a DL/T 645 meter on lines of their own, polled as fast as the wires let them: about 25 readings a
/// second. Its names: site `bench`, gateway `gateway-1`, devices `smt-meter` and `dip-meter`, sections `smt` and `dip`, model
/// `DTZ-A`.
pub fn two_meters(broker: Option<SocketAddr>) -> Bench {
    Bench::with_site(|bench| {
        let [modbus, dlt] = TWO_PORTS.map(|port| bench.path(port).display().to_string());
        let mqtt =
            broker.map_or_else(String::new, |broker| format!("[mqtt]\nbroker = \"mqtt://{broker}\"\n"));
        format!(
            r#"
[site]
name = "bench"
gateway = "gateway-1"
timezone = "Asia/Shanghai"

[[link]]
name = "modbus-trunk"
serial = {{ port = "{modbus}", baud = 38400 }}

[[link]]
name = "dlt-trunk"
serial = {{ port = "{dlt}", baud = 19200, parity = "even" }}

[[device]]
name = "smt-meter"
link = "modbus-trunk"
profile = "acrel/adw300"
address = 11
poll = {{ energy_import = "200 ms", active_power = "100 ms" }}
measures = {{ carrier = "electricity", source = "grid", section = "smt" }}
rated_maximum = "100 kW"
instrument = {{ class = "0.5S", serial_number = "A-1" }}

[[device]]
name = "dip-meter"
link = "dlt-trunk"
profile = "dlt645-2007/three-phase"
address = "000000123456"
ratio = {{ ct = "1" }}
poll = {{ energy_import = "500 ms", active_power = "250 ms" }}
measures = {{ carrier = "electricity", source = "grid", section = "dip" }}
rated_maximum = "100 kW"
instrument = {{ class = "B", serial_number = "B-1" }}

[[section]]
name = "smt"

[[section]]
name = "dip"

[[model]]
name = "DTZ-A"

[[factor]]
name = "China, national average electricity 2023"
carrier = "electricity"
source = "grid"
value = "0.6205 kgCO2e/kWh"
uncertainty = "5 %"
origin = "Ministry of Ecology and Environment of China: announcement 2025 No. 3"

{mqtt}
"#
        )
    })
}
