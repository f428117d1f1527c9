//! What `Site::parse` says to broken site files. The sign ▶ in a text stands before the place that the
//! finding must name.

#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use proptest::prelude::*;
use weighbridge_config::{Diagnostic, ProfileLibrary, Severity, Site, render};

const EXAMPLE: &str = include_str!("../../examples/meter-factory.toml");

/// A site without fault or warning, which each test breaks in one place.
const SITE: &str = r#"
[site]
name = "factory-1"
timezone = "Asia/Shanghai"

[[link]]
name = "trunk"
serial = { port = "/dev/ttyUSB0", baud = 9600 }

[[device]]
name = "incomer"
link = "trunk"
profile = "dlt645-2007/three-phase"
address = "000000123456"
line = { baud = 2400, parity = "even" }
ratio = { ct = "200/5" }
poll = { energy = "60 s", active_power = "5 s" }
measures = { carrier = "electricity", source = "grid", section = "smt" }
rated_maximum = "60 kW"
instrument = { class = "C", certificate = "DN-1", valid_from = 2026-01-01, valid_until = 2027-12-31 }

[[device]]
name = "scale"
link = "trunk"
profile = "bde/bde-2007"
address = 22
poll = { accumulation = "10 s", net = "10 s" }
measures = { channel = "accumulation", carrier = "solder", section = "dip" }
rated_maximum = "60 kg/h"
instrument = { class = "III", mpe = "0.2 %" }

[[section]]
name = "smt"

[[section]]
name = "dip"

[[model]]
name = "DTZ-A 3x220/380 V"

[[factor]]
name = "grid"
carrier = "electricity"
source = "grid"
value = "0.6205 kgCO2e/kWh"
uncertainty = "5 %"
origin = "announcement 2025 No. 3"

[mqtt]
broker = "mqtts://broker.factory.lan"
credentials = "/etc/weighbridge/mqtt.cred"
"#;

static LIBRARY: LazyLock<ProfileLibrary> = LazyLock::new(ProfileLibrary::shipped);

fn findings(text: &str) -> Vec<Diagnostic> {
    match Site::parse("site.toml", text, &LIBRARY) {
        Ok(checked) => checked.warnings,
        Err(faults) => {
            assert!(
                faults.0.iter().any(|fault| fault.severity == Severity::Error),
                "refused without an error"
            );
            faults.0
        }
    }
}

/// Parses the text without its marks and compares code, line and column of every finding with the codes and
/// marks.
#[track_caller]
fn check_text(marked: &str, codes: &[&str]) {
    let text = marked.replace('▶', "");
    let places = marked.match_indices('▶').map(|(offset, _)| {
        let before = &marked[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].replace('▶', "").chars().count() + 1)
    });
    let expected: Vec<_> = codes.iter().map(|code| (*code).to_owned()).zip(places).collect();
    let found = findings(&text);
    let pictures: String = found.iter().map(|fault| render(fault, &text, false) + "\n").collect();
    let found: Vec<_> =
        found.iter().map(|fault| (fault.code.to_string(), (fault.line, fault.column))).collect();
    assert_eq!(found, expected, "\n{pictures}");
}

/// Breaks [`SITE`] by replacing `old`, which stands in it once.
#[track_caller]
fn check(old: &str, new: &str, codes: &[&str]) {
    assert_eq!(SITE.matches(old).count(), 1, "{old:?} must stand in the site once");
    check_text(&SITE.replace(old, new), codes);
}

/// Breaks [`SITE`] in one place and expects the finding before the text `at`, which then stands in it once.
#[track_caller]
fn check_elsewhere(old: &str, new: &str, at: &str, code: &str) {
    assert_eq!(SITE.matches(old).count(), 1, "{old:?} must stand in the site once");
    let text = SITE.replace(old, new);
    assert_eq!(text.matches(at).count(), 1, "{at:?} must stand in the broken site once");
    check_text(&text.replace(at, &format!("▶{at}")), &[code]);
}

/// Adds entries to [`SITE`].
#[track_caller]
fn check_with(entries: &str, codes: &[&str]) {
    check("[[model]]", &format!("{entries}\n[[model]]"), codes);
}

#[test]
fn the_unbroken_site_has_no_findings() {
    check_text(SITE, &[]);
}

