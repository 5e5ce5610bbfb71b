#!lua
--[[
  Adds a guest's lines to the cart of an account, once per merge. Sums are
  clamped to the bounds and to the stock. No line of the account's cart goes
  or grows less; one that cannot be bought stays with one piece. Lines
  beyond the bound are left out. The guest's operations come along, so that
  a repeated one counts nothing twice.
  KEYS[1]  hash  the cart of the account
  KEYS[2]  hash  operations done on it
  KEYS[3]  string  set once this merge is done
  ARGV[1]  life of the cart (ms)   ARGV[2]  channel   ARGV[3]  owner
  ARGV[4]  how long the merge is remembered (ms)
  ARGV[5]  most pieces   ARGV[6]  most lines   ARGV[7]  lines
  ARGV[8…]  product, pieces, price, pieces in stock of each line; then id and value of each
            operation
  Returns  1 when it was done now, 0 when it was done before
]]
local cart, operations, marker = KEYS[1], KEYS[2], KEYS[3]
local lifeMs, channel, owner, rememberedMs = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local most, mostLines, count = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local FIRST = 8

-- include: cart.opened
-- include: cart.remembered

if redis.call("EXISTS", marker) == 1 then
  return 0
end
local version = after((open(cart, lifeMs)))
local size = redis.call("HLEN", cart) - 1

for index = 0, count - 1 do
  local at = FIRST + 4 * index
  local product, pieces = ARGV[at], tonumber(ARGV[at + 1])
  local price, stock = ARGV[at + 2], tonumber(ARGV[at + 3])
  local before, _, order = parse(redis.call("HGET", cart, product))
  if order or size < mostLines then
    local sum = math.max(before, math.min(before + pieces, most, math.max(stock, 1)))
    order = order or string.format("%.0f.%03d", version, index)
    redis.call("HSET", cart, product, string.format("%.0f:%s:%s", sum, price, order))
    size = size + (before == 0 and 1 or 0)
  end
end
for at = FIRST + 4 * count, #ARGV, 2 do
  redis.call("HSETNX", operations, ARGV[at], ARGV[at + 1])
end
forgetSome(operations)
redis.call("SET", marker, 1, "PX", rememberedMs)
if count > 0 then
  keep(cart, version, lifeMs)
  announce(channel, owner, version)
end
return 1
