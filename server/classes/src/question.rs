//! What the room is asked: vote, discuss, vote again; both tallies stay, side by side.

use super::{key::Digest, room::RoomError};
use flow::api::{QuestionAsked, QuestionView, QuestionWanted};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many answers there can be.
const OPTIONS: std::ops::RangeInclusive<usize> = 2..=8;
/// The longest question or answer, in characters.
const TEXT_MAX: usize = 300;
/// How often the room votes at most.
const ROUNDS_MAX: usize = 10;

/// A question, with every vote by the digest of the voter's key: whose it is, nobody can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    text: String,
    options: Vec<String>,
    rounds: Vec<BTreeMap<Digest, usize>>,
    open: bool,
    revealed: bool,
}

impl Question {
    /// Asks the room; votes count from now on.
    ///
    /// # Errors
    /// When there is nothing to choose, or a text is empty or too long.
    pub fn ask(asked: QuestionAsked) -> Result<Self, RoomError> {
        if !OPTIONS.contains(&asked.options.len()) {
            return Err(RoomError::Options);
        }
        let is_fit = |text: &String| !text.trim().is_empty() && text.chars().count() <= TEXT_MAX;
        if !is_fit(&asked.text) || !asked.options.iter().all(is_fit) {
            return Err(RoomError::Text);
        }
        let QuestionAsked { text, options } = asked;
        Ok(Self { text, options, rounds: vec![BTreeMap::new()], open: true, revealed: false })
    }

    /// Opens or closes it, reveals what the room said, or lets it vote again: hidden, as before.
    ///
    /// # Errors
    /// When the room has voted too often.
    pub fn want(&mut self, wanted: QuestionWanted) -> Result<(), RoomError> {
        if wanted.again {
            if self.rounds.len() >= ROUNDS_MAX {
                return Err(RoomError::Rounds);
            }
            self.rounds.push(BTreeMap::new());
            (self.open, self.revealed) = (true, false);
        }
        self.open = wanted.open.unwrap_or(self.open);
        self.revealed = wanted.revealed.unwrap_or(self.revealed);
        if self.revealed {
            // Whoever has seen what the others chose would only follow them.
            self.open = false;
        }
        Ok(())
    }

    /// Takes a vote; a second one of the same voter takes the place of the first.
    ///
    /// # Errors
    /// When votes do not count now, or there is no such option.
    pub fn vote(&mut self, voter: Digest, choice: usize) -> Result<(), RoomError> {
        if !self.open {
            return Err(RoomError::Closed);
        }
        if choice >= self.options.len() {
            return Err(RoomError::Choice(self.options.len()));
        }
        if let Some(round) = self.rounds.last_mut() {
            round.insert(voter, choice);
        }
        Ok(())
    }

    /// What is shown of it.
    #[must_use]
    pub fn view(&self) -> QuestionView {
        let tally = |round: &BTreeMap<Digest, usize>| {
            let mut counts = vec![0; self.options.len()];
            round.values().for_each(|choice| counts[*choice] += 1);
            counts
        };
        QuestionView {
            text: self.text.clone(),
            options: self.options.clone(),
            round: self.rounds.len(),
            open: self.open,
            votes: self.rounds.last().map_or(0, BTreeMap::len),
            tallies: self.revealed.then(|| self.rounds.iter().map(tally).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(options: usize) -> Result<Question, RoomError> {
        let options = (0..options).map(|option| format!("option {option}")).collect();
        Question::ask(QuestionAsked { text: "How often?".to_owned(), options })
    }

    #[test]
    fn tallies_stay_hidden_until_they_are_revealed_and_both_rounds_stand_side_by_side() {
        let mut question = asked(3).unwrap();
        for (voter, choice) in [("a", 0), ("b", 1), ("a", 2)] {
            question.vote(voter.to_owned(), choice).unwrap();
        }
        assert_eq!((question.view().votes, question.view().tallies), (2, None));
        question.want(QuestionWanted { revealed: Some(true), ..Default::default() }).unwrap();
        assert_eq!(question.view().tallies, Some(vec![vec![0, 1, 1]]));
        assert_eq!(question.vote("c".to_owned(), 0), Err(RoomError::Closed), "what is revealed is closed");
        question.want(QuestionWanted { again: true, ..Default::default() }).unwrap();
        assert_eq!((question.view().round, question.view().votes, question.view().tallies), (2, 0, None));
        question.vote("a".to_owned(), 1).unwrap();
        question.want(QuestionWanted { revealed: Some(true), ..Default::default() }).unwrap();
        assert_eq!(question.view().tallies, Some(vec![vec![0, 1, 1], vec![0, 1, 0]]));
    }

    #[test]
    fn what_cannot_be_asked_or_chosen_is_refused() {
        assert_eq!(asked(1), Err(RoomError::Options));
        assert_eq!(asked(9), Err(RoomError::Options));
        let empty = QuestionAsked { text: " ".to_owned(), options: vec!["a".to_owned(), "b".to_owned()] };
        assert_eq!(Question::ask(empty), Err(RoomError::Text));
        let mut question = asked(2).unwrap();
        assert_eq!(question.vote("a".to_owned(), 2), Err(RoomError::Choice(2)));
        question.want(QuestionWanted { open: Some(false), ..Default::default() }).unwrap();
        assert_eq!(question.vote("a".to_owned(), 1), Err(RoomError::Closed));
        for _ in 1..ROUNDS_MAX {
            question.want(QuestionWanted { again: true, ..Default::default() }).unwrap();
        }
        assert_eq!(
            question.want(QuestionWanted { again: true, ..Default::default() }),
            Err(RoomError::Rounds)
        );
    }
}