#[test]
fn syntax() {
    check("[site]", "[site▶", &["E0101"]);
    check("name = \"trunk\"", "name = ▶trunk", &["E0101"]);
    check("name = \"dip\"\n", "name = \"dip\"\n▶name = \"dap\"\n", &["E0101"]);
    check("valid_until = 2027-12-31", "valid_until = ▶2027-13-31", &["E0101"]);
    check_elsewhere("section = \"dip\" }", "section = \"dip\"", "rated_maximum = \"60 kg", "E0101");
    check_text("▶", &["E0102"]);
}

#[test]
fn keys_and_types() {
    check("[site]\nname = \"factory-1\"", "▶[site]", &["E0102"]);
    check_elsewhere("timezone = \"Asia/Shanghai\"\n", "", "[site]", "E0102");

    check("[mqtt]\nbroker = \"mqtts://broker.factory.lan\"", "▶[mqtt]", &["E0102"]);
    check(
        "[[link]]\nname = \"trunk\"\nserial = {",
        "▶[[link]]\nname = \"trunk\"\n▶seriel = {",
        &["E0102", "E0103"],
    );
    check("ratio = { ct", "ratio = { ▶cs = \"1\", ct", &["E0103"]);
    check("[mqtt]", "[▶mqqt]", &["E0103"]);
    check("poll = { energy", "▶polls = \"\"\npoll = { energy", &["E0103"]);
    check("name = \"trunk\"", "name = ▶7", &["E0104"]);
    check("baud = 9600 }", "baud = ▶\"9600\" }", &["E0104"]);
    check("\"60 kW\"", "▶60", &["E0104"]);
    check("{ accumulation = \"10 s\", net = \"10 s\" }", "▶\"10 s\"", &["E0104"]);
    check("2027-12-31", "▶\"2027-12-31\"", &["E0104"]);
    check("2027-12-31", "▶2027-12-31T10:00:00Z", &["E0104"]);
    check_text("section = ▶\"smt\"\n[site]\nname = \"a\"\ntimezone = \"UTC\"", &["E0104"]);
    check_text("section = [▶\"smt\"]\n[site]\nname = \"a\"\ntimezone = \"UTC\"", &["E0104"]);
    check_text("site = ▶[]", &["E0104"]);
    let sections = SITE.find("[[section]]").unwrap()..SITE.find("[[model]]").unwrap();
    check_text(&format!("section = ▶\"smt\"\n{}", SITE.replace(&SITE[sections], "")), &["E0104"]);
}

#[test]
fn quantities() {
    check("baud = 9600 }", "baud = ▶96 }", &["E0105"]);
    check("baud = 9600 }", "baud = ▶99999999999999999999 }", &["E0105"]);
    check("net = \"10 s\"", "net = ▶\"50 ms\"", &["E0105"]);
    check("net = \"10 s\"", "net = ▶\"25 h\"", &["E0105"]);
    check("\"0.2 %\"", "▶\"0 %\"", &["E0105"]);
    check("\"5 %\"", "▶\"101 %\"", &["E0105"]);
    check("\"60 kW\"", "▶\"-60 kW\"", &["E0105"]);
    check("\"0.6205 kg", "▶\"-0.6205 kg", &["E0105"]);
    check("net = \"10 s\"", "net = ▶\"ten s\"", &["E0106"]);
    check("net = \"10 s\"", "net = ▶\"10.0005 s\"", &["E0106"]);
    check("net = \"10 s\"", "net = ▶\"99999999 h\"", &["E0106"]);
    check("net = \"10 s\"", "net = ▶\"10\"", &["E0107"]);
    check("net = \"10 s\"", "net = ▶\"10 sec\"", &["E0107"]);
    check("\"60 kW\"", "▶\"60000 W\"", &["E0107"]);
    check("\"60 kg/h\"", "▶\"60 kW\"", &["E0107"]);
    check("\"0.6205 kgCO2e/kWh\"", "▶\"0.6205 kgCO2/kWh\"", &["E0107"]);
    check("parity = \"even\"", "parity = ▶\"evn\"", &["E0108"]);
    check("source = \"grid\", section", "source = ▶\"gird\", section", &["E0108"]);
    check("\"Asia/Shanghai\"", "▶\"Asia/Shangai\"", &["E0108"]);
    check("port = \"/dev/ttyUSB0\"", "port = ▶\"\"", &["E0109"]);
}

