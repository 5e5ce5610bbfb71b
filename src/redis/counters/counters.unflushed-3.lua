#!lua flags=no-writes
--[[
  Counts what Postgres does not have yet of a shard, and its greatest age.
  KEYS[1]  hash  the shard: when nothing older was owed (ms since epoch, Redis clock)
  KEYS[2]  hash  counts that Postgres does not have
  KEYS[3]  hash  the batch that is on its way to Postgres
  Returns  {number of fields, age of the oldest (ms), 0 for none}
]]
local shard, pending, batch = KEYS[1], KEYS[2], KEYS[3]

-- A batch also holds its id and that of the one before.
local BATCH_NAMES = 2
local fields = redis.call("HLEN", pending) + math.max(0, redis.call("HLEN", batch) - BATCH_NAMES)
if fields == 0 then
  return { 0, 0 }
end
local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local flushedMs = tonumber(redis.call("HGET", shard, "flushed") or nowMs)
return { fields, math.max(0, nowMs - flushedMs) }
