#!lua
--[[
  Notes that a user was active on a day. Can be repeated.
  KEYS[1]  string  bitmap of the day: user -> 1
  ARGV[1]  user   ARGV[2]  when the day leaves (ms since epoch)
  Returns  1 when it was noted before, else 0
]]
local day = KEYS[1]
local user, leavesMs = ARGV[1], ARGV[2]

local before = redis.call("SETBIT", day, user, 1)
redis.call("PEXPIREAT", day, leavesMs)
return before
