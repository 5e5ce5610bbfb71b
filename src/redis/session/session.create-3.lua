#!lua
--[[
  Creates a session under the epoch that its user was read with. Sessions
  beyond the bound make room: those that would expire first.
  KEYS[1]  hash    the session, which does not exist
  KEYS[2]  zset    ids of the user's sessions -> when they expire (ms since epoch)
  KEYS[3]  string  the user's epoch: "<epoch>@<replication id>"
  ARGV[1]  id of the session   ARGV[2]  epoch   ARGV[3]  user   ARGV[4]  role   ARGV[5]  device
  ARGV[6]  ip
  ARGV[7]  idle time-out (ms)   ARGV[8]  absolute cap (ms)   ARGV[9]  most sessions of a user
  ARGV[10]  authentication level
  Returns  {"not-loaded"} | {"ended"} when the epoch has risen meanwhile | {"created", how long it
           lives unused (ms), sessions that made room}
]]
local session, sessions, epoch = KEYS[1], KEYS[2], KEYS[3]
local id, wanted, user, role, device, ip = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local idleMs, capMs, most, level = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]

-- include: session.epoch
if not isLoaded then
  return { "not-loaded" }
end
if wanted ~= current then
  return { "ended" }
end
local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local nowText = string.format("%.0f", nowMs)
local leftMs = math.min(idleMs, capMs)
local expires = string.format("%.0f", nowMs + leftMs)
redis.call("ZREMRANGEBYSCORE", sessions, "-inf", nowText)
local gone = redis.call("ZREMRANGEBYRANK", sessions, 0, -most)
redis.call(
  "HSET", session, "epoch", wanted, "user", user, "role", role, "level", level,
  "device", device, "ip", ip
)
redis.call("HSET", session, "created", nowText, "seen", nowText)
redis.call("PEXPIREAT", session, expires)
redis.call("ZADD", sessions, expires, id)
redis.call("PEXPIRE", sessions, capMs)
return { "created", string.format("%.0f", leftMs), gone }
