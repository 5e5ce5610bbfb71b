#!lua flags=allow-oom
--[[
  Gives back what a hold took too much, once: the hold is gone
  afterwards. Each bucket gets no more than the hold took from it.
  Nor does it get what time has paid back already. So it stands
  where the smaller cost would have put it, and admits no more.
  Refunds since then to earlier holds count against it: no more
  than the debt that was there before it. Refunds to later holds
  count up to that, too.
  KEYS[1]  string  the hold (limiter.consume)
  KEYS[2..]  string  the buckets, in the order of the hold; those at its end that are left out keep
                     everything
  ARGV[1]  what was taken too much
  ARGV[2..]  rate of each bucket (per second)
  Returns  what was given back to each bucket...; nothing when the hold is unknown
]]
local hold, surplus = KEYS[1], tonumber(ARGV[1])

local held = redis.call("GETDEL", hold)
if not held then
  return {}
end
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local given, i = {}, 1
local BUCKET = "([^; ]+) (%S+) (%S+) (%S+) ([^; ]+)"
for cost, debtThen, atThen, sinceThen, backThen in string.gmatch(held, BUCKET) do
  i = i + 1
  if i > #KEYS then
    break
  end
  local rate = tonumber(ARGV[i])
  local known = redis.call("GET", KEYS[i]) or ""
  local debt, at, since, back = string.match(known, "^(%S+) (%S+) (%S+) (%S+)$")
  local amount = 0
  if since and since == sinceThen then
    local left = debt - math.max(0, now - at) * rate / 1000000
    local earlier = math.min(back - backThen, debtThen - cost)
    local unpaid = debtThen - math.max(0, now - atThen) * rate / 1000000 - earlier
    amount = math.max(0, math.min(surplus, tonumber(cost), unpaid, left))
    if amount > 0 then
      local rest, later = left - amount, math.max(now, tonumber(at))
      local value = string.format("%.17g %.0f %s %.17g", rest, later, since, back + amount)
      local lastsMs = math.ceil(rest / rate * 1000) + 1000
      redis.call("SET", KEYS[i], value, "PX", string.format("%.0f", lastsMs))
    end
  end
  given[#given + 1] = string.format("%.17g", amount)
end
return given
