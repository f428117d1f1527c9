use crate::dlt645::Address;
use crate::item::Item;
use crate::modbus::{MAX_REGISTERS, ReadFunction, UnitId};
use crate::query::{DeviceAddress, Query};

/// Limits of a device that a plan has to keep. DL/T 645 has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanLimits {
    /// The most registers that one request may ask for, 1 to 125.
    pub max_registers: u16,
    /// Whether registers that no item names may be read along; many devices refuse that.
    pub read_across_holes: bool,
}

/// One request of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// What to ask.
    pub query: Query,
    /// Which of the items its answer holds: indices into the planned slice.
    pub items: Vec<usize>,
}

/// A hole in registers is worth reading up to this width: its two characters a register then cost less than
/// another request and reply (13 characters) and the device's turn-round time.
const MAX_HOLE_REGISTERS: u32 = 8;

/// The requests that fetch `items` from the device at `address`.
///
/// Every item is in exactly one request, wholly. DL/T 645 asks for one identifier at a time, in the order of
/// the items. Modbus joins registers of the same function that overlap, touch or, if allowed, leave a small
/// hole, in the order of their numbers. Items of another protocol than the address's are left out.
pub fn plan(address: DeviceAddress, items: &[Item], limits: PlanLimits) -> Vec<Planned> {
    match address {
        DeviceAddress::Dlt645(address) => plan_identifiers(address, items),
        DeviceAddress::Modbus(unit) => plan_registers(unit, items, limits),
    }
}

fn plan_identifiers(address: Address, items: &[Item]) -> Vec<Planned> {
    let mut requests: Vec<Planned> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let &Item::Dlt645 { di, format } = item else { continue };
        let query = Query::Dlt645Read { address, di, reply_bytes: format.bytes };
        match requests.iter_mut().find(|planned| planned.query == query) {
            Some(planned) => planned.items.push(index),
            None => requests.push(Planned { query, items: vec![index] }),
        }
    }
    requests
}

/// Registers `start..end` of one function, and the items that lie in them.
struct Block {
    function: ReadFunction,
    start: u32,
    end: u32,
    items: Vec<usize>,
}

fn plan_registers(unit: UnitId, items: &[Item], limits: PlanLimits) -> Vec<Planned> {
    let mut singles: Vec<_> =
        items.iter().enumerate().filter_map(|(index, item)| single(index, item)).collect();
    singles.sort_by_key(|block| (block.function, block.start, block.end));
    let mut blocks: Vec<Block> = Vec::new();
    for single in singles {
        match blocks.last_mut() {
            Some(block) if block.can_take(&single, limits) => block.take(single),
            _ => blocks.push(single),
        }
    }
    blocks.into_iter().filter_map(|block| block.planned(unit)).collect()
}

fn single(index: usize, item: &Item) -> Option<Block> {
    let Item::Modbus { function, start, format } = item else { return None };
    let start = u32::from(*start);
    let end = start + u32::from(format.kind.registers());
    Some(Block { function: *function, start, end, items: vec![index] })
}

impl Block {
    fn can_take(&self, next: &Self, limits: PlanLimits) -> bool {
        let hole = if limits.read_across_holes { MAX_HOLE_REGISTERS } else { 0 };
        let max_registers = u32::from(limits.max_registers.min(MAX_REGISTERS));
        self.function == next.function
            && next.start <= self.end + hole
            && next.end - self.start <= max_registers
    }

    fn take(&mut self, next: Self) {
        self.end = self.end.max(next.end);
        self.items.extend(next.items);
    }

