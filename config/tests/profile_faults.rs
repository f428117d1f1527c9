//! What `Profile::parse` says to broken profiles. The sign ▶ stands before the place that the finding must
//! name.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use weighbridge_config::{Profile, SHIPPED_PROFILES, render};

const MODBUS: &str = r#"
[profile]
name = "acme/em1"
vendor = "Acme"
model = "EM1"
kind = "electricity"
protocol = "modbus-rtu"

[line]
baud = 9600
supported_baud = [2400, 9600]

[limits]
max_turn_round = "300 ms"
max_registers = 3

[modbus]
function = 4

[[channel]]
name = "energy"
group = "total"
kind = "counter"
unit = "kWh"
register = 72
type = "uint32"
absent = ["0xFFFFFFFF"]

[[channel]]
name = "power"
kind = "gauge"
unit = "kW"
register = 52
type = "float32"
"#;

const DLT645: &str = r#"
[profile]
name = "acme/dt1"
vendor = "Acme"
model = "DT1"
kind = "electricity"
protocol = "dlt645-2007"

[line]
baud = 2400

[[channel]]
name = "energy"
kind = "counter"
unit = "kWh"
di = "00010000"
format = "XXXXXX.XX"
"#;

#[track_caller]
fn check_text(marked: &str, codes: &[&str]) {
    let text = marked.replace('▶', "");
    let places = marked.match_indices('▶').map(|(offset, _)| {
        let before = &marked[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].replace('▶', "").chars().count() + 1)
    });
    let expected: Vec<_> = codes.iter().map(|code| (*code).to_owned()).zip(places).collect();
    let found = Profile::parse("em1.toml", &text).err().map_or(Vec::new(), |faults| faults.0);
    let pictures: String = found.iter().map(|fault| render(fault, &text, false) + "\n").collect();
    let found: Vec<_> =
        found.iter().map(|fault| (fault.code.to_string(), (fault.line, fault.column))).collect();
    assert_eq!(found, expected, "\n{pictures}");
}

/// Breaks a profile by replacing `old`, which stands in it once.
#[track_caller]
fn check(profile: &str, old: &str, new: &str, codes: &[&str]) {
    assert_eq!(profile.matches(old).count(), 1, "{old:?} must stand in the profile once");
    check_text(&profile.replace(old, new), codes);
}

#[test]
fn the_unbroken_profiles_have_no_faults() {
    check_text(MODBUS, &[]);
    check_text(DLT645, &[]);
}

#[test]
fn identity_line_and_limits() {
    check(MODBUS, "\"acme/em1\"", "▶\"em1\"", &["E0201"]);
    check(MODBUS, "\"acme/em1\"", "▶\"acme/em1/b\"", &["E0201"]);
    check(MODBUS, "\"electricity\"", "▶\"electric\"", &["E0108"]);
    check(MODBUS, "\"modbus-rtu\"", "▶\"modbus\"", &["E0108"]);
    check(MODBUS, "\"acme/em1\"", "\"acme/em1\"\n▶modell = \"EM1-3\"", &["E0103"]);
    check(MODBUS, "[2400, 9600]", "▶[2400, 4800]", &["E0105"]);
    check(MODBUS, "[2400, 9600]", "[2400, ▶\"9600\"]", &["E0104"]);
    check(MODBUS, "\"300 ms\"", "▶\"300\"", &["E0107"]);
    check(MODBUS, "max_registers = 3", "max_registers = ▶126", &["E0105"]);
    check(MODBUS, "function = 4", "function = ▶6", &["E0105"]);
    check(MODBUS, "function = 4", "function = 4\nword_order = ▶\"abcd\"", &["E0108"]);
    check(DLT645, "[line]", "[▶modbus]\nfunction = 3\n[line]", &["E0103"]);
    check(DLT645, "[line]", "[limits]\n▶max_registers = 3\n[line]", &["E0103"]);
}

