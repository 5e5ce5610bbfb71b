#!lua flags=allow-oom
--[[
  Looks a session up and judges it by the epoch of its user. Changes
  nothing. An epoch counts only on the server it was loaded on. So does
  the time before which the sessions of all users were revoked.
  KEYS[1]  hash    the session
  KEYS[2]  zset    ids of the user's sessions -> when they expire (ms since epoch)
  KEYS[3]  string  the user's epoch: "<epoch>@<replication id>"
  KEYS[4]  string  "<ms since epoch>@<replication id>"; in a Cluster KEYS[3], for it is elsewhere
  ARGV[1]  id of the session
  Returns  {"none"} | {"not-loaded"} | {"ended"} | {"alive", now (ms), expires (ms), user, role,
           device, ip, created (ms), seen (ms), level, number of KEYS[4], "" when not loaded}
]]
local session, sessions, epoch = KEYS[1], KEYS[2], KEYS[3]
local id = ARGV[1]

local fields = redis.call(
  "HMGET", session, "epoch", "user", "role", "device", "ip", "created", "seen", "level"
)
if not fields[1] then
  return { "none" }
end
-- include: session.epoch
if not isLoaded then
  return { "not-loaded" }
end
local now = redis.call("TIME")
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local expires = redis.call("ZSCORE", sessions, id)
if fields[1] ~= current or not expires or tonumber(expires) <= nowMs then
  return { "ended" }
end
local known, knownOn = string.match(redis.call("GET", KEYS[4]) or "", "^(%d+)@(%x+)$")
local before = knownOn == server and known or ""
return {
  "alive", string.format("%.0f", nowMs), expires, fields[2], fields[3], fields[4], fields[5],
  fields[6], fields[7], fields[8] or "0", before,
}
