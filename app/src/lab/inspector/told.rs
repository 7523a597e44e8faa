//! What the inspector tells of what is selected, as plain data: a list of blocks, from top to bottom.

use crate::lab::selection::Selection;
use crate::lab::state::Look;
use crate::lab::{inspector::part, inspector::travel};
use flow::topology;

/// One fact: its name and its value.
pub type Fact = (&'static str, String);

/// What is selected, and what is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// What is selected, if anything.
    pub selection: Option<Selection>,
    /// What is known of it.
    pub blocks: Vec<Block>,
}

/// A part of what is told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Block {
    /// What it is called and, if it leads somewhere, where to.
    Title(String, Option<String>),
    /// What the list or table below it is about.
    Heading(String),
    Note(String),
    /// Facts by their names.
    Facts(Vec<Fact>),
    /// Ways to other things.
    Ways(Vec<Way>),
    /// The steps of an arrival, each a way to it.
    Journey(Vec<Way>),
    /// A message's body: its pieces, and how it compares with an earlier message.
    Body(Vec<Piece>, Option<String>),
    /// Text as it is, and what it is.
    Code(&'static str, String),
    /// What came with the body.
    Properties(Vec<Fact>),
    /// What was stored: each number's name, before and after.
    Stored(Vec<(&'static str, String, String)>),
}

/// A way to something else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Way {
    pub pick: Selection,
    pub words: String,
    /// What more there is to say at their end.
    pub after: String,
    /// What stands before the words: the mark of a step.
    pub mark: &'static str,
    /// How many causes lie above it.
    pub depth: usize,
}

impl Way {
    /// A way that is no step of a journey.
    pub fn to(pick: Selection, words: impl Into<String>, after: impl Into<String>) -> Self {
        Self { pick, words: words.into(), after: after.into(), mark: "", depth: 0 }
    }
}

/// A piece of a body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Piece {
    /// As it is in the earlier message, or not compared.
    Same(String),
    /// What differs, and what was there in the earlier message.
    Changed(String, String),
}

/// A title, a sentence below it, and facts.
pub fn about(title: impl Into<String>, what: impl Into<String>, facts: Vec<Fact>) -> Vec<Block> {
    vec![Block::Title(title.into(), None), Block::Note(what.into()), Block::Facts(facts)]
}

/// A heading with ways below it; without any, a sentence that says so.
pub fn ways(heading: &str, ways: Vec<Way>, if_none: &str) -> Vec<Block> {
    let none = ways.is_empty().then(|| Block::Note(if_none.to_owned()));
    [Some(Block::Heading(heading.to_owned())), Some(Block::Ways(ways)), none].into_iter().flatten().collect()
}

/// What there is to tell now.
#[must_use]
pub fn tell(look: &Look<'_>) -> Told {
    let selection = look.lab.selected.clone();
    let blocks = match &selection {
        None => Vec::new(),
        Some(Selection::Node(id)) => part::node(look, id),
        Some(Selection::Queue(name)) => {
            // What is parked is told with the queue that it comes from.
            let origin = name.strip_suffix(".dead").filter(|origin| topology::queue_named(origin).is_some());
            part::queue(look, origin.unwrap_or(name))
        }
        Some(Selection::Edge(id)) => part::edge(look, id),
        Some(Selection::Message { id, queue }) => travel::message(look, id, queue.as_ref()),
        Some(Selection::Arrival(id)) => travel::arrival(look, id),
        Some(Selection::Event(seq)) => travel::event(look, *seq),
    };
    Told { selection, blocks }
}
