--[[
  Makes a tag that is missing (never used, expired or evicted) with a version no entry can carry; renews its lifetime otherwise.
  KEYS[1]  string  the tag
  ARGV[1]  how long the tag is kept (ms)
  Returns  its value
]]
local tag = KEYS[1]
local keepMs = ARGV[1]

local value = redis.call("GET", tag)
if value then
  redis.call("PEXPIRE", tag, keepMs)
  return value
end
local now = redis.call("TIME")
value = string.format("%.0f", now[1] * 1000000 + now[2])
redis.call("SET", tag, value, "PX", keepMs)
return value
