--[[
  Takes the right to load a value, unless it is held (then notes
  that a caller waits). It is refused, too, where the value was
  written since the caller looked.
  KEYS[1]  hash    the lease: fence -> number, waited -> 0 | 1
  KEYS[2]  string  the guarded value; its first 16 characters are the fence it was written with
  ARGV[1]  how long the lease lasts (ms)
  ARGV[2]  "wait": leave word | "pass": the caller does not wait
  ARGV[3]  fence of the value the caller found, or 0
  Returns  {1, fence} when taken; {0, ms until the present lease runs out} when held; {0, "0"} when
           the value was written since
]]
local lease, value = KEYS[1], KEYS[2]
local leaseMs, otherwise, found = ARGV[1], ARGV[2], tonumber(ARGV[3])

if redis.call("EXISTS", lease) == 1 then
  if otherwise == "wait" then
    redis.call("HSET", lease, "waited", 1)
  end
  return { 0, tostring(redis.call("PTTL", lease)) }
end

local last = tonumber(redis.call("GETRANGE", value, 0, 15)) or 0
if last > found then
  return { 0, "0" }
end

-- Microseconds rise with every lease; the maximum keeps them rising where a clock was set back.
local now = redis.call("TIME")
local fence = string.format("%.0f", math.max(now[1] * 1000000 + now[2], last + 1))
redis.call("HSET", lease, "fence", fence, "waited", 0)
redis.call("PEXPIRE", lease, leaseMs)
return { 1, fence }
