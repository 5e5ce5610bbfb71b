#!lua flags=allow-oom
--[[
  Whether this server was told who was active on a day. One that restarted, was restored or took
  over has another replication id and must be told again.
  KEYS[1]  string  bitmap of the day: user -> 1
  KEYS[2]  string  the replication id of the server that was told of the day
  Returns  1 when it was, else 0
]]
local day, loaded = KEYS[1], KEYS[2]

-- include: client/memory-fence
return redis.call("GET", loaded) == server and redis.call("EXISTS", day) or 0
