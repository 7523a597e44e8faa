//! What must happen at once, or not at all. Redis runs a script as one step.

use redis::Script;
use std::sync::LazyLock;

/// Moves what is due from a retry set into a service's own stream; answers what was moved.
pub static DUE_ENTRIES: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 100)
        for _, entry in ipairs(due) do
            redis.call('XADD', KEYS[2], '*', unpack(cjson.decode(entry)))
            redis.call('ZREM', KEYS[1], entry)
        end
        return due",
    )
});

/// Moves the jobs that are due from the retry set into their lists; answers what was moved.
pub static DUE_JOBS: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 100)
        local moved = {}
        for _, text in ipairs(due) do
            local is_json, job = pcall(cjson.decode, text)
            if is_json and type(job) == 'table' and type(job.queue) == 'string' then
                redis.call('SADD', KEYS[2], job.queue)
                redis.call('LPUSH', 'queue:' .. job.queue, text)
                redis.call('ZREM', KEYS[1], text)
                moved[#moved + 1] = text
            end
        end
        return moved",
    )
});

/// Moves jobs from one list behind those of another, each in its order; answers how many.
pub static MOVE_OVER: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local moved = 0
        while moved < 1000 and redis.call('LMOVE', KEYS[1], KEYS[2], ARGV[1], ARGV[2]) do
            moved = moved + 1
        end
        return moved",
    )
});

/// Moves what is due from a retry set into the list of its jobs; answers what was moved.
pub static DUE_PAYLOADS: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 100)
        for _, text in ipairs(due) do
            redis.call('RPUSH', KEYS[2], text)
            redis.call('ZREM', KEYS[1], text)
        end
        return due",
    )
});

/// Moves what dead workers worked on back to the end of a list from which jobs are taken; answers how many jobs that were.
pub static TAKE_OVER: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local moved = 0
        for _, worker in ipairs(redis.call('SMEMBERS', KEYS[2])) do
            if redis.call('EXISTS', ARGV[2] .. worker) == 0 then
                while redis.call('LMOVE', ARGV[1] .. worker, KEYS[1], 'LEFT', ARGV[3]) do
                    moved = moved + 1
                end
                redis.call('SREM', KEYS[2], worker)
            end
        end
        return moved",
    )
});

/// Gives a job back that a worker had: it is the next to be taken.
pub static GIVE_BACK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
        redis.call(ARGV[2], KEYS[2], ARGV[1])
        return 1",
    )
});

/// Puts an entry aside and settles it, unless somebody else has done so: whoever is slow may have lost it to another worker.
/// What may be refused for want of memory comes first.
pub static PUT_ENTRY: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        -- Where the group is gone, nobody else has it.
        local pending = redis.pcall('XPENDING', KEYS[2], ARGV[1], ARGV[2], ARGV[2], 1)
        if not pending.err and #pending == 0 then return 0 end
        redis.call('ZADD', KEYS[1], ARGV[3], ARGV[4])
        redis.call('XACK', KEYS[2], ARGV[1], ARGV[2])
        if ARGV[5] == '1' then redis.call('XDEL', KEYS[2], ARGV[2]) end
        return 1",
    )
});

/// The same for a job in a worker's list.
pub static PUT_JOB: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if not redis.call('LPOS', KEYS[2], ARGV[1]) then return 0 end
        redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
        redis.call('LREM', KEYS[2], 1, ARGV[1])
        return 1",
    )
});

/// Puts a job in a worker's list among those that failed for good, unless somebody else has done so.
pub static PUT_FAILED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if not redis.call('LPOS', KEYS[2], ARGV[1]) then return 0 end
        redis.call('RPUSH', KEYS[1], ARGV[2])
        redis.call('LREM', KEYS[2], 1, ARGV[1])
        return 1",
    )
});

/// Takes a consumer out of its group unless something is pending with it, which would be lost with it; answers how much is,
/// up to 1. Where the group is gone, nothing is.
pub static LEAVE_GROUP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
        if pending.err then return 0 end
        if #pending == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) end
        return #pending",
    )
});

/// Takes a parked message out and puts another into a stream in its place; answers whether it was there.
pub static REPLAY_ENTRY: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
        redis.call('XADD', KEYS[2], '*', unpack(ARGV, 2))
        return 1",
    )
});

/// Takes a parked job out and puts another into its list in its place; answers whether it was there.
pub static REPLAY_JOB: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
        redis.call('LPUSH', KEYS[2], ARGV[2])
        return 1",
    )
});

/// The same for a job among those that failed for good.
pub static REPLAY_FAILED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
        redis.call('RPUSH', KEYS[2], ARGV[2])
        return 1",
    )
});
