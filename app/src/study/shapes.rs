//! Shapes of a drawing, as plain data: shown on the page as SVG elements, and written into a file as text.

use leptos::{prelude::*, svg};
use std::fmt::Write as _;

/// One shape. Places and sizes are SVG lengths: pixels, or shares with a `%`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Rect {
        class: &'static str,
        x: String,
        y: String,
        width: String,
        height: String,
        /// How round its corners are.
        rx: &'static str,
        /// What it says when it is pointed at; nothing if empty.
        title: String,
    },
    /// A line that goes down.
    Fall { class: &'static str, x: String, from_y: String, to_y: String },
    /// A line from side to side.
    Across { class: &'static str, y: String },
    /// A line of any form.
    Path { class: &'static str, d: String },
    Text {
        class: &'static str,
        x: String,
        y: String,
        /// Which end of them stands at `x`.
        anchor: &'static str,
        words: String,
        /// All of them, where they are cut short; nothing if empty.
        title: String,
    },
}

/// The shapes on the page, with a space behind each, so that their words do not run into each other.
pub(super) fn shown(shapes: &[Shape]) -> impl IntoView + use<> {
    shapes.iter().map(|shape| (shape.view(), " ")).collect_view()
}

impl Shape {
    fn view(&self) -> AnyView {
        match self.clone() {
            Self::Rect { class, x, y, width, height, rx, title } => view! {
                <rect class=class x=x y=y width=width height=height rx=rx>
                    {titled(title)}
                </rect>
            }
            .into_any(),
            Self::Fall { class, x, from_y, to_y } => {
                view! { <line class=class x1=x.clone() x2=x y1=from_y y2=to_y></line> }.into_any()
            }
            Self::Across { class, y } => {
                view! { <line class=class x1="0" x2="100%" y1=y.clone() y2=y></line> }.into_any()
            }
            Self::Path { class, d } => view! { <path class=class d=d></path> }.into_any(),
            Self::Text { class, x, y, anchor, words, title } => view! {
                <text class=class x=x y=y text-anchor=anchor>
                    {words}
                    {titled(title)}
                </text>
            }
            .into_any(),
        }
    }

    /// Writes it into a file.
    pub(super) fn write(&self, svg: &mut String) {
        // Writing into a string cannot fail.
        let _ = match self {
            Self::Rect { class, x, y, width, height, rx, title } => {
                let _ = write!(
                    svg,
                    r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{rx}">"#
                );
                write_title(svg, title);
                write!(svg, "</rect>")
            }
            Self::Fall { class, x, from_y, to_y } => {
                write!(svg, r#"<line class="{class}" x1="{x}" x2="{x}" y1="{from_y}" y2="{to_y}"/>"#)
            }
            Self::Across { class, y } => {
                write!(svg, r#"<line class="{class}" x1="0" x2="100%" y1="{y}" y2="{y}"/>"#)
            }
            Self::Path { class, d } => write!(svg, r#"<path class="{class}" d="{d}"/>"#),
            Self::Text { class, x, y, anchor, words, title } => {
                let _ = write!(svg, r#"<text class="{class}" x="{x}" y="{y}" text-anchor="{anchor}">"#);
                write_escaped(svg, words);
                write_title(svg, title);
                write!(svg, "</text>")
            }
        };
    }
}

fn titled(title: String) -> Option<AnyView> {
    (!title.is_empty()).then(|| svg::title().child(title).into_any())
}

fn write_title(svg: &mut String, title: &str) {
    if !title.is_empty() {
        svg.push_str("<title>");
        write_escaped(svg, title);
        svg.push_str("</title>");
    }
}

/// Writes words of others as XML has them, with a replacement for each character that no XML document can have (XML 1.0,
/// section 2.2).
fn write_escaped(svg: &mut String, words: &str) {
    for character in words.chars() {
        match character {
            '&' => svg.push_str("&amp;"),
            '<' => svg.push_str("&lt;"),
            '>' => svg.push_str("&gt;"),
            '\t' | '\n' | '\r' => svg.push(character),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => svg.push('\u{fffd}'),
            other => svg.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_well_formed_xml_whatever_others_call_themselves() {
        let mut svg = String::new();
        let words = "<a>b & \u{1}\u{0}\tc\u{ffff}é</a>".to_owned();
        let of_shape = |title: String| Shape::Text {
            class: "soft",
            x: "1".to_owned(),
            y: "2".to_owned(),
            anchor: "end",
            words: words.clone(),
            title,
        };
        of_shape(String::new()).write(&mut svg);
        let escaped = "&lt;a&gt;b &amp; \u{fffd}\u{fffd}\tc\u{fffd}é&lt;/a&gt;";
        assert_eq!(svg, format!(r#"<text class="soft" x="1" y="2" text-anchor="end">{escaped}</text>"#));
        svg.clear();
        of_shape(words.clone()).write(&mut svg);
        assert!(svg.ends_with(&format!("{escaped}<title>{escaped}</title></text>")), "{svg}");
    }
}
