//! Both sides on one time: what happened, and faint, what is still to come.

use super::pair::Pair;
use super::score::Score;
use crate::lab::words::duration;
use crate::study::shapes::{Shape, shown};
use flow::Style;
use flow::compare::Moment;
use leptos::prelude::*;

/// With more steps than this they are counted by the column instead of drawn one by one.
const FEW: usize = 160;
/// How many columns there are then.
const COLUMNS: usize = 120;
/// The height of a column with the most steps.
const HIGHEST: usize = 22;

/// The figure, as plain data. Its layers lie upon one another in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lanes {
    height: usize,
    /// What it says to those who do not see it.
    label: String,
    /// The lanes, with their names.
    ground: Vec<Shape>,
    /// What is still to come.
    faint: Vec<Shape>,
    done: Vec<Shape>,
    /// Where the playhead is.
    now: Vec<Shape>,
}

impl Lanes {
    /// Both sides, as far as they have come.
    pub fn of(score: &Score) -> Self {
        let (all, shown) = (score.moments(), score.shown());
        let (pair, ghosts) = (score.pair(), [0, 1].map(|side| score.ahead(side).steps()));
        let last_us = all.last().map_or(0, |moment| moment.after_us);
        let foreseen = ghosts.iter().flatten().filter_map(|(ghost, _)| ghost.after_us).max().unwrap_or(0);
        let whole_us = last_us.max(foreseen).max(1);
        let is_few = all.len() <= FEW;
        // A lane has its name above it, and room for its columns in between.
        let pitch = if is_few { 42 } else { 62 };
        let bottom = 2 * pitch + 4;
        let mut lanes = Self {
            height: bottom + 24,
            label: format!(
                "{} and {} on one time, beginning with the arrival; {} in all",
                pair.name(0),
                pair.spoken(1),
                duration(whole_us)
            ),
            ..Self::default()
        };
        for lane in [0, 1] {
            let y = (lane + 1) * pitch - 12;
            let (mark, done) = classes(pair.tint(lane));
            lanes.ground.push(text("", "0".to_owned(), lane * pitch + 16, "start", pair.spoken(lane)));
            lanes.ground.push(Shape::Across { class: "duel-lane", y: y.to_string() });
            if is_few {
                let square = |to: &mut Vec<Shape>, class, us| {
                    to.push(step(class, style_of(pair, lane), x(us, whole_us), y))
                };
                let foreseen = ghosts[lane].iter().filter_map(|(ghost, _)| ghost.after_us);
                foreseen.for_each(|us| square(&mut lanes.faint, "duel-ghost", us));
                let own = shown.iter().filter(|moment| moment.side == lane);
                own.for_each(|moment| square(&mut lanes.done, mark, moment.after_us));
            } else {
                let most = most(all, whole_us);
                for (to, class, moments) in
                    [(&mut lanes.faint, "duel-faint", all), (&mut lanes.done, done, shown)]
                {
                    let columns = columns(moments, lane, whole_us).into_iter().enumerate();
                    let filled = columns.filter(|(_, count)| *count > 0);
                    to.extend(filled.map(|(at, count)| column(class, at, y, count * HIGHEST / most)));
                }
            }
        }
        if let Some(us) = shown.last().map(|moment| moment.after_us) {
            let (x, to_y) = (x(us, whole_us), (bottom - 6).to_string());
            let anchor = if us * 2 > whole_us { "end" } else { "start" };
            lanes.now.push(Shape::Fall { class: "duel-now", x: x.clone(), from_y: "20".to_owned(), to_y });
            lanes.now.push(text("soft", x, bottom + 10, anchor, format!("+{}", duration(us))));
        }
        lanes
    }
}

/// The style of a side's messages.
fn style_of(pair: Pair, side: usize) -> Style {
    pair.systems()[side].style
}

/// What marks a step of a side in these colours is classed as, and a column of steps.
const fn classes(style: Style) -> (&'static str, &'static str) {
    match style {
        Style::Choreography => ("duel-mark duel-choreography", "duel-choreography"),
        Style::Orchestration => ("duel-mark duel-orchestration", "duel-orchestration"),
    }
}

