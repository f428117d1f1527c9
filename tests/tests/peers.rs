//! Meters and clients that we did not write, at the other end of our wires.

#![allow(clippy::unwrap_used, reason = "tests")]

use weighbridge_tests::{Bench, Peer, Port};

const SITE: &str = "[site]\nname = \"bench\"\ntimezone = \"Asia/Shanghai\"\n";

/// What each channel must show, digit by digit.
fn check_live(bench: &Bench, device: &str, expected: &[(&str, &str, &str)]) {
    let agent = bench.run();
    for (channel, value, unit) in expected {
        let live = agent.live(device, channel);
        assert_eq!(live["quality"], "good", "{live}");
        assert_eq!((live["value"].as_str(), live["unit"].as_str()), (Some(*value), Some(*unit)), "{live}");
    }
}

#[test]
fn a_dlt645_meter_of_pypi_is_read_digit_by_digit() {
    let mut meter = Peer("dlt645_meter.py").start(&[
        "000000123456",
        "00010000=123456.78",
        "00020000=0.01",
        "02030000=12.3456",
        "02010100=229.9",
    ]);
    let port = meter.says("port");
    let bench = Bench::with_site(|_| {
        format!(
            "{SITE}\n[[link]]\nname = \"trunk\"\nserial = {{ port = \"{port}\", baud = 2400, parity = \"even\" }}\n\n\
             [[device]]\nname = \"meter\"\nlink = \"trunk\"\nprofile = \"dlt645-2007/three-phase\"\n\
             address = \"000000123456\"\nratio = {{ ct = \"200/5\" }}\n\
             poll = {{ energy = \"2 s\", active_power = \"2 s\", voltage_l1 = \"2 s\" }}\n"
        )
    });
    // Exact products with 40: no binary fraction comes near these digits.
    let expected = [
        ("energy_import", "4938271.2", "kWh"),
        ("energy_export", "0.4", "kWh"),
        ("active_power", "493.824", "kW"),
        ("voltage_l1", "229.9", "V"),
    ];
    check_live(&bench, "meter", &expected);
}

#[test]
fn what_the_dlt645_meter_of_pypi_answers_for_a_stranger_is_no_value() {
    // It answers D1H when another address is asked for; a real meter would be silent.
    let mut meter = Peer("dlt645_meter.py").start(&["000000123456", "00010000=1.00"]);
    let port = meter.says("port");
    let bench = Bench::with_site(|_| {
        format!(
            "{SITE}\n[[link]]\nname = \"trunk\"\nserial = {{ port = \"{port}\", baud = 2400, parity = \"even\" }}\n\n\
             [[device]]\nname = \"stranger\"\nlink = \"trunk\"\nprofile = \"dlt645-2007/three-phase\"\n\
             address = \"000000999999\"\nratio = {{ ct = \"1\" }}\npoll = {{ energy_import = \"1 s\" }}\n"
        )
    });
    let agent = bench.run();
    let live = agent.live("stranger", "energy_import");
    assert_eq!((live["quality"].as_str(), live["value"].as_str()), (Some("bad"), None), "{live}");
    assert_eq!(live["reason"], "device exception", "it writes the address that was asked for: {live}");
}

/// Registers of `acrel/adw300`: L1 to L3 and total power from 30, energy from 62; and what they mean.
const ADW300_WORDS: [&str; 14] = [
    "20=08FC", "21=0902", "22=08F1", "30=0000", "31=0BB8", "32=FFFF", "33=FF9C", "34=0000", "35=0001",
    "36=0001", "37=86A0", "62=0754", "63=D4C0", "64=0000",
];
const ADW300_VALUES: [(&str, &str, &str); 7] = [
    ("energy_import", "1230000.00", "kWh"),
    ("active_power", "100000", "W"),
    ("active_power_l1", "3000", "W"),
    ("active_power_l2", "-100", "W"),
    ("active_power_l3", "1", "W"),
    ("voltage_l1", "230.0", "V"),
    ("voltage_l3", "228.9", "V"),
];

fn adw300(link: &str) -> Bench {
    Bench::with_site(|_| {
        format!(
            "{SITE}\n[[link]]\nname = \"trunk\"\n{link}\n\n[[device]]\nname = \"meter\"\nlink = \"trunk\"\n\
             profile = \"acrel/adw300\"\naddress = 17\n\
             poll = {{ energy_import = \"1 s\", power = \"500 ms\", voltage = \"1 s\" }}\n"
        )
    })
}

