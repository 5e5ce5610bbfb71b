#!lua flags=allow-oom
--[[
  Takes costs out of several buckets, or nothing out of any. A
  bucket is a debt that time pays back at its rate; the burst is
  its bound. This is GCRA, with the theoretical arrival time `at`
  + debt / rate. A busy period lasts until the debt is paid; what
  is given back is counted within one (limiter.settle). A hold
  that exists was taken before: nothing is taken again.
  KEYS[1]  string  the hold: "<cost> <debt after it> <at (us)> <busy since (us)> <given back>;" for
                   each bucket
  KEYS[2..]  string  the buckets: "<debt> <at (us)> <busy since (us)> <given back>"
  ARGV[1]  how long the hold is remembered (ms); 0 when nothing will be given back; -1 when the cost
           is owed for what was done already: it is taken whatever is left, and the debt may exceed
           the burst
  ARGV[2..]  of each bucket: cost, burst, rate (per second)
  Returns  {0, now (us), remaining of each bucket...} | {number of the bucket that binds, now (us),
           wait (us), remaining of each bucket...}
]]
local hold, keepMs = KEYS[1], tonumber(ARGV[1])

local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local isRepeated = keepMs > 0 and redis.call("EXISTS", hold) == 1
local buckets, binding, longestWait = {}, 0, 0
for i = 2, #KEYS do
  local cost, burst = tonumber(ARGV[3 * i - 4]), tonumber(ARGV[3 * i - 3])
  local rate = tonumber(ARGV[3 * i - 2])
  local known = redis.call("GET", KEYS[i]) or ""
  local debt, at, since, back = string.match(known, "^(%S+) (%S+) (%S+) (%S+)$")
  local left = debt and math.max(0, debt - math.max(0, now - at) * rate / 1000000) or 0
  if left == 0 then
    since, back = now, 0
  end
  if isRepeated then
    cost = 0
  end
  -- A clock that was put back keeps the bucket at its time: it waits, it is not emptied.
  buckets[i] = {
    cost = cost,
    burst = burst,
    rate = rate,
    debt = left,
    at = math.max(now, tonumber(at or now)),
    since = tonumber(since),
    back = tonumber(back),
  }
  local wait = (left + cost - burst) / rate * 1000000
  if keepMs >= 0 and cost > 0 and wait > 0 and wait > longestWait then
    binding, longestWait = i - 1, wait
  end
end

local reply = { binding, string.format("%.0f", now) }
if binding > 0 then
  reply[3] = string.format("%.0f", math.ceil(longestWait))
end
local held = {}
for i = 2, #KEYS do
  local bucket = buckets[i]
  if binding == 0 and bucket.cost > 0 then
    bucket.debt = bucket.debt + bucket.cost
    local debt, at, since, back = bucket.debt, bucket.at, bucket.since, bucket.back
    local value = string.format("%.17g %.0f %.0f %.17g", debt, at, since, back)
    local lastsMs = math.ceil(debt / bucket.rate * 1000) + 1000
    redis.call("SET", KEYS[i], value, "PX", string.format("%.0f", lastsMs))
    held[#held + 1] = string.format("%.17g ", bucket.cost) .. value
  else
    held[#held + 1] = "0 0 0 0 0"
  end
  reply[#reply + 1] = string.format("%.17g", bucket.burst - bucket.debt)
end
if binding == 0 and keepMs > 0 and not isRepeated then
  redis.call("SET", hold, table.concat(held, ";"), "PX", keepMs)
end
return reply
