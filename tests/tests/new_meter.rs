//! What a new user does with a meter that Weighbridge has never heard of: one file beside the site file.

#![allow(clippy::unwrap_used, reason = "tests")]

use weighbridge_tests::Bench;

const PROFILE: &str = r#"
[profile]
name = "acme/em9"
vendor = "Acme"
model = "EM9"
kind = "electricity"
protocol = "modbus-rtu"
sources = ["Acme EM9 manual, page 12"]

[line]
baud = 19200
parity = "even"
supported_baud = [9600, 19200]

[limits]
max_turn_round = "200 ms"
min_gap = "10 ms"

[modbus]
function = 4
word_order = "CDAB"

[[channel]]
name = "energy_import"
kind = "counter"
unit = "kWh"
register = 0x0100
type = "int32"
scale = "0.001"

[[channel]]
name = "active_power"
kind = "gauge"
unit = "kW"
register = 0x0110
type = "float32"
word_order = "DCBA"
"#;

fn bench() -> Bench {
    let bench = Bench::with_site(|bench| {
        format!(
            r#"
[site]
name = "workshop"
timezone = "Europe/Berlin"

[[link]]
name = "trunk"
serial = {{ port = "{}", baud = 19200, parity = "even" }}

[[device]]
name = "press"
link = "trunk"
profile = "acme/em9"
address = 9
poll = {{ energy_import = "500 ms", active_power = "500 ms" }}
measures = {{ carrier = "electricity", source = "grid", section = "smt" }}
rated_maximum = "100 kW"
instrument = {{ class = "B" }}

[[section]]
name = "smt"
"#,
            bench.path("trunk").display()
        )
    });
    bench.write("profiles/acme/em9.toml", PROFILE);
    bench
}

#[test]
fn one_file_is_a_new_meter() {
    let bench = bench();
    let checked = bench.finish(&["profiles", "--check", "profiles/acme/em9.toml"]);
    assert!(checked.status.success(), "{}", checked.stderr);
    assert!(checked.stdout.contains("`acme/em9` is valid: 2 channels"), "{}", checked.stdout);
    let shown = bench.finish(&["profiles", "acme/em9", "--profiles", "profiles"]);
    assert!(shown.stdout.contains("active_power"), "{}{}", shown.stdout, shown.stderr);
    let valid = bench.finish(&["check", "site.toml"]);
    assert!(valid.status.success() && valid.stdout.contains("is valid"), "{}{}", valid.stdout, valid.stderr);

    let _lines = bench.simulate(&["trunk"]);
    let agent = bench.run();
    let energy = agent.live("press", "energy_import");
    let digits = energy["value"].as_str().unwrap();
    assert_eq!(
        digits.split_once('.').map(|(_, decimals)| decimals.len()),
        Some(3),
        "counts thousandths: {energy}"
    );
    let power: f64 = agent.live("press", "active_power")["value"].as_str().unwrap().parse().unwrap();
    assert!((0.1..200.0).contains(&power), "kilowatts of a press, not bytes in a wrong order: {power}");
    let counts = |text: &str| text.parse::<f64>().unwrap();
    agent.live_when("press", "energy_import", |later| {
        later["value"].as_str().is_some_and(|text| counts(text) > counts(digits))
    });
}

#[test]
fn a_faulty_profile_is_explained() {
    let bench = bench();
    bench.write("profiles/acme/em9.toml", &PROFILE.replace("\"CDAB\"", "\"CDBA\""));
    for arguments in [&["profiles", "--check", "profiles/acme/em9.toml"][..], &["check", "site.toml"]] {
        let checked = bench.finish(arguments);
        assert_eq!(checked.status.code(), Some(3), "{}", checked.stderr);
        for part in ["E0108", "profiles/acme/em9.toml:21", "CDBA", "help: "] {
            assert!(checked.stderr.contains(part), "`{part}` is missing in\n{}", checked.stderr);
        }
    }
}
