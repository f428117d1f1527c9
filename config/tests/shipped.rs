//! What the repository ships is valid: every profile, and the example site with room on its wires.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use weighbridge_config::profile::ProtocolLimits;
use weighbridge_config::{Profile, ProfileLibrary, SHIPPED_PROFILES, Site, line_budget};
use weighbridge_protocol::Decimal;

const EXAMPLE: &str = include_str!("../../examples/meter-factory.toml");

/// The demo runs the example's plant this many times faster than time; the wires keep their speed.
const DEMO_SPEED: u32 = 20;

fn example() -> weighbridge_config::Checked {
    Site::parse("meter-factory.toml", EXAMPLE, &ProfileLibrary::shipped())
        .unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn every_shipped_profile_is_valid_and_named_after_its_file() {
    for (name, text) in SHIPPED_PROFILES {
        let profile = Profile::parse(name, text).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(profile.name, *name);
        assert!(!profile.sources.is_empty(), "{name} names no source");
        let dlt645 = profile.protocol == ProtocolLimits::Dlt645;
        assert_eq!(dlt645, name.starts_with("dlt645-2007/"), "{name}");
    }
    assert_eq!(ProfileLibrary::shipped().names().count(), SHIPPED_PROFILES.len());
}

#[test]
fn every_profile_in_the_folder_is_shipped() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let mut found = Vec::new();
    for maker in std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir())
    {
        for model in std::fs::read_dir(maker.path()).unwrap() {
            let (maker, model) = (maker.file_name(), model.unwrap().path());
            found.push(format!(
                "{}/{}",
                maker.to_str().unwrap(),
                model.file_stem().unwrap().to_str().unwrap()
            ));
        }
    }
    found.sort();
    assert_eq!(found, SHIPPED_PROFILES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn the_example_site_has_no_faults_and_no_warnings() {
    let checked = example();
    assert_eq!(checked.warnings, []);
    let site = checked.site;
    assert_eq!((site.links.len(), site.devices.len(), site.sections.len(), site.models.len()), (3, 10, 8, 2));
    let incomer = &site.devices[0];
    assert_eq!(incomer.channels[0].factor, Decimal::new(2, -1), "0.01 kWh a count times 100/5");
    assert_eq!(incomer.line.to_string(), "2400 8E1");
    assert_eq!(site.devices[1].line.to_string(), "9600 8N1");
    assert_eq!(site.devices[0].link, site.devices[1].link);
}

#[test]
fn the_example_leaves_room_on_every_wire_at_the_speed_of_the_demo() {
    let mut site = example().site;
    for channel in site.devices.iter_mut().flat_map(|device| &mut device.channels) {
        channel.poll_interval_ms /= DEMO_SPEED;
    }
    for link in line_budget(&site) {
        assert!(link.utilisation < 0.7, "{} is busy {:.1} %", link.name, link.utilisation * 100.0);
    }
}
