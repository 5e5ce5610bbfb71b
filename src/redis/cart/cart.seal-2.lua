#!lua
--[[
  Seals a guest's cart at a sign-in: it takes no more writes, and
  names its account and merge. A sealed cart stays as it is, so
  that many sign-ins are one merge. The merge is named by guest
  and version. So a lost seal is made again under the same name. A
  cart without any change has nothing to merge: it has arrived.
  KEYS[1]  hash  the cart of the guest
  KEYS[2]  hash  operations done on it
  ARGV[1]  life of the cart (ms)   ARGV[2]  account   ARGV[3]  guest
  ARGV[4]  how long writes are followed (ms)
  Returns  {all fields of the cart, all fields of the operations}
]]
local cart, operations = KEYS[1], KEYS[2]
local lifeMs, target, guest, followedMs = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])

-- include: cart.opened

local version, moved = open(cart, lifeMs)
if not moved then
  local isEmpty = redis.call("HLEN", cart) == 1 and redis.call("EXISTS", operations) == 0
  local merge = guest .. ":" .. string.format("%.0f", version)
  keep(cart, version, lifeMs, away(target, merge, isEmpty and nowMs + followedMs or nil))
end
return { redis.call("HGETALL", cart), redis.call("HGETALL", operations) }
