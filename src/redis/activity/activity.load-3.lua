#!lua
--[[
  Loads the active users of a day from Postgres. Bits that are here stay:
  Postgres has their rows, or is about to.
  KEYS[1]  string  bitmap of the day: user -> 1
  KEYS[2]  string  the replication id of the server that loaded the day
  KEYS[3]  string  a place that is free, and is free again afterwards
  ARGV[1]  bitmap   ARGV[2]  when the day leaves (ms since epoch)
  Returns  1
]]
local day, loaded, place = KEYS[1], KEYS[2], KEYS[3]
local bits, leavesMs = ARGV[1], ARGV[2]

-- include: client/memory-fence
redis.call("SETBIT", day, 0, 0)
redis.call("SET", place, bits)
redis.call("BITOP", "OR", day, day, place)
redis.call("UNLINK", place)
redis.call("PEXPIREAT", day, leavesMs)
redis.call("SET", loaded, server, "PXAT", leavesMs)
return 1
