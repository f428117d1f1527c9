//! Site files with faults, as people make them: `weighbridge check` finds all of them at once and says what to do.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

use serde_json::Value;
use weighbridge_tests::architecture::{files, root};
use weighbridge_tests::{Finished, Program, weighbridge};

const FOLDER: &str = "tests/sites/broken";

/// Code, line, and a part of the hint; an empty part stands for no hint.
type Finding = (&'static str, u64, &'static str);

const FILES: [(&str, &[Finding]); 10] = [
    ("01-not-toml.toml", &[("E0101", 7, "texts stand in double quotes")]),
    (
        "02-misspelt-keys.toml",
        &[
            ("E0103", 8, "known here: baud,"),
            ("E0103", 8, "did you mean `parity`?"),
            ("E0103", 15, "did you mean `poll`?"),
        ],
    ),
    ("03-no-unit.toml", &[("E0107", 15, "\"10 s\""), ("E0107", 15, "write a time such as")]),
    (
        "04-dangling-references.toml",
        &[
            ("E0203", 12, "did you mean `trunk`?"),
            ("E0204", 19, "did you mean `acrel/adl3000`?"),
            ("E0206", 27, "did you mean `energy_import`?"),
            ("E0205", 34, "did you mean `drill`?"),
        ],
    ),
    (
        "05-addresses.toml",
        &[
            ("E0302", 20, "another address"),
            ("E0301", 26, "12 digits of the name plate"),
            ("E0301", 33, "the unit number that is set at the device"),
        ],
    ),
    (
        "06-overloaded-wire.toml",
        &[
            ("E0305", 7, "or slower, or raise the baud rate"),
            ("E0303", 23, "it can be set to 1200, 2400, 4800"),
        ],
    ),
    (
        "07-no-uncertainty.toml",
        &[
            ("E0403", 10, "add instrument = { class = \"B\" }"),
            ("E0404", 25, "0.2S, 0.5S, 1, 2"),
            ("E0405", 32, "add source = \"grid\""),
            ("E0406", 34, "both dates on the certificate"),
        ],
    ),
    (
        "08-outlets.toml",
        &[("E0501", 17, "write \"mqtt://host:1883\""), ("E0502", 20, "write \"127.0.0.1:8645\"")],
    ),
    (
        "09-factors.toml",
        &[
            ("E0108", 4, "did you mean `Asia/Shanghai`?"),
            ("E0408", 26, "convert the published figure"),
            ("E0107", 35, "a percentage such as \"0.5 %\""),
        ],
    ),
    (
        "10-names-and-ratios.toml",
        &[
            ("E0202", 11, "give one of the two another name"),
            ("E0311", 12, "devices on one port belong to one link"),
            ("E0201", 15, "letters and digits of any script"),
            ("E0304", 26, "primary/secondary such as \"200/5\""),
        ],
    ),
];

#[test]
fn every_fault_is_found_at_its_place_with_a_hint() {
    for (file, expected) in FILES {
        let checked = check(file, &["--json"]);
        assert_eq!(checked.status.code(), Some(3), "{file}: {}", checked.stderr);
        let report: Value = serde_json::from_str(&checked.stdout).unwrap();
        assert_eq!(report["valid"], false, "{file}");
        let errors =
            report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
        let found: Vec<(&str, u64, &str)> = errors
            .map(|finding| {
                let text = |key: &str| finding[key].as_str().unwrap_or_default();
                (text("code"), finding["line"].as_u64().unwrap(), text("hint"))
            })
            .collect();
        let places = |findings: &[(&str, u64, &str)]| -> Vec<(String, u64)> {
            findings.iter().map(|(code, line, _)| ((*code).to_owned(), *line)).collect()
        };
        assert_eq!(places(&found), places(expected), "{file}: {found:#?}");
        for ((code, line, hint), (_, _, part)) in found.iter().zip(expected) {
            assert!(
                hint.contains(part) && hint.is_empty() == part.is_empty(),
                "{file}:{line}: {code} hints `{hint}`"
            );
        }
    }
}

#[test]
fn people_see_the_line_and_the_hint() {
    for (file, expected) in FILES {
        let checked = check(file, &[]);
        assert_eq!(checked.status.code(), Some(3), "{file}");
        assert_eq!(checked.stdout, "", "figures go to stdout, and there are none");
        for (code, line, part) in expected {
            let place = format!("{file}:{line}:");
            for wanted in [&format!("[{code}]"), &place, *part] {
                assert!(
                    checked.stderr.contains(wanted),
                    "{file}: `{wanted}` is missing in\n{}",
                    checked.stderr
                );
            }
        }
    }
}

#[test]
fn the_daemon_does_not_start_on_a_faulty_file() {
    let (file, expected) = FILES[3];
    let refused = weighbridge_on("run", file, &[]);
    assert_eq!(refused.status.code(), Some(3), "{}", refused.stderr);
    assert!(refused.stderr.contains(expected[0].0), "{}", refused.stderr);
}

#[test]
fn a_file_that_is_not_there_is_told_from_a_faulty_one() {
    let missing = check("11-not-there.toml", &[]);
    assert_eq!(missing.status.code(), Some(1), "{}", missing.stderr);
    assert!(missing.stderr.starts_with("error: cannot read"), "{}", missing.stderr);
}

#[test]
fn every_file_of_the_folder_is_checked() {
    let expected: Vec<String> = FILES.iter().map(|(file, _)| format!("{FOLDER}/{file}")).collect();
    assert_eq!(files(FOLDER, &[".toml"]), expected);
}

fn check(file: &str, more: &[&str]) -> Finished {
    weighbridge_on("check", file, more)
}

fn weighbridge_on(what: &str, file: &str, more: &[&str]) -> Finished {
    let mut command = Command::new(weighbridge());
    command.arg(what).arg(file).args(more).current_dir(root().join(FOLDER));
    Program::finish(command)
}
