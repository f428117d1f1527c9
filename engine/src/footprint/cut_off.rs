//! The cut-off rule (5.1 of the draft): what was dropped as negligible, and whether it is.

use serde::Serialize;

use super::product::Product;
use crate::sum::Sum;

/// Terms that were dropped, against the footprint with them in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CutOff {
    /// The dropped terms.
    pub items: Vec<CutOffItem>,
    /// Their shares together, in percent, by magnitude. `None` when the footprint with them is 0.
    pub sum_pct: Option<f64>,
    /// Whether they are at most 5 % together.
    pub sum_ok: bool,
    /// Whether every rule is kept.
    pub ok: bool,
}

/// One dropped term.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CutOffItem {
    /// Stage and id of the term.
    pub term: String,
    /// Its share, in percent, by magnitude. `None` when the footprint with it is 0.
    pub share_pct: Option<f64>,
    /// Whether it is below 1 %.
    pub ok: bool,
}

/// Share that a dropped term must stay below, in percent.
const ITEM_LIMIT_PCT: f64 = 1.0;
/// Share that all dropped terms may reach together, in percent.
const SUM_LIMIT_PCT: f64 = 5.0;
/// Relative rounding of a share: one that meets a limit on paper meets it here.
const ROUNDING: f64 = 1e-12;

impl CutOff {
    /// Judges the terms dropped among `products`, where those kept emit `kept` kgCO2e. `None` when none was
    /// dropped.
    pub(super) fn of(products: &[Product], kept: f64) -> Option<Self> {
        let dropped: Vec<&Product> = products.iter().filter(|product| product.cut_off).collect();
        if dropped.is_empty() {
            return None;
        }
        let base = dropped.iter().map(|product| product.emission()).chain([kept]).collect::<Sum>().settled();
        let items: Vec<_> = dropped.into_iter().map(|product| CutOffItem::of(product, base)).collect();
        let shares: Option<Vec<f64>> = items.iter().map(|item| item.share_pct).collect();
        let sum_pct = shares.map(|shares| shares.into_iter().collect::<Sum>().total());
        let sum_ok = sum_pct.is_some_and(|sum| sum <= SUM_LIMIT_PCT * (1.0 + ROUNDING));
        let ok = sum_ok && items.iter().all(|item| item.ok);
        Some(Self { items, sum_pct, sum_ok, ok })
    }
}

impl CutOffItem {
    fn of(product: &Product, base: f64) -> Self {
        let share_pct = (base != 0.0).then(|| 100.0 * (product.emission() / base).abs());
        let ok = share_pct.is_some_and(|share| share < ITEM_LIMIT_PCT * (1.0 - ROUNDING));
        Self { term: product.name.clone(), share_pct, ok }
    }
}
