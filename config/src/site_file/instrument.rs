//! `instrument` of a device: its entry in the ledger, and how well it measures.

use weighbridge_protocol::Decimal;

use crate::code::Code;
use crate::profile::DeviceKind;
use crate::quantity;
use crate::raw::{Reported, Table, Value};
use crate::site::{Calibration, Instrument};

const KEYS: &[&str] =
    &["serial_number", "class", "mpe", "expanded", "k", "certificate", "valid_from", "valid_until"];

/// Classes of electricity meters and their maximum permissible error in hundredths of a percent: IEC 62053-21
/// and -22 by number, OIML R 46 and GB/T 17215.321 by letter.
const ELECTRICITY_CLASSES: &[(&str, i128)] = &[
    ("0.2S", 20),
    ("D", 20),
    ("0.5S", 50),
    ("C", 50),
    ("1", 100),
    ("1.0", 100),
    ("B", 100),
    ("2", 200),
    ("2.0", 200),
    ("A", 200),
];

/// Reads the ledger's entry. A device that measures must state how well: no statement does not mean no error.
pub(super) fn read_instrument(
    table: &Table<'_>,
    kind: Result<DeviceKind, Reported>,
) -> Result<Instrument, Reported> {
    let Some(entry) = table.optional("instrument", |value| value.part(Some(KEYS)))? else {
        demand_uncertainty(table, table, &Instrument::default())?;
        return Ok(Instrument::default());
    };
    let serial_number = entry.optional("serial_number", Value::title);
    let class = entry.optional("class", |value| read_class(value, kind?));
    let mpe = entry.optional("mpe", Value::fraction);
    let calibration = read_calibration(&entry);
    let certificate = entry.optional("certificate", Value::title);
    let valid_from = entry.optional("valid_from", Value::date);
    let valid_until = entry.optional("valid_until", |value| {
        let (until, from) = (value.date()?, valid_from?);
        let message = "the certificate ends before it begins";
        if from.is_some_and(|from| until < from) {
            let fault = value.fault(Code::BadValidity, message).label("before `valid_from`");
            Err(value
                .report
                .error(fault.hint("look at both dates on the certificate; years are easily mixed up")))
        } else {
            Ok(until)
        }
    });
    let (class, class_mpe) = class?.map_or((None, None), |(class, mpe)| (Some(class), mpe));
    let instrument = Instrument {
        serial_number: serial_number?,
        class,
        mpe_relative: mpe?.or(class_mpe),
        calibration: calibration?,
        certificate: certificate?,
        valid_from: valid_from?,
        valid_until: valid_until?,
    };
    demand_uncertainty(table, &entry, &instrument)?;
    Ok(instrument)
}

/// The class as printed, and its maximum permissible error where the class alone says it.
fn read_class(value: &Value<'_>, kind: DeviceKind) -> Result<(String, Option<f64>), Reported> {
    let class = value.title()?;
    let relative = match kind {
        DeviceKind::Electricity => electricity_mpe(&class),
        DeviceKind::Flow => flow_mpe(&class),
        DeviceKind::Scale => return Ok((class, None)),
    };
    if relative.is_some() {
        return Ok((class, relative));
    }
    let known = match kind {
        DeviceKind::Electricity => "0.2S, 0.5S, 1, 2 or D, C, B, A",
        _ => "the class of a flow meter is its error in percent, such as \"1.0\", up to 10",
    };
    let fault = value.fault(Code::UnknownClass, format!("no {kind} meter has the class `{class}`"));
    Err(value.report.error(fault.label("not known").hint(known)))
}

fn electricity_mpe(class: &str) -> Option<f64> {
    let known = ELECTRICITY_CLASSES.iter().find(|(known, _)| *known == class);
    known.map(|(_, hundredths)| Decimal::new(*hundredths, -4).to_f64())
}

fn flow_mpe(class: &str) -> Option<f64> {
    let fraction = quantity::decimal(class)?.checked_mul(Decimal::new(1, -2))?.to_f64();
    (fraction > 0.0 && fraction <= 0.1).then_some(fraction)
}

/// `expanded` and `k`: one is nothing without the other.
fn read_calibration(entry: &Table<'_>) -> Result<Option<Calibration>, Reported> {
    let expanded = entry.optional("expanded", Value::fraction);
    let coverage_factor = entry.optional("k", |value| value.number(1.0, 10.0));
    match (expanded?, coverage_factor?) {
        (None, None) => Ok(None),
        (Some(expanded_relative), Some(coverage_factor)) => {
            Ok(Some(Calibration { expanded_relative, coverage_factor }))
        }
        (Some(_), None) => Err(entry.missing("k")),
        (None, Some(_)) => Err(entry.missing("expanded")),
    }
}

fn demand_uncertainty(
    device: &Table<'_>,
    place: &Table<'_>,
    instrument: &Instrument,
) -> Result<(), Reported> {
    let stated = instrument.mpe_relative.is_some() || instrument.calibration.is_some();
    if stated || device.get("measures").is_none() {
        return Ok(());
    }
    let message = format!("{} measures an amount, but nothing says how well", device.title);
    let fault = Code::NoUncertainty
        .at(place.span.clone(), message)
        .label("no class, `mpe` or `expanded` that gives an error");
    let hint = "add instrument = { class = \"B\" }, or mpe = \"0.5 %\" where the class alone gives no relative error";
    Err(device.report.error(fault.hint(hint)))
}
