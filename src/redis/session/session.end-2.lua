#!lua flags=allow-oom
--[[
  Ends one session. Can be repeated. Runs on a full server too.
  KEYS[1]  hash  the session
  KEYS[2]  zset  ids of the user's sessions -> when they expire (ms since epoch)
  ARGV[1]  id of the session
  Returns  1 when it was there, else 0
]]
local session, sessions = KEYS[1], KEYS[2]
local id = ARGV[1]

redis.call("UNLINK", session)
return redis.call("ZREM", sessions, id)
