#!lua
--[[
  Puts rows of the ledger on a board, in all its periods. Each row
  says where its owner stands after it, and the highest sequence
  wins: rows may come in any order, any number of times. A mark
  says up to where the board is complete. A range that follows it
  moves it; others wait for what is before them.
  KEYS[1]  hash  the board: generation, applied, version, built, server, closed:<period>
  KEYS[2]  zset  ranges "first-last" that came before what is before them -> first sequence
  KEYS[3]  hash  sequence -> answer that is given again
  KEYS[4]  set   names of the builds' periods that have keys
  KEYS[5]  zset  all time: reached and owner -> sort key
  KEYS[6]  hash  owner -> "sequence|reached|ms|metadata"   KEYS[7]  zset  distinct sort keys
  KEYS[8]  zset  the month, likewise   KEYS[9]  hash   KEYS[10]  zset
  KEYS[11]  zset  the week, likewise   KEYS[12]  hash   KEYS[13]  zset
  KEYS[14]  zset  the day, likewise   KEYS[15]  hash   KEYS[16]  zset
  ARGV[1]  generation   ARGV[2]  first sequence   ARGV[3]  last sequence   ARGV[4]  tie rule
  ARGV[5]  how long answers are kept (ms)
  ARGV[6]  "mend" to update a build that this server may not serve yet, else ""
  ARGV[7]  name of all time, or "" when it is not kept   ARGV[8]  its end (ms)
  ARGV[9], ARGV[10]  the month   ARGV[11], ARGV[12]  the week   ARGV[13], ARGV[14]  the day
  ARGV[15]  most answers that are kept
  ARGV[16…]  15 for each row: sequence, owner, "" | "rank" | "keep" (the answer), and for each
             period sort key, reached, value of the hash
  Returns  {"not-loaded"} when another build is served, or none here;
           else {"ok", version, answer for each row: "<rank>,<rank before>;" for each period}
]]
local board, waiting, answers, names = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local generation, first, last = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local tieRule, keepMs = ARGV[4], ARGV[5]
local mends = ARGV[6] == "mend"
local function slotOf(period, ranks, owners, scores, name, ends)
  return {
    period = period,
    ranks = ranks,
    owners = owners,
    scores = scores,
    name = name,
    ends = tonumber(ends),
  }
end
local periods = {
  slotOf("ALL_TIME", KEYS[5], KEYS[6], KEYS[7], ARGV[7], ARGV[8]),
  slotOf("MONTH", KEYS[8], KEYS[9], KEYS[10], ARGV[9], ARGV[10]),
  slotOf("WEEK", KEYS[11], KEYS[12], KEYS[13], ARGV[11], ARGV[12]),
  slotOf("DAY", KEYS[14], KEYS[15], KEYS[16], ARGV[13], ARGV[14]),
}
local maxAnswers = tonumber(ARGV[15])
local FIRST_ROW, PER_ROW = 16, 15

local function number(text)
  return tonumber(text or "0")
end

local state = redis.call(
  "HMGET", board, "generation", "applied", "built", "server",
  "closed:MONTH", "closed:WEEK", "closed:DAY"
)
-- include: client/memory-fence
if state[1] ~= generation or (state[4] ~= server and not mends) then
  return { "not-loaded" }
end
local closed = {
  ALL_TIME = 0,
  MONTH = number(state[5]),
  WEEK = number(state[6]),
  DAY = number(state[7]),
}
for _, slot in ipairs(periods) do
  -- A period that ended before this build, or is archived, gets no keys here.
  slot.open = slot.name ~= "" and slot.ends > number(state[3]) and slot.ends > closed[slot.period]
  if slot.open then
    redis.call("SADD", names, slot.name)
  end
end

local function rankOf(slot, member)
  if tieRule == "FIRST_TO_REACH" then
    return redis.call("ZRANK", slot.ranks, member) + 1
  end
  local key = redis.call("ZSCORE", slot.ranks, member)
  local counted = tieRule == "DENSE" and slot.scores or slot.ranks
  return redis.call("ZCOUNT", counted, "-inf", "(" .. key) + 1
end

local function remove(slot, member)
  local key = tieRule == "DENSE" and redis.call("ZSCORE", slot.ranks, member)
  redis.call("ZREM", slot.ranks, member)
  if key and redis.call("ZCOUNT", slot.ranks, key, key) == 0 then
    -- By its value: Redis spells a number otherwise than the caller.
    redis.call("ZREMRANGEBYSCORE", slot.scores, key, key)
  end
end

local function place(slot, sequence, owner, answer, at)
  local key, reached, value = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local known = redis.call("HGET", slot.owners, owner)
  local version, before, rank
  local member = reached .. owner
  if known then
    local had
    version, had = string.match(known, "^(%d+)|(%w+)|")
    rank = answer ~= "" and rankOf(slot, had .. owner) or ""
    before = rank
    if tonumber(version) >= tonumber(sequence) then
      -- Where this row itself is there already (the board was just built with it), the rank before
      -- is unknown.
      return rank .. "," .. (version == sequence and "" or before)
    end
    redis.call("HSET", slot.owners, owner, value)
    if had == reached then
      return rank .. "," .. before
    end
    remove(slot, had .. owner)
  else
    redis.call("HSET", slot.owners, owner, value)
  end
  redis.call("ZADD", slot.ranks, key, member)
  if tieRule == "DENSE" then
    redis.call("ZADD", slot.scores, key, key)
  end
  return (answer ~= "" and rankOf(slot, member) or "") .. "," .. (before or "")
end

local results = { "ok", "" }
for row = FIRST_ROW, #ARGV, PER_ROW do
  local sequence, owner, answer = ARGV[row], ARGV[row + 1], ARGV[row + 2]
  local changes = {}
  for index, slot in ipairs(periods) do
    changes[index] = slot.open and place(slot, sequence, owner, answer, row + 3 * index) or ""
  end
  local said = table.concat(changes, ";")
  if answer == "keep" then
    -- A repeat beyond the bound is answered with where its owner stands by then.
    if redis.call("HLEN", answers) < maxAnswers then
      redis.call("HSETNX", answers, sequence, said)
      redis.call("PEXPIRE", answers, keepMs)
    end
    said = redis.call("HGET", answers, sequence) or said
  end
  results[#results + 1] = said
end

local applied = number(state[2])
if last > applied then
  redis.call("ZADD", waiting, first, ARGV[2] .. "-" .. ARGV[3])
end
local ahead = 0
for _, range in ipairs(redis.call("ZRANGE", waiting, 0, -1)) do
  local from, to = string.match(range, "^(%d+)-(%d+)$")
  if tonumber(from) <= applied + 1 then
    applied = math.max(applied, tonumber(to))
    redis.call("ZREM", waiting, range)
  else
    ahead = ahead + tonumber(to) - tonumber(from) + 1
  end
end
local versionBefore = number(redis.call("HGET", board, "version"))
local version = string.format("%.0f", math.max(applied + ahead, versionBefore))
redis.call("HSET", board, "applied", string.format("%.0f", applied), "version", version)
results[2] = version
return results
