#!lua
--[[
  Changes a cart, once per operation: adds pieces of a product, sets a line,
  or clears. A refusal changes nothing, and its operation can be sent again.
  Publishes in the same step, so that the owner's devices miss no change.
  KEYS[1]  hash  the cart
  KEYS[2]  hash  operations that callers named: id ->
                 "<made, ms>|<fingerprint>|<pieces short>|<price before>"
  KEYS[3]  string  an unnamed operation, for the second try of the same request: the same value
  ARGV[1]  life of the cart (ms)   ARGV[2]  channel   ARGV[3]  owner
  ARGV[4]  operation, or "" where it has no name
  ARGV[5]  fingerprint of the arguments   ARGV[6]  expected version, or ""
  ARGV[7]  "add" | "set" | "clear"
  ARGV[8]  product   ARGV[9]  pieces   ARGV[10]  price of one   ARGV[11]  pieces in stock
  ARGV[12]  most pieces   ARGV[13]  most lines
  Returns  {outcome, short, price of the line before or "", version}; short is the number of
           pieces asked for and not given; the outcome is "done", "repeated", or why not:
           "mismatch" | "conflict" | "moved" | "lines" | "full" | "stock"
]]
local cart, operations, own = KEYS[1], KEYS[2], KEYS[3]
local lifeMs, channel, owner = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local operation, fingerprint = ARGV[4], ARGV[5]
local expected, action, product = ARGV[6], ARGV[7], ARGV[8]
local pieces, price = tonumber(ARGV[9]), ARGV[10]
local stock, most, mostLines = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local OWN_MS = 60000

-- include: cart.opened
-- include: cart.remembered

local version, moved, isNew, line = open(cart, lifeMs, product)
local function answer(outcome, short, was)
  return { outcome, short or 0, was or "", version }
end

-- Besides the field of version and expiry.
local function lines()
  return redis.call("HLEN", cart) - 1
end

-- The cart is changed: a new version, remembered and published.
local function done(short, was, ...)
  version = after(version)
  keep(cart, version, lifeMs, "", ...)
  local value = string.format("%.0f|%s|%d|%s", nowMs, fingerprint, short, was or "")
  if operation == "" then
    redis.call("SET", own, value, "PX", OWN_MS)
  else
    redis.call("HSET", operations, operation, value)
    forgetSome(operations)
  end
  announce(channel, owner, version)
  return answer("done", short, was)
end

-- What is asked for is so already.
local function unchanged(short, was)
  keep(cart, version, lifeMs)
  return answer("done", short, was)
end

-- Asked first: what was done here before the cart moved has gone with it.
local known = operation == "" and redis.call("GET", own)
  or operation ~= "" and redis.call("HGET", operations, operation)
if known then
  local made, print, short, was = string.match(known, "^(%d+)|([^|]*)|(%d+)|(%d*)$")
  if made + OPERATIONS_MS > nowMs then
    return answer(print == fingerprint and "repeated" or "mismatch", tonumber(short), was)
  end
end
if moved then
  return answer("moved")
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

local before, was, order = parse(line)
if action == "set" and pieces == 0 then
  return redis.call("HDEL", cart, product) == 1 and done(0, was) or unchanged(0)
end
if not was and lines() >= mostLines then
  return answer("lines")
end
local wanted = action == "add" and before + pieces or pieces
local given = math.min(wanted, most, stock)
if given < 1 or (action == "add" and given <= before) then
  return answer(action == "add" and before >= most and "full" or "stock")
end
if given == before and was == price then
  return unchanged(wanted - given, was)
end
order = order or string.format("%.0f", after(version))
return done(wanted - given, was, product, given .. ":" .. price .. ":" .. order)
