//! Reading the lessons' texts, and checking that every name in them is one that there is.

use super::{Answer, Ask, Deed, Lesson, Seen, Stage, Until};
use flow::fault::FaultKind;
use flow::{KindName, Quantity, Service, Sku, Style, Transport};
use std::path::{Path, PathBuf};

/// What is wrong with a lesson's text, and where.
#[derive(Debug, thiserror::Error)]
pub enum LessonError {
    #[error("{file}: {error}")]
    Syntax { file: String, error: Box<toml::de::Error> },
    #[error("{file}, line {line}: {what}")]
    Content { file: String, line: usize, what: String },
    #[error("{}: {source}", .path.display())]
    Read { path: PathBuf, source: std::io::Error },
}

/// Reads a lesson. Its file's name is a number that says where it stands, and its id: `05-at-least-once.toml`.
///
/// # Errors
/// What is wrong first, with file and line.
pub fn lesson(file: &str, text: &str) -> Result<Lesson, LessonError> {
    let syntax = |error| LessonError::Syntax { file: file.to_owned(), error: Box::new(error) };
    let mut lesson: Lesson = toml::from_str(text).map_err(syntax)?;
    let content = |line, what| LessonError::Content { file: file.to_owned(), line, what };
    let stem = file.strip_suffix(".toml").unwrap_or(file);
    let (number, id) = stem.split_once('-').unwrap_or_default();
    let is_id =
        !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if number.parse::<u8>().is_err() || !is_id {
        return Err(content(
            1,
            "name the file like 05-at-least-once.toml: a number, and words in lower case".to_owned(),
        ));
    }
    id.clone_into(&mut lesson.id);
    if lesson.beats.is_empty() {
        return Err(content(1, "a lesson has at least one beat".to_owned()));
    }
    let stage = Stage::of(lesson.system());
    let starts = text.lines().enumerate().filter(|(_, line)| line.trim() == "[[beats]]");
    for (place, (at, _)) in (0..lesson.beats.len()).zip(starts) {
        check(&lesson, place, &stage).map_err(|what| content(at + 1, what))?;
    }
    Ok(lesson)
}

/// Reads all lessons in a folder, in their order.
///
/// # Errors
/// What is wrong first, with file and line.
pub fn folder(path: &Path) -> Result<Vec<Lesson>, LessonError> {
    let read = |source| LessonError::Read { path: path.to_owned(), source };
    let entries = std::fs::read_dir(path).map_err(read)?.collect::<Result<Vec<_>, _>>().map_err(read)?;
    let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let read_one = |file: PathBuf| {
        let text = std::fs::read_to_string(&file)
            .map_err(|source| LessonError::Read { path: file.clone(), source })?;
        lesson(&file.file_name().unwrap_or_default().to_string_lossy(), &text)
    };
    files.into_iter().map(read_one).collect()
}

/// Checks a beat: the first thing that is wrong in it.
fn check(lesson: &Lesson, place: usize, stage: &Stage) -> Result<(), String> {
    let beat = &lesson.beats[place];
    for (field, text) in [("title", &beat.title), ("text", &beat.text)] {
        if text.trim().is_empty() {
            return Err(format!("{field} is empty"));
        }
    }
    if let Some(spot) = beat.spotlight.iter().find(|spot| !stage.has(spot)) {
        return Err(format!("spotlight: nothing in this system's picture is {spot:?}"));
    }
    beat.deeds().try_for_each(|deed| deed_makes_sense(lesson, deed))?;
    if beat.act.as_ref().is_some_and(|act| act.deeds.is_empty() || act.button.trim().is_empty()) {
        return Err("act: it has a button with words on it, and does something".to_owned());
    }
    if beat.act.is_some() && beat.wait.is_empty() {
        return Err("wait: whoever does something sees what came of it; say what to wait for".to_owned());
    }
    for wait in &beat.wait {
        until_makes_sense(&wait.until, stage).map_err(|what| format!("wait {:?}: {what}", wait.says))?;
    }
    let is_before = |number: usize| (1..=place + 1).contains(&number);
    if beat.from.is_some_and(|number| !is_before(number)) {
        return Err("from: name a beat before this one, counted from 1".to_owned());
    }
    let Some(ask) = &beat.ask else { return Ok(()) };
    if ask.since.is_some_and(|number| !is_before(number)) {
        return Err("ask.since: name this beat or one before it, counted from 1".to_owned());
    }
    ask_makes_sense(ask, stage).map_err(|what| format!("ask: {what}"))
}

