//! What `Site::parse` makes of a valid file: defaults, units, ratios and references.

#![allow(clippy::unwrap_used, clippy::float_cmp)]

use weighbridge_config::profile::ChannelKind;
use weighbridge_config::site::{Calibration, Device, Mqtt};
use weighbridge_config::{
    DEFAULT_BUFFER_PATH, DEFAULT_GATEWAY, DEFAULT_LISTEN, DEFAULT_POLL_INTERVAL_MS, ProfileLibrary, Site,
    Unit,
};
use weighbridge_protocol::{Decimal, DeviceAddress};

/// A site with one device, which `profile` and the lines `rest` describe.
fn site(profile: &str, rest: &str) -> Site {
    let text = format!(
        r#"
        site = {{ name = "s", timezone = "Asia/Shanghai" }}
        link = [{{ name = "a", serial = {{ port = "a", baud = 9600 }} }}]
        section = [{{ name = "first" }}, {{ name = "second" }}]
        [[device]]
        name = "d"
        link = "a"
        profile = "{profile}"
        {rest}
        "#
    );
    Site::parse("site.toml", &text, &ProfileLibrary::shipped())
        .unwrap_or_else(|faults| panic!("{faults}"))
        .site
}

fn device(profile: &str, rest: &str) -> Device {
    site(profile, rest).devices.remove(0)
}

