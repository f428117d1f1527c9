//! One term in numbers, and its uncertainty when its amounts and its factor have nothing in common.

use super::evaluate::FootprintError;
use super::factor::{Factor, Factors};
use super::input::{Affine, InputKey, Inputs, NameConflict};
use super::inventory::{Stage, Term};
use crate::quantity::Quantity;
use crate::sum::root_sum_of_squares;
use crate::unit::{Dimension, Ratio, Unit};

/// A term as a product of numbers in kgCO2e.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub(super) stage: Stage,
    /// Stage and id of the term.
    pub(super) name: String,
    pub(super) cut_off: bool,
    pub(super) members: Vec<Affine>,
}

impl Product {
    /// Resolves the factor, checks units, and makes every input known to `inputs`. `index` is the term's own
    /// position.
    pub(super) fn new(
        (index, stage, term): (usize, Stage, &Term),
        factors: &Factors,
        inputs: &mut Inputs,
    ) -> Result<Self, FootprintError> {
        let name = format!("{}.{}", stage.name(), term.id);
        let unknown = || FootprintError::UnknownFactor { term: name.clone(), factor: term.factor.clone() };
        let factor = factors.get(&term.factor).ok_or_else(unknown)?;
        let conversion = conversion(&name, term, factor)?;
        let mut members = Vec::with_capacity(term.amounts.len() + 1);
        for (position, amount) in term.amounts.iter().enumerate() {
            let member = inputs.of_amount(InputKey::Own { term: index, amount: position }, amount);
            let conflict =
                |NameConflict(quantity)| FootprintError::NameConflict { term: name.clone(), name: quantity };
            members.push(member.map_err(conflict)?);
        }
        members.push(inputs.of_factor(&term.factor, factor, conversion));
        let product = Self { stage, name, cut_off: term.cut_off, members };
        let is_finite = product.emission().is_finite() && product.u_exact().is_finite();
        if is_finite { Ok(product) } else { Err(FootprintError::NotFinite { what: product.name }) }
    }

    /// The emission, kgCO2e.
    pub(super) fn emission(&self) -> f64 {
        self.members.iter().map(|member| member.value).product()
    }

    /// Standard uncertainty to first order (JCGM 100, 5.1.2), kgCO2e: u2(M EF) = EF2 u2(M) + M2 u2(EF), in
    /// (4), (10) and (16); three members in (8) and (14). In absolute form, which has no trouble with an
    /// amount of 0.
    pub(super) fn u_first_order(&self) -> f64 {
        root_sum_of_squares((0..self.members.len()).map(|varied| self.component(1 << varied)))
    }

    /// Standard uncertainty exactly, for independent members: u2 = product of (x2 + u2) - product of x2,
    /// kgCO2e. Written out as the sum over all sets of members that vary together, where nothing cancels.
    pub(super) fn u_exact(&self) -> f64 {
        root_sum_of_squares((1..1_u32 << self.members.len()).map(|varied| self.component(varied)))
    }

    /// The product of the uncertainties of the members in the set `varied` and the values of the others.
    fn component(&self, varied: u32) -> f64 {
        let members = self.members.iter().enumerate();
        members
            .map(|(index, member)| if varied >> index & 1 == 1 { member.u } else { member.value })
            .product()
    }
}

/// What turns the product of the amounts and the factor, each in its own unit, into kgCO2e.
fn conversion(name: &str, term: &Term, factor: &Factor) -> Result<Ratio, FootprintError> {
    let per = factor.unit.per();
    let dimensions: Vec<Dimension> = term.amounts.iter().map(|amount| amount.unit().dimension()).collect();
    let fits = match dimensions[..] {
        [Dimension::Mass, Dimension::Distance] => per.dimension() == Dimension::Transport,
        [only] => per.dimension() == only,
        _ => false,
    };
    if !fits {
        return Err(FootprintError::Unit {
            term: name.to_owned(),
            amount: term.amounts.iter().map(|amount| amount.unit().symbol()).collect::<Vec<_>>().join(" * "),
            factor: term.factor.clone(),
            unit: factor.unit,
        });
    }
    let amounts: u128 = term.amounts.iter().map(Quantity::unit).map(Unit::size).product();
    Ok(Ratio::new(amounts * factor.unit.emission().size(), per.size() * Unit::KilogramCo2e.size()))
}
