use super::*;
use flow::{Event, Kind, Provenance, Service, Style};
use std::{
    fs::{self, File},
    io::Read,
    os::fd::OwnedFd,
    path::PathBuf,
};

/// So small that some thousand events take several files.
const SMALL: Keep = Keep { bytes: 1 << 20, age: Duration::from_secs(3_600) };

fn event(n: u64) -> Event {
    let kind = if n.is_multiple_of(3) {
        Kind::HandlerStarted
    } else {
        Kind::RetryScheduled { delay_ms: n, reason: "r".repeat(40) }
    };
    let mut event = Event::new(1 + n, Provenance::Service, kind);
    event.system = Some(Style::ALL[(n % 2) as usize].into());
    event.node = Some(Service::Catalog.into());
    event.message_id = Some(format!("m-{n}").as_str().into());
    event.queue = Some("catalog.sku_processed".into());
    event
}

/// Reports that many, slowly enough to leave none out.
async fn report(journal: &Journal, n: u64) {
    let before = journal.reach().1;
    for n in 0..n {
        journal.report(event(n));
        if n % 1_000 == 0 {
            journal.caught_up().await;
        }
    }
    journal.caught_up().await;
    assert_eq!(journal.reach().1, before + n);
}

fn events_of(blocks: &[Block]) -> Vec<Event> {
    serde_json::from_slice(&array(blocks)).unwrap()
}

fn seqs(blocks: &[Block]) -> Vec<u64> {
    events_of(blocks).iter().map(|event| event.seq).collect()
}

async fn read(subscription: &mut Subscription, n: usize) -> Vec<u64> {
    let mut seen = Vec::new();
    while seen.len() < n {
        match subscription.next(7).await.unwrap() {
            Next::Events(blocks) => seen.extend(seqs(&blocks)),
            Next::Reset(seq) => panic!("reset at {seq}"),
        }
    }
    seen
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(dir.join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The data folder as a killed process leaves it.
fn killed(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("journal")).unwrap();
    for file in files(dir) {
        fs::copy(&file, copy.path().join("journal").join(file.file_name().unwrap())).unwrap();
    }
    copy
}

#[tokio::test]
async fn a_subscriber_resumes_without_gap_or_double() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), Keep::default(), None).unwrap();
    report(&journal, 100).await;
    let mut seen = read(&mut journal.subscribe(Some(0)), 35).await;
    let resume = *seen.last().unwrap();
    seen.extend(read(&mut journal.subscribe(Some(resume)), 100 - seen.len()).await);
    assert_eq!(seen, (1..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_kept_is_bounded_and_a_gap_that_cannot_be_filled_is_one_reset() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), SMALL, None).unwrap();
    let reported = 20_000;
    report(&journal, reported).await;
    let (first, last) = journal.reach();
    assert!(first > 1_000 && last == reported, "{first} to {last}");
    let bytes: u64 = files(dir.path()).iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(bytes <= SMALL.bytes + SMALL.bytes / 4, "{bytes}");
    for (after, is_kept) in [(first - 1, true), (first - 2, false), (3, false), (last + 1, false)] {
        let next = journal.subscribe(Some(after)).next(10).await.unwrap();
        match next {
            Next::Events(blocks) => assert!(is_kept && seqs(&blocks)[0] == after + 1, "{after}: {blocks:?}"),
            Next::Reset(seq) => assert!(!is_kept && seq == last, "{after}: reset at {seq}"),
        }
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_a_kill_and_the_numbers_go_on_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), SMALL, None).unwrap();
    report(&journal, 3_000).await;
    let before = journal.picture_now();
    let dir = killed(dir.path());
    let again = Journal::open(dir.path(), SMALL, None).unwrap();
    assert_eq!(again.picture_now(), before);
    assert_eq!(again.reach(), (1, 3_000));
    let mut follower = again.subscribe(Some(2_998));
    report(&again, 1).await;
    assert_eq!(read(&mut follower, 3).await, [2_999, 3_000, 3_001]);
    again.close().await;
    again.report(event(1));
    let third = Journal::open(dir.path(), SMALL, None).unwrap();
    assert_eq!(third.reach(), (1, 3_001), "what comes after the end is not kept");
}