fn deed_makes_sense(lesson: &Lesson, deed: &Deed) -> Result<(), String> {
    match deed {
        Deed::Arrive { sku, quantity, .. } | Deed::Sell { sku, quantity } => {
            Sku::parse(sku).map_err(|error| error.to_string())?;
            Quantity::parse(i64::from(*quantity)).map_err(|error| error.to_string())?;
        }
        Deed::Break(fault) => {
            let (kind, service) = (fault.kind, fault.service);
            let is_inventorys = matches!(kind, FaultKind::PublishedTwice | FaultKind::RelayCrash);
            if is_inventorys && service != Service::Inventory {
                return Err(format!("{kind} hits inventory's relay, which {service} does not have"));
            }
            if !kind.strikes_in(lesson.style) || !kind.strikes_over(lesson.transport) {
                return Err(format!("{kind} never strikes in {}", lesson.system()));
            }
        }
        Deed::Workers { workers, prefetch, .. }
            if !(1..=16).contains(workers) || !(1..=1_000).contains(prefetch) =>
        {
            return Err("workers: 1 to 16 of them, with a prefetch of 1 to 1,000".to_owned());
        }
        Deed::Join(_) | Deed::Apply(_) if lesson.transport != Transport::Amqp => {
            return Err("the fourth service joins systems over amqp only".to_owned());
        }
        Deed::Apply(true) if lesson.style == Style::Choreography => {
            return Err("choreography's exchange needs no list; leave apply out".to_owned());
        }
        _ => {}
    }
    Ok(())
}

fn until_makes_sense(until: &Until, stage: &Stage) -> Result<(), String> {
    match until {
        Until::Event(seen) => seen_makes_sense(seen, stage),
        Until::Queue { name, .. } if !stage.has_queue(name) => Err(no_queue(name)),
        _ => Ok(()),
    }
}

fn no_queue(name: &str) -> String {
    format!("this system has no queue {name:?}")
}

fn seen_makes_sense(seen: &Seen, stage: &Stage) -> Result<(), String> {
    if seen.kind == KindName::Unknown {
        return Err("kind: that is no kind of journal event".to_owned());
    }
    match &seen.queue {
        Some(queue) if !stage.has_queue(queue) => Err(no_queue(queue)),
        _ => Ok(()),
    }
}

