#!lua flags=allow-oom
--[[
  Reads a cart that may have expired, or is to be renewed. Runs on a full
  server too: it writes next to nothing.
  KEYS[1]  hash  the cart
  ARGV[1]  how long a cart is kept (ms)   ARGV[2]  renewed when it has less than this left (ms)
  Returns  all fields of the hash, each followed by its value
]]
local cart = KEYS[1]
local lifeMs, renewMs = tonumber(ARGV[1]), tonumber(ARGV[2])

-- include: cart.opened

local version, moved, _, _, expires = open(cart, lifeMs)
if not moved and expires - nowMs < renewMs then
  keep(cart, version, lifeMs)
end
return redis.call("HGETALL", cart)