#[tokio::test]
async fn every_page_and_every_picture_is_that_of_the_events_from_memory_or_from_disk() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), Keep { bytes: 8 << 20, ..SMALL }, None).unwrap();
    let reported = 12_000;
    report(&journal, reported).await;
    assert!(files(dir.path()).len() > 1, "there is more than one file");
    let whole = events_of(&journal.page(0, u64::MAX).await.unwrap().blocks);
    assert_eq!(whole.len() as u64, reported);
    let dir = killed(dir.path());
    let from_disk = Journal::open(dir.path(), Keep { bytes: 8 << 20, ..SMALL }, None).unwrap();
    for journal in [&journal, &from_disk] {
        for (after, limit) in
            [(0, 1), (0, 5_000), (999, 1), (1_023, 2), (5_500, 5_000), (11_999, 9), (12_000, 1)]
        {
            let page = journal.page(after, limit).await.unwrap();
            let upto = (after + limit).min(reported);
            assert_eq!(events_of(&page.blocks), whole[after as usize..upto as usize]);
            assert_eq!((page.first, page.last), (1, reported));
            let before = journal.page_before(upto + 1, limit).await.unwrap();
            assert_eq!(events_of(&before.blocks), whole[upto.saturating_sub(limit) as usize..upto as usize]);
        }
        let mut picture = Picture::default();
        for event in &whole {
            picture.apply(event);
            if [1, 4_000, 4_001, 7_777, 11_999, 12_000].contains(&event.seq) {
                assert_eq!(
                    journal.picture_at(event.seq).await.unwrap().as_ref(),
                    Some(&picture),
                    "{}",
                    event.seq
                );
            }
        }
        assert_eq!(journal.picture_at(0).await.unwrap(), Some(Picture::default()));
        assert_eq!(journal.picture_at(reported + 1).await.unwrap(), None);
        let mut rest = journal.whole(6_001).await;
        let mut picture = rest.base().await.unwrap();
        assert_eq!(picture.seq, 6_001);
        while let Some(blocks) = rest.next().await.unwrap() {
            events_of(&blocks).iter().for_each(|event| picture.apply(event));
        }
        assert_eq!(picture, journal.picture_now());
    }
}

#[tokio::test]
async fn what_is_being_read_as_a_whole_stays_until_it_has_been_read() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), SMALL, None).unwrap();
    report(&journal, 4_000).await;
    let mut whole = journal.whole(0).await;
    report(&journal, 20_000).await;
    assert!(journal.reach().0 > 4_000, "all of it was given up");
    let mut seen = Vec::new();
    while let Some(blocks) = whole.next().await.unwrap() {
        seen.extend(seqs(&blocks));
    }
    assert_eq!(seen, (1..=4_000).collect::<Vec<_>>());
    assert!(!files(dir.path())[0].ends_with("00000000000000000001.journal"), "and then it is removed");
}

#[tokio::test]
async fn a_torn_end_is_cut_off_wherever_the_write_was_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), Keep::default(), None).unwrap();
    report(&journal, 5).await;
    let good = fs::metadata(&files(dir.path())[0]).unwrap().len();
    report(&journal, 1).await;
    let all = fs::metadata(&files(dir.path())[0]).unwrap().len();
    for end in (good..all).step_by(11) {
        for blank in [0, 4_096] {
            let dir = killed(dir.path());
            let file = File::options().write(true).open(&files(dir.path())[0]).unwrap();
            file.set_len(end).unwrap();
            // After a power cut there may be zeros where nothing was written.
            file.set_len(end + if end == good { blank } else { 0 }).unwrap();
            let again = Journal::open(dir.path(), Keep::default(), None).unwrap();
            assert_eq!(again.reach(), (1, 5), "cut at {end}");
            report(&again, 2).await;
            assert_eq!(seqs(&again.page(4, 9).await.unwrap().blocks), [5, 6, 7]);
        }
    }
    // A length that is wrong in the middle is no torn end: what follows was written.
    let damaged = killed(dir.path());
    let name = files(damaged.path())[0].clone();
    let mut bytes = fs::read(&name).unwrap();
    let second = bytes.windows(4).position(|four| four == b"SKJE").unwrap();
    bytes[second + 10] = 0x7f;
    fs::write(&name, bytes).unwrap();
    let again = Journal::open(damaged.path(), Keep::default(), None).unwrap();
    assert!(again.reach().1 >= 6 && damaged.path().join("journal.damaged-1").exists());
    // A file that was just being begun.
    for end in [0, 3, 20, 40] {
        let dir = killed(dir.path());
        let begun = dir.path().join("journal").join(format!("{:020}.journal", 7));
        fs::write(&begun, &fs::read(&files(dir.path())[0]).unwrap()[..end]).unwrap();
        let again = Journal::open(dir.path(), Keep::default(), None).unwrap();
        assert_eq!((again.reach(), begun.exists()), ((1, 6), false));
    }
}

