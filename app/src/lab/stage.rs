//! The state of one lab page: what it shows, what is selected, and how it is laid out.

use super::director::Director;
use super::selection::Selection;
use crate::live::{Live, use_live};
use flow::layout::{ForeignQueue, Layout, Orientation, Plan, SMALLEST_TEXT, layout};
use flow::picture::System;
use flow::{Dispatch, Picture, Style};
use leptos::prelude::*;

/// Something on its way in the diagram, as a row that can be clicked while the token moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnTheWay {
    /// The message or call.
    pub selection: Selection,
    /// What it looks like.
    pub shape: &'static str,
    /// What it is and where it goes.
    pub words: String,
}

/// The state of one lab page.
#[derive(Clone, Copy)]
pub struct Stage {
    /// The live state of the whole site.
    pub live: Live,
    /// Which style it shows.
    pub style: Style,
    /// What is shown, at a pace that the eye can follow.
    pub director: StoredValue<Director>,
    /// Grows when the shown picture changes; at most once per frame.
    pub version: RwSignal<u32>,
    /// Like `version`, but a few times a second, for what is expensive or only read.
    pub calm_version: RwSignal<u32>,
    /// What the inspector is about.
    pub selected: RwSignal<Option<Selection>>,
    /// How an arrival from this page reaches the queues.
    pub dispatch: RwSignal<Dispatch>,
    /// Which way time runs in the diagram.
    pub orientation: RwSignal<Orientation>,
    /// How big the diagram's smallest text is.
    pub text_px: RwSignal<f32>,
    /// How much hops are slowed down, in words.
    pub slowed: RwSignal<Option<String>>,
    /// Whether more comes than can be shown one by one.
    pub behind: RwSignal<bool>,
    /// How many events have come and are still to be shown.
    pub newer: RwSignal<usize>,
    /// What is on its way in the diagram.
    pub on_the_way: RwSignal<Vec<OnTheWay>>,
}

impl Stage {
    /// A page that shows what the server rendered, or what has happened since.
    #[must_use]
    pub fn new(style: Style) -> Self {
        let live = use_live();
        let picture = live.with_picture(Picture::clone);
        let dispatch = picture.system(style).dispatch;
        let orientation = if live.small_screen { Orientation::Tall } else { Orientation::Wide };
        Self {
            live,
            style,
            director: StoredValue::new(Director::new(style, picture)),
            version: RwSignal::default(),
            calm_version: RwSignal::default(),
            selected: RwSignal::default(),
            dispatch: RwSignal::new(dispatch),
            orientation: RwSignal::new(orientation),
            text_px: RwSignal::new(SMALLEST_TEXT),
            slowed: RwSignal::default(),
            behind: RwSignal::default(),
            newer: RwSignal::default(),
            on_the_way: RwSignal::default(),
        }
    }

    /// Looks at the shown picture and is told of changes.
    pub fn picture<T>(&self, look: impl FnOnce(&Picture) -> T) -> T {
        self.version.track();
        self.director.with_value(|director| look(&director.picture))
    }

    /// Looks at the shown system of this page's style and is told of changes.
    pub fn system<T>(&self, look: impl FnOnce(&System) -> T) -> T {
        let style = self.style;
        self.picture(|picture| look(picture.system(style)))
    }

    /// The same, a few times a second.
    pub fn system_calmly<T>(&self, look: impl FnOnce(&System) -> T) -> T {
        self.calm_version.track();
        let style = self.style;
        self.director.with_value(|director| look(director.picture.system(style)))
    }

    /// The shown system; derived values tell only when they differ.
    pub fn memo<T: PartialEq + Send + Sync + 'static>(
        self,
        look: impl Fn(&System) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        Memo::new(move |_| self.system(&look))
    }

    /// Where everything stands.
    #[must_use]
    pub fn layout(self) -> Memo<Layout> {
        let foreign = self.memo(foreign_queues);
        Memo::new(move |_| layout(&self.plan(foreign.get())))
    }

    /// The same, for somebody who looks once.
    #[must_use]
    pub fn layout_now(self) -> Layout {
        layout(&self.plan(self.system_calmly(foreign_queues)))
    }

    fn plan(self, foreign: Vec<ForeignQueue>) -> Plan {
        Plan {
            style: self.style,
            dispatch: self.dispatch.get(),
            foreign,
            orientation: self.orientation.get(),
            text_px: self.text_px.get(),
        }
    }

    /// Shows something in the inspector.
    pub fn select(&self, selection: Selection) {
        self.selected.set(Some(selection));
    }
}

/// The queues of strangers, and who consumes them.
fn foreign_queues(system: &System) -> Vec<ForeignQueue> {
    let consumer = |queue: &flow::picture::QueuePicture| {
        let consumer = queue.consumers.first()?;
        Some(consumer.node.as_ref().map_or(&*consumer.tag, flow::Node::as_str).to_owned())
    };
    let named = |queue: &flow::picture::QueuePicture| ForeignQueue {
        name: queue.name.to_string(),
        consumer: consumer(queue),
    };
    system.foreign_queues().iter().map(named).collect()
}

/// The state of the page at hand.
#[must_use]
pub fn use_stage() -> Stage {
    expect_context()
}
