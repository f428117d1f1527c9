//! A piecewise linear course over time with its exact integral.

/// Microseconds in an hour.
pub(crate) const HOUR_US: f64 = 3.6e9;

/// Straight lines between knots; the first level holds before the first knot, the last one after the last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Curve {
    knots: Vec<Knot>,
}

#[derive(Clone, Copy, Debug)]
struct Knot {
    at_us: i64,
    level: f64,
    /// Integral from the first knot to here, in level x hours.
    integral: f64,
}

impl Curve {
    /// Draws on to `level` at `at_us`, which must not lie before the last knot.
    pub(crate) fn line_to(&mut self, at_us: i64, level: f64) {
        let integral = self.knots.last().map_or(0.0, |last| last.integral + area(last, at_us, level));
        self.knots.push(Knot { at_us, level, integral });
    }

    /// The level at `at_us`.
    pub(crate) fn level(&self, at_us: i64) -> f64 {
        let next = self.knots.partition_point(|knot| knot.at_us <= at_us);
        match (next.checked_sub(1).map(|index| self.knots[index]), self.knots.get(next)) {
            (Some(last), Some(next)) => between(&last, next, at_us),
            (Some(only), None) => only.level,
            (None, first) => first.map_or(0.0, |knot| knot.level),
        }
    }

    /// The integral from the first knot to `at_us`, in level x hours; 0 before the first knot.
    pub(crate) fn integral(&self, at_us: i64) -> f64 {
        let next = self.knots.partition_point(|knot| knot.at_us <= at_us);
        match next.checked_sub(1).map(|index| self.knots[index]) {
            Some(last) => last.integral + area(&last, at_us, self.level(at_us)),
            None => 0.0,
        }
    }

    /// The same course with every level times `factor`.
    pub(crate) fn scaled(mut self, factor: f64) -> Curve {
        for knot in &mut self.knots {
            knot.level *= factor;
            knot.integral *= factor;
        }
        self
    }
}

/// Area under the straight line from `last` to (`at_us`, `level`), in level x hours.
fn area(last: &Knot, at_us: i64, level: f64) -> f64 {
    (at_us - last.at_us) as f64 * (last.level + level) / (2.0 * HOUR_US)
}

fn between(last: &Knot, next: &Knot, at_us: i64) -> f64 {
    let share = (at_us - last.at_us) as f64 / (next.at_us - last.at_us) as f64;
    last.level + (next.level - last.level) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn trapezium() -> Curve {
        let mut curve = Curve::default();
        for (at_us, level) in [(0, 0.0), (HOUR, 4.0), (3 * HOUR, 4.0), (4 * HOUR, 0.0)] {
            curve.line_to(at_us, level);
        }
        curve
    }

    #[test]
    fn levels_and_integrals_of_a_trapezium() {
        let curve = trapezium();
        for (at_us, level, integral) in [
            (-HOUR, 0.0, 0.0),
            (0, 0.0, 0.0),
            (HOUR / 2, 2.0, 0.5),
            (HOUR, 4.0, 2.0),
            (2 * HOUR, 4.0, 6.0),
            (3 * HOUR, 4.0, 10.0),
            (3 * HOUR + HOUR / 2, 2.0, 11.5),
            (4 * HOUR, 0.0, 12.0),
            (9 * HOUR, 0.0, 12.0),
        ] {
            assert_eq!((curve.level(at_us), curve.integral(at_us)), (level, integral), "at {at_us}");
        }
    }

    #[test]
    fn scaling_scales_both() {
        let curve = trapezium().scaled(0.25);
        assert_eq!((curve.level(HOUR), curve.integral(4 * HOUR)), (1.0, 3.0));
    }

    #[test]
    fn an_empty_course_is_zero_everywhere() {
        assert_eq!((Curve::default().level(5), Curve::default().integral(5)), (0.0, 0.0));
    }
}