#[test]
fn names_and_references() {
    check("\"factory-1\"", "▶\"factory/1\"", &["E0201"]);
    check("\"factory-1\"", "▶\"factory+\"", &["E0201"]);
    check("\"factory-1\"", "▶\"\"", &["E0201"]);
    check("\"factory-1\"", "▶\"..\"", &["E0201"]);
    check("\"factory-1\"", "\"电表厂-1\"", &[]);
    check("name = \"scale\"", "name = ▶\"incomer\"", &["E0202"]);
    check_with("[[section]]\nname = ▶\"smt\"", &["E0202"]);
    check("\"trunk\"\nprofile = \"bde", "▶\"trnk\"\nprofile = \"bde", &["E0203"]);
    check("\"bde/bde-2007\"", "▶\"bde/bde2007\"", &["E0204"]);
    check("section = \"smt\" }", "section = ▶\"smd\" }", &["E0205", "W0207"]);
    check("net = \"10 s\"", "▶nett = \"10 s\"", &["E0206"]);
    check("channel = \"accumulation\"", "channel = ▶\"acumulation\"", &["E0206"]);
    check_with("[[section]]\nname = ▶\"packing\"", &["W0207"]);
    check("energy = \"60 s\"", "energy = \"60 s\", ▶energy_import = \"30 s\"", &["W0208"]);
}

#[test]
fn devices_on_a_bus() {
    check("address = 22", "address = ▶248", &["E0301"]);
    check("address = 22", "address = ▶\"0\"", &["E0301"]);
    check("address = 22", "address = ▶true", &["E0301"]);
    check("address = 22", "address = \"22\"", &[]);
    check("\"000000123456\"", "▶123456", &["E0301"]);
    check("\"000000123456\"", "▶\"123456\"", &["E0301"]);
    check("\"000000123456\"", "▶\"999999999999\"", &["E0301"]);
    let tlb = "[[device]]\nname = \"tank\"\nlink = \"trunk\"\nprofile = \"laumas/tlb\"\naddress = ";
    check_with(&format!("{tlb}▶22"), &["E0302"]);
    check_with(&format!("{tlb}23"), &[]);
    check("baud = 2400", "baud = ▶38400", &["E0303"]);
    check_elsewhere("baud = 9600 }", "baud = 19200 }", "\"trunk\"\nprofile = \"bde", "E0303");
    check("\"200/5\"", "▶\"100/3\"", &["E0304"]);
    check("\"200/5\"", "▶\"0\"", &["E0304"]);
    check("\"200/5\"", "▶\"-200/5\"", &["E0304"]);
    check("\"200/5\"", "▶\"200 / five\"", &["E0304"]);
    check("ct = \"200/5\" }", "ct = \"200/5\", pt = \"10000/100\" }", &[]);
    check("address = 22", "address = 22\nratio = ▶{ ct = \"200/5\" }", &["W0307"]);
    check_elsewhere("ratio = { ct = \"200/5\" }\n", "", "\"incomer\"", "W0308");
    check_elsewhere(", parity = \"even\"", "", "\"trunk\"\nprofile = \"dlt", "W0309");
    check("parity = \"even\"", "parity = ▶\"odd\"", &["W0309"]);
    check_with("[[link]]\nname = ▶\"spare\"\nserial = { port = \"/dev/ttyUSB1\", baud = 9600 }", &["W0310"]);
}

#[test]
fn what_is_measured_and_how_well() {
    check("channel = \"accumulation\"", "channel = ▶\"net\"", &["E0401"]);
    check("channel = \"accumulation\"", "channel = ▶\"weighings\"", &["E0402"]);
    check_elsewhere("accumulation = \"10 s\", net", "net", "\"accumulation\", carrier", "E0402");
    check_text(
        &SITE
            .replace("accumulation = \"10 s\", net", "net")
            .replace("channel = \"accumulation\", ", "")
            .replace("{ carrier = \"solder\"", "▶{ carrier = \"solder\""),
        &["E0402"],
    );
    check("{ class = \"III\", mpe = \"0.2 %\" }", "▶{ class = \"III\" }", &["E0403"]);
    let scale = "[[device]]\nname = \"scale\"";
    check_elsewhere("instrument = { class = \"III\", mpe = \"0.2 %\" }\n", "", scale, "E0403");
    check("class = \"C\"", "class = ▶\"0.5\"", &["E0404"]);
    check("{ carrier = \"electricity\", source = \"grid\"", "▶{ carrier = \"electricity\"", &["E0405"]);
    check("carrier = \"solder\"", "carrier = \"solder\", source = ▶\"grid\"", &["E0405"]);
    check("valid_until = 2027-12-31", "valid_until = ▶2025-12-31", &["E0406"]);
    check_elsewhere("mpe = \"0.2 %\"", "expanded = \"0.2 %\"", "{ class = \"III\"", "E0102");
    check_elsewhere("mpe = \"0.2 %\"", "k = 2", "{ class = \"III\"", "E0102");
    check("mpe = \"0.2 %\"", "expanded = \"0.2 %\", k = 2", &[]);
    check("mpe = \"0.2 %\"", "expanded = \"0.2 %\", k = ▶0.5", &["E0105"]);
    check("mpe = \"0.2 %\"", "expanded = \"0.2 %\", k = ▶\"2\"", &["E0104"]);
    check_elsewhere("rated_maximum = \"60 kg/h\"\n", "", "\"scale\"", "W0411");
}