    /// The request; its first register fits, since it is an item's.
    fn planned(self, unit: UnitId) -> Option<Planned> {
        let (start, count) = (u16::try_from(self.start).ok()?, u16::try_from(self.end - self.start).ok()?);
        let query = Query::ModbusRead { unit, function: self.function, start, count };
        Some(Planned { query, items: self.items })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::dlt645::{DataIdentifier, Format};
    use crate::modbus::{RegisterFormat, RegisterType, WordOrder};
    use crate::{Decoded, Raw};

    use ReadFunction::{HoldingRegisters, InputRegisters};

    const KINDS: [RegisterType; 3] = [RegisterType::U16, RegisterType::I32, RegisterType::F64];

    fn item(function: ReadFunction, start: u16, kind: RegisterType) -> Item {
        Item::Modbus {
            function,
            start,
            format: RegisterFormat { kind, order: WordOrder::Abcd, absent: Vec::new() },
        }
    }

    fn unit() -> DeviceAddress {
        DeviceAddress::Modbus(UnitId::new(1).unwrap())
    }

    /// Starts of two-register items in, (start, count) of the requests out.
    fn check(starts: &[u16], max_registers: u16, read_across_holes: bool, expected: &[(u16, u16)]) {
        let items: Vec<_> =
            starts.iter().map(|start| item(InputRegisters, *start, RegisterType::F32)).collect();
        let requests = plan(unit(), &items, PlanLimits { max_registers, read_across_holes });
        let asked: Vec<_> = requests.iter().map(|planned| range(&planned.query)).collect();
        assert_eq!(asked, expected, "{starts:?}");
    }

    fn range(query: &Query) -> (u16, u16) {
        match query {
            Query::ModbusRead { start, count, .. } => (*start, *count),
            Query::Dlt645Read { .. } => panic!("{query:?}"),
        }
    }

    #[test]
    fn registers_are_joined() {
        check(&[], 125, false, &[]);
        check(&[0, 2, 4], 125, false, &[(0, 6)]);
        check(&[4, 0, 2], 125, false, &[(0, 6)]);
        check(&[0, 1, 1], 125, false, &[(0, 3)]);
        check(&[0, 3], 125, false, &[(0, 2), (3, 2)]);
        check(&[0, 3, 13], 125, true, &[(0, 15)]);
        check(&[0, 11], 125, true, &[(0, 2), (11, 2)]);
        check(&[0, 2, 4], 5, false, &[(0, 4), (4, 2)]);
        check(&[0, 2], 1, false, &[(0, 2), (2, 2)]);
        check(&[0, 100, 124], 500, true, &[(0, 2), (100, 2), (124, 2)]);
        check(&[65_534, 65_535], 125, false, &[(65_534, 3)]);
    }

    #[test]
    fn functions_are_asked_apart() {
        let items =
            [item(InputRegisters, 0, RegisterType::U16), item(HoldingRegisters, 1, RegisterType::U16)];
        let requests = plan(unit(), &items, PlanLimits { max_registers: 125, read_across_holes: true });
        assert_eq!(requests.iter().map(|planned| planned.items.clone()).collect::<Vec<_>>(), [[1], [0]]);
    }

    #[test]
    fn identifiers_are_asked_one_by_one() {
        let address: Address = "000000000001".parse().unwrap();
        let quantity = |di, bytes| Item::Dlt645 {
            di: DataIdentifier(di),
            format: Format { bytes, decimals: 0, signed: false },
        };
        let items =
            [quantity(9, 4), item(InputRegisters, 0, RegisterType::U16), quantity(7, 2), quantity(9, 4)];
        let limits = PlanLimits { max_registers: 125, read_across_holes: false };
        let query = |di, reply_bytes| Query::Dlt645Read { address, di: DataIdentifier(di), reply_bytes };
        let expected = [
            Planned { query: query(9, 4), items: vec![0, 3] },
            Planned { query: query(7, 2), items: vec![2] },
        ];
        assert_eq!(plan(DeviceAddress::Dlt645(address), &items, limits), expected);
    }

    proptest! {
        #[test]
        fn every_item_is_asked_once_and_wholly(
            places in prop::collection::vec((any::<bool>(), 0..300_u16, prop::sample::select(&KINDS)), 0..40),
            max_registers in 1..=125_u16,
            read_across_holes in any::<bool>(),
        ) {
            let function = |is_holding| if is_holding { HoldingRegisters } else { InputRegisters };
            let place = |(is_holding, start, kind): &_| item(function(*is_holding), *start, *kind);
            let items: Vec<_> = places.iter().map(place).collect();
            let requests = plan(unit(), &items, PlanLimits { max_registers, read_across_holes });

            let asked: Vec<_> = requests.iter().flat_map(|planned| planned.items.clone()).collect();
            prop_assert_eq!(asked.len(), items.len());
            prop_assert_eq!(asked.into_iter().collect::<BTreeSet<_>>().len(), items.len());
            for Planned { query, items: indices } in &requests {
                let (_, count) = range(query);
                prop_assert!(count <= max_registers.max(4));
                prop_assert!(count <= max_registers || indices.len() == 1 || count <= 4);
                let zeros = vec![0; 2 * usize::from(count)];
                for index in indices {
                    let decoded = items[*index].decode(query, &zeros);
                    let is_zero = matches!(decoded, Decoded::Value(Raw::Integer(0) | Raw::Float(0.0)));
                    prop_assert!(is_zero, "{decoded:?}");
                }
            }
        }
    }
}
