//! Gas volumes at a reference state.

use serde::Deserialize;

use crate::estimate::Estimate;
use crate::statement::{StatementError, width};
use crate::sum::root_sum_of_squares;

/// A gas volume metered at line conditions, and the state at which it is booked. Both 0 and 20 degrees
/// Celsius at 101.325 kPa are in use (GB/T 19205), so the reference state is always stated; it must be that
/// of the factor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GasVolume {
    /// Metered volume, m3.
    pub volume_m3: f64,
    /// Absolute pressure at the meter, kPa.
    #[serde(rename = "p_kPa")]
    pub pressure_kpa: f64,
    /// Temperature at the meter, degrees Celsius.
    #[serde(rename = "t_C")]
    pub temperature_c: f64,
    /// Temperature of the reference state, degrees Celsius.
    #[serde(rename = "ref_t_C")]
    pub reference_temperature_c: f64,
    /// Absolute pressure of the reference state, kPa.
    #[serde(rename = "ref_p_kPa")]
    pub reference_pressure_kpa: f64,
    /// Standard uncertainty of the volume, m3.
    pub u_volume_m3: f64,
    /// Standard uncertainty of the pressure, kPa.
    #[serde(rename = "u_p_kPa")]
    pub u_pressure_kpa: f64,
    /// Standard uncertainty of the temperature, K.
    #[serde(rename = "u_t_C")]
    pub u_temperature_k: f64,
}

/// Why a gas volume cannot be converted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GasError {
    /// Not a state that a gas can have.
    #[error(
        "a gas cannot be at {pressure_kpa} kPa and {temperature_c} degC: pressure is absolute and above 0, \
         temperature above -273.15 degC; correct the state"
    )]
    State {
        /// The pressure.
        pressure_kpa: f64,
        /// The temperature.
        temperature_c: f64,
    },
    /// A figure or an uncertainty that makes no sense.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

/// 0 degrees Celsius in kelvin.
const ZERO_CELSIUS_K: f64 = 273.15;

impl GasVolume {
    /// The volume at the reference state, m3: V p T_ref / (p_ref T), as an ideal gas. Its uncertainty is of
    /// first order (JCGM 100, 5.1.2) in volume, pressure and temperature.
    ///
    /// # Errors
    /// [`GasError`] for an impossible state, a negative uncertainty or a figure that is no number.
    pub fn at_reference(&self) -> Result<Estimate, GasError> {
        let temperature_k = kelvin(self.pressure_kpa, self.temperature_c)?;
        let reference_k = kelvin(self.reference_pressure_kpa, self.reference_temperature_c)?;
        let ratio = self.pressure_kpa / self.reference_pressure_kpa * reference_k / temperature_k;
        let volume = self.volume_m3 * ratio;
        let u = root_sum_of_squares([
            ratio * width("u of the volume", self.u_volume_m3)?,
            volume / self.pressure_kpa * width("u of the pressure", self.u_pressure_kpa)?,
            volume / temperature_k * width("u of the temperature", self.u_temperature_k)?,
        ]);
        Ok(Estimate::measured(volume, u, [] as [(&str, f64); 0])?)
    }
}

fn kelvin(pressure_kpa: f64, temperature_c: f64) -> Result<f64, GasError> {
    let temperature_k = temperature_c + ZERO_CELSIUS_K;
    if pressure_kpa > 0.0 && pressure_kpa.is_finite() && temperature_k > 0.0 && temperature_k.is_finite() {
        Ok(temperature_k)
    } else {
        Err(GasError::State { pressure_kpa, temperature_c })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metered() -> GasVolume {
        GasVolume {
            volume_m3: 1000.0,
            pressure_kpa: 101.325,
            temperature_c: 20.0,
            reference_temperature_c: 20.0,
            reference_pressure_kpa: 101.325,
            u_volume_m3: 3.0,
            u_pressure_kpa: 0.0,
            u_temperature_k: 0.0,
        }
    }

    #[test]
    fn at_its_own_state_a_volume_stays_what_it_is() {
        let volume = metered().at_reference().unwrap();
        assert_eq!((volume.value(), volume.independent()), (1000.0, 3.0));
    }

    #[test]
    fn the_two_reference_states_differ_by_seven_percent() {
        let volume = GasVolume { reference_temperature_c: 0.0, ..metered() }.at_reference().unwrap();
        assert!((volume.value() - 1000.0 * 273.15 / 293.15).abs() < 1e-9);
    }

    #[test]
    fn pressure_and_temperature_contribute() {
        let volume =
            GasVolume { u_pressure_kpa: 0.405_3, u_temperature_k: 0.0, ..metered() }.at_reference().unwrap();
        assert!((volume.independent() - 5.0).abs() < 1e-12);
        let volume = GasVolume { u_temperature_k: 1.172_6, ..metered() }.at_reference().unwrap();
        assert!((volume.independent() - 5.0).abs() < 1e-12);
    }

    #[test]
    fn impossible_states_are_refused() {
        for gas in [
            GasVolume { pressure_kpa: 0.0, ..metered() },
            GasVolume { temperature_c: -273.15, ..metered() },
            GasVolume { reference_pressure_kpa: f64::NAN, ..metered() },
            GasVolume { reference_temperature_c: f64::INFINITY, ..metered() },
        ] {
            assert!(matches!(gas.at_reference(), Err(GasError::State { .. })));
        }
        assert!(matches!(
            GasVolume { u_volume_m3: -1.0, ..metered() }.at_reference(),
            Err(GasError::Statement(_))
        ));
    }
}