/// 2 requests of 20 + 24 characters at 2400 8E1, 20 ms turn-round, 3.5 characters and 10 ms each: 0.491 s.
#[test]
fn over_subscribed_links() {
    check_elsewhere("energy = \"60 s\"", "energy = \"500 ms\"", "\"trunk\"\nserial", "E0305");
    check_elsewhere("energy = \"60 s\"", "energy = \"600 ms\"", "\"trunk\"\nserial", "W0306");
    check("energy = \"60 s\"", "energy = \"700 ms\"", &[]);
    let text = SITE.replace("energy = \"60 s\"", "energy = \"500 ms\"");
    let hint = findings(&text)[0].hint.clone().unwrap();
    assert_eq!(
        hint,
        "poll incomer/energy_import, incomer/energy_export every \"700 ms\" or slower, or raise the baud rate"
    );
}

#[test]
fn outlets_and_connections() {
    check("\"mqtts://broker.factory.lan\"", "▶\"http://broker\"", &["E0501"]);
    check("\"mqtts://broker.factory.lan\"", "▶\"mqtts://user:pass@broker\"", &["E0501"]);
    check("\"mqtts://broker.factory.lan\"", "▶\"mqtts://broker:0\"", &["E0501"]);
    check("\"mqtts://broker.factory.lan\"", "▶\"mqtts://broker:65536\"", &["E0501"]);
    check("\"mqtts://broker.factory.lan\"", "\"mqtts://[fe80::1]:8883\"", &[]);
    check("\"mqtts://broker.factory.lan\"", "▶\"mqtt://broker\"", &["W0504"]);
    check("\"mqtts://broker.factory.lan\"", "\"mqtt://127.0.0.1\"", &[]);
    check("\"mqtts://broker.factory.lan\"", "\"mqtt://localhost\"\nca = ▶\"ca.pem\"", &["E0503"]);
    check("[mqtt]", "[http]\nlisten = ▶\"localhost\"\n[mqtt]", &["E0502"]);
    check("[mqtt]", "[http]\nlisten = ▶\"0.0.0.0:80\"\n[mqtt]", &["W0505"]);
    check("[mqtt]", "[buffer]\npath = ▶1\n[mqtt]", &["E0104"]);
    let tcp = "[[link]]\nname = ▶\"far\"\nmodbus_tcp = { host = \"10.0.0.5\" }";
    check_with(tcp, &["W0310"]);
    check_with(
        &tcp.replace("host = ", "host = ▶").replace("10.0.0.5", "a/b").replace("▶\"far", "\"far"),
        &["E0109"],
    );
    check_with("▶[[link]]\nname = \"far\"", &["E0102"]);
    let both = "\"/dev/ttyUSB0\", baud = 9600 }";
    check_elsewhere(both, &format!("{both}\nmodbus_tcp = {{ host = \"h\" }}"), "\"trunk\"\nserial", "E0312");
    let meter = "[[device]]\nname = \"m\"\nlink = ▶\"far\"\nprofile = \"dlt645-2007/single-phase\"\naddress = \"000000000001\"";
    check_with(&format!("{}\n{meter}", tcp.replace('▶', "")), &["E0313"]);
    let meter = "[[device]]\nname = \"m\"\nlink = \"far\"\nprofile = \"acrel/adw300\"\naddress = 1";
    check_with(&format!("{}\n{meter}", tcp.replace('▶', "")), &[]);
    check_with(&format!("{}\n{meter}\n▶line = {{ baud = 9600 }}", tcp.replace('▶', "")), &["E0103"]);
    let shared = "[[link]]\nname = ▶\"spare\"\nserial = { port = ▶\"/dev/ttyUSB0\", baud = 9600 }";
    check_with(shared, &["W0310", "E0311"]);
}

