#!lua
--[[
  Changes a cart, once per operation: adds pieces of a product, sets a line, or clears. A refusal changes nothing, and its operation can
  be sent again. Tells the owner's devices in the same step, so that no change is ever kept from them.
  KEYS[1]  hash  the cart
  KEYS[2]  hash  operations done: id -> "<made, ms>|<remembered for, ms>|<fingerprint>|<pieces short>|<price before>"
  ARGV[1]  life of the cart (ms)   ARGV[2]  channel   ARGV[3]  owner   ARGV[4]  operation   ARGV[5]  remembered for (ms)
  ARGV[6]  fingerprint of the arguments   ARGV[7]  expected version, or ""   ARGV[8]  "add" | "set" | "clear"
  ARGV[9]  product   ARGV[10]  pieces   ARGV[11]  price of one   ARGV[12]  pieces in stock   ARGV[13]  most pieces   ARGV[14]  most lines
  Returns  {outcome, pieces asked for and not given, price of the line before or "", all fields of the hash}; the outcome is "done",
           "repeated", or why not: "mismatch" | "conflict" | "moved" | "lines" | "full" | "stock"
]]
local cart, operations = KEYS[1], KEYS[2]
local lifeMs, channel, owner, operation, keptMs = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local fingerprint, expected, action = ARGV[6], ARGV[7], ARGV[8]
local product, pieces, price, stock = ARGV[9], tonumber(ARGV[10]), ARGV[11], tonumber(ARGV[12])
local most, mostLines = tonumber(ARGV[13]), tonumber(ARGV[14])

-- include: cart.opened
-- include: cart.remembered

local version, _, moved, isNew = open(cart, lifeMs)
local function answer(outcome, short, was)
  return { outcome, short or 0, was or "", redis.call("HGETALL", cart) }
end

-- Besides version and expiry.
local function lines()
  return redis.call("HLEN", cart) - 2
end

-- The cart is changed: a new version, remembered and told.
local function done(short, was, ...)
  version = after(version)
  keep(cart, version, lifeMs, ...)
  redis.call("HSET", operations, operation, table.concat({ string.format("%.0f", nowMs), keptMs, fingerprint, short, was or "" }, "|"))
  forgetSome(operations)
  announce(channel, owner, version)
  return answer("done", short, was)
end

-- What is asked for is so already.
local function unchanged(short, was)
  keep(cart, version, lifeMs)
  return answer("done", short, was)
end

if moved then
  return answer("moved")
end
local known = redis.call("HGET", operations, operation)
if known then
  local made, forMs, print, short, was = string.match(known, "^(%d+)|(%d+)|([^|]*)|(%d+)|(%d*)$")
  if made + forMs > nowMs then
    return answer(print == fingerprint and "repeated" or "mismatch", tonumber(short), was)
  end
end
if expected ~= "" and tonumber(expected) ~= version and not (isNew and expected == "0") then
  return answer("conflict")
end

if action == "clear" then
  if lines() == 0 then
    return unchanged()
  end
  redis.call("DEL", cart)
  return done(0)
end

local before, was, order = parse(redis.call("HGET", cart, product))
if action == "set" and pieces == 0 then
  return redis.call("HDEL", cart, product) == 1 and done(0, was) or unchanged(0)
end
if not was and lines() >= mostLines then
  return answer("lines")
end
local wanted = action == "add" and before + pieces or pieces
local given = math.min(wanted, most, stock)
if given < 1 or (action == "add" and given <= before) then
  return answer(before >= most and "full" or "stock")
end
if given == before and was == price then
  return unchanged(wanted - given, was)
end
return done(wanted - given, was, product, given .. ":" .. price .. ":" .. (order or string.format("%.0f", after(version))))
