//! The table of diagnostic codes. A code keeps its meaning for ever; one that is no longer given is not used
//! again.

use serde::{Serialize, Serializer};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file describes no valid site or profile.
    Error,
    /// The file is valid, but probably does not say what its author means.
    Warning,
}

macro_rules! codes {
    ($($name:ident $code:literal $meaning:literal)*) => {
        /// What kind of fault a [`Diagnostic`](crate::Diagnostic) reports. `E` codes make a file invalid, `W`
        /// codes do not.
        ///
        /// 01 the file's shape · 02 names and references · 03 devices on a bus · 04 what is measured, and how
        /// well · 05 where readings go · 06 device profiles.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = concat!($code, ": ", $meaning)] $name,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The code as it is printed: `"E0103"`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code),* }
            }

            /// What the code means, in one or two sentences.
            pub const fn meaning(self) -> &'static str {
                match self { $(Code::$name => $meaning),* }
            }
        }
    };
}

codes! {
    Syntax "E0101" "The file is not valid TOML."
    MissingKey "E0102" "A key or table that has no default is missing."
    UnknownKey "E0103" "A key that nothing reads; most often a misspelt one."
    WrongType "E0104" "The value has another TOML type than the key needs."
    OutOfRange "E0105" "The value lies outside the range that makes sense for the key."
    BadNumber "E0106" "The text is not an exact decimal number, or not as exact as the key can keep."
    BadUnit "E0107" "The unit of a quantity is missing, unknown, or of another kind than the key needs."
    UnknownWord "E0108" "The text is none of the words that the key knows."
    BadText "E0109" "The text does not have the form that the key needs."

    BadName "E0201" "A name holds characters that cannot stand in an MQTT topic, a path or a report."
    DuplicateName "E0202" "Two entries of one kind, or two channels of one profile, have the same name."
    UnknownLink "E0203" "A device hangs on a link that the file does not define."
    UnknownProfile "E0204" "No profile of this name is shipped or loaded."
    UnknownSection "E0205" "A device feeds a section that the file does not define."
    UnknownChannel "E0206" "The profile has no channel and no group of channels of this name."
    UnusedSection "W0207" "No device measures anything for this section."
    PolledTwice "W0208" "A channel is polled under its own name and under the name of its group; its own name decides."

    BadAddress "E0301" "The address does not have the form that the device's protocol demands."
    DuplicateAddress "E0302" "Two devices on one link have the same protocol and address: both would answer at once."
    UnsupportedBaud "E0303" "The device cannot be set to this baud rate."
    BadRatio "E0304" "A transformer ratio is not a positive number that a finite decimal states exactly."
    Oversubscribed "E0305" "The polls of a link ask for more than its wire can carry."
    CrowdedLink "W0306" "The polls of a link need more than 80 % of what its wire can carry; one dead device makes them late."
    RatioUnused "W0307" "A transformer ratio is given, but no polled channel is on the secondary side."
    RatioAssumed "W0308" "A polled channel is on the secondary side and no transformer ratio is given; 1 is taken."
    UnusualParity "W0309" "DL/T 645 demands even parity, and the line settings of the device say otherwise."
    UnusedLink "W0310" "No device hangs on this link."
    SharedPort "E0311" "Two links use one serial port."
    TwoConnections "E0312" "A link is reached by a serial port and over TCP at once."
    NotOverTcp "E0313" "The device's protocol is not spoken over the TCP connection that it hangs on."

    NotACounter "E0401" "What is measured must be a counter, and this channel is none."
    NotPolled "E0402" "The counter that stands for the measured amount is not polled."
    NoUncertainty "E0403" "A device measures an amount, and neither class nor maximum permissible error nor calibration is stated. No statement does not mean no error."
    UnknownClass "E0404" "The accuracy class is none of those of this kind of instrument."
    SourceMismatch "E0405" "Electricity needs its source stated, and only electricity has one."
    BadValidity "E0406" "A certificate ends before it begins."
    DuplicateFactor "E0407" "Two emission factors apply to the same carrier and source."
    FactorUnit "E0408" "An emission factor is per another unit than its carrier is measured in."
    MixedUnits "E0409" "One carrier is measured in two units in this site."
    NoFactor "W0410" "Energy is measured for which the file states no emission factor."
    NoRatedMaximum "W0411" "Without a rated maximum a counter that rolls over cannot be told from one that was reset."

    BadBroker "E0501" "The broker's address is not of the form mqtt://host:port or mqtts://host:port."
    BadListen "E0502" "The address to listen on is not of the form address:port."
    PointlessAuthority "E0503" "A certificate authority is given, but the connection is not encrypted."
    PlainPassword "W0504" "A password would cross the network in the clear."
    OpenPage "W0505" "The page has no login and would be reachable from the network."

    BadRegister "E0601" "The register lies outside the address space, or its value needs more registers than one request may read."
    BadIdentifier "E0602" "The data identifier or format is not one of DL/T 645."
    NoResolution "E0603" "A counter that the device sends as floating point has no stated resolution."
    BadAbsentMark "E0604" "A mark for an absent value does not fit the register's type."
    BadDigits "E0605" "The number of counter digits does not fit the register's type or the channel's kind."
    AmbiguousGroup "E0606" "A channel has the name of a group that holds other channels."
}

impl Code {
    /// Whether a finding with this code makes the file invalid.
    pub fn severity(self) -> Severity {
        if self.as_str().starts_with('W') { Severity::Warning } else { Severity::Error }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(text.len() == 5 && text[1..].bytes().all(|b| b.is_ascii_digit()), "{text}");
            assert!(seen.insert(&text[1..]), "{text} stands twice");
            assert!(code.meaning().ends_with('.'), "{text}");
        }
    }
}
