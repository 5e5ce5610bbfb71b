--[[
  Part of every script of a cart: opens it by the Redis clock. A missing or
  expired cart is an empty one with a new version. So is that of a guest
  whose writes are no longer followed to an account. The key outlives the
  cart by a day, for its version. No version is below the seconds since 2025
  (32 bits last until 2093): it rises also where the key is gone.
]]
local VERSION_EPOCH_S, OUTLIVES_MS = 1735689600, 86400000
local clock = redis.call("TIME")
local nowMs = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- The version after this one.
local function after(version)
  return math.max(version + 1, clock[1] - VERSION_EPOCH_S)
end

-- Writes version and expiry, which stand first in the hash, and what else is given. `away` says
-- where a guest's cart went.
local function keep(cart, version, lifeMs, away, ...)
  local value = string.format("%.0f|%.0f%s", version, nowMs + lifeMs, away or "")
  redis.call("HSET", cart, "cart", value, ...)
  redis.call("PEXPIRE", cart, lifeMs + OUTLIVES_MS)
end

-- Where a guest's cart went: the account, and the merge that takes it there. Once it has arrived,
-- also the time until which writes are followed.
local function away(target, merge, untilMs)
  return string.format("|%s|%s|%s", target, merge, untilMs and string.format("%.0f", untilMs) or "")
end

-- Returns the version; {target, merge, untilMs} of a guest's cart that went to an account; whether
-- it was made just now; the value of one more field; and the expiry.
local function open(cart, lifeMs, field)
  local found = redis.call("HMGET", cart, "cart", field or "cart")
  local version, expires, rest = string.match(found[1] or "0|0", "^(%d+)|(%d+)(.*)$")
  version, expires = tonumber(version), tonumber(expires)
  local target, merge, untilMs = string.match(rest, "^|(%d+)|([^|]*)|(%d*)$")
  untilMs = tonumber(untilMs)
  if expires > nowMs and not (untilMs and untilMs <= nowMs) then
    local moved = target and { target = target, merge = merge, untilMs = untilMs } or nil
    return version, moved, false, found[2], expires
  end
  redis.call("DEL", cart)
  keep(cart, after(version), lifeMs)
  return after(version), nil, version == 0, false, nowMs + lifeMs
end

-- Publishes to the owner's devices, as redis/pubsub/pubsub.ts does.
local function announce(channel, owner, version)
  local message = string.format('{"id":"%s","version":%.0f,"seen":0}', owner, version)
  redis.call("PUBLISH", channel, message)
end

-- A line as it is kept: quantity, price of one piece, and what lines are ordered by.
local function parse(line)
  local quantity, price, order = string.match(line or "", "^(%d+):(%d+):([%d.]+)$")
  return tonumber(quantity or 0), price, order
end