fn text(class: &'static str, x: String, y: usize, anchor: &'static str, words: String) -> Shape {
    Shape::Text { class, x, y: y.to_string(), anchor, words, title: String::new() }
}

fn step(class: &'static str, style: Style, x: String, y: usize) -> Shape {
    let (y, width, height) = ((y - 5).to_string(), "10".to_owned(), "10".to_owned());
    Shape::Rect { class, x, y, width, height, rx: corner(style), title: String::new() }
}

/// An event is round and a command square here, too.
const fn corner(style: Style) -> &'static str {
    match style {
        Style::Choreography => "5",
        Style::Orchestration => "1.5",
    }
}

fn x(us: u64, whole_us: u64) -> String {
    percent(50 + us.min(whole_us) * 9_600 / whole_us)
}

fn percent(share: u64) -> String {
    format!("{}.{:02}%", share / 100, share % 100)
}

fn column(class: &'static str, at: usize, y: usize, height: usize) -> Shape {
    let height = height.max(2);
    Shape::Rect {
        class,
        x: percent(50 + (at * 9_600 / COLUMNS) as u64),
        y: (y - height).to_string(),
        width: "0.6%".to_owned(),
        height: height.to_string(),
        rx: "0",
        title: String::new(),
    }
}

/// How many steps of a side fall into each column.
fn columns(moments: &[Moment], side: usize, whole_us: u64) -> [usize; COLUMNS] {
    let mut columns = [0; COLUMNS];
    for moment in moments.iter().filter(|moment| moment.side == side) {
        let at = moment.after_us.min(whole_us) * (COLUMNS as u64 - 1) / whole_us;
        columns[usize::try_from(at).unwrap_or(0)] += 1;
    }
    columns
}

/// How many steps the highest column of both has.
fn most(moments: &[Moment], whole_us: u64) -> usize {
    let both = [0, 1].map(|side| columns(moments, side, whole_us));
    both.iter().flatten().copied().max().unwrap_or(0).max(1)
}

/// The figure; none before there is something to compare.
#[component]
pub fn LanesFigure(lanes: Memo<Option<Lanes>>) -> impl IntoView {
    let is_any = Memo::new(move |_| lanes.with(Option::is_some));
    move || is_any.get().then(|| view! { <Figure lanes /> })
}

#[component]
fn Figure(lanes: Memo<Option<Lanes>>) -> impl IntoView {
    let height = part(lanes, |lanes| lanes.height);
    let label = part(lanes, |lanes| lanes.label.clone());
    view! {
        <figure class="duel-lanes">
            <svg width="100%" height=height role="img" aria-label=label>
                <Layer shapes=part(lanes, |lanes| lanes.ground.clone()) />
                <Layer shapes=part(lanes, |lanes| lanes.faint.clone()) />
                <Layer shapes=part(lanes, |lanes| lanes.done.clone()) />
                <Layer shapes=part(lanes, |lanes| lanes.now.clone()) />
            </svg>
        </figure>
    }
}

/// A layer is drawn anew only when it has changed.
#[component]
fn Layer(shapes: Memo<Vec<Shape>>) -> impl IntoView {
    move || shapes.with(|shapes| shown(shapes))
}

fn part<T>(lanes: Memo<Option<Lanes>>, of: fn(&Lanes) -> T) -> Memo<T>
where
    T: Default + PartialEq + Send + Sync + 'static,
{
    Memo::new(move |_| lanes.with(|lanes| lanes.as_ref().map(of).unwrap_or_default()))
}

#[cfg(test)]
impl Lanes {
    /// How many shapes are faint, how many tell what happened, and how many where the playhead is.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.faint.len(), self.done.len(), self.now.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_a_burst_is_counted_in_the_column_of_its_time() {
        let moment = |side, after_us| Moment { side, seq: 1, after_us };
        let moments = [moment(0, 0), moment(0, 1), moment(1, 500), moment(0, 1_000)];
        let columns = columns(&moments, 0, 1_000);
        assert_eq!((columns[0], columns[COLUMNS - 1], columns.iter().sum::<usize>()), (2, 1, 3));
        assert_eq!(most(&moments, 1_000), 2);
    }
}
