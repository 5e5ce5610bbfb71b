#!lua flags=allow-oom
--[[
  Counts one more invalidation and announces the count, after its
  tags have changed. Runs on a full server too. The count never
  falls below the Redis clock in milliseconds. So it rises also
  where the counter was lost or restored.
  KEYS[1]  string  the count of the last invalidation
  ARGV[1]  channel on which it is announced
  Returns  the count
]]
local counter = KEYS[1]
local channel = ARGV[1]

local now = redis.call("TIME")
local last = tonumber(redis.call("GET", counter)) or 0
local count = math.max(last + 1, now[1] * 1000 + math.floor(now[2] / 1000))
redis.call("SET", counter, string.format("%.0f", count))
redis.call("PUBLISH", channel, string.format("%.0f", count))
return count
