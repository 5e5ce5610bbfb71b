#!lua flags=allow-oom
--[[
  Ends all sessions of a user by a higher epoch. One of them may
  be kept. Can be repeated and come late: a lower epoch changes
  nothing. Where the epoch was not loaded on this server, it stays
  so. Then no session is kept: an earlier revocation may have
  ended it. Runs on a full server too.
  KEYS[1]  string  the user's epoch: "<epoch>@<replication id>"
  KEYS[2]  zset    ids of the user's sessions -> when they expire (ms since epoch)
  KEYS[3]  hash    the session that is kept, or any of the user's that is not
  ARGV[1]  the new epoch   ARGV[2]  how long it is kept (ms)
  ARGV[3]  id of the kept session, or ""
  Returns  how many sessions were ended
]]
local epoch, sessions, kept = KEYS[1], KEYS[2], KEYS[3]
local raised, keepMs, keptId = tonumber(ARGV[1]), ARGV[2], ARGV[3]

-- include: session.epoch
if current and tonumber(current) >= raised then
  return 0
end
redis.call("SET", epoch, string.format("%.0f", raised) .. "@" .. (loadedOn or "0"), "PX", keepMs)
local ended = redis.call("ZCARD", sessions)
local expires = redis.call("ZSCORE", sessions, keptId)
redis.call("UNLINK", sessions)
local before = string.format("%.0f", raised - 1)
if isLoaded and expires and redis.call("HGET", kept, "epoch") == before then
  redis.call("HSET", kept, "epoch", string.format("%.0f", raised))
  redis.call("ZADD", sessions, expires, keptId)
  redis.call("PEXPIRE", sessions, keepMs)
  ended = ended - 1
end
return ended
