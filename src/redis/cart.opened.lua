--[[
  Part of every script of a cart: opens it by the Redis clock. A cart that is missing or has expired is an empty one with a new version,
  and so is that of a guest whose writes are no longer followed to an account. The key outlives the cart by a day, for its version;
  no version is below the seconds since 2025 (32 bits last until 2093), so that it rises also where the key is gone.
]]
local VERSION_EPOCH_S, OUTLIVES_MS = 1735689600, 86400000
local clock = redis.call("TIME")
local nowMs = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- The version after this one.
local function after(version)
  return math.max(version + 1, clock[1] - VERSION_EPOCH_S)
end

-- Writes version, expiry and what else is given.
local function keep(cart, version, lifeMs, ...)
  redis.call("HSET", cart, "version", version, "expires", nowMs + lifeMs, ...)
  redis.call("PEXPIRE", cart, lifeMs + OUTLIVES_MS)
end

-- Returns version, expiry, and {target, merge, until} of a guest's cart that went to an account; for a cart just made, true.
local function open(cart, lifeMs)
  local found = redis.call("HMGET", cart, "version", "expires", "target", "merge", "until")
  local version, expires = tonumber(found[1] or 0), tonumber(found[2] or 0)
  local untilMs = tonumber(found[5])
  if expires > nowMs and not (untilMs and untilMs <= nowMs) then
    return version, expires, found[3] and { target = found[3], merge = found[4], untilMs = untilMs } or nil, false
  end
  redis.call("DEL", cart)
  keep(cart, after(version), lifeMs)
  return after(version), nowMs + lifeMs, nil, version == 0
end

-- Tells the owner's devices, in the words of redis/pubsub.ts.
local function announce(channel, owner, version)
  redis.call("PUBLISH", channel, string.format('{"id":"%s","version":%.0f,"seen":0}', owner, version))
end

-- A line as it is kept: quantity, price of one piece, and what lines are ordered by.
local function parse(line)
  local quantity, price, order = string.match(line or "", "^(%d+):(%d+):([%d.]+)$")
  return tonumber(quantity or 0), price, order
end