#[test]
fn a_modbus_rtu_device_of_pymodbus_is_read_digit_by_digit() {
    let mut device = Peer("modbus_device.py").start(&[&["rtu", "17"], &ADW300_WORDS[..]].concat());
    let port = device.says("port");
    check_live(&adw300(&format!("serial = {{ port = \"{port}\", baud = 9600 }}")), "meter", &ADW300_VALUES);
}

#[test]
fn a_modbus_tcp_device_of_pymodbus_is_read_digit_by_digit() {
    let port = Port::claim();
    let number = port.number().to_string();
    let mut device = Peer("modbus_device.py").start(&[&[&*number, "17"], &ADW300_WORDS[..]].concat());
    device.says("port");
    let bench = adw300(&format!("modbus_tcp = {{ host = \"127.0.0.1\", port = {number} }}"));
    check_live(&bench, "meter", &ADW300_VALUES);
}

#[test]
fn registers_that_pymodbus_does_not_have_are_refused_and_nothing_is_invented() {
    let mut device = Peer("modbus_device.py").start(&["rtu", "17", "62=0000", "63=0001"]);
    let port = device.says("port");
    let bench = adw300(&format!("serial = {{ port = \"{port}\", baud = 9600 }}"));
    let agent = bench.run();
    assert_eq!(agent.live("meter", "energy_import")["value"], "0.01");
    let power = agent.live("meter", "active_power");
    assert_eq!(
        (power["quality"].as_str(), power["reason"].as_str()),
        (Some("bad"), Some("device exception")),
        "{power}"
    );
    assert_eq!(power["value"].as_str(), None);
}

/// A simulated line with a DL/T 645 meter and a Modbus meter, for clients that we did not write.
fn simulated() -> Bench {
    Bench::with_site(|bench| {
        let port = bench.path("trunk");
        format!(
            "{SITE}\n[[link]]\nname = \"trunk\"\nserial = {{ port = \"{}\", baud = 9600 }}\n\n\
             [[device]]\nname = \"dlt\"\nlink = \"trunk\"\nprofile = \"dlt645-2007/three-phase\"\naddress = \"000000123456\"\n\
             line = {{ baud = 2400, parity = \"even\" }}\nratio = {{ ct = \"1\" }}\npoll = {{ energy_import = \"10 s\" }}\n\n\
             [[device]]\nname = \"modbus\"\nlink = \"trunk\"\nprofile = \"acrel/adw300\"\naddress = 11\n\
             poll = {{ voltage = \"10 s\" }}\n",
            port.display()
        )
    })
}

#[test]
fn a_pymodbus_client_reads_our_simulated_device() {
    let bench = simulated();
    let _lines = bench.simulate(&["trunk"]);
    let port = bench.path("trunk").display().to_string();
    let read = |register: &str, count: &str| {
        Peer("modbus_read.py").answer(&[&port, "9600", "N", "11", register, count])
    };

    let volts: Vec<u32> =
        read("20", "3").split(' ').map(|word| u32::from_str_radix(word, 16).unwrap()).collect();
    assert_eq!(volts.len(), 3);
    assert!(volts.iter().all(|volts| (2_000..2_600).contains(volts)), "tenths of a volt: {volts:?}");
    assert_eq!(read("62", "2").len(), 9, "both words of the energy counter");
    assert_eq!(read("9000", "1"), "exception 2", "an address that the device does not have");
}

#[test]
fn a_python_client_reads_our_simulated_dlt645_meter() {
    let bench = simulated();
    let _lines = bench.simulate(&["trunk"]);
    let port = bench.path("trunk").display().to_string();
    let read = |identifier: &str| Peer("dlt645_read.py").answer(&[&port, "2400", "000000123456", identifier]);

    let answer = read("00010000");
    let parts: Vec<&str> = answer.split(' ').collect();
    assert_eq!(parts[..2], ["91", "563412000000"], "control code, and the address low byte first: {answer}");
    assert!(
        parts[2].len() == 8 && parts[2].bytes().all(|digit| digit.is_ascii_digit()),
        "four bytes of BCD: {answer}"
    );
    assert!(read("0001FF77").starts_with("D1"), "an identifier that the meter does not have");
}
