//! Lines: how they are drawn, how long they are, and where on them something is.

use super::Px;
use std::fmt::Write as _;

/// A point.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[expect(missing_docs, reason = "the two numbers of a point")]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

/// A point from its two numbers.
pub(crate) const fn at(x: f32, y: f32) -> Point {
    Point { x, y }
}

impl Point {
    pub(crate) fn scaled(self, by: f32) -> Self {
        at(self.x * by, self.y * by)
    }

    fn towards(self, other: Self, share: f32) -> Self {
        at(self.x + (other.x - self.x) * share, self.y + (other.y - self.y) * share)
    }

    fn distance(self, other: Self) -> f32 {
        (other.x - self.x).hypot(other.y - self.y)
    }
}

/// How many straight pieces stand for one curve; enough that nobody sees a corner.
const PIECES: u8 = 16;
/// The radius of a rounded corner.
const CORNER: f32 = 8.0;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Line(Point),
    Curve(Point, Point, Point),
}

/// A line from a start to an end.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    start: Point,
    steps: Vec<Step>,
    /// The line as straight pieces: each piece's end, and how far along the line that is.
    pieces: Vec<(Point, f32)>,
}

impl Path {
    fn new(start: Point, steps: Vec<Step>) -> Self {
        let mut pieces = vec![(start, 0.0)];
        let (mut here, mut length) = (start, 0.0);
        let mut go = |to: Point, here: &mut Point| {
            length += here.distance(to);
            *here = to;
            pieces.push((to, length));
        };
        for step in &steps {
            match *step {
                Step::Line(to) => go(to, &mut here),
                Step::Curve(c1, c2, to) => {
                    let from = here;
                    for piece in 1..=PIECES {
                        let share = f32::from(piece) / f32::from(PIECES);
                        go(on_curve(from, c1, c2, to, share), &mut here);
                    }
                }
            }
        }
        Self { start, steps, pieces }
    }

    /// A straight line.
    pub(crate) fn straight(from: Point, to: Point) -> Self {
        Self::new(from, vec![Step::Line(to)])
    }

    /// A curve that leaves and arrives horizontally; `leave` and `arrive` say how far it keeps that direction.
    pub(crate) fn sweep(from: Point, to: Point, leave: f32, arrive: f32) -> Self {
        Self::new(from, vec![Step::Curve(at(from.x + leave, from.y), at(to.x - arrive, to.y), to)])
    }

    /// Straight lines through the points, with rounded corners.
    pub(crate) fn through(points: &[Point]) -> Self {
        let mut steps = Vec::with_capacity(points.len() * 2);
        let start = points.first().copied().unwrap_or_default();
        for corner in points.windows(3) {
            let [before, turn, after] = [corner[0], corner[1], corner[2]];
            let radius = CORNER.min(before.distance(turn) / 2.0).min(turn.distance(after) / 2.0);
            let enter = turn.towards(before, radius / before.distance(turn).max(f32::EPSILON));
            let leave = turn.towards(after, radius / turn.distance(after).max(f32::EPSILON));
            steps.push(Step::Line(enter));
            steps.push(Step::Curve(enter.towards(turn, 0.55), leave.towards(turn, 0.55), leave));
        }
        steps.push(Step::Line(points.last().copied().unwrap_or_default()));
        Self::new(start, steps)
    }

    /// The value of the attribute `d`.
    #[must_use]
    pub fn d(&self) -> String {
        let mut text = String::with_capacity(24 * (self.steps.len() + 1));
        // Writing into a string cannot fail.
        let _ = write!(text, "M{} {}", Px(self.start.x), Px(self.start.y));
        for step in &self.steps {
            let _ = match step {
                Step::Line(to) => write!(text, "L{} {}", Px(to.x), Px(to.y)),
                Step::Curve(a, b, to) => {
                    write!(text, "C{} {} {} {} {} {}", Px(a.x), Px(a.y), Px(b.x), Px(b.y), Px(to.x), Px(to.y))
                }
            };
        }
        text
    }

    /// How long it is.
    #[must_use]
    pub fn length(&self) -> f32 {
        self.pieces.last().map_or(0.0, |(_, length)| *length)
    }

    /// The point at a share of its length, from 0 to 1.
    #[must_use]
    pub fn point(&self, share: f32) -> Point {
        let wanted = self.length() * share.clamp(0.0, 1.0);
        let next = self.pieces.partition_point(|(_, length)| *length < wanted);
        let Some(&(to, end)) = self.pieces.get(next) else { return self.start };
        let Some(&(from, begin)) = next.checked_sub(1).and_then(|before| self.pieces.get(before)) else {
            return to;
        };
        from.towards(to, (wanted - begin) / (end - begin).max(f32::EPSILON))
    }

    pub(crate) fn scaled(&self, by: f32) -> Self {
        let steps = self.steps.iter().map(|step| match *step {
            Step::Line(to) => Step::Line(to.scaled(by)),
            Step::Curve(a, b, to) => Step::Curve(a.scaled(by), b.scaled(by), to.scaled(by)),
        });
        Self::new(self.start.scaled(by), steps.collect())
    }
}

fn on_curve(from: Point, c1: Point, c2: Point, to: Point, t: f32) -> Point {
    let u = 1.0 - t;
    let weigh = |a: f32, b: f32, c: f32, d: f32| {
        u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d
    };
    at(weigh(from.x, c1.x, c2.x, to.x), weigh(from.y, c1.y, c2.y, to.y))
}