#[test]
fn channels() {
    check(MODBUS, "name = \"power\"", "name = ▶\"energy\"", &["E0202"]);
    check(MODBUS, "name = \"power\"", "name = ▶\"total\"", &["E0606"]);
    check(MODBUS, "name = \"power\"", "name = ▶\"po wer\"", &["E0201"]);
    check(MODBUS, "\"kWh\"", "▶\"kwh\"", &["E0107"]);
    check(MODBUS, "register = 72", "register = ▶65536", &["E0105"]);
    check(MODBUS, "register = 72", "register = ▶65535", &["E0601"]);
    check(MODBUS, "register = 72", "▶di = \"00010000\"\nregister = 72", &["E0103"]);
    check(MODBUS, "\"uint32\"", "▶\"u32\"", &["E0108"]);
    check(
        MODBUS,
        "register = 72\ntype = \"uint32\"\nabsent = [\"0xFFFFFFFF\"]",
        "register = ▶72\ntype = \"uint64\"",
        &["E0601"],
    );
    check(MODBUS, "\"0xFFFFFFFF\"", "▶\"0x1FFFFFFFF\"", &["E0604"]);
    check(MODBUS, "\"0xFFFFFFFF\"", "▶\"FFFF\"", &["E0604"]);
    check(MODBUS, "\"0xFFFFFFFF\"", "▶4294967295", &["E0104"]);
    check(MODBUS, "register = 72", "register = 72\nscale = ▶\"0\"", &["E0105"]);
    check(MODBUS, "register = 72", "register = 72\nscale = ▶0.01", &["E0104"]);
    check(MODBUS, "register = 72", "register = 72\nscale = ▶\"1e-2\"", &["E0106"]);
    check(MODBUS, "register = 72", "register = 72\ndigits = 9", &[]);
    check(MODBUS, "register = 72", "register = 72\ndigits = ▶10", &["E0605"]);
    check(MODBUS, "register = 52", "register = 52\ndigits = ▶8", &["E0605"]);
    check(MODBUS, "register = 52", "register = 52\nresolution = ▶\"0.1\"", &["E0105"]);
    check(MODBUS, "\"uint32\"\nabsent = [\"0xFFFFFFFF\"]", "\"float32\"\nresolution = \"0.01\"", &[]);
    let floating = MODBUS.replace("\"uint32\"\nabsent = [\"0xFFFFFFFF\"]", "\"float32\"");
    check(&floating, "name = \"energy\"", "name = ▶\"energy\"", &["E0603"]);
    check(DLT645, "\"00010000\"", "▶\"0001000\"", &["E0602"]);
    check(DLT645, "\"00010000\"", "▶\"0001000G\"", &["E0602"]);
    check(DLT645, "\"XXXXXX.XX\"", "▶\"XXXXX.XX\"", &["E0602"]);
    check(DLT645, "\"XXXXXX.XX\"", "▶\"NNNNNN.NN\"", &["E0602"]);
    check(DLT645, "di = ", "▶register = 3\ndi = ", &["E0103"]);
}

#[test]
fn all_faults_at_once() {
    let broken = MODBUS
        .replace("\"acme/em1\"", "▶\"acme\"")
        .replace("baud = 9600", "baud = ▶\"9600\"")
        .replace("\"300 ms\"", "▶\"300 m\"")
        .replace("function = 4", "function = ▶5")
        .replace("\"kWh\"", "▶\"Wh\"")
        .replace("register = 52", "register = ▶-1")
        .replace("type = \"float32\"", "type = ▶\"float\"");
    check_text(&broken, &["E0201", "E0104", "E0107", "E0105", "E0107", "E0105", "E0108"]);
}

#[test]
fn what_is_missing() {
    check_text("▶", &["E0102"]);
    check_text("▶[▶profil]", &["E0102", "E0103"]);
    check(MODBUS, "[modbus]\nfunction = 4", "▶[modbus]", &["E0102"]);
    check_text(&format!("▶{}", MODBUS.replace("[modbus]\nfunction = 4", "")), &["E0102"]);
    check(DLT645, "[line]\nbaud = 2400", "▶[line]", &["E0102"]);
    check(DLT645, "[[channel]]\nname = \"energy\"", "▶[[channel]]", &["E0102"]);
    check_text(&format!("▶{}", &DLT645[..DLT645.find("[[channel]]").unwrap()]), &["E0102"]);
}

proptest! {
    #[test]
    fn a_damaged_profile_is_answered(
        profile in prop::sample::select(SHIPPED_PROFILES),
        at in any::<prop::sample::Index>(),
        with in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut tokens: Vec<&str> = profile.1.split_inclusive(|c: char| !c.is_alphanumeric()).collect();
        let at = at.index(tokens.len());
        match with {
            Some(with) => tokens[at] = tokens[with.index(tokens.len())],
            None => drop(tokens.remove(at)),
        }
        let text = tokens.concat();
        if let Err(faults) = Profile::parse("p.toml", &text) {
            prop_assert!(!faults.0.is_empty());
            for fault in faults.0 {
                prop_assert!(text.get(fault.span.clone()).is_some());
                render(&fault, &text, false);
            }
        }
    }
}