#[test]
fn factors_and_carriers() {
    let green = "carrier = \"electricity\"\nsource = \"green\"\nvalue = \"0.03 kgCO2e/kWh\"\nuncertainty = \"5 %\"\norigin = \"x\"";
    check_with(&format!("[[factor]]\nname = \"green\"\n{green}"), &[]);
    check_with(&format!("[[factor]]\nname = \"any\"\n{green}").replace("source = \"green\"\n", ""), &[]);
    let again = format!("[[factor]]\nname = \"again\"\n{green}").replace("green", "grid");
    let text = SITE.replace("[[model]]", &format!("{again}\n[[model]]"));
    check_text(&text.replace("name = \"grid\"", "name = ▶\"grid\""), &["E0407"]);
    check("\"0.6205 kgCO2e/kWh\"", "▶\"0.6205 kgCO2e/kg\"", &["E0408"]);
    let mixed = SITE.replace("carrier = \"solder\"", "carrier = \"electricity\", source = \"grid\"");
    check_text(&mixed.replace("{ channel", "▶{ channel"), &["E0409"]);
    check_elsewhere(
        "\"electricity\"\nsource = \"grid\"",
        "\"electricity\"\nsource = \"green\"",
        "{ carrier = \"elec",
        "W0410",
    );
    check_elsewhere("\"electricity\"\nsource = \"grid\"", "\"electricty\"", "{ carrier = \"elec", "W0410");
    check_elsewhere("uncertainty = \"5 %\"\n", "", "[[factor]]", "E0102");
    check_elsewhere("origin = \"announcement 2025 No. 3\"\n", "", "[[factor]]", "E0102");
}

#[test]
fn all_faults_of_a_file_are_reported_at_once() {
    let broken = SITE
        .replace("timezone = \"Asia", "timezone = ▶\"Azia")
        .replace("baud = 9600 }", "baud = ▶\"fast\", ▶partiy = \"even\" }")
        .replace("\"000000123456\"", "▶\"12\"")
        .replace("ct = \"200/5\"", "ct = ▶\"100/3\"")
        .replace("active_power = \"5 s\"", "▶powr = \"5 s\"")
        .replace(
            "carrier = \"electricity\", source = \"grid\", section = \"smt\"",
            "carrier = ▶\"e/l\", source = \"grid\", section = ▶\"smd\"",
        )
        .replace("\"60 kW\"", "▶\"60 kV\"")
        .replace("class = \"C\"", "class = ▶\"Z\"")
        .replace("\"bde/bde-2007\"", "▶\"bde/bde-207\"")
        .replace("\"0.6205 kgCO2e/kWh\"", "▶\"lots\"")
        .replace("mqtts://broker", "mqtts:/broker")
        .replace("broker = ", "broker = ▶");
    let codes = [
        "E0108", "E0104", "E0103", "E0301", "E0304", "E0206", "E0201", "E0205", "E0107", "E0404", "E0204",
        "E0106", "E0501",
    ];
    check_text(&broken, &codes);
}

/// Findings of any text: none is refused without an error, each lies in the text and can be shown.
fn check_any(text: &str) {
    for fault in findings(text) {
        assert!(text.get(fault.span.clone()).is_some(), "{fault:?} lies outside the text");
        assert!(fault.line >= 1 && fault.column >= 1);
        assert!(render(&fault, text, false).contains(fault.code.as_str()));
    }
}

/// The example cut into words, signs and spaces.
fn tokens() -> Vec<&'static str> {
    let mut tokens: Vec<&str> = EXAMPLE.split_inclusive(|c: char| !c.is_alphanumeric()).collect();
    tokens.retain(|token| !token.is_empty());
    tokens
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_answered(text in "\\PC*") {
        check_any(&text);
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check_any(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn toml_like_text_is_answered(
        lines in proptest::collection::vec("(site|link|device|section|factor|mqtt|name|serial|poll|\\[|\\]|\\{|\\}|=|\"|'|,|\\.|[0-9]|\n| |é){1,16}", 0..8)
    ) {
        check_any(&lines.join("\n"));
    }

    #[test]
    fn a_damaged_site_is_answered(at in any::<prop::sample::Index>(), with in prop::option::of(any::<prop::sample::Index>())) {
        let mut tokens = tokens();
        let at = at.index(tokens.len());
        match with {
            Some(with) => tokens[at] = tokens[with.index(tokens.len())],
            None => drop(tokens.remove(at)),
        }
        check_any(&tokens.concat());
    }
}
