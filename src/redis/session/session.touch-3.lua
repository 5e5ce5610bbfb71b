#!lua
--[[
  Notes a use of a live session. It moves the idle time-out, never
  beyond the absolute cap. Only if none was noted just now: many
  requests at once write once.
  KEYS[1]  hash    the session
  KEYS[2]  zset    ids of the user's sessions -> when they expire (ms since epoch)
  KEYS[3]  string  the user's epoch: "<epoch>@<replication id>"
  ARGV[1]  id of the session   ARGV[2]  idle time-out (ms)   ARGV[3]  absolute cap (ms)
  ARGV[4]  least time between two notes (ms)
  Returns  when it expires now (ms), or "0" when it is not alive
]]
local session, sessions, epoch = KEYS[1], KEYS[2], KEYS[3]
local id, idleMs, capMs, everyMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local fields = redis.call("HMGET", session, "epoch", "created", "seen")
-- include: session.epoch
local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local expires = redis.call("ZSCORE", sessions, id)
local isCurrent = fields[1] and isLoaded and fields[1] == current
if not isCurrent or not expires or tonumber(expires) <= nowMs then
  return "0"
end
if nowMs - fields[3] < everyMs then
  return expires
end
local later = string.format("%.0f", math.min(nowMs + idleMs, fields[2] + capMs))
redis.call("HSET", session, "seen", string.format("%.0f", nowMs))
redis.call("PEXPIREAT", session, later)
redis.call("ZADD", sessions, later, id)
return later
