--[[
  Gives a lease back without a value, and wakes the waiters.
  KEYS[1]  hash  the lease
  ARGV[1]  fence it was taken with   ARGV[2]  channel of the waiters   ARGV[3]  name of the value
  Returns  1 when it was ours, else 0
]]
local lease = KEYS[1]
local fence, channel, name = ARGV[1], ARGV[2], ARGV[3]

local held = redis.call("HMGET", lease, "fence", "waited")
if held[1] ~= fence then
  return 0
end
redis.call("DEL", lease)
if held[2] == "1" then
  redis.call("PUBLISH", channel, name)
end
return 1
