//! CPU time: of this process by its own clock, of a child by what Linux tells of its threads.

use rustix::time::{ClockId, clock_gettime};
use std::{fs, time::Duration};

/// What this process has used so far, and its child, if there is one; none where that cannot be had.
pub fn used(child: Option<u32>) -> Option<Duration> {
    let own = clock_gettime(ClockId::ProcessCPUTime);
    let own = Duration::new(u64::try_from(own.tv_sec).ok()?, u32::try_from(own.tv_nsec).ok()?);
    match child {
        Some(pid) => Some(own + of_threads(pid)?),
        None => Some(own),
    }
}

/// The time of all threads of a process that live, as `/proc/PID/task/TID/schedstat` has it first, in nanoseconds. That is
/// finer than the ticks of `/proc/PID/stat`.
fn of_threads(pid: u32) -> Option<Duration> {
    let mut sum_ns = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let stat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        sum_ns += stat.split_ascii_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(sum_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_grows_with_the_work_and_a_child_counts() {
        let before = used(None).unwrap();
        let mut sum = 0_u64;
        while used(None).unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let own = std::process::id();
        let alone = used(None).unwrap();
        assert!(used(Some(own)).unwrap() > alone, "another process is counted with it");
        assert_eq!(used(Some(u32::MAX)), None, "a process that is not there has no time");
    }
}
