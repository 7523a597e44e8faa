//! A run as a picture that moves by itself: the diagram as it is drawn, and on its lines what travelled there, by SMIL
//! (SVG 2 leaves animation to SVG 1.1, chapter 19; every browser plays it, and other programs show the still picture).

use super::caption::caption;
use super::form::Form;
use super::hop::{Hop, Shape, hop_of};
use super::state::LabState;
use crate::terms::plain;
use flow::layout::Edge;
use flow::{Event, Picture, Style, System};
use std::{fmt::Write as _, sync::Arc};

/// The most hops that are shown: the newest ones.
pub const HOPS_MAX: usize = 300;
/// How long it rests before it begins again.
const REST_MS: f64 = 2_500.0;
/// The height below the diagram in which the story is told, in its own units.
const STORY_HEIGHT: f32 = 34.0;

/// Why there is no such picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnimated {
    /// The page has no diagram, or another one than that of the run's end.
    #[error("the picture has changed meanwhile; try again")]
    Changed,
    /// Nothing travelled.
    #[error("nothing has travelled in this system that could be shown; send an arrival first")]
    Nothing,
}

/// What is in the text from one mark to the next, with both.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let start = text.find(from)?;
    let inside = start + from.len();
    let end = text[inside..].find(to)? + inside + to.len();
    text.get(start..end)
}

/// Makes XML of what was written as HTML: without the marks by which the page finds its places, and without what only
/// the page can do.
fn as_xml(html: &str) -> String {
    let mut xml = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("<!") {
        xml.push_str(&rest[..at]);
        let comment = rest[at..].starts_with("<!--");
        let end = if comment {
            rest[at..].find("-->").map(|end| end + 3)
        } else {
            rest[at..].find('>').map(|end| end + 1)
        };
        rest = &rest[at + end.unwrap_or(rest.len() - at)..];
    }
    xml.push_str(rest);
    xml.replace(" role=\"button\" tabindex=\"0\"", "").replace("&nbsp;", "\u{a0}")
}

fn escaped(text: &str) -> String {
    let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// When a hop sets out.
struct Flight<'a> {
    hop: Hop,
    edge: &'a Edge,
    begin_ms: f64,
}

/// A sentence of the story, and from when on it stands there.
struct Told {
    words: String,
    begin_ms: f64,
}

/// The picture: `page` is the lab's page as it was rendered, and `style` what its diagram looks like.
///
/// # Errors
/// When there is nothing to show.
pub fn animated(
    page: &str,
    style: &str,
    picture: &Picture,
    system: System,
    events: &[Arc<Event>],
) -> Result<String, NotAnimated> {
    let svg = between(page, "<svg data-message=", "</svg>").ok_or(NotAnimated::Changed)?;
    let form = Form::new(Vec::new(), picture.system(system).dispatch);
    let state = LabState::new(system, picture.clone(), form, false);
    let layout = state.layout();
    if !svg.contains(&format!("viewBox=\"{}\"", layout.view_box())) {
        return Err(NotAnimated::Changed);
    }
    let (flights, story, whole_ms) = schedule(layout, picture.system(system).mode(), system, events);
    if flights.is_empty() {
        return Err(NotAnimated::Nothing);
    }
    let (head, body) = svg.split_once('>').ok_or(NotAnimated::Changed)?;
    let (width, height) = (layout.width, layout.height + STORY_HEIGHT);
    let attribute = |name: &str| between(head, &format!("{name}=\""), "\"").unwrap_or_default();
    let marks = format!("{} {}", attribute("class"), attribute("data-message"));
    let body = as_xml(body.strip_suffix("</svg>").unwrap_or(body));
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{}\" height=\"{}\" {marks}>\n\
         <title>{} in Skuflow</title>\n<desc>The last {} steps, slowed down so that they can be followed.</desc>\n\
         <style>{}</style>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{body}\n",
        width * 2.0,
        height * 2.0,
        escaped(&format!("{system}")),
        flights.len(),
        escaped_style(style, system.style),
    );
    let end_ms = whole_ms + REST_MS;
    let _ = writeln!(
        text,
        "<rect width=\"0\" height=\"0\"><animate id=\"loop\" attributeName=\"x\" from=\"0\" to=\"0\" begin=\"0s;loop.end\" dur=\"{end_ms:.0}ms\"/></rect>"
    );
    flights.iter().for_each(|flight| token(&mut text, flight));
    let at = layout.height + STORY_HEIGHT * 0.6;
    for (place, told) in story.iter().enumerate() {
        let until_ms = story.get(place + 1).map_or(end_ms, |next| next.begin_ms);
        let _ = writeln!(
            text,
            "<text class=\"story\" x=\"{}\" y=\"{at}\" text-anchor=\"middle\" visibility=\"hidden\">{}{}</text>",
            width / 2.0,
            escaped(&told.words),
            seen(told.begin_ms, until_ms - told.begin_ms)
        );
    }
    text.push_str("</svg>\n");
    Ok(text)
}

/// A style sheet inside of XML, in which it can hold anything but a mark of XML itself.
fn escaped_style(style: &str, of: Style) -> String {
    let message = match of {
        Style::Choreography => "event",
        Style::Orchestration => "command",
    };
    let own = ".disc-join{display:none}.diagram{color-scheme:light;font-family:system-ui,sans-serif}.edge-hit,.edge-focus{display:none}\
               .story{font-size:11px;fill:#16202c}@media (prefers-reduced-motion:reduce){.flight{display:none}}";
    let colour = format!(".diagram{{--message:var(--{message});--message-soft:var(--{message}-soft)}}");
    format!("{style}{colour}{own}").replace('&', "&amp;").replace('<', "&lt;")
}

