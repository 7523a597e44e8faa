//! Rectangles.

use super::Point;

/// A rectangle.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[expect(missing_docs, reason = "the four numbers of a rectangle")]
pub struct Rect {
    pub x: f32,
    pub y: f32,
    pub w: f32,
    pub h: f32,
}

impl Rect {
    /// From its left, top, width and height.
    #[must_use]
    pub const fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    /// Its right side.
    #[must_use]
    pub fn right(&self) -> f32 {
        self.x + self.w
    }

    /// Its lower side.
    #[must_use]
    pub fn bottom(&self) -> f32 {
        self.y + self.h
    }

    /// Its middle.
    #[must_use]
    pub fn middle(&self) -> Point {
        Point { x: self.x + self.w / 2.0, y: self.y + self.h / 2.0 }
    }

    /// Whether the two share any area.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    /// Whether the point lies inside, not merely on the rim.
    #[must_use]
    pub fn contains(&self, point: Point) -> bool {
        point.x > self.x && point.x < self.right() && point.y > self.y && point.y < self.bottom()
    }

    pub(crate) fn scaled(self, by: f32) -> Self {
        Self::new(self.x * by, self.y * by, self.w * by, self.h * by)
    }
}
