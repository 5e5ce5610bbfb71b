#!lua flags=allow-oom
--[[
  Loads the tail with the last sequence in Postgres: from then on it is complete from there. Only
  for the caller that was noted last, on this server, with no entry, flush or restart in between:
  what it read from Postgres may be older.
  KEYS[1]  hash  the tail's state: server -> replication id, last -> sequence that it reaches to, or
                 loading -> who loads it
  ARGV[1]  names the caller   ARGV[2]  last sequence in Postgres
  ARGV[3]  how long the tail is kept (ms)
  Returns  1 when it is loaded now, 0 when something came in between
]]
local state = KEYS[1]
local caller, last, keepMs = ARGV[1], ARGV[2], ARGV[3]

local server = string.match(redis.call("INFO", "replication"), "master_replid:(%x+)")
local known = redis.call("HMGET", state, "server", "loading")
if known[1] ~= server or known[2] ~= caller then
  return 0
end
redis.call("HDEL", state, "loading")
redis.call("HSET", state, "last", last)
redis.call("PEXPIRE", state, keepMs)
return 1
