--[[
  Makes a missing tag (never used, expired or evicted) with a version that
  no entry carries. Renews the lifetime of one that is half spent. Not more
  often: every write to a tag makes all processes drop it from their local
  level.
  KEYS[1]  string  the tag
  ARGV[1]  how long the tag is kept (ms)
  Returns  its value
]]
local tag = KEYS[1]
local keepMs = ARGV[1]

local value = redis.call("GET", tag)
if value then
  if redis.call("PTTL", tag) < keepMs / 2 then
    redis.call("PEXPIRE", tag, keepMs)
  end
  return value
end
local now = redis.call("TIME")
value = string.format("%.0f", now[1] * 1000000 + now[2])
redis.call("SET", tag, value, "PX", keepMs)
return value