#[tokio::test]
async fn garbage_is_moved_aside_and_the_numbers_never_go_back() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), Keep { bytes: 4 << 20, ..SMALL }, None).unwrap();
    report(&journal, 12_000).await;
    let count = files(dir.path()).len();
    assert!(count > 2, "{count} files");
    let garbage: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(7_919) >> 3) as u8).collect();
    for (at, wrong) in [(count - 1, 0), (count - 1, 70_000), (count - 2, 0)] {
        let dir = killed(dir.path());
        let names = files(dir.path());
        let mut bytes = fs::read(&names[at]).unwrap();
        bytes.truncate(wrong);
        bytes.extend_from_slice(&garbage);
        fs::write(&names[at], bytes).unwrap();
        let again = Journal::open(dir.path(), Keep { bytes: 4 << 20, ..SMALL }, None).unwrap();
        let (first, last) = again.reach();
        assert!(last >= 12_000 && first > 1, "{first} to {last}");
        let moved: Vec<_> = fs::read_dir(dir.path().join("journal.damaged-1")).unwrap().collect();
        assert_eq!(moved.len(), at + 1, "with all that is older");
        again.report(event(1));
        let page = again.page(last, 9).await.unwrap();
        let next = &events_of(&page.blocks)[0];
        assert_eq!((next.seq, next.summarised > 0), (last + 1, at == count - 1));
        assert_eq!(again.picture_at(first - 1).await.unwrap().map(|picture| picture.seq), Some(first - 1));
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("journal"), &garbage).unwrap();
    report(&Journal::open(dir.path(), SMALL, None).unwrap(), 3).await;
    assert_eq!(fs::read(dir.path().join("journal.damaged-1/journal")).unwrap(), garbage);
}

#[tokio::test]
async fn damage_that_shows_only_when_it_is_read_is_told_and_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), Keep { bytes: 4 << 20, ..SMALL }, None).unwrap();
    report(&journal, 12_000).await;
    let dir = killed(dir.path());
    let journal = Journal::open(dir.path(), Keep { bytes: 4 << 20, ..SMALL }, None).unwrap();
    let second = files(dir.path())[1].clone();
    let mut bytes = fs::read(&second).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&second, bytes).unwrap();
    let error = journal.page(0, 10_000).await.unwrap_err().to_string();
    assert!(error.contains("checksum") && error.contains(second.to_str().unwrap()), "{error}");
    let (first, last) = journal.reach();
    assert!(first > 1 && last == 12_000);
    assert_eq!(seqs(&journal.page(0, u64::MAX).await.unwrap().blocks), (first..=last).collect::<Vec<_>>());
    assert!(dir.path().join("journal.damaged-1").join(second.file_name().unwrap()).exists());
}

#[tokio::test]
async fn numbers_of_before_the_journal_was_on_disk_are_not_given_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("journal.seq"), "100000\n").unwrap();
    let journal = Journal::open(dir.path(), Keep::default(), None).unwrap();
    report(&journal, 1).await;
    assert_eq!(journal.reach(), (100_001, 100_001));
    assert!(!dir.path().join("journal.seq").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_nothing_keeps_nobody_waiting_and_what_was_left_out_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = Folder::open(dir.path(), Keep::default()).unwrap();
    let (mut reader, writer) = std::io::pipe().unwrap();
    opened.folder.write_to(File::from(OwnedFd::from(writer)));
    let journal = Journal::go_on(opened, None).unwrap();
    let reported = WAITING_MAX as u64 + 10_000;
    (0..reported).for_each(|n| journal.report(event(n)));
    let left_out = journal.shared.left_out.load(Ordering::Relaxed);
    assert!(left_out > 0 && journal.reach().1 < reported, "{left_out} left out");

    let drain = std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    // What fits into the channel is written in time.
    let mut follower = journal.subscribe(Some(0));
    let mut last = 0;
    while last < reported - left_out {
        let Some(Next::Events(blocks)) = follower.next(50_000).await else { panic!("it goes on") };
        assert_eq!(blocks[0].first(), last + 1);
        last = blocks.last().unwrap().last();
    }
    journal.report(event(1));
    journal.caught_up().await;
    let counted = journal.picture_now().summarised;
    assert_eq!(counted, left_out);
    journal.close().await;
    drop(journal);
    drain.join().unwrap().unwrap();
}

#[test]
fn a_write_that_fails_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = Folder::open(dir.path(), Keep::default()).unwrap();
    let begun = fs::read(&files(dir.path())[0]).unwrap();
    opened.folder.write_to(File::options().append(true).open("/dev/full").unwrap());
    assert!(opened.folder.append(b"frame").is_err());
    let mut now = Vec::new();
    File::open(&files(dir.path())[0]).unwrap().read_to_end(&mut now).unwrap();
    assert_eq!(now, begun);
}
