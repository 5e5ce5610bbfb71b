#!lua flags=allow-oom
--[[
  Whether a day was loaded on this server. Another server has to load it
  again.
  KEYS[1]  string  bitmap of the day: user -> 1
  KEYS[2]  string  the replication id of the server that loaded the day
  Returns  1 when it was, else 0
]]
local day, loaded = KEYS[1], KEYS[2]

-- include: client/memory-fence
return redis.call("GET", loaded) == server and redis.call("EXISTS", day) or 0
