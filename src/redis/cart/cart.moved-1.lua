#!lua flags=allow-oom
--[[
  Notes that a merge has arrived: the guest's cart is empty. Its writes are
  followed to the account for a while yet.
  KEYS[1]  hash  the cart of the guest
  ARGV[1]  life of the cart (ms)   ARGV[2]  channel   ARGV[3]  owner   ARGV[4]  merge
  ARGV[5]  how long writes are followed (ms)
  Returns  1 when it was noted now; 0 when it was noted before or the cart is another one
]]
local cart = KEYS[1]
local lifeMs, channel, owner = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local merge, followedMs = ARGV[4], tonumber(ARGV[5])

-- include: cart.opened

local version, moved = open(cart, lifeMs)
if not moved or moved.merge ~= merge or moved.untilMs then
  return 0
end
redis.call("DEL", cart)
version = after(version)
keep(cart, version, lifeMs, away(moved.target, merge, nowMs + followedMs))
announce(channel, owner, version)
return 1