fn exact(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Name, factor and period of each polled channel.
fn polled(device: &Device) -> Vec<(&str, String, u32)> {
    let channels = device.channels.iter();
    channels
        .map(|channel| (&*channel.name, channel.factor.normalized().to_string(), channel.poll_interval_ms))
        .collect()
}

#[test]
fn what_the_file_does_not_say_has_its_stated_default() {
    let site = site("acrel/adw300", "address = 1");
    assert_eq!((site.gateway.as_str(), site.http.listen), (DEFAULT_GATEWAY, DEFAULT_LISTEN));
    assert_eq!((site.mqtt, site.buffer.path.as_str()), (None, DEFAULT_BUFFER_PATH));
    let device = &site.devices[0];
    assert_eq!(device.line.to_string(), "9600 8N1");
    assert_eq!((device.rated_maximum_per_hour, &device.measures), (None, &None));
}

#[test]
fn without_poll_every_counter_is_polled_or_else_everything() {
    let device = device("acrel/adw300", "address = 1");
    let minute = DEFAULT_POLL_INTERVAL_MS;
    let expected =
        [("energy_import", "0.01".to_owned(), minute), ("energy_export", "0.01".to_owned(), minute)];
    assert_eq!(polled(&device), expected);
    let scale = self::device("laumas/tlb", "address = 1");
    assert_eq!(scale.channels.len(), scale.profile.channels.len());
}

#[test]
fn a_channel_can_be_polled_faster_than_its_group() {
    let device = device("acrel/adw300", "address = 1\npoll = { power = \"5 s\", active_power = \"500 ms\" }");
    let periods: Vec<_> = device.channels.iter().map(|channel| channel.poll_interval_ms).collect();
    assert_eq!(periods, [500, 5000, 5000, 5000]);
}

#[test]
fn ratios_apply_by_the_side_of_each_register() {
    let poll = "poll = { energy_import = \"1 min\", voltage_l1 = \"1 min\", current_l1 = \"1 min\", frequency = \"1 min\" }";
    let rest = format!("address = 1\nratio = {{ ct = \"200/5\", pt = \"10000/100\" }}\n{poll}");
    let device = device("acrel/adl3000", &rest);
    let factors: Vec<_> = polled(&device).into_iter().map(|(name, factor, _)| (name, factor)).collect();
    let expected =
        [("energy_import", "40"), ("voltage_l1", "10"), ("current_l1", "0.4"), ("frequency", "0.01")];
    assert_eq!(factors, expected.map(|(name, factor)| (name, factor.to_owned())));
}

#[test]
fn a_measure_points_at_its_counter_and_section() {
    let rest = "address = 1\nmeasures = { carrier = \"solder\", section = \"second\" }\nrated_maximum = \"60.5 kg/h\"
        poll = { net = \"10 s\", accumulation = \"1 h\" }\ninstrument = { mpe = \"0.2 %\" }";
    let device = device("bde/bde-2007", rest);
    let measure = device.measures.clone().unwrap();
    assert_eq!((measure.section, measure.source), (1, None));
    let counter = device.measured_channel().unwrap();
    assert_eq!(
        (counter.name.as_str(), counter.kind, counter.unit),
        ("accumulation", ChannelKind::Counter, Unit::Kilogram)
    );
    assert_eq!(device.offered(counter).capacity, Some(1 << 31));
    assert_eq!(device.rated_maximum_per_hour, Some(exact("60.5")));
}

#[test]
fn addresses_follow_the_protocol() {
    let address = |profile, address| {
        device(profile, &format!("address = {address}\nline = {{ parity = \"even\" }}")).address
    };
    assert_eq!(address("acrel/adw300", "0x11"), address("acrel/adw300", "\"17\""));
    let meter = address("dlt645-2007/single-phase", "\"000000123456\"");
    assert!(matches!(meter, DeviceAddress::Dlt645(_)));
    assert_eq!(meter.to_string(), "000000123456");
}

#[test]
fn classes_give_the_maximum_permissible_error() {
    let check = |profile, instrument: &str, expected| {
        let device = device(profile, &format!("address = 1\ninstrument = {instrument}"));
        assert_eq!(device.instrument.mpe_relative, expected, "{instrument}");
    };
    for (class, mpe) in [
        ("0.2S", 0.002),
        ("D", 0.002),
        ("0.5S", 0.005),
        ("C", 0.005),
        ("1", 0.01),
        ("B", 0.01),
        ("2", 0.02),
        ("A", 0.02),
    ] {
        check("acrel/adw300", &format!("{{ class = \"{class}\" }}"), Some(mpe));
    }
    check("siemens/sitrans-mass6000", "{ class = \"0.15\" }", Some(0.0015));
    check("bde/bde-2007", "{ class = \"III\" }", None);
    check("bde/bde-2007", "{ class = \"III\", mpe = \"0.2 %\" }", Some(0.002));
    check("acrel/adw300", "{ class = \"B\", mpe = \"0.7 %\" }", Some(0.007));
}

#[test]
fn a_calibration_is_kept_beside_the_class() {
    let rest = "address = 1\ninstrument = { expanded = \"0.3 %\", k = 2, valid_until = 2027-12-31, certificate = \"LL-1\" }";
    let instrument = device("siemens/sitrans-mass6000", rest).instrument;
    assert_eq!(instrument.calibration, Some(Calibration { expanded_relative: 0.003, coverage_factor: 2.0 }));
    assert_eq!(instrument.valid_until.unwrap().to_string(), "2027-12-31");
    assert_eq!((instrument.mpe_relative, instrument.certificate.as_deref()), (None, Some("LL-1")));
}

#[test]
fn a_link_can_be_a_modbus_tcp_connection() {
    let check = |tcp: &str, connected: &str| {
        let text = format!(
            "site = {{ name = \"s\", timezone = \"UTC\" }}\n[[link]]\nname = \"far\"\nmodbus_tcp = {tcp}"
        );
        let link = Site::parse("site.toml", &text, &ProfileLibrary::empty()).unwrap().site.links.remove(0);
        assert_eq!((link.connection.is_serial(), link.connection.to_string().as_str()), (false, connected));
    };
    check("{ host = \"gateway.lan\" }", "gateway.lan:502");
    check("{ host = \"10.0.0.5\", port = 1502 }", "10.0.0.5:1502");
}

#[test]
fn brokers() {
    let check = |broker: &str, host: &str, port, tls| {
        let text =
            format!("site = {{ name = \"s\", timezone = \"UTC\" }}\nmqtt = {{ broker = \"{broker}\" }}");
        let mqtt = Site::parse("site.toml", &text, &ProfileLibrary::empty()).unwrap().site.mqtt;
        assert_eq!(mqtt, Some(Mqtt { host: host.to_owned(), port, tls, credentials: None, ca: None }));
    };
    check("mqtt://broker.lan", "broker.lan", 1883, false);
    check("mqtts://broker.lan", "broker.lan", 8883, true);
    check("mqtt://127.0.0.1:41883", "127.0.0.1", 41883, false);
    check("mqtts://[::1]:8884", "::1", 8884, true);
}

#[test]
fn the_factor_of_a_source_goes_before_the_one_for_any() {
    let factor = |name, source| {
        format!(
            "[[factor]]\nname = \"{name}\"\ncarrier = \"electricity\"\n{source}\nvalue = \"1 kgCO2e/kWh\"\nuncertainty = \"5 %\"\norigin = \"o\"\n"
        )
    };
    let factors = factor("any", "") + &factor("green", "source = \"green\"");
    let site = site("acrel/adw300", &format!("address = 1\n{factors}"));
    let name = |carrier, source| site.factor(carrier, source).map(|factor| factor.name.as_str());
    assert_eq!(name("electricity", Some("green")), Some("green"));
    assert_eq!(name("electricity", Some("grid")), Some("any"));
    assert_eq!(name("natural-gas", None), None);
}