/// Shows an element for so long.
fn seen(begin_ms: f64, for_ms: f64) -> String {
    format!(
        "<set attributeName=\"visibility\" to=\"visible\" begin=\"loop.begin+{begin_ms:.0}ms\" dur=\"{for_ms:.0}ms\"/>"
    )
}

fn token(text: &mut String, Flight { hop, edge, begin_ms }: &Flight<'_>) {
    let shape = match hop.shape {
        Shape::Goods => "<rect x=\"-5\" y=\"-5\" width=\"10\" height=\"10\" fill=\"#5b6675\"",
        Shape::Event => "<circle r=\"5.5\" fill=\"#0069a8\"",
        Shape::Command => "<rect x=\"-5\" y=\"-5\" width=\"10\" height=\"10\" rx=\"1.5\" fill=\"#b45309\"",
        Shape::Http => "<circle r=\"4\" fill=\"#ffffff\" stroke=\"#5b6675\" stroke-width=\"2\"",
        Shape::Error => "<path d=\"M0 -6L6 0L0 6L-6 0Z\" fill=\"#b3261e\"",
        Shape::Ack => "<path d=\"M-5 0L-1.5 4L5 -4\" fill=\"none\" stroke=\"#17804d\" stroke-width=\"2.2\"",
    };
    let name = shape.trim_start_matches('<').split(' ').next().unwrap_or_default();
    let points = if hop.back { "1;0" } else { "0;1" };
    let _ = writeln!(
        text,
        "{shape} class=\"flight\" visibility=\"hidden\">{}<animateMotion path=\"{}\" keyPoints=\"{points}\" keyTimes=\"0;1\" \
         calcMode=\"linear\" begin=\"loop.begin+{begin_ms:.0}ms\" dur=\"{:.0}ms\"/></{name}>",
        seen(*begin_ms, hop.duration_ms),
        edge.path.d(),
        hop.duration_ms,
    );
}

/// When what sets out, what is said meanwhile, and how long it all takes.
fn schedule<'a>(
    layout: &'a flow::layout::Layout,
    mode: flow::mode::Mode,
    system: System,
    events: &[Arc<Event>],
) -> (Vec<Flight<'a>>, Vec<Told>, f64) {
    let of_system: Vec<_> = events.iter().filter(|event| event.system == Some(system)).collect();
    let hops = of_system.iter().filter(|event| hop_of(event, system).is_some()).count();
    let mut skipped = hops.saturating_sub(HOPS_MAX);
    let (mut flights, mut story): (Vec<Flight<'_>>, Vec<Told>) = (Vec::new(), Vec::new());
    let (mut clock_ms, mut end_ms, mut last) = (0.0, 0.0_f64, None);
    for event in of_system {
        let hop = hop_of(event, system);
        if skipped > 0 {
            skipped -= usize::from(hop.is_some());
            continue;
        }
        let found = hop.and_then(|hop| Some((layout.edge(&hop.edge)?, hop)));
        if let Some((edge, hop)) = found {
            // What goes to several at once sets out at once.
            let kind = Some((event.kind.name(), event.message_id.clone()));
            // What follows sets out once that has arrived.
            if kind != last {
                clock_ms = end_ms;
            }
            last = kind;
            end_ms = end_ms.max(clock_ms + hop.duration_ms);
            flights.push(Flight { hop, edge, begin_ms: clock_ms });
        }
        if let Some(words) = caption(event, mode).map(|pieces| plain(&pieces)) {
            match story.last_mut() {
                // The first sentence of what happens at once is the one that is read.
                Some(told) if clock_ms - told.begin_ms < 1.0 => {}
                _ => story.push(Told { words, begin_ms: clock_ms }),
            }
        }
    }
    (flights, story, end_ms)
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    fn page(system: System, picture: &Picture) -> String {
        let form = Form::new(Vec::new(), picture.system(system).dispatch);
        let state = LabState::new(system, picture.clone(), form, false);
        format!(
            "<body><svg data-message=\"event\" viewBox=\"{}\" class=\"diagram\"><!><!--<() />--><g data-edge=\"a\">x&nbsp;y</g></svg></body>",
            state.layout().view_box()
        )
    }

    #[test]
    fn every_hop_of_the_run_travels_once_and_the_story_is_told_beside_it() {
        let system = System::of(Style::Choreography);
        let (_, history) = example::lab(1, "sku_processed");
        let events: Vec<_> = history.drawable().cloned().collect();
        let hops = events
            .iter()
            .filter(|event| event.system == Some(system) && hop_of(event, system).is_some())
            .count();
        let picture = history.now();
        let svg = animated(&page(system, picture), ".a>b{c:d}", picture, system, &events).unwrap();
        assert!(hops > 3);
        assert_eq!(svg.matches("<animateMotion").count(), hops);
        assert!(svg.matches("class=\"story\"").count() > 2, "{svg}");
        assert!(!svg.contains("<!") && !svg.contains("&nbsp;"), "{svg}");
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn without_a_hop_or_with_another_picture_there_is_none() {
        let system = System::of(Style::Choreography);
        let (_, history) = example::lab(1, "sku_processed");
        let picture = history.now();
        assert_eq!(animated(&page(system, picture), "", picture, system, &[]), Err(NotAnimated::Nothing));
        assert_eq!(
            animated("<svg data-message=></svg>", "", picture, system, &[]),
            Err(NotAnimated::Changed)
        );
    }

    #[test]
    fn what_people_wrote_cannot_end_the_text_that_it_is_in() {
        assert_eq!(escaped("<b>\"&\u{1}"), "&lt;b&gt;&quot;&amp;");
        assert_eq!(as_xml("a<!>b<!--x-->c"), "abc");
    }
}
