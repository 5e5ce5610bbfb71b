--[[
  Writes a loaded value, unless a later load has written one. Ends
  the lease if it is still this load's, and wakes the waiters. A
  load may outlive its lease and write all the same: readers judge
  a value by its tag versions. Otherwise loads longer than the
  lease would never fill anything.
  KEYS[1]  string  the entry: "<fence>|<stored at, ms>|<the rest>"
  KEYS[2]  hash    the lease
  ARGV[1]  fence of the load   ARGV[2]  the rest of the entry   ARGV[3]  lifetime (ms)
  ARGV[4]  channel of the waiters   ARGV[5]  name of the value
  Returns  1 when written, 0 when refused
]]
local entry, lease = KEYS[1], KEYS[2]
local fence, rest, lifetimeMs, channel, name = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

if (tonumber(redis.call("GETRANGE", entry, 0, 15)) or 0) > tonumber(fence) then
  return 0
end

local now = redis.call("TIME")
local nowMs = string.format("%.0f", now[1] * 1000 + math.floor(now[2] / 1000))
redis.call("SET", entry, fence .. "|" .. nowMs .. "|" .. rest, "PX", lifetimeMs)

local held = redis.call("HMGET", lease, "fence", "waited")
if held[1] == fence then
  redis.call("DEL", lease)
  if held[2] == "1" then
    redis.call("PUBLISH", channel, name)
  end
end
return 1