fn ask_makes_sense(ask: &Ask, stage: &Stage) -> Result<(), String> {
    match &ask.answer {
        Answer::Choice(choices) => {
            if choices.len() < 2 || choices.iter().filter(|choice| choice.right).count() != 1 {
                return Err("choice: two answers or more, of which one is right".to_owned());
            }
            choices
                .iter()
                .filter_map(|choice| choice.when.as_ref())
                .try_for_each(|when| until_makes_sense(when, stage))
        }
        Answer::Order(steps) if steps.len() < 2 => Err("order: two steps or more".to_owned()),
        Answer::Order(steps) => steps.iter().try_for_each(|step| seen_makes_sense(&step.at, stage)),
        Answer::Number(counted) if counted.expect > counted.max => {
            Err("number: expect is more than max".to_owned())
        }
        Answer::Number(counted) => counted.of.iter().try_for_each(|of| seen_makes_sense(of, stage)),
        Answer::Words => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;

    const HEAD: &str = "title = \"A\"\npromise = \"B.\"\nminutes = 2\nstyle = \"orchestration\"\n\n[[beats]]\ntitle = \"One\"\ntext = \"T.\"\n";

    fn wrong(beat: &str) -> String {
        lesson("01-a.toml", &format!("{HEAD}{beat}")).unwrap_err().to_string()
    }

    fn all() -> Vec<Lesson> {
        folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("texts")).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_is_no_lesson_is_refused_with_its_file_and_line() {
        for (beat, says) in [
            ("spotligth = []", "line 9"),
            ("spotlight = [{ node = \"katalog\" }]", "01-a.toml, line 6: spotlight"),
            ("spotlight = [{ queue = \"catalog.sku_processed\" }]", "line 6"),
            ("[[beats.wait]]\nsays = \"S\"\nuntil.event = { kind = \"akked\" }", "no kind of journal event"),
            ("[[beats.wait]]\nsays = \"S\"\nuntil.queue = { name = \"catalog\", ready = 1 }", "no queue"),
            ("setup = [{ break = { kind = \"poisson\", service = \"catalog\" } }]", "line 9"),
            ("setup = [{ break = { kind = \"http_slow\", service = \"catalog\" } }]", "never strikes"),
            ("setup = [{ break = { kind = \"relay_crash\", service = \"catalog\" } }]", "inventory's relay"),
            ("setup = [{ arrive = { sku = \"MUG RED\", quantity = 1 } }]", "SKU"),
            ("setup = [{ arrive = { sku = \"MUG-RED\", quantity = 0 } }]", "quantity"),
            ("[beats.act]\nbutton = \"Go\"\ndeeds = [\"step\"]", "wait: whoever"),
            (
                "[beats.ask]\nrole = \"saw\"\nquestion = \"Q?\"\nanswer.choice = [{ says = \"A\" }, { says = \"B\" }]",
                "one is right",
            ),
            ("from = 2", "from"),
        ] {
            let error = wrong(beat);
            assert!(error.contains("01-a.toml") && error.contains(says), "{beat}\n{error}");
        }
        let unnamed = lesson("a.toml", HEAD).unwrap_err().to_string();
        assert!(unnamed.contains("name the file like"), "{unnamed}");
    }

    #[test]
    fn every_lesson_can_be_taken_and_no_two_have_the_same_name() {
        let all = all();
        assert!(all.len() >= 12, "{}", all.len());
        let ids: std::collections::BTreeSet<_> = all.iter().map(|lesson| &lesson.id).collect();
        assert_eq!(ids.len(), all.len());
        for lesson in &all {
            assert!((1..=10).contains(&lesson.minutes), "{}", lesson.id);
            assert!(lesson.beats.iter().any(|beat| beat.act.is_some()), "{} has nothing to do", lesson.id);
        }
    }

    #[test]
    fn every_lesson_but_the_tour_lets_one_predict_first_then_explain_and_comes_back_to_it() {
        for lesson in all().iter().skip(1) {
            let place = |role| {
                lesson.beats.iter().position(|beat| beat.ask.as_ref().is_some_and(|ask| ask.role == role))
            };
            let [predict, explain, recall] = [Role::Predict, Role::Explain, Role::Recall]
                .map(|role| place(role).unwrap_or_else(|| panic!("{}: {role:?}", lesson.id)));
            assert!(predict < explain && predict < recall, "{}", lesson.id);
        }
    }

    #[test]
    fn a_beat_is_a_sentence_or_a_few() {
        for lesson in all() {
            for beat in &lesson.beats {
                let (id, title) = (&lesson.id, &beat.title);
                assert!(beat.text.chars().count() <= 260, "{id}, {title}: {}", beat.text);
                assert!(beat.text.ends_with(['.', '?', '!']), "{id}, {title}: {}", beat.text);
            }
        }
    }

    #[test]
    fn a_lesson_ends_what_it_breaks_before_it_is_over() {
        for lesson in all() {
            let standing = lesson.standing_before(lesson.beats.len());
            let broken: Vec<_> =
                standing.iter().filter(|deed| matches!(deed, Deed::Break(_) | Deed::Hold(_))).collect();
            assert!(broken.is_empty(), "{}: {broken:?}", lesson.id);
        }
    }

    #[test]
    fn what_a_lesson_sets_is_known_beforehand() {
        let text = format!(
            "{HEAD}setup = [{{ hold = [{{ gate = \"before_ack\", service = \"catalog\" }}] }}, {{ break = {{ kind = \"crash_before_ack\", service = \"wishlist\" }} }}, {{ join = true }}]"
        );
        let touched = lesson("01-a.toml", &text).unwrap().touched();
        assert_eq!(
            (touched.gates.len(), touched.faults.len(), touched.joins, touched.encodes),
            (1, 1, true, false)
        );
        assert_eq!(
            touched.workers.into_iter().collect::<Vec<_>>(),
            [Service::Wishlist],
            "who crashed is set anew"
        );
    }
}
