#!lua flags=allow-oom
--[[
  Sets how far the log reaches in Postgres: the tail is complete
  from there on. Only for the caller noted last, on this server.
  No entry, flush or restart may come in between: else its look at
  Postgres may be too old.
  KEYS[1]  hash  the tail's state: server -> replication id; last -> sequence that it reaches to, or
                 loading -> who loads it
  ARGV[1]  names the caller   ARGV[2]  last sequence in Postgres
  ARGV[3]  how long the tail is kept (ms)
  Returns  1 when it is loaded now, 0 when another caller came in between
]]
local state = KEYS[1]
local caller, last, keepMs = ARGV[1], ARGV[2], ARGV[3]

-- include: client/memory-fence
local known = redis.call("HMGET", state, "server", "loading")
if known[1] ~= server or known[2] ~= caller then
  return 0
end
redis.call("HDEL", state, "loading")
redis.call("HSET", state, "last", last)
redis.call("PEXPIRE", state, keepMs)
return 1
